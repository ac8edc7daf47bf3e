"""What is drawn behind the traces: trains, discharges, gaps, and the band of the baseline."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from math import isfinite

import numpy as np
from numpy.typing import NDArray

MOST = 500
"""Of each kind that are remembered: far more than two minutes have."""


class Ground(IntEnum):
    """What lies behind a column of pixels; the later wins where two meet."""

    PLAIN = 0
    SECONDARY = 1
    DISCHARGE = 2
    TRAIN = 3


class Line(IntEnum):
    """What stands in a column of pixels, from top to bottom of the lanes."""

    NO = 0
    SECOND = 1
    END = 2
    ONSET = 3
    LOST = 4


@dataclass(frozen=True, slots=True)
class Span:
    """``[onset_sample, end_sample)``; ``None`` while it goes on."""

    onset_sample: int
    end_sample: int | None
    secondary: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    baseline_uv: float
    ratio: float


@dataclass(slots=True)
class Marks:
    """Each change says from which sample on the picture is another one; ``None`` where nothing changed."""

    bands: dict[str, Band] = field(default_factory=dict)
    _trains: dict[int, Span] = field(default_factory=dict)
    _discharges: dict[int, Span] = field(default_factory=dict)
    _gaps: dict[int, int] = field(default_factory=dict)

    @property
    def discharges(self) -> tuple[Span, ...]:
        return tuple(self._discharges.values())

    @property
    def running(self) -> Span | None:
        """The discharge that goes on, if one does."""
        return next((span for span in reversed(self._discharges.values()) if span.end_sample is None), None)

    def train(self, span: Span) -> int | None:
        return _put(self._trains, span)

    def discharge(self, span: Span) -> int | None:
        return _put(self._discharges, span)

    def gap(self, sample: int, n_lost: int) -> int:
        self._gaps[sample] = n_lost
        _bound(self._gaps)
        return sample

    def band(self, channel: str, baseline_uv: float | None, ratio: float) -> bool:
        """Whether anything changed."""
        before = self.bands.get(channel)
        if baseline_uv is None or not isfinite(baseline_uv):
            self.bands.pop(channel, None)
        else:
            self.bands[channel] = Band(baseline_uv, ratio)
        return self.bands.get(channel) != before

    def forget_discharges(self) -> int | None:
        first = min(self._discharges, default=None)
        self._discharges.clear()
        return first

    def forget_before(self, sample: int) -> None:
        """What ended before ``sample`` is not kept any more, and cannot be shown again."""
        for spans in (self._trains, self._discharges):
            for onset in [onset for onset, span in spans.items() if (span.end_sample or sample) < sample]:
                del spans[onset]
        for gap in [gap for gap in self._gaps if gap < sample]:
            del self._gaps[gap]

    def clear(self) -> None:
        for marks in (self._trains, self._discharges, self._gaps, self.bands):
            marks.clear()

    def grounds(self, edges: NDArray[np.float64]) -> NDArray[np.uint8]:
        """``Ground`` of each column between ``edges``, which are samples."""
        grounds = np.zeros(edges.size - 1, np.uint8)
        for ground, spans in ((Ground.DISCHARGE, self._discharges), (Ground.TRAIN, self._trains)):
            for span in spans.values():
                kind = Ground.SECONDARY if span.secondary else ground
                grounds[_columns(edges, span.onset_sample, span.end_sample)] = kind
        return grounds

    def lines(self, edges: NDArray[np.float64], tick_samples: float) -> NDArray[np.uint8]:
        """``Line`` of each column; a line stands in the column that holds its sample."""
        ticks = np.ceil(edges / tick_samples)
        lines = np.where(ticks[1:] > ticks[:-1], Line.SECOND, Line.NO).astype(np.uint8)
        for sample, line in self._points():
            if edges[0] <= sample < edges[-1]:
                lines[int(np.searchsorted(edges, sample, "right")) - 1] = line
        return lines

    def _points(self) -> Iterator[tuple[int, Line]]:
        for span in self._discharges.values():
            if span.end_sample is not None:
                yield span.end_sample, Line.END
        for span in self._discharges.values():
            yield span.onset_sample, Line.ONSET
        for sample in self._gaps:
            yield sample, Line.LOST


def _put(spans: dict[int, Span], span: Span) -> int | None:
    before = spans.get(span.onset_sample)
    if before == span:
        return None
    spans[span.onset_sample] = span
    _bound(spans)
    if before is None or before.secondary != span.secondary:
        return span.onset_sample
    ends = [end for end in (before.end_sample, span.end_sample) if end is not None]
    return min(ends)


def _bound(marks: dict[int, Span] | dict[int, int]) -> None:
    while len(marks) > MOST:
        del marks[next(iter(marks))]


def _columns(edges: NDArray[np.float64], onset: int, end: int | None) -> slice:
    """The columns that hold any sample of ``[onset, end)``."""
    first = max(0, int(np.searchsorted(edges, onset, "right")) - 1)
    last = edges.size - 1 if end is None else int(np.searchsorted(edges, end, "left"))
    return slice(first, max(first, last)) if onset < edges[-1] and (end is None or end > edges[0]) else slice(0, 0)
