"""What the signal is compared with: the median over clean seconds of the largest band-passed ``|signal|`` in each."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.ticks import Bools, Floats, Grid

FEWEST_SECONDS = 5
ELEVATED = 2.5
"""A second with a peak above this many baselines does not enter the rolling baseline: it may be a discharge."""
LEVEL_SHIFT_S = 120
"""Unless nothing lower was seen for so long: then the level itself has changed."""
REMEMBERED_S = 180
LEAST_UV = 1.0
"""No living brain is quieter in a second, peak: a lower baseline is a dead channel, or one not in microvolts."""
FLAT, FAINT, EVEN = 0.05, 0.5, 0.4
"""A disconnected electrode is flat, or faint and even (noise and hum); brain signals are faint and uneven."""


class SecondPeaks:
    """Per channel: peaks of the absolute seconds, and the baselines made from them. Memory is bounded."""

    def __init__(self, n_channels: int, grid: Grid, baseline_s: float, remembered_s: float = REMEMBERED_S) -> None:
        self._grid = grid
        self._wanted = max(1, round(baseline_s))
        self._fewest = min(FEWEST_SECONDS, self._wanted)
        remembered = round(remembered_s) + self._wanted
        self._second = 0
        self._next_turn = grid.first_tick_of(1)
        self._peak = np.zeros(n_channels)
        self._lowest = np.full(n_channels, np.inf)
        self._rough = np.zeros(n_channels)
        self._n_ticks = 0
        self._dirty = np.zeros(n_channels, bool)
        self._seconds: NDArray[np.int64] = np.full(remembered, -1)
        self._peaks = np.full((n_channels, remembered), np.nan)
        self._kept = np.full((n_channels, self._wanted), np.nan)
        self._kept_rough = np.full((n_channels, self._wanted), np.nan)
        self._refused = np.zeros(n_channels, int)
        self._n_kept = np.zeros(n_channels, int)
        self.rolling_uv = np.full(n_channels, np.nan)
        self.roughness_uv = np.full(n_channels, np.nan)
        self.frozen_uv: Floats | None = None
        """In force from the train on, until the next train."""

    @property
    def in_force_uv(self) -> Floats:
        return self.rolling_uv if self.frozen_uv is None else self.frozen_uv

    def push(
        self, first_tick: int, peaks_uv: Floats, roughness_uv: Floats, dirty: Bools
    ) -> tuple[Floats, Floats, list[tuple[int, Bools]]]:
        """Baseline and roughness in force at each tick; the seconds completed, and who was disconnected in them."""
        n = peaks_uv.shape[1]
        in_force, rough_in_force = np.empty_like(peaks_uv), np.empty_like(peaks_uv)
        completed: list[tuple[int, Bools]] = []
        start = 0
        while start < n:
            completed += self.turn_to(first_tick + start)
            stop = min(n, self._next_turn - first_tick)
            part = slice(start, stop)
            in_force[:, part] = self.in_force_uv[:, None]
            rough_in_force[:, part] = self.roughness_uv[:, None]
            self._gather(peaks_uv[:, part], roughness_uv[:, part], dirty[:, part])
            start = stop
        return in_force, rough_in_force, completed

    def remembered(self) -> Floats:
        """Peaks of the last seconds, ``(n_channels, n_seconds)`` in no order, NaN where a second was not clean."""
        return self._peaks

    def turn_to(self, tick: int) -> list[tuple[int, Bools]]:
        """Complete the second before if ``tick`` begins a new one; what was disconnected in it."""
        if tick < self._next_turn:
            return []
        completed = [(self._second, self._complete())]
        self._second = self._grid.second_of(tick)
        self._next_turn = self._grid.first_tick_of(self._second + 1)
        return completed

    def freeze(self, excluded: Sequence[Sequence[tuple[int, int]]]) -> None:
        """Fix the baseline from the last clean seconds, without the spans of samples in ``excluded[channel]``."""
        starts = self._seconds * self._grid.rate_hz
        order = np.argsort(self._seconds, kind="stable")
        frozen = np.full(len(excluded), np.nan)
        for channel, spans in enumerate(excluded):
            usable = np.isfinite(self._peaks[channel]) & (self._seconds >= 0)
            for first, last in spans:
                usable &= (starts + self._grid.rate_hz <= first) | (starts > last)
            chosen = self._peaks[channel][order][usable[order]][-self._wanted :]
            if chosen.size >= self._fewest:
                frozen[channel] = np.median(chosen)
        frozen[~(frozen >= LEAST_UV)] = np.nan
        self.frozen_uv = frozen

    def _gather(self, peaks_uv: Floats, roughness_uv: Floats, dirty: Bools) -> None:
        np.maximum(self._peak, peaks_uv.max(axis=1), out=self._peak)
        np.minimum(self._lowest, peaks_uv.min(axis=1), out=self._lowest)
        # Strictly one after the other: sums in pairs would depend on where blocks end.
        self._rough = np.add.accumulate(np.column_stack([self._rough, roughness_uv]), axis=1)[:, -1]
        self._n_ticks += peaks_uv.shape[1]
        self._dirty |= dirty.any(axis=1)

    def _complete(self) -> Bools:
        clean = ~self._dirty
        peak = np.where(clean, self._peak, np.nan)
        slot = self._second % self._seconds.size
        self._seconds[slot] = self._second
        self._peaks[:, slot] = peak
        known = self.in_force_uv
        disconnected = clean & ((peak <= FLAT * known) | ((peak < FAINT * known) & (self._lowest > EVEN * self._peak)))
        self._admit(clean & ~disconnected, peak, self._rough / max(1, self._n_ticks))
        self._peak[:], self._lowest[:], self._rough[:], self._dirty[:] = 0.0, np.inf, 0.0, False
        self._n_ticks = 0
        return np.asarray(disconnected)

    def _admit(self, clean: Bools, peak: Floats, rough: Floats) -> None:
        with np.errstate(invalid="ignore"):
            calm = ~(peak > ELEVATED * self.rolling_uv)
        enter = np.flatnonzero(clean & (calm | (self._refused >= LEVEL_SHIFT_S)))
        self._refused[clean & ~calm] += 1
        self._refused[clean & calm] = 0
        if not enter.size:
            return
        slots = self._n_kept[enter] % self._wanted
        self._kept[enter, slots] = peak[enter]
        self._kept_rough[enter, slots] = rough[enter]
        self._n_kept[enter] += 1
        self.rolling_uv = self.rolling_uv.copy()
        self.roughness_uv = self.roughness_uv.copy()
        n = np.minimum(self._n_kept[enter], self._wanted)
        peak_medians, rough_medians = _medians(self._kept[enter], n), _medians(self._kept_rough[enter], n)
        enough = n >= self._fewest
        alive = peak_medians >= LEAST_UV
        self.rolling_uv[enter[enough]] = np.where(alive, peak_medians, np.nan)[enough]
        self.roughness_uv[enter[enough]] = rough_medians[enough]


def _medians(rows: Floats, n: NDArray[np.int64]) -> Floats:
    """Of the first ``n`` of each row once sorted, NaN coming last."""
    ascending = np.sort(rows, axis=1)
    row = np.arange(n.size)
    return np.asarray((ascending[row, (n - 1) // 2] + ascending[row, n // 2]) / 2)
