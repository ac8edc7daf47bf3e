"""Signals put together from stretches without a gap, each with its own rate, on one clock: the fastest channel's."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from kindle.errors import RecordingError
from kindle.loading import Floats, Note, Track

FINEST_RATIO = 1_000_000
"""Two rates are taken as a ratio of whole numbers no larger than this."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Channels of one rate without a gap; ``read(rows, first, last)`` counts from its own beginning."""

    names: tuple[str, ...]
    rate_hz: float
    start_s: float
    """From the start of the recording."""
    n_samples: int
    read: Callable[[Sequence[int], int, int], Floats]


class JoinedSignals:
    """Where no stretch of a channel lies, its samples are NaN.

    A channel that is slower than the fastest is interpolated, between samples if it is EEG-like, else held: the value
    at a sample does not depend on the window that is asked for.
    """

    def __init__(
        self,
        path: Path,
        tracks: Sequence[Track],
        stretches: Sequence[Stretch],
        notes: Sequence[Note],
        *,
        brain: Sequence[str],
        stimulus: Sequence[str] = (),
        start_utc: datetime | None = None,
        remarks: Sequence[str] = (),
    ) -> None:
        """Raises ``RecordingError`` where there is no sample, or two stretches claim the same time."""
        self._stretches = [stretch for stretch in stretches if stretch.n_samples > 0]
        if not self._stretches:
            raise RecordingError(f"{path} holds no samples: check that it was recorded and copied to its end")
        self.rate_hz = max(stretch.rate_hz for stretch in self._stretches)
        slow = {name for stretch in self._stretches if stretch.rate_hz != self.rate_hz for name in stretch.names}
        self.tracks = tuple(
            Track(track.name, track.role, track.unit) if track.name in slow else track for track in tracks
        )
        self.names = tuple(track.name for track in tracks)
        self.brain, self.stimulus = tuple(brain), tuple(stimulus)
        self.notes, self.start_utc, self.remarks = tuple(notes), start_utc, tuple(remarks)
        self._spans = [self._span(stretch) for stretch in self._stretches]
        self._check_overlaps(path)
        self.n_samples = max(last for _, last in self._spans)
        self.gaps = tuple(_between(sorted(self._spans)))

    def read(self, names: Sequence[str], first: int, last: int) -> Floats:
        first, last = max(0, first), min(last, self.n_samples)
        window = np.full((len(names), max(0, last - first)), np.nan)
        for stretch, (start, end) in zip(self._stretches, self._spans, strict=True):
            begin, stop = max(first, start), min(last, end)
            rows = [row for row, name in enumerate(names) if name in stretch.names]
            if begin < stop and rows:
                wanted = [names[row] for row in rows]
                window[rows, begin - first : stop - first] = self._values(stretch, wanted, begin - start, stop - start)
        return window

    def _values(self, stretch: Stretch, names: Sequence[str], first: int, last: int) -> Floats:
        """``first`` and ``last`` count at the common rate from the start of the stretch."""
        rows = [stretch.names.index(name) for name in names]
        ratio = self._ratio(stretch)
        if ratio == 1:
            return stretch.read(rows, first, last)
        place = np.arange(first, last, dtype=np.int64) * ratio.numerator
        before = np.minimum(place // ratio.denominator, stretch.n_samples - 1)
        after = np.minimum(before + 1, stretch.n_samples - 1)
        share = (place % ratio.denominator) / ratio.denominator
        offset = int(before[0])
        stored = stretch.read(rows, offset, int(after[-1]) + 1)
        held, following = stored[:, before - offset], stored[:, after - offset]
        linear = np.array([[name in self.brain] for name in names])
        return np.where(linear, held + share * (following - held), held)

    def _ratio(self, stretch: Stretch) -> Fraction:
        return Fraction(stretch.rate_hz / self.rate_hz).limit_denominator(FINEST_RATIO)

    def _span(self, stretch: Stretch) -> tuple[int, int]:
        start = round(stretch.start_s * self.rate_hz)
        ratio = self._ratio(stretch)
        return start, start + stretch.n_samples * ratio.denominator // ratio.numerator

    def _check_overlaps(self, path: Path) -> None:
        for name in self.names:
            spans = sorted(
                span for stretch, span in zip(self._stretches, self._spans, strict=True) if name in stretch.names
            )
            for (_, end), (start, _) in pairwise(spans):
                if start < end:
                    raise RecordingError(
                        f"{path}: channel {name!r} has two samples for the same time at {start / self.rate_hz:.3f} s; "
                        "its time stamps are damaged: export the recording again"
                    )


def _between(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What no span covers, from sample 0 on."""
    covered = 0
    for first, last in spans:
        if first > covered:
            yield covered, first
        covered = max(covered, last)
