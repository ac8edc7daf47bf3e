"""One sample clock for board, stimulator and rat: what the stimulator puts out is what the rat and the board get."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.board import Signal
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.rat import Phase, SimulatedRat

Volts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Isolator:
    """A voltage-controlled current source; its monitor output shows the current that really flows."""

    ua_per_v: float = 100.0
    compliance_v: float = 100.0
    load_kohm: float = 20.0
    monitor_ua_per_v: float = 100.0

    def current_ua(self, volts: Volts) -> Volts:
        limit_ua = self.compliance_v / self.load_kohm * 1000
        return np.clip(volts * self.ua_per_v, -limit_ua, limit_ua)


@dataclass(frozen=True, slots=True)
class Amplifier:
    """An EEG amplifier that sees the stimulus, clips at its rails and comes back exponentially."""

    gain: float = 1000.0
    rail_uv: float = 5000.0
    artefact_uv_per_ua: float = 60.0
    recovery_s: float = 0.08
    recovery_fraction: float = 0.5


class Bench:
    """``wires()`` are the board's analogue inputs; samples are a pure function of their index and of what was fired."""

    def __init__(
        self,
        rat: SimulatedRat,
        stimulator: PulsePalDevice,
        *,
        isolator: Isolator | None = None,
        amplifier: Amplifier | None = None,
        channel: int = 1,
        sync_channel: int = 2,
    ) -> None:
        self.rat = rat
        self.stimulator = stimulator
        self.isolator = isolator or Isolator()
        self.amplifier = amplifier or Amplifier()
        self._channel = channel
        self._sync_channel = sync_channel
        self._heard_until_us = 0
        self._lock = Lock()

    def wires(self) -> Mapping[str, Signal]:
        return {
            "Dev1/ai0": self.eeg_volts,
            "Dev1/ai1": self.ground_volts,
            "Dev1/ai2": self.ttl_volts,
            "Dev1/ai3": self.monitor_volts,
        }

    def eeg_volts(self, start_us: int, rate_hz: float, first: int, n: int) -> Volts:
        self._let_the_rat_hear(_time_us(start_us, rate_hz, first + n))
        times_us = _times_us(start_us, rate_hz, first, n)
        uv = self.rat.uv(first, n, start_us, rate_hz) + self._artefact_uv(times_us)
        rail = self.amplifier.rail_uv
        return np.clip(uv, -rail, rail) * 1e-6 * self.amplifier.gain

    def ground_volts(self, start_us: int, rate_hz: float, first: int, n: int) -> Volts:
        return np.zeros(n)

    def ttl_volts(self, start_us: int, rate_hz: float, first: int, n: int) -> Volts:
        return self._output(self._sync_channel, _times_us(start_us, rate_hz, first, n))

    def monitor_volts(self, start_us: int, rate_hz: float, first: int, n: int) -> Volts:
        volts = self._output(self._channel, _times_us(start_us, rate_hz, first, n))
        return self.isolator.current_ua(volts) / self.isolator.monitor_ua_per_v

    def _output(self, channel: int, times_us: Volts) -> Volts:
        steps = self.stimulator.output(channel, int(times_us[0]), int(times_us[-1]) + 1)
        # A sample takes the level that stands at its instant.
        at = np.searchsorted(steps.times_us, times_us, side="right") - 1
        return np.asarray(steps.volts[np.maximum(at, 0)])

    def _let_the_rat_hear(self, until_us: int) -> None:
        with self._lock:
            if until_us <= self._heard_until_us:
                return
            steps = self.stimulator.output(self._channel, self._heard_until_us, until_us)
            current_ua = self.isolator.current_ua(np.asarray(steps.volts))
            ends_us = np.append(steps.times_us[1:], until_us)
            phases = [
                Phase(int(begin), int(end), float(current))
                for begin, end, current in zip(steps.times_us, ends_us, current_ua, strict=True)
                if current != 0.0
            ]
            self.rat.hear(phases, until_us)
            self._heard_until_us = until_us

    def _artefact_uv(self, times_us: Volts) -> Volts:
        """The current itself, and the recovery that every phase leaves behind."""
        amplifier = self.amplifier
        memory_us = 20 * amplifier.recovery_s * 1e6
        steps = self.stimulator.output(self._channel, max(0, int(times_us[0] - memory_us)), int(times_us[-1]) + 1)
        stimulus_uv = self.isolator.current_ua(np.asarray(steps.volts)) * amplifier.artefact_uv_per_ua
        at = np.maximum(np.searchsorted(steps.times_us, times_us, side="right") - 1, 0)
        uv = stimulus_uv[at]
        ended = np.flatnonzero((stimulus_uv[:-1] != 0) & (stimulus_uv[1:] != stimulus_uv[:-1]))
        if ended.size == 0:
            return np.asarray(uv)
        ends_us = steps.times_us[ended + 1]
        tails_uv = np.minimum(np.abs(stimulus_uv[ended]), amplifier.rail_uv) * amplifier.recovery_fraction
        last = np.searchsorted(ends_us, times_us, side="right") - 1
        since_us = times_us - ends_us[np.maximum(last, 0)]
        tail_uv = tails_uv[np.maximum(last, 0)] * np.exp(-since_us * 1e-6 / amplifier.recovery_s)
        return np.asarray(uv + np.where((last >= 0) & (uv == 0), tail_uv, 0.0))


def _time_us(start_us: int, rate_hz: float, index: int) -> int:
    return start_us + round(index * 1e6 / rate_hz)


def _times_us(start_us: int, rate_hz: float, first: int, n: int) -> Volts:
    return np.asarray(start_us + np.arange(first, first + n) * (1e6 / rate_hz), dtype=np.float64)
