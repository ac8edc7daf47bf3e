"""The discharges that a simulated rat has had: kept is what each was drawn from, and a waveform only while it is looked
at, so that a day of them takes no more room and no more time than an hour."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from drivers.simulated.eeg import Discharge, Microvolts, discharge

KEPT = 4
"""Waveforms at a time."""
DISORDER_US = 10_000_000
"""Latencies differ: a discharge may begin so much earlier than one that was evoked before it."""


@dataclass(frozen=True, slots=True)
class Drawn:
    onset_us: int
    """Of its first spike."""
    first_spike: int
    n_samples: int
    duration_s: float
    peak_uv: float
    state: Mapping[str, Any]
    """Of the random generator before the waveform was drawn."""


class EvokedDischarges:
    """All of one rat, in the order in which they were evoked."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._drawn: list[Drawn] = []
        self._waveforms: dict[int, Microvolts] = {}
        self._longest_us = 0

    def draw(self, rng: np.random.Generator, onset_us: int, duration_s: float, peak_uv: float) -> Discharge:
        """One more, whose first spike comes at ``onset_us``."""
        state = rng.bit_generator.state
        drawn = discharge(rng, self._rate_hz, duration_s, peak_uv)
        self._drawn.append(Drawn(onset_us, drawn.first_spike, drawn.uv.size, duration_s, peak_uv, state))
        self._longest_us = max(self._longest_us, round(drawn.uv.size / self._rate_hz * 1e6))
        return drawn

    def add_to(self, signal: Microvolts, first: int, start_us: int, rate_hz: float, share: float) -> None:
        """Put ``share`` of them onto ``signal``, whose sample ``first`` lies ``first / rate_hz`` after ``start_us``."""
        since_us = start_us + first * 1e6 / rate_hz - self._longest_us - DISORDER_US
        earliest = len(self._drawn)
        while earliest and self._drawn[earliest - 1].onset_us >= since_us:
            earliest -= 1
        for number in range(earliest, len(self._drawn)):
            drawn = self._drawn[number]
            offset = round((drawn.onset_us - start_us) * 1e-6 * rate_hz) - drawn.first_spike - first
            begin, end = max(offset, 0), min(offset + drawn.n_samples, signal.size)
            if begin < end:
                signal[begin:end] += share * self._waveform(number)[begin - offset : end - offset]

    def _waveform(self, number: int) -> Microvolts:
        made = self._waveforms.get(number)
        if made is None:
            drawn, rng = self._drawn[number], np.random.default_rng()
            rng.bit_generator.state = drawn.state
            made = discharge(rng, self._rate_hz, drawn.duration_s, drawn.peak_uv).uv
            while len(self._waveforms) >= KEPT:
                del self._waveforms[next(iter(self._waveforms))]
            self._waveforms[number] = made
        return made
