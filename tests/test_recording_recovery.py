"""After any crash: what was indexed is there, what was torn is set aside, and foreign readers open it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from drivers.interface import Channel
from kindle.errors import RecordingError
from kindle.recording import BeingWritten, Marker, RecordingWriter, Recovered, open_recording, recover, verify
from tests.recordings import CHANNELS, RATE_HZ, START, counts_by_mne, signal, write

ROW = 2 * len(CHANNELS)


def marked(folder: Path) -> Path:
    with RecordingWriter.create(folder, CHANNELS, RATE_HZ, START) as writer:
        for number in range(3):
            writer.append(signal(writer.n_samples, 20), monotonic_ns=number, utc_ns=number)
            writer.mark("Comment", f"block {number}, whole", 20 * number, 5)
    return folder


def cut_to(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return marked(tmp_path_factory.mktemp("whole") / "r")


@pytest.mark.parametrize("n_missing", range(1, 41))
def test_the_last_index_record_cut_at_any_byte_sets_its_block_aside(
    tmp_path: Path, whole: Path, n_missing: int
) -> None:
    folder = shutil.copytree(whole, tmp_path / "r")
    cut_to(folder / "index.bin", 120 - n_missing)
    assert np.array_equal(open_recording(folder).counts, signal(0, 40))
    assert np.array_equal(counts_by_mne(folder / "signal.vhdr"), signal(0, 40))
    assert (folder / "tail.bin").read_bytes() == signal(40, 20).T.tobytes()
    assert recover(folder) == Recovered(40, ())
    assert verify(folder) == []


@pytest.mark.parametrize("n_missing", range(1, 20 * ROW + 1, 7))
def test_the_last_block_cut_at_any_byte_is_set_aside(tmp_path: Path, whole: Path, n_missing: int) -> None:
    folder = shutil.copytree(whole, tmp_path / "r")
    cut_to(folder / "signal.eeg", 60 * ROW - n_missing)
    report = recover(folder)
    n_torn = 20 * ROW - n_missing
    assert [(cut.file, cut.n_bytes, cut.kept_in) for cut in report.cuts] == [
        *([("signal.eeg", n_torn, "tail.bin")] if n_torn else []),
        ("index.bin", 40, "tail-index.bin"),
    ]
    assert np.array_equal(open_recording(folder).counts, signal(0, 40))
    assert recover(folder) == Recovered(40, ())
    assert verify(folder) == []


def test_the_last_row_cut_at_any_byte_opens_in_mne_after_recovery(tmp_path: Path, whole: Path) -> None:
    for n_missing in range(1, ROW + 1):
        folder = shutil.copytree(whole, tmp_path / f"r{n_missing}")
        cut_to(folder / "signal.eeg", 60 * ROW - n_missing)
        assert open_recording(folder).n_samples == 40
        assert np.array_equal(counts_by_mne(folder / "signal.vhdr"), signal(0, 40))


def test_the_last_marker_cut_at_any_byte_leaves_the_markers_before_it(tmp_path: Path, whole: Path) -> None:
    content = (whole / "signal.vmrk").read_bytes()
    last_line = content.index(b"Mk4=")
    for end in range(last_line, len(content)):
        folder = shutil.copytree(whole, tmp_path / f"r{end}")
        cut_to(folder / "signal.vmrk", end)
        markers = open_recording(folder).markers
        assert [marker.description for marker in markers] == ["block 0, whole", "block 1, whole"]
        assert np.array_equal(counts_by_mne(folder / "signal.vhdr"), signal(0, 60))
        assert (folder / "signal.vmrk").read_bytes() == content[:last_line]
        assert recover(folder) == Recovered(60, ())


def test_nul_bytes_of_a_power_cut_leave_no_broken_or_unnumbered_marker(tmp_path: Path) -> None:
    folder = marked(tmp_path / "r")
    content = (folder / "signal.vmrk").read_bytes()
    second = content.index(b"Mk3=") + 9
    (folder / "signal.vmrk").write_bytes(content[:second] + bytes(16) + content[second + 24 :] + bytes(100))
    report = recover(folder)
    assert [cut.file for cut in report.cuts] == ["signal.vmrk"]
    assert report.cuts[0].text.startswith("Mk3=")
    assert [marker.description for marker in open_recording(folder).markers] == ["block 0, whole", "block 2, whole"]
    assert b"\r\nMk3=Comment,block 2\\1 whole,41,5,0\r\n" in (folder / "signal.vmrk").read_bytes()
    assert recover(folder).cuts == ()


def test_markers_that_the_journal_has_and_the_file_has_not_are_appended_again(tmp_path: Path) -> None:
    folder = marked(tmp_path / "r")
    known = [Marker("Comment", "block 1, whole", 20, 5), Marker("Stimulus", "80 µA", 30, 2)]
    assert recover(folder, markers=known) == Recovered(60, (), 1)
    assert open_recording(folder).markers[-1] == Marker("Stimulus", "80 uA", 30, 2)
    assert recover(folder, markers=known) == Recovered(60, (), 0)


def test_blocks_that_never_reached_the_disk_are_cut_by_their_checksum(tmp_path: Path) -> None:
    folder = marked(tmp_path / "r")
    data = bytearray((folder / "signal.eeg").read_bytes())
    data[20 * ROW :] = bytes(len(data) - 20 * ROW)
    (folder / "signal.eeg").write_bytes(data)
    assert np.array_equal(open_recording(folder).counts, signal(0, 20))
    assert (folder / "tail.bin").read_bytes() == data[20 * ROW :]
    assert len((folder / "tail-index.bin").read_bytes()) == 80


def test_an_interrupted_recovery_is_finished_by_the_next_one(tmp_path: Path) -> None:
    folder = marked(tmp_path / "r")
    cut_to(folder / "index.bin", 100)
    (folder / "tail.bin").write_bytes((folder / "signal.eeg").read_bytes()[40 * ROW :])
    assert [cut.kept_in for cut in recover(folder).cuts] == ["tail.bin", "tail-index.bin"]
    assert sorted(path.name for path in folder.glob("tail*")) == ["tail-index.bin", "tail.bin"]


def test_an_earlier_tail_is_never_overwritten(tmp_path: Path) -> None:
    folder = marked(tmp_path / "r")
    (folder / "tail.bin").write_bytes(b"earlier")
    cut_to(folder / "index.bin", 100)
    assert recover(folder).cuts[0].kept_in == "tail.2.bin"
    assert (folder / "tail.bin").read_bytes() == b"earlier"


def test_every_segment_is_recovered(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    with RecordingWriter.create(folder, CHANNELS, RATE_HZ, START) as writer:
        writer.append(signal(0, 20), monotonic_ns=0, utc_ns=0)
        writer.new_segment(START)
        writer.append(signal(20, 20), monotonic_ns=0, utc_ns=0)
        writer.append(signal(40, 20), monotonic_ns=0, utc_ns=0)
    cut_to(folder / "signal-2.eeg", 25 * ROW)
    report = recover(folder)
    assert report.n_samples == 40
    assert [cut.kept_in for cut in report.cuts] == ["tail-2.bin", "tail-index-2.bin"]
    assert (folder / "tail-2.bin").read_bytes() == signal(40, 5).T.tobytes()


def test_a_recording_being_written_is_not_recovered(tmp_path: Path) -> None:
    with RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START) as writer:
        writer.append(signal(0, 20), monotonic_ns=0, utc_ns=0)
        with pytest.raises(BeingWritten, match="is being written"):
            recover(tmp_path / "r")
    assert recover(tmp_path / "r") == Recovered(20, ())


def test_a_copy_without_its_index_is_trusted_as_it_is(tmp_path: Path) -> None:
    folder = marked(tmp_path / "r")
    (folder / "index.bin").unlink()
    recording = open_recording(folder)
    assert np.array_equal(recording.counts, signal(0, 60))
    assert recording.index.size == 0
    assert [problem.path.name for problem in verify(folder)] == ["index.bin"]


@pytest.mark.parametrize("at_byte", [0, 5 * ROW + 1, 20 * ROW, 60 * ROW - 1])
def test_a_changed_byte_is_found_with_its_samples(tmp_path: Path, at_byte: int) -> None:
    folder = marked(tmp_path / "r")
    data = bytearray((folder / "signal.eeg").read_bytes())
    data[at_byte] ^= 1
    (folder / "signal.eeg").write_bytes(data)
    block = at_byte // (20 * ROW)
    (problem,) = verify(folder)
    assert problem.samples == (20 * block, 20 * block + 20)
    assert f"samples {20 * block} to {20 * block + 19} are not as they were written" in str(problem)


def test_damage_in_synced_hours_is_reported_but_costs_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    write(folder, [20] * 50, block_s=10.0)
    data = bytearray((folder / "signal.eeg").read_bytes())
    data[0] ^= 1
    (folder / "signal.eeg").write_bytes(data)
    assert recover(folder) == Recovered(1000, ())
    assert open_recording(folder).n_samples == 1000
    assert [problem.samples for problem in verify(folder)] == [(0, 20)]


def test_a_broken_index_record_in_synced_hours_never_sets_the_rest_aside(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    write(folder, [20] * 50, block_s=10.0)
    index = bytearray((folder / "index.bin").read_bytes())
    index[3 * 40 + 2] ^= 1
    (folder / "index.bin").write_bytes(index)
    for change in (recover, open_recording):
        with pytest.raises(RecordingError, match="damaged at record 3, but sound ones follow"):
            change(folder)
    assert (folder / "signal.eeg").stat().st_size == 1000 * ROW
    assert any("block 3" in problem.message for problem in verify(folder))


def test_every_byte_of_the_index_is_vouched_for(tmp_path: Path) -> None:
    folder = marked(tmp_path / "r")
    index = (folder / "index.bin").read_bytes()
    for at_byte in range(len(index)):
        altered = bytearray(index)
        altered[at_byte] ^= 0x10
        (folder / "index.bin").write_bytes(altered)
        assert verify(folder) != []
    (folder / "index.bin").write_bytes(index)
    assert verify(folder) == []


def test_torn_files_are_named_by_verify(tmp_path: Path) -> None:
    folder = marked(tmp_path / "r")
    cut_to(folder / "index.bin", 100)
    cut_to(folder / "signal.vmrk", (folder / "signal.vmrk").stat().st_size - 3)
    assert [problem.path.name for problem in verify(folder)] == ["signal.eeg", "signal.vmrk"]
    assert [problem.message for problem in verify(tmp_path)] == ["holds no recording: expected signal.vhdr in it"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_damaged_block_with_sound_ones_after_it_is_told_and_never_cut(tmp_path: Path, share: float) -> None:
    folder = tmp_path / "recording"
    blocks = [np.full((2, 50), number, np.int16) for number in range(20)]
    channels = [Channel("EEG", "eeg", "µV", 0.1), Channel("TTL", "stimulus_ttl", "V", 0.001)]
    with RecordingWriter.create(folder, channels, 1000.0, datetime(2026, 1, 5, tzinfo=UTC)) as writer:
        for number, block in enumerate(blocks):
            writer.append(block, monotonic_ns=number * 50_000_000, utc_ns=number * 50_000_000)
    signal = folder / "signal.eeg"
    content = bytearray(signal.read_bytes())
    content[round(share * len(content))] ^= 1
    signal.write_bytes(content)
    assert open_recording(folder).n_samples == 1000
    assert recover(folder).cuts == ()
    assert signal.read_bytes() == bytes(content)
    (problem,) = verify(folder)
    assert problem.samples is not None
    assert problem.samples[0] <= share * 1000 < problem.samples[1]


def test_a_broken_index_record_with_sound_ones_after_it_is_refused_and_never_cut(tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    channels = [Channel("EEG", "eeg", "µV", 0.1)]
    with RecordingWriter.create(folder, channels, 1000.0, datetime(2026, 1, 5, tzinfo=UTC)) as writer:
        for number in range(20):
            writer.append(np.zeros((1, 50), np.int16), monotonic_ns=number * 50_000_000, utc_ns=number)
    index = folder / "index.bin"
    content = bytearray(index.read_bytes())
    content[5 * 40 + 3] ^= 1
    index.write_bytes(content)
    with pytest.raises(RecordingError, match="sound ones follow it"):
        open_recording(folder)
    assert index.read_bytes() == bytes(content)
    assert (folder / "signal.eeg").stat().st_size == 2000
