"""The channels of a recording one below the other: room, scale and curve of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

from kindle.gui.review.coarse import Outline
from kindle.gui.review.looking import Looking
from kindle.gui.traces.lanes import stepped, told

FILLED = 0.92
"""Of a lane, by the signal at its scale."""
BRAIN_SHARE, OTHER_SHARE = 3.0, 1.0
FIRST_HALF = 1000.0
"""Of a lane whose signal was not seen yet, in its unit."""


@dataclass(frozen=True, slots=True)
class Band:
    """The room of one channel, from 0 downwards."""

    top: float
    bottom: float

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def half(self) -> float:
        return (self.top - self.bottom) / 2


def bands(shares: Sequence[float]) -> tuple[Band, ...]:
    return tuple(Band(-above, -below) for above, below in pairwise([0.0, *accumulate(shares)]))


class Stacked:
    """Brain signals come first and keep their scale while one looks around; others fill their lane."""

    def __init__(self, looking: Looking) -> None:
        signals = looking.source.signals
        brain = tuple(name for name in signals.names if name in signals.brain)
        self.names = (*brain, *(name for name in signals.names if name not in brain))
        self.bands = bands([BRAIN_SHARE if name in brain else OTHER_SHARE for name in self.names])
        self._looking = looking
        self._brain = frozenset(brain)
        self._units = {track.name: track.unit for track in signals.tracks}
        self._halves: dict[str, float] = {}
        self._middles: dict[str, float] = {}

    @property
    def bottom(self) -> float:
        return self.bands[-1].bottom

    def band(self, name: str) -> Band | None:
        return self.bands[self.names.index(name)] if name in self.names else None

    def half_range(self, name: str) -> float:
        """Half a lane, in the channel's unit."""
        return self._halves.get(name, FIRST_HALF)

    def change_gain(self, step: int) -> None:
        """1 shows every brain signal larger."""
        for name in self._brain:
            self._halves[name] = stepped(self.half_range(name), -step)

    def fit(self, outline: Outline) -> bool:
        """Set middles and scales by what is on the screen; whether any scale became another one."""
        before = dict(self._halves)
        clear = self._looking.undisturbed(outline)
        for lane, name in enumerate(self.names):
            seen = np.isfinite(outline.low[lane]) & (clear if name in self._brain else True)
            low, high = outline.low[lane][seen], outline.high[lane][seen]
            if not low.size:
                continue
            if name not in self._brain:
                lowest, highest = float(low.min()), float(high.max())
                self._middles[name], self._halves[name] = (lowest + highest) / 2, max((highest - lowest) / 2, 1e-9)
                continue
            middle = self._middles[name] = float(np.median((low + high) / 2))
            if name not in self._halves:
                reach = np.percentile(np.maximum(abs(low - middle), abs(high - middle)), 99.5)
                self._halves[name] = stepped(max(1.0, float(reach)), 1)
        return self._halves != before

    def curve(self, outline: Outline, lane: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Seconds and heights: through lowest and highest of each piece, or the samples where a piece is one."""
        low, high = outline.low[lane].astype(np.float64), outline.high[lane].astype(np.float64)
        if np.array_equal(low, high, equal_nan=True):
            x, y = outline.edges[:-1], low
        else:
            x = np.repeat((outline.edges[:-1] + outline.edges[1:]) / 2, 2)
            y = np.stack([low, high], axis=1).ravel()
        name, band = self.names[lane], self.bands[lane]
        height = (y - self._middles.get(name, 0.0)) / self.half_range(name) * FILLED
        return x / self._looking.source.rate_hz, band.middle + np.clip(height, -1.0, 1.0) * band.half

    def reach(self, name: str, value: float) -> float:
        """How far from the middle of its lane a value of a channel lies, at most to the lane's border."""
        band = self.band(name)
        return 0.0 if band is None else min(1.0, value / self.half_range(name) * FILLED) * band.half

    def labels(self, height_px: float, line_px: float) -> list[tuple[float, str]]:
        """Names, with their scales on a second line where there is room; of very many channels some have none."""
        room_px = height_px * 2 * self.bands[0].half / -self.bottom
        each = max(1, ceil(1.05 * line_px / max(1.0, room_px)))
        between = "\n" if room_px >= 2.1 * line_px else "  "
        return [
            (
                band.middle,
                name + (f"{between}± {told(self.half_range(name), self._units[name])}" * (name in self._brain)),
            )
            for name, band in list(zip(self.names, self.bands, strict=True))[::each]
        ]
