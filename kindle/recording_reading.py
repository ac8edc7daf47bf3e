"""A stored recording, mapped into memory: its samples are views, nothing is copied."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.interface import Block, Channel
from kindle.brainvision import Marker, parse_markers
from kindle.errors import RecordingError
from kindle.recording_extent import Extent, extents
from kindle.recording_index import RECORD, read_records
from kindle.recording_recovery import BeingWritten, NotWritable, recover


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A stretch without a gap. Markers and ``first_sample`` count in the whole recording, the index from 0 here."""

    header_path: Path
    first_sample: int
    n_lost: int | None
    """About how many samples are missing before it; ``None`` for the first, and where nobody wrote it down."""
    start_utc: datetime
    signal_path: Path
    n_channels: int
    n_samples: int
    markers: tuple[Marker, ...]
    index: NDArray[np.void]
    """Structured as ``kindle.recording_index.RECORD``; empty when the index file is not there."""

    @property
    def counts(self) -> Block:
        """``(n_channels, n_samples)``, a read-only view of the file, mapped for as long as the view is held.

        A recording may have more segments than a process may have open files.
        """
        shape = (self.n_samples, self.n_channels)
        # An empty file cannot be mapped.
        return np.memmap(self.signal_path, "<i2", "r", shape=shape).T if self.n_samples else np.empty(shape, "<i2").T


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    folder: Path
    channels: tuple[Channel, ...]
    rate_hz: float
    segments: tuple[Segment, ...]

    @property
    def start_utc(self) -> datetime:
        return self.segments[0].start_utc

    @property
    def n_samples(self) -> int:
        """Samples per channel over all segments; what was lost in gaps is not counted."""
        return sum(segment.n_samples for segment in self.segments)

    @property
    def markers(self) -> tuple[Marker, ...]:
        """As written, segment by segment; ``sample`` counts in the whole recording."""
        return tuple(marker for segment in self.segments for marker in segment.markers)

    @property
    def gaps(self) -> tuple[int, ...]:
        """The samples, counted in the whole recording, before which some were lost."""
        return tuple(segment.first_sample for segment in self.segments[1:])

    @property
    def joined(self) -> Block:
        """All samples there are, whatever was lost between: for whoever heeds ``gaps``. Copied where there are any."""
        if len(self.segments) == 1:
            return self.segments[0].counts
        joined = np.empty((len(self.channels), self.n_samples), np.int16)
        at = 0
        for segment in self.segments:
            joined[:, at : at + segment.n_samples] = segment.counts
            at += segment.n_samples
        return joined

    @property
    def counts(self) -> Block:
        """``(n_channels, n_samples)``, a read-only view. Raises ``RecordingError`` when there are gaps."""
        return self._only_segment().counts

    @property
    def index(self) -> NDArray[np.void]:
        """Raises ``RecordingError`` when there are gaps."""
        return self._only_segment().index

    def _only_segment(self) -> Segment:
        if len(self.segments) > 1:
            raise RecordingError(
                f"{self.folder} has {len(self.segments)} segments with gaps between them: read them one by one"
            )
        return self.segments[0]


def open_recording(path: Path) -> Recording:
    """Open a recording by its folder, or by a ``.vhdr`` in it, recovering it first when a crash tore it.

    One that is being written, or may not be changed, is shown as far as its index vouches for it.
    Raises ``RecordingError`` when there is none or it is damaged.
    """
    folder = path.parent if path.suffix == ".vhdr" else path
    found = extents(folder)
    if any(extent.torn for extent in found):
        try:
            recover(folder)
        except (BeingWritten, NotWritable):
            pass
        else:
            found = extents(folder)
    first = found[0].header
    return Recording(folder, first.channels, first.rate_hz, tuple(_mapped(extent) for extent in found))


def _mapped(extent: Extent) -> Segment:
    start = extent.header.first_sample
    local_markers, _ = parse_markers(extent.files.markers.read_bytes())
    return Segment(
        header_path=extent.files.header,
        first_sample=start,
        n_lost=extent.header.n_lost,
        start_utc=extent.header.start_utc,
        signal_path=extent.files.signal,
        n_channels=len(extent.header.channels),
        n_samples=extent.n_samples,
        markers=tuple(Marker(m.type, m.description, start + m.sample, m.n_samples) for m in local_markers),
        index=read_records(extent.files.index)[: extent.n_blocks] if extent.indexed else np.empty(0, RECORD),
    )
