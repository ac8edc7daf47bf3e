"""Headers and markers of a recording against their digests in the journal; samples have checksums of their own."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from kindle.brainvision import Marker, marker_line, parse_header
from kindle.errors import RecordingError
from kindle.problem import Problem
from kindle.recording_layout import marker_pieces, segment_files
from kindle.rows import FileDigest


def digests(folder: Path) -> tuple[FileDigest, ...]:
    """Of every header and marker file that is there."""
    paths = [path for files in segment_files(folder) for path in (files.header, files.markers)]
    return tuple(_digest(path) for path in paths if path.exists())


def changed_files(folder: Path, sealed: Sequence[FileDigest], markers: Sequence[Marker]) -> Iterator[Problem]:
    """What is not as ``sealed``. ``markers`` are the journal's: they may have been added since, and nothing else."""
    added = _lines_by_file(folder, markers)
    for digest in sealed:
        path = folder / digest.name
        if not path.is_file():
            yield Problem(path, "is missing; the journal says that it was there: restore it from a copy")
            continue
        content = path.read_bytes()
        if sha256(content[: digest.n_bytes]).hexdigest() != digest.sha256 or len(content) < digest.n_bytes:
            yield Problem(path, "is not as it was when the recording was closed: restore it from a copy")
            continue
        lines = content[digest.n_bytes :].splitlines(keepends=True)
        unknown = [line for line in lines if line.partition(b"=")[2] not in added.get(digest.name, ())]
        if unknown:
            text = unknown[0].decode("ascii", "backslashreplace").strip()
            yield Problem(path, f"has {len(unknown)} lines that the journal knows nothing of, the first: {text}")


def _digest(path: Path) -> FileDigest:
    content = path.read_bytes()
    return FileDigest(path.name, len(content), sha256(content).hexdigest())


def _lines_by_file(folder: Path, markers: Sequence[Marker]) -> dict[str, set[bytes]]:
    """The lines, without their numbers, that ``markers`` make in each marker file."""
    segments = segment_files(folder)
    try:
        starts = [parse_header(files.header.read_bytes(), str(files.header)).first_sample for files in segments]
    except (RecordingError, OSError):  # told where the header itself is looked at
        return {}
    lines: dict[str, set[bytes]] = {files.markers.name: set() for files in segments}
    for marker in markers:
        for number, piece in marker_pieces(marker, starts):
            lines[segments[number].markers.name].add(marker_line(1, piece).partition(b"=")[2])
    return lines
