"""The live traces without a window: what came, what is shown of it, and which pixels that changes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from drivers.interface import Block, Channel
from kindle.channel_roles import microvolts_per
from kindle.gui.look import Look
from kindle.gui.traces.lanes import Lane, Scale, laid_out, scale_of
from kindle.gui.traces.marks import Marks
from kindle.gui.traces.picture import Picture, Strip
from kindle.gui.traces.ring import EnvelopeRing, columns
from kindle.gui.traces.rows import Rows, between_samples, joined
from kindle.gui.traces.settings import Mode, TraceSettings

SWEEP_GAP = 0.02
"""Of the width, that is blank before the newest column in a sweep."""
TICKS_S = (1.0, 2.0, 5.0, 10.0, 20.0)
FEWEST_PX_PER_TICK = 80
RESCALED_S = 1.0
"""How often the lanes are asked whether their scale still fits."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Columns ``[first, last)`` of the recording, blank ones ahead of a sweep included."""

    first: int
    last: int
    everything: bool
    """Whether what does not lie between them may be another one too: the picture was moved, or drawn anew."""


class Scene:
    """The picture is a ring: column ``k`` of the recording is column ``k % width`` of the pixels."""

    def __init__(self, channels: Sequence[Channel], rate_hz: float, look: Look, settings: TraceSettings) -> None:
        self.channels, self.rate_hz = tuple(channels), rate_hz
        self.settings, self.paused = settings, False
        self.marks = Marks()
        self.lanes: list[Lane] = []
        self.scales: list[Scale | None] = [None] * len(self.channels)
        self._look, self._thickness = look, 1
        self._end = 0
        self._ring = EnvelopeRing(len(self.channels), rate_hz)
        self.resize(800, 400, 1)

    @property
    def n_samples(self) -> int:
        return self._ring.n_samples

    @property
    def end_column(self) -> int:
        """One past the last column that is shown."""
        return self._end

    @property
    def shown(self) -> tuple[int, int]:
        """Columns of the recording that are on the screen."""
        n = self.picture.width
        return self._end - n + (self._gap if self.settings.mode is Mode.SWEEP else 0), self._end

    def push(self, first_sample: int, block: Block) -> None:
        if first_sample < self.n_samples:
            # Another recording: nothing of the last one means anything on its clock.
            self.clear()
        self._ring.push(first_sample, block)

    def resize(self, width_px: int, height_px: int, thickness: int) -> None:
        """In pixels of the screen, of which a line is ``thickness`` wide."""
        self._thickness = thickness
        self._new_picture(max(16, width_px), max(16, height_px))

    def set_look(self, look: Look) -> None:
        self._look = look
        self._new_picture(self.picture.width, int(self.picture.pixels.shape[0]))

    def set_settings(self, settings: TraceSettings) -> None:
        self.settings = settings
        self._new_picture(self.picture.width, int(self.picture.pixels.shape[0]))

    def set_paused(self, paused: bool) -> None:
        self.paused = paused
        if not paused:
            self._redraw()

    def look_back(self, step_s: float) -> None:
        """While paused: earlier (negative) or later, as far as samples are kept."""
        if not self.paused:
            return
        oldest = floor(self._ring.first_bucket / self._buckets) + self.picture.width
        wanted = self._end + round(step_s * self._columns_per_s)
        self._end = max(min(wanted, self._newest()), min(oldest, self._newest()))
        self._redraw(self._end)

    def clear(self) -> None:
        self._ring.clear()
        self.marks.clear()
        self.scales = [None] * len(self.channels)
        self._redraw()

    def advance(self) -> Changed | None:
        """Draw what came since; ``None`` where the picture is as it was."""
        if self.paused:
            return None
        end = self._newest()
        if end >= self._rescale_at and self._rescaled(end):
            self._redraw()
            return self._all()
        first = max(self._end, end - self.picture.width)
        if first >= end:
            return None
        self._draw(first, end)
        self._end = end
        if self.settings.mode is Mode.SCROLL:
            return Changed(first, end, everything=True)
        self.picture.blank(end, end + self._gap)
        return Changed(first, end + self._gap, everything=False)

    def remark(self, sample: int | None) -> Changed | None:
        """Draw again what lies after ``sample``, because a mark changed there."""
        if sample is None:
            return None
        first, last = max(0, self.shown[0], floor(sample / self._samples) - 1), self._end
        if first >= last:
            return None
        self._draw(first, last)
        return Changed(first, last, everything=False)

    def redraw(self) -> Changed:
        self._redraw(self._end if self.paused else None)
        return self._all()

    def ticks(self) -> Iterator[tuple[int, float]]:
        """Columns of the recording on the screen in which a labelled line stands, and the second that it marks."""
        first, last = self.shown
        step = self.tick_s
        for number in range(
            ceil(max(0, first) / self._columns_per_s / step), floor(last / self._columns_per_s / step) + 1
        ):
            column = floor(number * step * self._columns_per_s)
            if first <= column < last:
                yield column, number * step

    def seconds_of(self, column: float) -> float:
        return column / self._columns_per_s

    def half_range(self, row: int) -> float:
        """Half a lane, in the channel's unit."""
        return self._scale(row).half

    def place(self, column: int) -> int:
        """Where a column of the recording lies on the screen."""
        return (
            column - (self._end - self.picture.width)
            if self.settings.mode is Mode.SCROLL
            else column % self.picture.width
        )

    def _new_picture(self, width: int, height: int) -> None:
        stood_s = self.seconds_of(self._end) if self.paused else None
        self.picture = Picture(width, height, self._look, self._thickness)
        self.lanes = laid_out(self.channels, height)
        self._buckets = self.settings.window_s * self.rate_hz / self._ring.bucket_samples / width
        self._samples = self._buckets * self._ring.bucket_samples
        self._columns_per_s = self.rate_hz / self._samples
        self._gap = max(2, round(SWEEP_GAP * width)) if self.settings.mode is Mode.SWEEP else 0
        self.tick_s = next((s for s in TICKS_S if s * self._columns_per_s >= FEWEST_PX_PER_TICK), TICKS_S[-1])
        # Whoever has paused to look at something goes on looking at it.
        self._redraw(None if stood_s is None else min(self._newest(), round(stood_s * self._columns_per_s)))

    def _newest(self) -> int:
        """One past the last column that no later sample can change."""
        complete = self._ring.end_bucket
        if complete == 0:
            return 0
        last = floor((complete - 1) / self._buckets)
        return last + 1 if ceil((last + 1) * self._buckets) <= complete else last

    def _all(self) -> Changed:
        return Changed(self._end - self.picture.width, self._end + self._gap, everything=True)

    def _redraw(self, end: int | None = None) -> None:
        self._end = self._newest() if end is None else end
        self._rescaled(self._end)
        scales = [self._scale(row) for row in range(len(self.channels))]
        self._rows = Rows.made(self.channels, self.lanes, scales)
        self.picture.blank(self._end - self.picture.width, self._end)
        first = max(0, self.shown[0])
        if first < self._end:
            self._draw(first, self._end)
        if self._gap:
            self.picture.blank(self._end, self._end + self._gap)

    def _rescaled(self, end: int) -> bool:
        """Fit the scales to what is on the screen; whether any became another one. Marks older than it go."""
        self.marks.forget_before(self._ring.first_bucket * self._ring.bucket_samples)
        # At once when the first samples come, then less and less often.
        self._rescale_at = end + max(1, min(end, round(RESCALED_S * self._columns_per_s)))
        low, high = self._ring.read(ceil(max(0, end - self.picture.width) * self._buckets), ceil(end * self._buckets))
        before = list(self.scales)
        for row, channel in enumerate(self.channels):
            there = low[row] <= high[row]
            if not there.any():
                continue
            if channel.role == "eeg":
                lowest, highest = float(np.median(low[row][there])), float(np.median(high[row][there]))
            else:
                lowest, highest = float(low[row][there].min()), float(high[row][there].max())
            self.scales[row] = scale_of(
                channel, self.settings, lowest * channel.resolution, highest * channel.resolution, before[row]
            )
        return self.scales != before

    def _draw(self, first: int, last: int) -> None:
        # A column is joined to the one before it; where a sample is wider than a column, to the last that has one.
        back = ceil(1 / self._buckets) + 1
        edges = np.ceil(np.arange(first - back, last + 1) * self._buckets).astype(np.intp)
        lowest, highest = columns(*self._ring.read(int(edges[0]), int(edges[-1])), edges - edges[0])
        silent = edges[1:] == edges[:-1]
        samples = np.arange(first, last + 1, dtype=np.float64) * self._samples
        there = lowest <= highest
        low, high = lowest.astype(np.float32), highest.astype(np.float32)
        if silent.any():
            low, high = (between_samples(values, there, silent) for values in (low, high))
            there = there | silent & there.any(axis=1, keepdims=True)
        top, bottom = joined(self._rows.of(high), self._rows.of(low), there)
        strips = [
            Strip(lane, top[row, back:], bottom[row, back:], *self._band(row)) for row, lane in enumerate(self.lanes)
        ]
        lines = self.marks.lines(samples, self.tick_s * self.rate_hz)
        self.picture.draw(first, strips, self.marks.grounds(samples), lines)

    def _scale(self, row: int) -> Scale:
        return self.scales[row] or scale_of(self.channels[row], self.settings, 0.0, 0.0, None)

    def _band(self, row: int) -> tuple[tuple[int, int] | None, tuple[int, ...]]:
        """Rows of ± baseline, and of the lines at ± the criterion, around the middle of the lane."""
        channel, lane, scale = self.channels[row], self.lanes[row], self._scale(row)
        band = self.marks.bands.get(channel.name)
        if band is None:
            return None, ()
        baseline = band.baseline_uv / (microvolts_per(channel.unit) or 1.0)
        first, last, *criterion = (
            lane.row(scale.centre + times * baseline, scale) for times in (1.0, -1.0, band.ratio, -band.ratio)
        )
        return (first, last), tuple(line for line in criterion if lane.top < line < lane.last)
