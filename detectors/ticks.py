"""Raw samples into whole ticks of about 20 ms: exact decimation, clipping and loss, whatever the block sizes were."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Raw = NDArray[np.floating[Any]]
"""Counts as floats: float32 where that is exact, else float64."""

TARGET_HZ = 250.0
TICK_S = 0.02
HOP_TICKS = 3
"""Ticks are made in hops of so many: small blocks are only collected, and the work is done for several at once."""
HISTORY_TICKS = 13
"""Kept before each piece, so that what straddles its beginning is seen whole."""
EPOCH_S = 10
"""The rolling baseline changes at multiples of this; no piece crosses one."""
EXACT_FLOAT32 = 2.0**24


@dataclass(frozen=True, slots=True)
class Grid:
    """Samples become groups of ``decimation``, and these ticks of ``groups``; all times come from sample indices."""

    rate_hz: float
    decimation: int
    groups: int

    @classmethod
    def of(cls, rate_hz: float) -> "Grid":
        decimation = max(1, round(rate_hz / TARGET_HZ))
        return cls(rate_hz, decimation, max(1, round(TICK_S * rate_hz / decimation)))

    @property
    def tick_samples(self) -> int:
        return self.decimation * self.groups

    @property
    def group_hz(self) -> float:
        return self.rate_hz / self.decimation

    def second_of(self, tick: int) -> int:
        """The absolute second in which a tick begins."""
        return int(tick * self.tick_samples / self.rate_hz)

    def first_tick_of(self, second: int) -> int:
        """The first tick that begins in ``second`` or later; exact inverse of ``second_of``, rounding included."""
        tick = ceil(second * self.rate_hz / self.tick_samples)
        while self.second_of(tick) < second:
            tick += 1
        while tick > 0 and self.second_of(tick - 1) >= second:
            tick -= 1
        return tick

    def epoch_end(self, tick: int) -> int:
        """The first tick of the epoch after that of ``tick``."""
        return self.first_tick_of((self.second_of(tick) // EPOCH_S + 1) * EPOCH_S)

    def ticks(self, seconds: float) -> int:
        return max(1, round(seconds * self.rate_hz / self.tick_samples))


@dataclass(frozen=True, slots=True)
class Ticks:
    """Whole ticks of every channel, from the absolute tick ``first`` on, with ``HISTORY_TICKS`` before them."""

    grid: Grid
    first: int
    n: int
    raw: Raw
    """Samples in counts, ``(n_channels, (HISTORY_TICKS + n) * tick_samples)``."""
    groups_uv: Floats
    """Low-passed and decimated, ``(n_channels, (HISTORY_TICKS + n) * groups)``; group k is centred on the last sample
    of the k-th ``decimation`` samples before it."""
    uv_per_count: Floats
    clipped: Bools | None
    """Whether a rail was touched, ``(n_channels, n)``; ``None`` where none was."""
    lost: Bools | None

    def part(self, start: int, stop: int) -> "Ticks":
        """Ticks ``start`` to ``stop``, counted from ``first``."""
        if start == 0 and stop == self.n:
            return self
        before, after = start, HISTORY_TICKS + stop
        samples, groups = self.grid.tick_samples, self.grid.groups
        return Ticks(
            self.grid,
            self.first + start,
            stop - start,
            self.raw[:, before * samples : after * samples],
            self.groups_uv[:, before * groups : after * groups],
            self.uv_per_count,
            None if self.clipped is None else self.clipped[:, start:stop],
            None if self.lost is None else self.lost[:, start:stop],
        )

    def means_uv(self, channel: int, back: int) -> list[float]:
        """Mean of each tick of one channel, and of the ``back`` ticks before the first."""
        groups = self.grid.groups
        row = self.groups_uv[channel : channel + 1, (HISTORY_TICKS - back) * groups :]
        means: list[float] = (fold(np.add, row, groups)[0] / groups).tolist()
        return means


class Decimator:
    """Triangular low-pass (zeros at multiples of the decimated rate) and decimation in one step, exact for integers.

    Every sum of integer counts is a whole number that its float type holds exactly, so no order of summation and no
    matrix library can change a bit; sums of floats are made in one fixed order instead.
    """

    def __init__(self, decimation: int) -> None:
        self._n = decimation
        rise = np.arange(1, decimation + 1, dtype=np.float64)
        self._weights = np.stack([rise, decimation - rise], axis=1)
        self._weights32 = self._weights.astype(np.float32)

    def type_for(self, dtype: np.dtype[Any]) -> type[np.float32] | type[np.float64]:
        """The float type in which samples of ``dtype`` are summed exactly, as far as there is one."""
        if dtype.kind == "f":
            return np.float64
        largest = 2.0 ** (8 * dtype.itemsize - (dtype.kind == "i"))
        return np.float32 if largest * self._n**2 <= EXACT_FLOAT32 else np.float64

    def decimate(self, raw: Raw, *, integers: bool) -> Raw:
        """``(n_channels, n * decimation)`` samples into ``(n_channels, n)`` sums; the first lacks its rise."""
        if self._n == 1:
            sums: Raw = np.empty_like(raw)
            sums[:, 1:], sums[:, :1] = raw[:, :-1], raw[:, :1]
            return sums
        if integers:
            weights = self._weights32 if raw.dtype == np.float32 else self._weights
            both = (raw.reshape(-1, self._n) @ weights).reshape(raw.shape[0], -1, 2)
            rising, falling = both[:, :, 0], both[:, :, 1]
        else:
            rising, falling = (self._fold(raw, self._weights[:, side]) for side in (0, 1))
        total: Raw = np.array(falling)
        total[:, 1:] += rising[:, :-1]
        return total

    def _fold(self, raw: Raw, weights: Floats) -> Floats:
        total: Floats = raw[:, 0 :: self._n] * weights[0]
        for offset in range(1, self._n):
            total += raw[:, offset :: self._n] * weights[offset]
        return total


class TickMaker:
    """Collects samples until a hop is whole, so that no result depends on how they arrived."""

    def __init__(
        self, n_channels: int, grid: Grid, resolution_uv: Sequence[float], rails: Sequence[tuple[float, float] | None]
    ) -> None:
        self.n_samples = 0
        """Samples taken in so far, lost ones included."""
        self.n_ticks = 0
        self._grid = grid
        self._n_channels = n_channels
        self._uv = np.asarray(resolution_uv, np.float64)[:, None]
        self._railed = any(rail is not None for rail in rails)
        bounds = [rail if rail is not None else (-np.inf, np.inf) for rail in rails]
        self._low = np.array([low for low, _ in bounds])[:, None]
        self._high = np.array([high for _, high in bounds])[:, None]
        self._decimator = Decimator(grid.decimation)
        self._kind: np.dtype[Any] | None = None
        self._rest: NDArray[Any] = np.zeros((n_channels, HOP_TICKS * grid.tick_samples), np.int16)
        self._n_rest = 0
        self._history: Raw | None = None
        self._lost: list[tuple[int, int]] = []
        """Spans of samples that are missing in every channel and whose ticks are not made yet."""
        self._epoch_start, self._epoch_end = 0, grid.epoch_end(0)

    def take(self, block: NDArray[Any]) -> Iterator[Ticks]:
        """The ticks that ``block``, ``(n_channels, n)``, completes, in pieces. Raises ``ValueError``."""
        if block.ndim != 2 or block.shape[0] != self._n_channels:
            raise ValueError(f"expected a block of {self._n_channels} channels x samples, got shape {block.shape}")
        if self._kind is None or block.dtype != self._kind:
            self._become(block.dtype)
        self.n_samples += block.shape[1]
        return self._feed(block)

    def lose(self, n_lost: int) -> Iterator[Ticks]:
        """The ticks that ``n_lost`` missing samples complete; every tick they touch is marked as lost."""
        if n_lost:
            self._lost.append((self.n_samples, self.n_samples + n_lost))
        longest = round(EPOCH_S * self._grid.rate_hz)
        while n_lost:
            n = min(n_lost, longest)
            self.n_samples += n
            yield from self._feed(np.zeros((self._n_channels, n), self._rest.dtype))
            n_lost -= n

    def finish(self) -> Iterator[Ticks]:
        """The whole ticks of the hop that stayed unfinished."""
        whole = self._n_rest // self._grid.tick_samples * self._grid.tick_samples
        if whole:
            rest, self._n_rest = self._rest[:, :whole], 0
            yield from self._pieces([rest])

    def _become(self, dtype: np.dtype[Any]) -> None:
        """Blocks of another number of bits may follow each other, integers and floats may not."""
        if dtype.kind not in "iuf":
            raise ValueError(f"expected integer or float samples, got {dtype}")
        if self._kind is not None and self.n_samples and (dtype.kind == "f") != (self._kind.kind == "f"):
            raise ValueError(f"expected {self._kind} samples as before, got {dtype}")
        self._kind = dtype
        if dtype.kind == "f" and self._rest.dtype.kind != "f":
            self._rest = self._rest.astype(dtype)
        wide = np.promote_types(self._rest.dtype, dtype)
        self._rest = self._rest.astype(wide)
        if self._history is not None:
            self._history = self._history.astype(
                np.promote_types(self._history.dtype, self._decimator.type_for(np.dtype(wide)))
            )

    def _feed(self, block: NDArray[Any]) -> Iterator[Ticks]:
        samples = self._grid.tick_samples
        before, n = self._n_rest, block.shape[1]
        cut = self._whole_hops((before + n) // samples) * samples - before
        if cut <= -before:
            self._rest[:, before : before + n] = block
            self._n_rest = before + n
            return iter(())
        segments = [self._rest[:, :before].copy(), block[:, :cut]] if before else [block[:, :cut]]
        self._n_rest = n - cut
        self._rest[:, : self._n_rest] = block[:, cut:]
        return self._pieces(segments)

    def _whole_hops(self, n: int) -> int:
        """Of ``n`` ticks that could be made, those in whole hops; the hops begin anew with each epoch."""
        until, origin = self.n_ticks + n, self._epoch_start
        while (end := self._grid.epoch_end(origin)) <= until:
            origin = end
        return origin + (until - origin) // HOP_TICKS * HOP_TICKS - self.n_ticks

    def _pieces(self, segments: list[NDArray[Any]]) -> Iterator[Ticks]:
        """Pieces that end where an epoch does."""
        samples = self._grid.tick_samples
        missing = sum(segment.shape[1] for segment in segments)
        while missing:
            n = min(missing // samples, self._epoch_end - self.n_ticks)
            yield self._ticks(_take_off(segments, n * samples), n)
            missing -= n * samples
            if self.n_ticks == self._epoch_end:
                self._epoch_start = self._epoch_end
                self._epoch_end = self._grid.epoch_end(self.n_ticks)

    def _ticks(self, segments: list[NDArray[Any]], n: int) -> Ticks:
        samples = self._grid.tick_samples
        kept = HISTORY_TICKS * samples
        integers = self._rest.dtype.kind != "f"
        history = self._as_if_before(segments[0][:, :1]) if self._history is None else self._history
        raw: Raw = np.empty((self._n_channels, kept + n * samples), history.dtype)
        raw[:, :kept] = history
        at = kept
        for segment in segments:
            raw[:, at : at + segment.shape[1]] = segment
            at += segment.shape[1]
        lost = self._lost_ticks(n)
        if not integers:
            unknown = ~np.isfinite(raw)
            if unknown.any():
                raw[unknown] = 0.0
                nowhere = fold(np.logical_or, unknown[:, kept:], samples)
                lost = nowhere if lost is None else lost | nowhere
        scale = self._uv / self._grid.decimation**2
        made = Ticks(
            grid=self._grid,
            first=self.n_ticks,
            n=n,
            raw=raw,
            groups_uv=np.multiply(self._decimator.decimate(raw, integers=integers), scale, dtype=np.float64),
            uv_per_count=self._uv,
            clipped=self._clipped(raw, segments if integers else [raw[:, kept:]], n),
            lost=lost,
        )
        self._history = raw[:, -kept:].copy()
        self.n_ticks += n
        return made

    def _as_if_before(self, first: NDArray[Any]) -> Raw:
        """The first sample held, as what came before it."""
        known = np.where(np.isfinite(first), first, 0)
        held: Raw = np.repeat(known, HISTORY_TICKS * self._grid.tick_samples, axis=1).astype(
            self._decimator.type_for(self._rest.dtype)
        )
        return held

    def _lost_ticks(self, n: int) -> Bools | None:
        if not self._lost:
            return None
        samples = self._grid.tick_samples
        start, stop = self.n_ticks * samples, (self.n_ticks + n) * samples
        lost = np.zeros((self._n_channels, n), bool)
        for first, last in self._lost:
            lost[:, max(0, (first - start) // samples) : max(0, ceil((last - start) / samples))] = True
        self._lost = [span for span in self._lost if span[1] > stop]
        return lost if lost.any() else None

    def _clipped(self, raw: Raw, segments: list[NDArray[Any]], n: int) -> Bools | None:
        """Extremes of the whole piece are cheap; only channels that touched a rail are looked at tick by tick."""
        if not self._railed:
            return None
        touched = np.zeros((self._n_channels, 1), bool)
        for segment in segments:
            if segment.shape[1]:
                touched |= segment.max(axis=1, keepdims=True) >= self._high
                touched |= segment.min(axis=1, keepdims=True) <= self._low
        rows = np.flatnonzero(touched)
        if not rows.size:
            return None
        clipped = np.zeros((self._n_channels, n), bool)
        samples = raw[rows, HISTORY_TICKS * self._grid.tick_samples :].reshape(rows.size, n, -1)
        clipped[rows] = (samples.max(axis=2) >= self._high[rows]) | (samples.min(axis=2) <= self._low[rows])
        return clipped


def _take_off(segments: list[NDArray[Any]], n: int) -> list[NDArray[Any]]:
    """The first ``n`` samples of ``segments``, which keep the rest."""
    taken = []
    while n:
        head = segments[0]
        taken.append(head[:, :n])
        if head.shape[1] > n:
            segments[0] = head[:, n:]
        else:
            del segments[0]
        n -= taken[-1].shape[1]
    return taken


def fold(op: Callable[..., NDArray[Any]], values: NDArray[Any], n: int) -> NDArray[Any]:
    """``op`` over each ``n`` neighbours of the last axis, left to right: exact and independent of block sizes.

    Folding strided slices is an order of magnitude faster than reducing over a short last axis.
    """
    if n == 1:
        return values
    result = op(values[:, 0::n], values[:, 1::n])
    for offset in range(2, n):
        op(result, values[:, offset::n], out=result)
    return result
