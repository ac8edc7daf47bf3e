"""One sample clock for board, stimulator and rat: what the stimulator puts out is what the rat and the board get."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.board import Signal
from drivers.simulated.rat import Phase, SimulatedRat
from drivers.simulated.stimulator_output import StimulatorOutput

Volts = NDArray[np.float64]


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
        stimulator: StimulatorOutput,
        *,
        amplifier: Amplifier | None = None,
        monitor_ua_per_v: float = 100.0,
    ) -> None:
        self.rat = rat
        self.stimulator = stimulator
        self.amplifier = amplifier or Amplifier()
        self._monitor_ua_per_v = monitor_ua_per_v
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
        times_us = _times_us(start_us, rate_hz, first, n)
        steps = self.stimulator.marker(int(times_us[0]), int(times_us[-1]) + 1)
        return _levels_at(times_us, steps.times_us, steps.volts)

    def monitor_volts(self, start_us: int, rate_hz: float, first: int, n: int) -> Volts:
        """The current that really flows, as the stimulator's own monitor output shows it."""
        times_us = _times_us(start_us, rate_hz, first, n)
        steps = self.stimulator.output(int(times_us[0]), int(times_us[-1]) + 1)
        return _levels_at(times_us, steps.times_us, steps.ua) / self._monitor_ua_per_v

    def _let_the_rat_hear(self, until_us: int) -> None:
        with self._lock:
            if until_us <= self._heard_until_us:
                return
            steps = self.stimulator.output(self._heard_until_us, until_us)
            ends_us = np.append(steps.times_us[1:], until_us)
            phases = [
                Phase(int(begin), int(end), float(current))
                for begin, end, current in zip(steps.times_us, ends_us, steps.ua, strict=True)
                if current != 0.0
            ]
            self.rat.hear(phases, until_us)
            self._heard_until_us = until_us

    def _artefact_uv(self, times_us: Volts) -> Volts:
        """The current itself, and the recovery that every phase leaves behind."""
        amplifier = self.amplifier
        memory_us = 20 * amplifier.recovery_s * 1e6
        steps = self.stimulator.output(max(0, int(times_us[0] - memory_us)), int(times_us[-1]) + 1)
        stimulus_uv = steps.ua * amplifier.artefact_uv_per_ua
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


def _levels_at(times_us: Volts, step_times_us: NDArray[np.int64], levels: Volts) -> Volts:
    """A sample takes the level that stands at its instant."""
    at = np.searchsorted(step_times_us, times_us, side="right") - 1
    return np.asarray(levels[np.maximum(at, 0)])


def _time_us(start_us: int, rate_hz: float, index: int) -> int:
    return start_us + round(index * 1e6 / rate_hz)


def _times_us(start_us: int, rate_hz: float, first: int, n: int) -> Volts:
    return np.asarray(start_us + np.arange(first, first + n) * (1e6 / rate_hz), dtype=np.float64)
