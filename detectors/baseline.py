"""What the signal is compared with: the median over clean seconds of the largest band-passed ``|signal|`` in each."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import Bools, Floats
from detectors.grid import EPOCH_S, Grid
from detectors.kernels import compiled

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
        completed = self._complete() if tick >= self._next_turn else []
        epoch = self._grid.second_of(tick) // EPOCH_S
        if epoch != self._epoch:
            self._admit(self._epoch * EPOCH_S, epoch * EPOCH_S)
            self._epoch = epoch
        return completed

    def push(self, first_tick: int, peaks_uv: Floats, blank: Bools, kept: int) -> list[tuple[int, Bools]]:
        """Peaks and blankness of ticks, ``(n_channels, kept + n)``, those behind ``kept`` from ``first_tick`` on; the
        seconds in which a channel was disconnected."""
        tick, end = first_tick, first_tick + peaks_uv.shape[1] - kept
        completed = []
        while (turn := self._next_turn) < end:
            self._gather(peaks_uv, blank, kept + tick - first_tick, kept + turn - first_tick)
            completed += self._complete()
            tick = turn
        self._gather(peaks_uv, blank, kept + tick - first_tick, kept + end - first_tick)
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

    def _gather(self, peaks_uv: Floats, blank: Bools, start: int, stop: int) -> None:
        _gather(peaks_uv, blank, start, stop, self._peak, self._lowest, self._dirty)

    def _complete(self) -> list[tuple[int, Bools]]:
        """The second is whole: itself, and the channels that were disconnected in it, if there are any."""
        second, slot = self._second, self._second % self._seconds.size
        self._seconds[slot] = second
        gone = np.zeros(self._peak.size, bool)
        _remember(slot, self.in_force_uv, self._peak, self._lowest, self._dirty, self._peaks, self._connected, gone)
        self._second += 1
        self._next_turn = self._grid.first_tick_of(self._second + 1)
        return [(second, gone)] if gone.any() else []

    def _admit(self, first: int, end: int) -> None:
        """Let the seconds of an epoch into the rolling baseline, and make it anew."""
        _admit(
            first, end, self._wanted, self._fewest, self._seconds, self._peaks, self._connected, self._rough,
            self._refused, self._admitted, self.rolling_uv, self.roughness_uv,
        )  # fmt: skip


@compiled
def _gather(peaks: Floats, blank: Bools, start: int, stop: int, top: Floats, lowest: Floats, dirty: Bools) -> None:
    for channel in range(top.size):
        for tick in range(start, stop):
            top[channel] = max(top[channel], peaks[channel, tick])
            lowest[channel] = min(lowest[channel], peaks[channel, tick])
            dirty[channel] |= blank[channel, tick]


@compiled
def _remember(
    slot: int, known: Floats, top: Floats, lowest: Floats, dirty: Bools, peaks: Floats, connected: Bools, gone: Bools
) -> None:
    """One second of all channels into ``slot`` of ``peaks`` and ``connected``; what was gathered begins anew."""
    for channel in range(top.size):
        faint = top[channel] < FAINT * known[channel] and lowest[channel] > EVEN * top[channel]
        gone[channel] = (top[channel] <= FLAT * known[channel] or faint) and not dirty[channel]
        connected[channel, slot] = not gone[channel]
        peaks[channel, slot] = np.nan if dirty[channel] else top[channel]
        top[channel], lowest[channel], dirty[channel] = 0.0, np.inf, False


@compiled
def _admit(
    first: int, end: int, wanted: int, fewest: int, seconds: NDArray[np.int64], peaks: Floats, connected: Bools,
    rough: Floats, refused: NDArray[np.int64], admitted: Floats, rolling: Floats, roughness: Floats,
) -> None:  # fmt: skip
    """The seconds ``first`` to ``end``: what is admitted of them, ``(n_channels, n_slots)``, and what comes of it,
    ``rolling`` and ``roughness``, ``(n_channels,)``."""
    size = seconds.size
    for channel in range(rolling.size):
        n_calm = n_elevated = 0
        shifted = refused[channel] >= LEVEL_SHIFT_S
        for second in range(first, end):
            slot = second % size
            peak = peaks[channel, slot] if seconds[slot] >= first and connected[channel, slot] else np.nan
            elevated = peak > ELEVATED * rolling[channel]
            calm = not elevated and not np.isnan(peak)
            n_elevated += elevated
            n_calm += calm
            admitted[channel, slot] = peak if calm or shifted else np.nan
        refused[channel] = 0 if n_calm else refused[channel] + n_elevated
        # The last admitted seconds, however far back they are remembered.
        chosen, n = np.empty(wanted), 0
        for back in range(1, size + 1):
            value = admitted[channel, (end - back) % size]
            if n < wanted and not np.isnan(value):
                chosen[n] = value
                n += 1
        if n >= fewest:
            level = median(chosen[:n])
            rolling[channel] = level if level >= LEAST_UV else np.nan
        known = rough[channel][~np.isnan(rough[channel])]
        if known.size:
            roughness[channel] = median(known)


@compiled
def median(values: Floats) -> float:
    """Of at least one value, none of them NaN."""
    ascending = np.sort(values)
    return float((ascending[(values.size - 1) // 2] + ascending[values.size // 2]) / 2)
