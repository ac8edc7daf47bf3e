"""Samples that a stream lost, seen from its time stamps: the network loses none, the sender's own program may."""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

Stamps = NDArray[np.float64]
"""Time stamps in s of the sender's clock, one for each sample."""

MAX_DRIFT = 1e-3
"""A sender whose clock is this far from its nominal rate drifts; one that is farther off loses samples."""

TOLD_DRIFT = 2e-4


@dataclass(frozen=True, slots=True)
class Gap:
    """``n_lost`` samples are missing before sample ``at`` of the stamps; None where the stamps went back."""

    at: int
    n_lost: int | None


class StampWatch:
    """Counts samples against their stamps; ``jitter_s`` is how far a stamp may be off without meaning anything.

    Losses shorter than ``jitter_s`` are found once they have added up to it, unless they stay below ``MAX_DRIFT``.
    """

    def __init__(self, rate_hz: float, jitter_s: float) -> None:
        self._rate_hz = rate_hz
        self._jitter_s = jitter_s
        self.begin_segment()

    def begin_segment(self) -> None:
        self._n = 0
        self._first_s = self._last_s = nan
        self._late_s = 0.0

    def first_gap(self, stamps: Stamps) -> Gap | None:
        """Take ``stamps`` up to the first gap in them; after one, whoever goes on begins a segment."""
        if self._n == 0 and stamps.size:
            self._first_s = float(stamps[0])
        expected = self._first_s + (self._n + np.arange(stamps.size)) / self._rate_hz
        off_s = stamps - expected - self._late_s
        beyond = np.flatnonzero(~(np.abs(off_s) <= self._jitter_s))
        n = int(beyond[0]) if beyond.size else stamps.size
        if n:
            allowed_s = MAX_DRIFT * n / self._rate_hz
            self._late_s += float(np.clip(off_s[:n].mean(), -allowed_s, allowed_s))
            self._n += n
            self._last_s = float(stamps[n - 1])
        if not beyond.size:
            return None
        missing_s = float(off_s[n])
        return Gap(n, max(1, round(missing_s * self._rate_hz)) if missing_s > 0 else None)

    def n_missing_before(self, stamp_s: float) -> int:
        """Samples between the last one that was taken and one of this stamp; 0 where none was taken yet."""
        return max(0, round((stamp_s - self._last_s) * self._rate_hz) - 1) if self._n else 0

    @property
    def measured_rate_hz(self) -> float:
        """By the sender's clock, since the segment began; NaN until a second sample came."""
        return (self._n - 1) / (self._last_s - self._first_s) if self._n > 1 else nan

    @property
    def drift(self) -> float:
        """Of the nominal rate, where it is more than jitter explains and than people need not know; else 0."""
        if self._n < 2:
            return 0.0
        drift = self.measured_rate_hz / self._rate_hz - 1
        return drift if abs(drift) > TOLD_DRIFT + 2 * self._jitter_s / (self._last_s - self._first_s) else 0.0
