"""Raw samples into whole ticks of about 20 ms: decimation, clipping and loss, whatever the block sizes were."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors import kernels
from detectors.arrays import Bools, Floats, Raw
from detectors.grid import EPOCH_S, Grid

HOP_TICKS = 3
"""Ticks are made in hops of so many: small blocks are only collected, and the work is done for several at once."""
HISTORY_TICKS = 13
"""Kept before each piece, so that what straddles its beginning is seen whole."""
WIDEST_INT32 = 255
"""Up to this decimation the sums of 16-bit samples fit into 32 bits."""


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
    """``(n_channels,)``."""
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
            np.ascontiguousarray(self.raw[:, before * samples : after * samples]),
            np.ascontiguousarray(self.groups_uv[:, before * groups : after * groups]),
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
        self._uv = np.asarray(resolution_uv, np.float64)
        self._railed = any(rail is not None for rail in rails)
        bounds = [rail if rail is not None else (-np.inf, np.inf) for rail in rails]
        self._low = np.array([float(low) for low, _ in bounds])
        self._high = np.array([float(high) for _, high in bounds])
        self._rise = tuple(range(1, grid.decimation + 1))
        self._carried: NDArray[Any] = np.zeros(n_channels, np.int32)
        """The rising half of the last group of each channel."""
        self._kind: np.dtype[Any] | None = None
        self._rest: Raw = np.zeros((n_channels, HOP_TICKS * grid.tick_samples), np.int16)
        self._n_rest = 0
        self._raw_before: Raw | None = None
        self._groups_before: Floats = np.zeros((n_channels, HISTORY_TICKS * grid.groups))
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
        wide = np.promote_types(self._rest.dtype, _kept_as(dtype, self._grid.decimation))
        self._rest = self._rest.astype(wide)
        self._carried = self._carried.astype(_summed_as(wide))
        if self._raw_before is not None:
            self._raw_before = self._raw_before.astype(wide)

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
        samples, groups = self._grid.tick_samples, self._grid.groups
        kept, kept_groups = HISTORY_TICKS * samples, HISTORY_TICKS * groups
        if self._raw_before is None:
            self._hold(segments[0][:, :1])
        raw: Raw = np.empty((self._n_channels, kept + n * samples), self._rest.dtype)
        raw[:, :kept] = self._raw_before
        at = kept
        for segment in segments:
            raw[:, at : at + segment.shape[1]] = segment
            at += segment.shape[1]
        lost = self._lost_ticks(n)
        if raw.dtype == np.float64:
            unknown = ~np.isfinite(raw)
            if unknown.any():
                raw[unknown] = 0.0
                nowhere = fold(np.logical_or, unknown[:, kept:], samples)
                lost = nowhere if lost is None else lost | nowhere
        groups_uv = np.empty((self._n_channels, kept_groups + n * groups))
        groups_uv[:, :kept_groups] = self._groups_before
        kernels.decimate(raw, kept, self._rise, self._carried, self._uv, groups_uv, kept_groups)
        made = Ticks(self._grid, self.n_ticks, n, raw, groups_uv, self._uv, self._clipped(raw, n), lost)
        self._raw_before = raw[:, -kept:].copy()
        self._groups_before = groups_uv[:, -kept_groups:].copy()
        self.n_ticks += n
        return made

    def _hold(self, first: NDArray[Any]) -> None:
        """The first sample held is what came before it."""
        known = np.where(np.isfinite(first), first, 0).astype(self._rest.dtype)
        self._raw_before = np.repeat(known, HISTORY_TICKS * self._grid.tick_samples, axis=1)
        self._carried = np.zeros(self._n_channels, self._carried.dtype)
        kernels.decimate(self._raw_before, 0, self._rise, self._carried, self._uv, self._groups_before, 0)
        self._groups_before[:, 0] = self._groups_before[:, -1]

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

    def _clipped(self, raw: Raw, n: int) -> Bools | None:
        if not self._railed:
            return None
        samples = self._grid.tick_samples
        clipped = np.zeros((self._n_channels, n), bool)
        found = kernels.touch_rails(raw, HISTORY_TICKS * samples, samples, self._low, self._high, clipped)
        return clipped if found else None


def _kept_as(dtype: np.dtype[Any], decimation: int) -> np.dtype[Any]:
    """The type in which samples of ``dtype`` are kept: one of three, because each has kernels of its own."""
    if np.can_cast(dtype, np.int16) and decimation <= WIDEST_INT32:
        return np.dtype(np.int16)
    return np.dtype(np.int32) if np.can_cast(dtype, np.int32) else np.dtype(np.float64)


def _summed_as(kept: np.dtype[Any]) -> np.dtype[Any]:
    """A type that holds every sum of the decimation exactly, if there is one."""
    wider: dict[Any, np.dtype[Any]] = {np.dtype(np.int16): np.dtype(np.int32), np.dtype(np.int32): np.dtype(np.int64)}
    return wider.get(kept, kept)


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
