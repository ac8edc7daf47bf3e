"""Whether every block of a recording still has the bytes that were written."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kindle.brainvision import Header, parse_header, parse_markers
from kindle.errors import KindleError, RecordingError
from kindle.locking import Busy, exclusive
from kindle.problem import Problem
from kindle.recording_index import RECORD, damaged_blocks, read_records, sound_records, whole_records
from kindle.recording_layout import SegmentFiles, lock_path, segment_files


def verify(folder: Path, *, broken_off: bool = False) -> list[Problem]:
    """Everything wrong with the recording, damaged blocks with their samples; reads all of it, changes nothing.

    ``broken_off`` is a recording that was never closed: its end may be torn, and is then told of as a whole.
    """
    segments = segment_files(folder)
    if not segments:
        return [Problem(folder, "holds no recording: expected signal.vhdr in it")]
    problems: list[Problem] = []
    for files in segments:
        try:
            problems += _segment_problems(files, broken_off)
        except (KindleError, OSError) as error:
            problems.append(Problem(files.header, str(error)))
    return problems


def _segment_problems(files: SegmentFiles, broken_off: bool) -> Iterator[Problem]:
    header = parse_header(files.header.read_bytes(), str(files.header))
    if not files.index.exists():
        yield Problem(files.index, "is missing, so nothing vouches for the samples: restore it from a copy")
    else:
        yield from _block_problems(files, header, broken_off)
    content = files.markers.read_bytes()
    _, torn_lines = parse_markers(content)
    if (torn_lines or b"\0" in content) and not _being_written(files.folder):
        yield Problem(files.markers, f"has {len(torn_lines)} torn lines: run kindle recover")


def _block_problems(files: SegmentFiles, header: Header, broken_off: bool) -> Iterator[Problem]:
    row_bytes, start = 2 * len(header.channels), header.first_sample
    index_bytes = files.index.stat().st_size
    all_records = read_records(files.index)
    records = all_records[: _n_before_torn_end(all_records, files, row_bytes)] if broken_off else all_records
    whole = whole_records(records)
    signal_bytes = files.signal.stat().st_size
    expected = np.cumsum(records["n_samples"], dtype=np.int64) - records["n_samples"]
    for misplaced in np.flatnonzero(records["first_sample"] != expected):
        yield Problem(files.index, f"record {misplaced} does not begin where the one before it ends")
    for number in damaged_blocks(records, files.signal, row_bytes):
        first = start + int(expected[number])
        last = first + int(records["n_samples"][number])
        if not whole[number]:
            message = f"is not as it was written: nothing vouches for samples {first} to {last - 1} (block {number})"
            yield Problem(files.index, message, samples=(first, last))
            continue
        message = f"samples {first} to {last - 1} are not as they were written (block {number}, wrong checksum)"
        yield Problem(files.signal, message, samples=(first, last))
    n_extra = signal_bytes - int(records["n_samples"].sum(dtype=np.int64)) * row_bytes
    n_torn = len(all_records) - len(records)
    if (n_extra > 0 or n_torn or index_bytes % RECORD.itemsize) and not _being_written(files.folder):
        beside = f", {n_torn} blocks that a crash tore" if n_torn else ""
        yield Problem(
            files.signal,
            f"goes on for {max(n_extra, 0)} bytes after the last whole block{beside}: run kindle recover",
        )


def _n_before_torn_end(records: NDArray[np.void], files: SegmentFiles, row_bytes: int) -> int:
    """How many records come before those that recovery would cut off; all of them where it would refuse."""
    try:
        return sound_records(records, files.signal, row_bytes)
    except RecordingError:
        return len(records)


def _being_written(folder: Path) -> bool:
    try:
        with exclusive(lock_path(folder)):
            return False
    except Busy:
        return True
    except KindleError:  # a folder that may not be written, hence by nobody
        return False
