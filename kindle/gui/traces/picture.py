"""The traces as pixels: only the columns that changed are drawn, and the picture is a ring of columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kindle.gui.look import Look
from kindle.gui.traces.lanes import Lane
from kindle.gui.traces.marks import Ground, Line

Pixels = NDArray[np.uint32]
"""``(height, width)``, 0xffRRGGBB."""
Rows = NDArray[np.int32]
DASH_PX = 6


@dataclass(frozen=True, slots=True)
class Strip:
    """One lane's columns. ``top`` and ``bottom`` are rows of the trace; none where the top lies below the bottom."""

    lane: Lane
    top: Rows
    bottom: Rows
    band: tuple[int, int] | None
    """First and last row of ± baseline."""
    criterion: tuple[int, ...]
    """Rows of the lines at ± the criterion."""


class Picture:
    def __init__(self, width: int, height: int, look: Look, thickness: int = 1) -> None:
        self.pixels: Pixels = np.full((height, width), argb(look.ground), np.uint32)
        self._thickness = thickness
        self._look = look
        self._trace, self._criterion, self._between = argb(look.trace), argb(look.criterion), argb(look.line)
        behind = {
            Ground.PLAIN: look.ground,
            Ground.SECONDARY: mixed(look.discharge, look.ground, 0.45),
            Ground.DISCHARGE: look.discharge,
            Ground.TRAIN: look.train,
        }
        lines = {Line.SECOND: look.grid, Line.END: look.end, Line.ONSET: look.onset, Line.LOST: look.lost}
        self._grounds = np.array([argb(behind[ground]) for ground in Ground], np.uint32)
        self._bands = np.array([argb(mixed(look.band, behind[ground], 0.7)) for ground in Ground], np.uint32)
        self._lines = np.array([argb(lines.get(line, look.grid)) for line in Line], np.uint32)

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    def blank(self, first: int, last: int) -> None:
        """Columns ``[first, last)`` of the recording show nothing."""
        for _, columns in self._places(first, last):
            self.pixels[:, columns] = self._grounds[Ground.PLAIN]

    def draw(self, first: int, strips: Sequence[Strip], grounds: NDArray[np.uint8], lines: NDArray[np.uint8]) -> None:
        """Columns from ``first`` on; no more of them than the picture is wide."""
        for part, columns in self._places(first, first + grounds.size):
            pixels, behind, standing = self.pixels[:, columns], grounds[part], lines[part]
            pixels[:] = self._between
            dashes = ((np.arange(first, first + grounds.size)[part] // DASH_PX) % 2).astype(bool)
            for strip in strips:
                self._lane(pixels, strip, part, behind, standing, dashes)

    def _lane(
        self,
        pixels: Pixels,
        strip: Strip,
        part: slice,
        grounds: NDArray[np.uint8],
        lines: NDArray[np.uint8],
        dashes: NDArray[np.bool_],
    ) -> None:
        top = strip.lane.top
        lane = pixels[top : top + strip.lane.height]
        lane[:] = self._grounds[grounds]
        if strip.band is not None:
            lane[strip.band[0] - top : strip.band[1] - top + 1] = self._bands[grounds]
        if lines.any():
            standing = np.flatnonzero(lines)
            lane[:, standing] = self._lines[lines[standing]]
        for row in strip.criterion:
            lane[row - top, dashes] = self._criterion
        rows = np.arange(top, top + strip.lane.height, dtype=np.int32)[:, None]
        bottom = strip.bottom[part] + (self._thickness - 1)
        lane[(rows >= strip.top[part]) & (rows <= bottom)] = self._trace

    def _places(self, first: int, last: int) -> list[tuple[slice, slice]]:
        """Where columns ``[first, last)`` of the recording lie: parts of them, and the pixels of each part."""
        n = last - first
        if n > self.width:
            raise ValueError(f"{n} columns do not fit into a picture of {self.width}")
        begin = first % self.width
        until = min(n, self.width - begin)
        places = [(slice(0, until), slice(begin, begin + until))]
        if until < n:
            places.append((slice(until, n), slice(0, n - until)))
        return [(part, columns) for part, columns in places if part.start < part.stop]


def argb(colour: str) -> int:
    return 0xFF000000 | int(colour[1:], 16)


def mixed(over: str, under: str, share: float) -> str:
    """``share`` of the colour ``over``, the rest of ``under``."""
    parts = [round(share * int(over[at : at + 2], 16) + (1 - share) * int(under[at : at + 2], 16)) for at in (1, 3, 5)]
    return "#" + "".join(f"{part:02X}" for part in parts)
