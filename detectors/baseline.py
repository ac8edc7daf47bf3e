"""What the signal is compared with: the median over clean seconds of the largest band-passed ``|signal|`` in each."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.ticks import EPOCH_S, Bools, Floats, Grid

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
QUIET = 1.5
"""Roughness is sampled from ticks with a peak below this many baselines."""


class SecondPeaks:
    """Per channel: peaks of the absolute seconds, and the baselines made from them. Memory is bounded.

    The rolling baseline changes at the borders of epochs only, so that it is one number per channel within a piece.
    """

    def __init__(self, n_channels: int, grid: Grid, baseline_s: float, remembered_s: float = REMEMBERED_S) -> None:
        self._grid = grid
        self._wanted = max(1, round(baseline_s))
        self._fewest = min(FEWEST_SECONDS, self._wanted)
        n = round(remembered_s) + self._wanted + EPOCH_S
        self._second = 0
        self._next_turn = grid.first_tick_of(1)
        self._epoch = 0
        self._peak = np.zeros(n_channels)
        self._lowest = np.full(n_channels, np.inf)
        self._dirty = np.zeros(n_channels, bool)
        self._seconds: NDArray[np.int64] = np.full(n, -1)
        self._peaks = np.full((n_channels, n), np.nan)
        self._admitted = np.full((n_channels, n), np.nan)
        self._connected = np.zeros((n_channels, n), bool)
        self._refused = np.zeros(n_channels, int)
        self._rough = np.full((n_channels, self._wanted + EPOCH_S), np.nan)
        self._n_rough = 0
        self.rolling_uv = np.full(n_channels, np.nan)
        self.roughness_uv = np.full(n_channels, np.nan)
        self.frozen_uv: Floats | None = None
        """In force from the train on, until the next train."""

    @property
    def in_force_uv(self) -> Floats:
        return self.rolling_uv if self.frozen_uv is None else self.frozen_uv

    def remembered(self) -> Floats:
        """Peaks of the last seconds, ``(n_channels, n_seconds)`` in no order, NaN where a second was not clean."""
        return self._peaks

    def turn_to(self, tick: int) -> list[tuple[int, Bools]]:
        """Complete the second before, and the epoch before, if ``tick`` begins new ones; who was disconnected."""
        completed = self._complete_one() if tick >= self._next_turn else []
        epoch = self._grid.second_of(tick) // EPOCH_S
        if epoch != self._epoch:
            self._admit(self._epoch * EPOCH_S, epoch * EPOCH_S)
            self._epoch = epoch
        return completed

    def push(self, first_tick: int, peaks_uv: Floats, blank: Bools | None) -> list[tuple[int, Bools]]:
        """Tick peaks ``(n_channels, n)`` of one piece; the seconds in which a channel was disconnected."""
        end = first_tick + peaks_uv.shape[1]
        if end <= self._next_turn:
            dirty_now = None if blank is None else np.asarray(blank.any(axis=1))
            self._gather(peaks_uv.max(axis=1), peaks_uv.min(axis=1), dirty_now)
            return []
        starts = [0]
        second = self._second
        while (turn := self._grid.first_tick_of(second + 1)) < end:
            starts.append(turn - first_tick)
            second += 1
        tops, bottoms = (op.reduceat(peaks_uv, starts, axis=1) for op in (np.maximum, np.minimum))
        dirty = np.zeros(tops.shape, bool) if blank is None else np.logical_or.reduceat(blank, starts, axis=1)
        np.maximum(tops[:, 0], self._peak, out=tops[:, 0])
        np.minimum(bottoms[:, 0], self._lowest, out=bottoms[:, 0])
        dirty[:, 0] |= self._dirty
        completed = self._complete(tops[:, :-1], bottoms[:, :-1], dirty[:, :-1])
        self._peak[:], self._lowest[:], self._dirty[:] = tops[:, -1], bottoms[:, -1], dirty[:, -1]
        return completed

    def note_roughness(self, roughness_uv: Floats) -> None:
        """Of some ticks, ``(n_channels, n)``; NaN where a tick was not quiet."""
        n = roughness_uv.shape[1]
        self._rough[:, np.arange(self._n_rough, self._n_rough + n) % self._rough.shape[1]] = roughness_uv
        self._n_rough += n

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

    def _gather(self, top_uv: Floats, bottom_uv: Floats, dirty: Bools | None) -> None:
        np.maximum(self._peak, top_uv, out=self._peak)
        np.minimum(self._lowest, bottom_uv, out=self._lowest)
        if dirty is not None:
            self._dirty |= dirty

    def _complete_one(self) -> list[tuple[int, Bools]]:
        completed = self._complete(self._peak[:, None], self._lowest[:, None], self._dirty[:, None])
        self._peak[:], self._lowest[:], self._dirty[:] = 0.0, np.inf, False
        return completed

    def _complete(self, peaks: Floats, lowest: Floats, dirty: Bools) -> list[tuple[int, Bools]]:
        """The next seconds are whole, ``(n_channels, n_seconds)``; those in which a channel was disconnected."""
        seconds = np.arange(self._second, self._second + peaks.shape[1])
        slots = seconds % self._seconds.size
        known = self.in_force_uv[:, None]
        gone = ((peaks <= FLAT * known) | ((peaks < FAINT * known) & (lowest > EVEN * peaks))) & ~dirty
        self._seconds[slots] = seconds
        self._peaks[:, slots] = np.where(dirty, np.nan, peaks)
        self._connected[:, slots] = ~gone
        self._second += peaks.shape[1]
        self._next_turn = self._grid.first_tick_of(self._second + 1)
        return [(int(seconds[at]), gone[:, at].copy()) for at in np.flatnonzero(gone.any(axis=0))]

    def _admit(self, first: int, end: int) -> None:
        """Let the seconds of an epoch into the rolling baseline, and make it anew."""
        slots = np.arange(first, end) % self._seconds.size
        peaks = np.where(self._seconds[slots] >= first, self._peaks[:, slots], np.nan)
        peaks[~self._connected[:, slots]] = np.nan
        elevated = peaks > ELEVATED * self.rolling_uv[:, None]
        shifted = self._refused >= LEVEL_SHIFT_S
        calm = np.isfinite(peaks) & ~elevated
        self._refused = np.where(calm.any(axis=1), 0, self._refused + elevated.sum(axis=1))
        self._admitted[:, slots] = np.where(calm | shifted[:, None], peaks, np.nan)
        recent = self._admitted[:, np.arange(end - self._wanted, end) % self._seconds.size]
        medians = _medians(recent)
        if (gaps := np.flatnonzero(np.isnan(recent).any(axis=1))).size:
            medians[gaps] = self._medians_of_last(gaps, end)
        known = np.isfinite(medians)
        self.rolling_uv = np.where(known, np.where(medians >= LEAST_UV, medians, np.nan), self.rolling_uv)
        rough = _medians(self._rough)
        self.roughness_uv = np.where(np.isfinite(rough), rough, self.roughness_uv)

    def _medians_of_last(self, channels: NDArray[np.intp], end: int) -> Floats:
        """Of the last admitted seconds, however far back they are remembered; NaN for too few."""
        backwards = np.arange(end - 1, end - 1 - self._seconds.size, -1) % self._seconds.size
        admitted = self._admitted[channels[:, None], backwards]
        number = np.cumsum(np.isfinite(admitted), axis=1)
        medians = _medians(np.where(number <= self._wanted, admitted, np.nan))
        return np.asarray(np.where(number[:, -1] >= self._fewest, medians, np.nan))


def _medians(rows: Floats) -> Floats:
    """Of each row without its NaN, which sort to the end; NaN for a row that has nothing else."""
    ascending = np.sort(rows, axis=1)
    n = np.isfinite(rows).sum(axis=1)
    row = np.arange(n.size)
    middle = (ascending[row, (n - 1) // 2] + ascending[row, np.minimum(n // 2, rows.shape[1] - 1)]) / 2
    return np.asarray(np.where(n > 0, middle, np.nan))
