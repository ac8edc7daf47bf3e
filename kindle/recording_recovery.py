"""After a crash: cut torn tails off a recording, delete nothing, and say what was done."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kindle.brainvision import Marker, checked_marker, marker_file, marker_line, parse_markers
from kindle.durable import append_to, sync_folder, truncate, write_whole
from kindle.errors import RecordingError
from kindle.locking import Busy, CannotLock, exclusive
from kindle.recording_extent import Extent, extents
from kindle.recording_index import RECORD
from kindle.recording_layout import lock_path, marker_pieces, segment_files


class BeingWritten(RecordingError):
    """Somebody else writes or recovers the recording at this moment."""


class NotWritable(RecordingError):
    """The recording lies where nothing may be changed."""


class Cut(msgspec.Struct, frozen=True, tag="cut"):
    """What one file lost; the bytes are in ``kept_in``, or ``text`` says what they were."""

    file: str
    n_bytes: int
    kept_in: str = ""
    text: str = ""


class Recovered(msgspec.Struct, frozen=True, tag="recovered"):
    """The outcome, for the journal; without cuts and restored markers the recording was whole."""

    n_samples: int
    cuts: tuple[Cut, ...]
    n_markers_restored: int = 0


def recover(folder: Path, *, markers: Sequence[Marker] = ()) -> Recovered:
    """Cut what a crash tore, and append those of ``markers`` (the journal's, in the whole recording) that are missing.

    Torn samples and their index records are set aside in ``tail*.bin``. A second call finds nothing to do. Raises
    ``RecordingError`` while the recording is being written.
    """
    wanted = [checked_marker(marker) for marker in markers]
    with _held(folder):
        segments = extents(folder)
        try:
            cuts = [cut for extent in segments for cut in _cut_torn(extent)]
            n_restored = _restore(wanted, segments)
            sync_folder(folder)
        except OSError as error:
            raise NotWritable(
                f"cannot recover {folder} ({error}): close other programs that use it, or copy it to where it may be "
                "changed"
            ) from error
    return Recovered(sum(extent.n_samples for extent in segments), tuple(cuts), n_restored)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    if not segment_files(folder):
        raise RecordingError(f"{folder} holds no recording: expected a folder with signal.vhdr in it")
    try:
        with exclusive(lock_path(folder)):
            yield
    except Busy as error:
        raise BeingWritten(f"{folder} is being written: close that recording first, then recover it") from error
    except CannotLock as error:
        raise NotWritable(f"cannot recover {folder}: {error}") from error


def _cut_torn(extent: Extent) -> Iterator[Cut]:
    files = extent.files
    if extent.indexed:
        yield from _cut_tail(files.signal, extent.n_samples * extent.row_bytes, files.tail)
        yield from _cut_tail(files.index, extent.n_blocks * RECORD.itemsize, files.index_tail)
    content = files.markers.read_bytes()
    markers, torn_lines = parse_markers(content)
    if torn_lines or b"\0" in content:
        whole = marker_file(extent.header.start_utc, markers, signal_name=files.signal.name)
        write_whole(files.markers, whole)
        text = b"\n".join(torn_lines).decode("ascii", "backslashreplace")
        yield Cut(files.markers.name, len(content) - len(whole), text=text)


def _cut_tail(path: Path, n_good: int, tail: Path) -> Iterator[Cut]:
    n_torn = path.stat().st_size - n_good
    if n_torn <= 0:
        return
    with path.open("rb") as source:
        source.seek(n_good)
        kept_in = _set_aside(source.read(), tail)
    truncate(path, n_good)
    yield Cut(path.name, n_torn, kept_in=kept_in.name)


def _set_aside(content: bytes, tail: Path) -> Path:
    """Never over an earlier tail, unless it is this one, set aside by a recovery that was itself interrupted."""
    kept_in, number = tail, 1
    while kept_in.exists() and kept_in.read_bytes() != content:
        number += 1
        kept_in = tail.with_name(f"{tail.stem}.{number}{tail.suffix}")
    write_whole(kept_in, content)
    return kept_in


def _restore(wanted: Sequence[Marker], segments: Sequence[Extent]) -> int:
    """Append the markers that are in no file; a marker across a gap counts once for each side."""
    starts = [extent.header.first_sample for extent in segments]
    present = [parse_markers(extent.files.markers.read_bytes())[0] for extent in segments]
    n_restored = 0
    for marker in wanted:
        for number, piece in marker_pieces(marker, starts):
            if piece not in present[number]:
                present[number].append(piece)
                n_restored += 1
                append_to(segments[number].files.markers, marker_line(len(present[number]) + 1, piece))
    return n_restored
