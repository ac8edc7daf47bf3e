"""Raw samples into whole ticks of about 20 ms: exact decimation, clipping and loss, whatever the block sizes were."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TARGET_HZ = 500.0
TICK_S = 0.02
PIECE_SAMPLES = 1 << 18
"""Samples of all channels handled at once: few enough to stay in the processor's cache."""


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

    def ticks(self, seconds: float) -> int:
        return max(1, round(seconds * self.rate_hz / self.tick_samples))


@dataclass(frozen=True, slots=True)
class Ticks:
    """Whole ticks of every channel, from the absolute tick ``first`` on; amplitudes in uV."""

    first: int
    groups_uv: Floats
    """Decimated signal, ``(n_channels, n_ticks * groups)``."""
    mean_uv: Floats
    clipped: Bools
    """Whether a rail was touched, ``(n_channels, n_ticks)`` as all that follows."""
    lost: Bools
    roughness_uv: Floats
    """Variation inside the groups that the slow signal does not explain: muscle and movement; 0 without decimation."""

    @property
    def n(self) -> int:
        return int(self.mean_uv.shape[1])

    def part(self, start: int, stop: int) -> "Ticks":
        groups = self.groups_uv.shape[1] // self.n
        cut = slice(start, stop)
        return Ticks(
            self.first + start,
            self.groups_uv[:, start * groups : stop * groups],
            self.mean_uv[:, cut],
            self.clipped[:, cut],
            self.lost[:, cut],
            self.roughness_uv[:, cut],
        )


class TickMaker:
    """Collects samples until a tick is whole, so that no result depends on how they arrived."""

    def __init__(
        self, n_channels: int, grid: Grid, resolution_uv: Sequence[float], rails: Sequence[tuple[float, float] | None]
    ) -> None:
        self.n_samples = 0
        """Samples taken in so far, lost ones included."""
        self.n_ticks = 0
        self._grid = grid
        self._n_channels = n_channels
        self._uv = np.asarray(resolution_uv, np.float64)[:, None]
        bounds = [rail if rail is not None else (-np.inf, np.inf) for rail in rails]
        self._low = np.array([low for low, _ in bounds])[:, None]
        self._high = np.array([high for _, high in bounds])[:, None]
        self._rest: NDArray[Any] | None = None
        self._rest_lost = np.zeros(n_channels, bool)
        self._last_uv: Floats | None = None

    def take(self, block: NDArray[Any]) -> Iterator[Ticks]:
        """The ticks that ``block``, ``(n_channels, n)``, completes, in pieces. Raises ``ValueError``."""
        if block.ndim != 2 or block.shape[0] != self._n_channels:
            raise ValueError(f"expected a block of {self._n_channels} channels x samples, got shape {block.shape}")
        if block.dtype.kind not in "iuf":
            raise ValueError(f"expected integer or float samples, got {block.dtype}")
        self._same_kind(block)
        for piece in self._pieces(block.shape[1]):
            yield from self._feed(block[:, piece], lost=False)

    def lose(self, n_lost: int) -> Iterator[Ticks]:
        """The ticks that ``n_lost`` missing samples complete; every tick they touch is marked as lost."""
        kind = self._rest.dtype if self._rest is not None else np.dtype(np.int16)
        for piece in self._pieces(n_lost):
            yield from self._feed(np.zeros((self._n_channels, piece.stop - piece.start), kind), lost=True)

    def _pieces(self, n: int) -> Iterator[slice]:
        step = max(self._grid.tick_samples, PIECE_SAMPLES // self._n_channels)
        return (slice(start, min(start + step, n)) for start in range(0, n, step))

    def _same_kind(self, block: NDArray[Any]) -> None:
        if self._rest is None:
            self._rest = np.zeros((self._n_channels, 0), block.dtype)
        elif self._rest.dtype != block.dtype:
            if self.n_samples and self._rest.dtype.kind != block.dtype.kind:
                raise ValueError(f"expected {self._rest.dtype} samples as before, got {block.dtype}")
            self._rest = self._rest.astype(block.dtype)

    def _feed(self, block: NDArray[Any], *, lost: bool) -> Iterator[Ticks]:
        n = block.shape[1]
        if self._rest is not None and self._rest.shape[1]:
            block = np.concatenate([self._rest, block], axis=1)
        self.n_samples += n
        whole = block.shape[1] // self._grid.tick_samples
        cut = whole * self._grid.tick_samples
        self._rest = block[:, cut:].copy()
        missing = np.zeros((self._n_channels, whole), bool)
        if whole:
            missing[:, 0] = self._rest_lost
            self._rest_lost = np.zeros(self._n_channels, bool)
        if lost and n:
            missing[:] = True
            self._rest_lost = np.full(self._n_channels, self._rest.shape[1] > 0)
        if whole:
            yield self._ticks(block[:, :cut], missing)

    def _ticks(self, raw: NDArray[Any], lost: Bools) -> Ticks:
        d, m = self._grid.decimation, self._grid.groups
        if raw.dtype.kind == "f":
            raw = raw.astype(np.float64)
            unknown = ~np.isfinite(raw)
            if unknown.any():
                raw[unknown] = 0.0
                lost |= fold(np.logical_or, unknown, d * m)
        elif raw.dtype.itemsize > 4:
            raw = raw.astype(np.int64)
        wide = raw if raw.dtype.kind == "f" else raw.astype(np.int64 if raw.dtype.itemsize > 2 else np.int32)
        total, top, bottom = fold(np.add, wide, d), fold(np.maximum, raw, d), fold(np.minimum, raw, d)
        uv = total * (self._uv / d)
        clipped = (fold(np.maximum, top, m) >= self._high) | (fold(np.minimum, bottom, m) <= self._low)
        ticks = Ticks(
            first=self.n_ticks,
            groups_uv=uv,
            mean_uv=fold(np.add, uv, m) / m,
            clipped=clipped,
            lost=lost,
            roughness_uv=self._roughness(uv, top, bottom),
        )
        self.n_ticks += ticks.n
        self._last_uv = uv[:, -1:].copy()
        return ticks

    def _roughness(self, uv: Floats, top: NDArray[Any], bottom: NDArray[Any]) -> Floats:
        if self._grid.decimation == 1:
            return np.zeros((uv.shape[0], uv.shape[1] // self._grid.groups))
        before = uv[:, :1] if self._last_uv is None else self._last_uv
        step = np.empty_like(uv)
        np.subtract(uv[:, 1:], uv[:, :-1], out=step[:, 1:])
        np.subtract(uv[:, :1], before, out=step[:, :1])
        inside = (top.astype(np.float64) - bottom) * np.abs(self._uv)
        np.abs(step, out=step)
        np.subtract(inside, step, out=inside)
        np.maximum(inside, 0.0, out=inside)
        return fold(np.add, inside, self._grid.groups)


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
