"""How far the files of a recording can be trusted; nothing is changed by looking."""

from dataclasses import dataclass
from pathlib import Path

from kindle.brainvision import Header, parse_header, parse_markers
from kindle.errors import RecordingError
from kindle.recording_index import RECORD, read_records, sound_records
from kindle.recording_layout import SegmentFiles, segment_files


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a segment can be trusted; without an index file (a copy of the triple alone) its size decides."""

    files: SegmentFiles
    header: Header
    indexed: bool
    n_blocks: int
    n_samples: int

    @property
    def row_bytes(self) -> int:
        return 2 * len(self.header.channels)

    @property
    def torn(self) -> bool:
        """Whether the files hold more than can be trusted."""
        _, torn_lines = parse_markers(content := self.files.markers.read_bytes())
        signal_torn = self.indexed and (
            self.files.signal.stat().st_size != self.n_samples * self.row_bytes
            or self.files.index.stat().st_size != self.n_blocks * RECORD.itemsize
        )
        return signal_torn or bool(torn_lines) or b"\0" in content


def extents(folder: Path) -> list[Extent]:
    """Raises ``RecordingError`` when ``folder`` is no recording, or a file of it is missing or is not readable."""
    segments = segment_files(folder)
    if not segments:
        raise RecordingError(f"{folder} holds no recording: expected a folder with signal.vhdr in it")
    try:
        return [_extent(files) for files in segments]
    except OSError as error:
        raise RecordingError(f"cannot read the recording {folder} ({error}): restore the file from a copy") from error


def _extent(files: SegmentFiles) -> Extent:
    header = parse_header(files.header.read_bytes(), str(files.header))
    row_bytes = 2 * len(header.channels)
    files.markers.stat()
    if not files.index.exists():
        return Extent(files, header, False, 0, files.signal.stat().st_size // row_bytes)
    records = read_records(files.index)
    n_blocks = sound_records(records, files.signal, row_bytes)
    return Extent(files, header, True, n_blocks, int(records["n_samples"][:n_blocks].sum(dtype="i8")))
