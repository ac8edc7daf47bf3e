"""One train as it flowed, pulse by pulse, and the rules that hold for any train whatever came before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from drivers.interface import PulseTrain
from kindle.safety import SafetyLimits

ROUNDING = 1 + 1e-6
"""Of products of decimal numbers."""

EDGE_US = 2.0
"""Emulated waveforms are told in whole microseconds, and the ticks of stimulators are not whole ones."""

CLOCK_ROUNDING = 0.01
"""By how much the ticks of a stimulator's clock may shorten a period."""

CODE_ROUNDING = 0.01
"""Of the current asked for, and ``CODE_UA`` on top: what the steps of a converter may make of it."""
CODE_UA = 1.0

BALANCE = 0.005
"""Of the charge moved one way: what the rounding of one code leaves of a balanced train."""


@dataclass
class FlowedTrain:
    """Current without a longer pause than a train may last; a phase is current of one sign without a pause."""

    onset_us: int
    leading_ua: float
    end_us: int
    peak_ua: float = 0.0
    longest_phase_us: int = 0
    largest_phase_uc: float = 0.0
    charge_uc: float = 0.0
    net_uc: float = 0.0
    n_phases: int = 0
    n_pulses: int = 0
    shortest_period_us: float = inf
    _pulse_us: int = 0
    _phase_us: int = 0
    _phase_uc: float = 0.0
    _phase_ua: float = 0.0

    def flows(self, begin_us: int, end_us: int, ua: float) -> None:
        """A stretch of constant current, in order; a phase may come in several."""
        charge_uc = abs(ua) * (end_us - begin_us) * 1e-6
        if self.n_phases and begin_us == self.end_us and ua == self._phase_ua:
            self._phase_us += end_us - begin_us
            self._phase_uc += charge_uc
        else:
            if ua * self.leading_ua > 0:
                if self.n_pulses:
                    self.shortest_period_us = min(self.shortest_period_us, begin_us - self._pulse_us)
                self._pulse_us = begin_us
                self.n_pulses += 1
            self.n_phases += 1
            self._phase_us, self._phase_uc, self._phase_ua = end_us - begin_us, charge_uc, ua
        self.end_us = end_us
        self.peak_ua = max(self.peak_ua, abs(ua))
        self.longest_phase_us = max(self.longest_phase_us, self._phase_us)
        self.largest_phase_uc = max(self.largest_phase_uc, self._phase_uc)
        self.charge_uc += charge_uc
        self.net_uc += charge_uc if ua > 0 else -charge_uc

    @property
    def edges_uc(self) -> float:
        """What the rounding of its edges may add up to."""
        return self.n_phases * self.peak_ua * EDGE_US * 1e-6

    @property
    def cut_uc(self) -> float:
        """A stop may leave the last pulse without its second phase, or with a part of it."""
        is_cut = self.n_phases % 2 or self._phase_us < self.longest_phase_us - EDGE_US
        return self.largest_phase_uc if is_cut else 0.0


def beyond_limits(train: FlowedTrain, limits: SafetyLimits) -> Iterator[str]:
    """Which limits of single trains ``train`` breaks, as far as it has come."""
    edge_uc = train.peak_ua * EDGE_US * 1e-6
    if train.peak_ua > limits.max_current_ua * ROUNDING:
        yield "max_current_ua"
    if train.longest_phase_us > limits.max_phase_us * ROUNDING + EDGE_US:
        yield "max_phase_us"
    if train.largest_phase_uc > limits.max_charge_per_phase_uc * ROUNDING + edge_uc:
        yield "max_charge_per_phase_uc"
    if train.end_us - train.onset_us > limits.max_train_s * 1e6 * ROUNDING + EDGE_US:
        yield "max_train_s"
    if (train.shortest_period_us + EDGE_US) * (1 + CLOCK_ROUNDING) < 1e6 / limits.max_pulse_hz:
        yield "max_pulse_hz"
    if train.charge_uc > limits.max_charge_per_train_uc * ROUNDING + train.edges_uc:
        yield "max_charge_per_train_uc"


def beyond_request(train: FlowedTrain, asked: PulseTrain) -> bool:
    """Whether ``train`` is more than was asked for."""
    within = train.peak_ua <= asked.current_ua * (1 + CODE_ROUNDING) + CODE_UA
    return not (within and train.n_pulses <= asked.pulse_hz * asked.train_s + 0.5)


def unbalanced(train: FlowedTrain, limits: SafetyLimits) -> bool:
    """Whether a train that is over leaves more direct current than is allowed."""
    allowed_uc = max(limits.max_net_charge_uc, BALANCE * train.charge_uc / 2 + train.cut_uc)
    return abs(train.net_uc) > allowed_uc * ROUNDING + train.edges_uc
