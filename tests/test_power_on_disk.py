"""What a disk may hold after the power failed, as the campaign plays it, and what recovery makes of it."""

import random
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks.reliability.recorded_disk import SECTOR, Disk, Written
from drivers.interface import Channel
from kindle.errors import RecordingError
from kindle.journal_schema import Durability
from kindle.recording import RecordingWriter, open_recording, verify
from kindle.recording_index import RECORD

BLOCK = 50
ROW_BYTES = 4


def disk_of_three_sectors() -> Disk:
    """The first sector flushed, the two others written later and never flushed."""
    writes = [Written(1.0, 0, b"a" * SECTOR), Written(3.0, SECTOR, b"b" * 2 * SECTOR)]
    return Disk(bytes(3 * SECTOR), writes, flushes=[(2.0, 1)])


def test_what_was_flushed_is_there_and_nothing_that_came_after_the_failure() -> None:
    draw = random.Random(1)
    for _ in range(50):
        assert disk_of_three_sectors().after_power_cut(2.5, draw) == b"a" * SECTOR + bytes(2 * SECTOR)
        assert disk_of_three_sectors().after_power_cut(4.0, draw)[:SECTOR] == b"a" * SECTOR


def test_what_was_not_flushed_is_there_or_not_sector_by_sector() -> None:
    draw, left = random.Random(1), set()
    for _ in range(200):
        content = disk_of_three_sectors().after_power_cut(4.0, draw)
        left.add((content[SECTOR : 2 * SECTOR], content[2 * SECTOR :]))
    written, empty = b"b" * SECTOR, bytes(SECTOR)
    assert left == {(one, other) for one in (written, empty) for other in (written, empty)}


def recording(folder: Path, n_blocks: int, *, block_s: float = 0.05) -> Path:
    channels = [Channel("EEG", "eeg", "µV", 0.1), Channel("TTL", "stimulus_ttl", "V", 0.001)]
    with RecordingWriter.create(folder, channels, 1000.0, datetime(2026, 1, 5, tzinfo=UTC)) as writer:
        for number in range(n_blocks):
            at_ns = round(number * block_s * 1e9)
            writer.append(np.full((2, BLOCK), 1 + number, np.int16), monotonic_ns=at_ns, utc_ns=at_ns)
    return folder


def empty(path: Path, sector: int) -> None:
    content = bytearray(path.read_bytes())
    content[sector * SECTOR : (sector + 1) * SECTOR] = bytes(SECTOR)
    path.write_bytes(content)


def test_a_sector_of_the_index_that_was_not_written_ends_the_recording_although_the_next_one_was(
    tmp_path: Path,
) -> None:
    folder = recording(tmp_path / "r", 60)
    empty(folder / "index.bin", 2)
    n_whole = 2 * SECTOR // RECORD.itemsize
    (problem,) = verify(folder, broken_off=True)
    assert f"{60 - n_whole} blocks that a crash tore: run kindle recover" in problem.message
    assert open_recording(folder).n_samples == n_whole * BLOCK
    assert (folder / "tail.bin").stat().st_size == (60 - n_whole) * BLOCK * ROW_BYTES
    assert verify(folder, broken_off=True) == []


def test_a_sector_of_the_signal_that_was_not_written_ends_the_recording(tmp_path: Path) -> None:
    folder = recording(tmp_path / "r", 60)
    empty(folder / "signal.eeg", 12)
    n_whole = 12 * SECTOR // (BLOCK * ROW_BYTES)
    counts = open_recording(folder).counts
    assert counts.shape[1] == n_whole * BLOCK
    assert (counts != 0).all()
    assert verify(folder, broken_off=True) == []


def test_a_lost_sector_hours_before_the_end_is_no_torn_tail(tmp_path: Path) -> None:
    folder = recording(tmp_path / "r", 60, block_s=1.0)
    empty(folder / "signal.eeg", 2)
    assert open_recording(folder).n_samples == 60 * BLOCK
    empty(folder / "index.bin", 2)
    with pytest.raises(RecordingError, match="sound ones follow it"):
        open_recording(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="needs FUSE and ext4")
def test_a_journal_that_is_not_synced_loses_rows_and_the_campaign_finds_it() -> None:
    from benchmarks.reliability.power_journal import _left, journal_on_disk
    from benchmarks.reliability.recorded_disk import may_mount

    if not may_mount():
        pytest.skip("needs the right to mount")
    unsynced, draw = Durability("delete", 0), random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        disk, acknowledged = journal_on_disk(place, unsynced)
        at_s = acknowledged[-1][0]
        found = list(_left(disk, acknowledged, unsynced, at_s, place, draw))
    assert found
