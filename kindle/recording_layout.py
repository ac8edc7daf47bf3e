"""Which files a recording is made of: one triple and its index for each stretch without a gap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from kindle.brainvision import Marker


@dataclass(frozen=True, slots=True)
class SegmentFiles:
    """The files of segment ``number``, counted from 1; from the second on their names carry it."""

    folder: Path
    number: int

    def _named(self, stem: str, ending: str) -> Path:
        return self.folder / (f"{stem}{ending}" if self.number == 1 else f"{stem}-{self.number}{ending}")

    @property
    def header(self) -> Path:
        return self._named("signal", ".vhdr")

    @property
    def signal(self) -> Path:
        return self._named("signal", ".eeg")

    @property
    def markers(self) -> Path:
        return self._named("signal", ".vmrk")

    @property
    def index(self) -> Path:
        return self._named("index", ".bin")

    @property
    def tail(self) -> Path:
        """Where recovery sets torn samples aside."""
        return self._named("tail", ".bin")

    @property
    def index_tail(self) -> Path:
        return self._named("tail-index", ".bin")


def segment_files(folder: Path) -> list[SegmentFiles]:
    """The segments that have begun, in order; a header is written last, so it proves that its triple is there."""
    found: list[SegmentFiles] = []
    while (files := SegmentFiles(folder, len(found) + 1)).header.exists():
        found.append(files)
    return found


def lock_path(folder: Path) -> Path:
    """Held by whoever writes or recovers the recording."""
    return folder / "recording.lock"


def marker_pieces(marker: Marker, starts: Sequence[int]) -> Iterator[tuple[int, Marker]]:
    """The parts of ``marker`` in each segment, by position in ``starts``, counted from the segment's own start.

    ``starts`` are the first samples of the segments, in order; the last segment has no end.
    """
    end = marker.sample + marker.n_samples
    for number, (start, next_start) in enumerate(pairwise([*starts, max(end, starts[-1] + 1)])):
        first, last = max(marker.sample, start), min(end, next_start)
        if first < last:
            yield number, Marker(marker.type, marker.description, first - start, last - first)
