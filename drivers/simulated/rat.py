"""A rat that hears current, not commands: what it does follows from the waveform that reached its electrode."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from drivers.simulated.eeg import Background, Microvolts
from drivers.simulated.evoked import EvokedDischarges

SILENCE_US = 200_000
"""No current for this long ends a train: longer than any period of a kindling train, shorter than any latency."""

CHRONAXIE_US = 250.0
"""Of the fibres around the electrode; sets how a shorter phase needs more current. An assumption, not a measurement."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of constant current."""

    start_us: int
    end_us: int
    current_ua: float


@dataclass(frozen=True, slots=True)
class Heard:
    """A train as it arrived, and what it led to; times are bench time in microseconds."""

    start_us: int
    end_us: int
    n_pulses: int
    current_ua: float
    """Mean absolute current of the leading phases."""
    effective_ua: float
    """The same, scaled to 50 pulses of 1 ms."""
    net_charge_uc: float
    discharge_us: tuple[int, int] | None
    """First and last spike of the afterdischarge that it evoked."""


@dataclass
class SimulatedRat:
    """``threshold_ua`` holds for a train of 50 pulses of 1 ms; ``seed`` fixes everything else about this animal."""

    threshold_ua: float
    seed: int
    rate_hz: float
    trial_noise_ln: float = 0.0
    """Standard deviation of ln threshold from trial to trial."""
    discharge_s: tuple[float, float] = (10.0, 25.0)
    latency_s: tuple[float, float] = (0.4, 1.2)
    amplitude_ratio: float = 5.0
    """Spike peak over the median largest background deflection of a second."""
    on_heard: Callable[["Heard"], None] = lambda heard: None
    """Told of each train as soon as the animal has it."""
    heard: list[Heard] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._background = Background(self.rate_hz, self.seed)
        sample = self._background.uv(0, round(20 * self.rate_hz)).reshape(20, -1)
        self._background_peak_uv = float(np.median(np.abs(sample).max(axis=1)))
        self._pending: list[Phase] = []
        self._evoked = EvokedDischarges(self.rate_hz)

    def hear(self, phases: list[Phase], until_us: int) -> None:
        """The current that flowed up to ``until_us``; phases come in order, and may be cut anywhere."""
        for phase in phases:
            self._end_train_before(phase.start_us)
            if self._pending and _continues(self._pending[-1], phase):
                phase = Phase(self._pending.pop().start_us, phase.end_us, phase.current_ua)
            self._pending.append(phase)
        self._end_train_before(until_us)

    def uv(self, first: int, n: int, start_us: int, rate_hz: float) -> Microvolts:
        """Microvolts at the electrode; sample k lies at ``start_us + k / rate_hz`` of bench time."""
        signal = self._background.uv(first, n)
        self.add_evoked(signal, first, start_us, rate_hz)
        return signal

    def add_evoked(self, signal: Microvolts, first: int, start_us: int, rate_hz: float, *, share: float = 1.0) -> None:
        """Put the discharges so far onto ``signal``, whose samples begin at ``first``; ``share`` of them elsewhere."""
        self._evoked.add_to(signal, first, start_us, rate_hz, share)

    def _end_train_before(self, now_us: int) -> None:
        if self._pending and now_us - self._pending[-1].end_us >= SILENCE_US:
            train, self._pending = self._pending, []
            self.heard.append(self._respond(train))
            self.on_heard(self.heard[-1])

    def _respond(self, train: list[Phase]) -> Heard:
        rng = np.random.default_rng([self.seed, 2, len(self.heard)])
        leading_sign = np.sign(train[0].current_ua)
        leading = [phase for phase in train if np.sign(phase.current_ua) == leading_sign]
        current_ua = float(np.mean([abs(phase.current_ua) for phase in leading]))
        effective_ua = float(np.mean([abs(phase.current_ua) * _strength(phase) for phase in leading]))
        effective_ua *= (len(leading) / 50) ** 0.25
        threshold_ua = self.threshold_ua * float(np.exp(rng.normal(0, self.trial_noise_ln)))
        end_us = train[-1].end_us
        return Heard(
            start_us=train[0].start_us,
            end_us=end_us,
            n_pulses=len(leading),
            current_ua=current_ua,
            effective_ua=effective_ua,
            net_charge_uc=sum(p.current_ua * (p.end_us - p.start_us) for p in train) * 1e-6,
            discharge_us=self._discharge(rng, end_us) if effective_ua >= threshold_ua else None,
        )

    def _discharge(self, rng: np.random.Generator, train_end_us: int) -> tuple[int, int]:
        onset_us = train_end_us + round(rng.uniform(*self.latency_s) * 1e6)
        peak_uv = self.amplitude_ratio * self._background_peak_uv
        evoked = self._evoked.draw(rng, onset_us, rng.uniform(*self.discharge_s), peak_uv)
        length_us = round((evoked.last_spike - evoked.first_spike) / self.rate_hz * 1e6)
        return onset_us, onset_us + length_us


def _continues(before: Phase, after: Phase) -> bool:
    return before.end_us == after.start_us and before.current_ua == after.current_ua


def _strength(phase: Phase) -> float:
    """Lapicque: effect of a phase relative to one of 1 ms."""
    return float((1 - np.exp(-(phase.end_us - phase.start_us) / CHRONAXIE_US)) / (1 - np.exp(-1000.0 / CHRONAXIE_US)))
