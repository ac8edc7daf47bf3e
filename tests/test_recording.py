"""What goes into a recording comes out of it, through kindle and through MNE."""

import struct
import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import mne
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.interface import Channel
from kindle.errors import KindleError, RecordingError
from kindle.recording import Marker, RecordingWriter, open_recording, verify
from kindle.recording_index import AFTER_GAP
from tests.recordings import CHANNELS, RATE_HZ, START, counts_by_mne, signal, write


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(0, 400), max_size=12))
def test_any_blocks_in_are_the_same_samples_out(sizes: list[int]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        written = write(path, sizes)
        recording = open_recording(path)
        assert recording.n_samples == sum(sizes)
        assert np.array_equal(recording.counts, written)
        assert np.array_equal(counts_by_mne(path / "signal.vhdr"), written)
        assert verify(path) == []
        del recording  # a mapped file cannot be removed on Windows


def test_samples_are_mapped_not_copied(tmp_path: Path) -> None:
    write(tmp_path / "r", [100, 50])
    counts = open_recording(tmp_path / "r" / "signal.vhdr").counts
    assert isinstance(counts, np.memmap)
    assert counts.shape == (3, 150)
    assert not counts.flags.writeable


def test_channels_rate_and_start_come_back_exactly(tmp_path: Path) -> None:
    channels = (
        *CHANNELS,
        Channel("uV by another name", "eeg", "uV", 1e-7, (-5, 5)),
        Channel("μ", "aux", "μV", 3.0517578125e-5),
        Channel("a; #b % {}", "aux", "mm, H2O", 12345.678),
    )
    rate_hz = 1017.2526041666666
    RecordingWriter.create(tmp_path / "r", channels, rate_hz, START).close()
    recording = open_recording(tmp_path / "r")
    assert (recording.channels, recording.rate_hz, recording.start_utc) == (channels, rate_hz, START)
    raw = mne.io.read_raw_brainvision(tmp_path / "r" / "signal.vhdr", verbose="error")
    assert raw.ch_names == [channel.name for channel in channels]
    assert raw.get_channel_types() == ["eeg", "misc", "misc", "eeg", "eeg", "misc"]
    assert raw.info["sfreq"] == pytest.approx(rate_hz, rel=1e-15)
    assert raw.info["meas_date"] == START


def test_the_header_is_what_every_reader_bears(tmp_path: Path) -> None:
    writer = RecordingWriter.create(tmp_path / "r", CHANNELS, 3000.0, START.astimezone(timezone(timedelta(hours=-8))))
    header = (tmp_path / "r" / "signal.vhdr").read_bytes()  # complete before the first sample
    writer.close()
    assert header.startswith(b"Brain Vision Data Exchange Header File Version 1.0\r\n")
    assert header.count(b"\n") == header.count(b"\r\n")
    assert b"\r\nSamplingInterval=333.3333333333333\r\n" in header
    assert b"\r\nCh1=Hipp\\1 left,,0.30517578125,\xc2\xb5V\r\n" in header
    assert b"\r\nCh3=I,,0.1,\xc2\xb5A\r\n" in header
    markers = (tmp_path / "r" / "signal.vmrk").read_bytes()
    assert markers.startswith(b"Brain Vision Data Exchange Marker File, Version 1.0\r\n")
    assert markers.endswith(b"\r\nMk1=New Segment,,1,1,0,20250301093000123456\r\n")
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == [
        "index.bin",
        "recording.lock",
        "signal.eeg",
        "signal.vhdr",
        "signal.vmrk",
    ]


def test_the_index_ties_every_block_to_both_clocks(tmp_path: Path) -> None:
    write(tmp_path / "r", [5, 7])
    content = (tmp_path / "r" / "index.bin").read_bytes()
    data = (tmp_path / "r" / "signal.eeg").read_bytes()
    first, n, flags, monotonic_ns, utc_ns, crc, own_crc = struct.unpack("<qiIqqII", content[40:])
    assert (first, n, flags, monotonic_ns, utc_ns) == (5, 7, 0, 10**8, 10**18 + 10**8)
    assert crc == zlib.crc32(data[5 * 6 :])
    assert own_crc == zlib.crc32(content[40:76])
    assert open_recording(tmp_path / "r").index["n_samples"].tolist() == [5, 7]


def test_markers_are_read_by_mne_where_they_were_put(tmp_path: Path) -> None:
    with RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START) as writer:
        writer.append(signal(0, 2000), monotonic_ns=0, utc_ns=0)
        writer.mark("Stimulus", "300 µA, 60 Hz", 0, 100)
        writer.mark("Comment", "Racine 3 – left", 1999)
        writer.mark("Comment", "afterdischarge", 500, 1000)
    assert open_recording(tmp_path / "r").markers == (
        Marker("Stimulus", "300 uA, 60 Hz", 0, 100),
        Marker("Comment", "Racine 3 - left", 1999, 1),
        Marker("Comment", "afterdischarge", 500, 1000),
    )
    found = mne.io.read_raw_brainvision(tmp_path / "r" / "signal.vhdr", verbose="error").annotations
    assert list(found.description) == ["Stimulus/300 uA, 60 Hz", "Comment/afterdischarge", "Comment/Racine 3 - left"]
    assert np.allclose(found.onset * RATE_HZ, [0, 500, 1999])
    assert np.allclose(found.duration * RATE_HZ, [100, 1000, 1])


@pytest.mark.parametrize("text", ["a\nb", "a\r", "I=3", "back\\1slash", "a\0b", "ток", "tab\t"])
def test_marker_text_that_breaks_readers_is_refused_and_leaves_no_trace(tmp_path: Path, text: str) -> None:
    with RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START) as writer:
        for kind, description in ((text, "x"), ("Comment", text)):
            with pytest.raises(RecordingError, match="would break readers"):
                writer.mark(kind, description, 0)
        writer.mark("Comment", "after", 0)
    assert [marker.description for marker in open_recording(tmp_path / "r").markers] == ["after"]


@pytest.mark.parametrize(
    ("kind", "sample", "n_samples"), [("", 0, 1), ("New Segment", 0, 1), ("A", -1, 1), ("A", 0, 0)]
)
def test_impossible_markers_are_refused(tmp_path: Path, kind: str, sample: int, n_samples: int) -> None:
    with (
        RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START) as writer,
        pytest.raises(RecordingError, match="marker"),
    ):
        writer.mark(kind, "x", sample, n_samples)


def test_after_a_gap_samples_go_on_counting_in_files_of_their_own(tmp_path: Path) -> None:
    later = datetime(2025, 3, 1, 10, tzinfo=UTC)
    with RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START) as writer:
        writer.append(signal(0, 300), monotonic_ns=0, utc_ns=0)
        writer.new_segment(later, 77)
        writer.append(signal(300, 200), monotonic_ns=9, utc_ns=9)
        writer.mark("Comment", "late", 299)
        writer.mark("Comment", "across", 290, 20)
        writer.mark("Comment", "after", 310)
        assert writer.n_samples == 500
    recording = open_recording(tmp_path / "r")
    first, second = recording.segments
    assert (recording.n_samples, first.n_samples, second.first_sample) == (500, 300, 300)
    assert (first.start_utc, second.start_utc) == (START, later)
    assert np.array_equal(np.hstack([first.counts, second.counts]), signal(0, 500))
    assert first.markers == (Marker("Comment", "late", 299), Marker("Comment", "across", 290, 10))
    assert second.markers == (Marker("Comment", "across", 300, 10), Marker("Comment", "after", 310))
    assert second.index["first_sample"].tolist() == [0]
    assert (first.n_lost, second.n_lost) == (None, 77)
    assert (first.index["flags"].tolist(), second.index["flags"].tolist()) == ([0], [AFTER_GAP])
    assert recording.gaps == (300,)
    assert np.array_equal(recording.joined, signal(0, 500))
    assert np.array_equal(counts_by_mne(tmp_path / "r" / "signal-2.vhdr"), signal(300, 200))
    assert mne.io.read_raw_brainvision(second.header_path, verbose="error").info["meas_date"] == later
    assert verify(tmp_path / "r") == []
    with pytest.raises(RecordingError, match="2 segments with gaps between them"):
        _ = recording.counts


def test_a_gap_of_no_samples_is_refused(tmp_path: Path) -> None:
    with (
        RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START) as writer,
        pytest.raises(RecordingError, match="gap of 0 samples"),
    ):
        writer.new_segment(START, 0)


@pytest.mark.parametrize(
    "channels",
    [
        (),
        (CHANNELS[0], CHANNELS[0]),
        (Channel("a=b", "eeg", "µV", 0.1),),
        (Channel("a\\1b", "eeg", "µV", 0.1),),
        (Channel("[Comment]", "eeg", "µV", 0.1),),
        (Channel(" a", "eeg", "µV", 0.1),),
        (Channel("a\r\nb", "eeg", "µV", 0.1),),
        (Channel("a", "eeg", "", 0.1),),
        (Channel("a", "eeg", "µV", 0.0),),
        (Channel("a", "eeg", "µV", float("nan")),),
        (Channel("a", "eeg", "µV", 0.1, (5, 5)),),
        (Channel("a", "eeg", "µV", 0.1, (-40000, 5)),),
    ],
)
def test_channels_that_some_reader_gets_wrong_are_refused_before_anything_is_made(
    tmp_path: Path, channels: tuple[Channel, ...]
) -> None:
    with pytest.raises(RecordingError):
        RecordingWriter.create(tmp_path / "r", channels, RATE_HZ, START)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("rate_hz", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_rate_is_refused(tmp_path: Path, rate_hz: float) -> None:
    with pytest.raises(RecordingError, match="sampling rate"):
        RecordingWriter.create(tmp_path / "r", CHANNELS, rate_hz, START)


def test_a_start_without_time_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no time zone"):
        RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START.replace(tzinfo=None))


@pytest.mark.parametrize("block", [signal(0, 5)[:2], signal(0, 5)[0], signal(0, 5).astype(float)])
def test_a_block_that_does_not_fit_is_refused_and_the_recording_goes_on(tmp_path: Path, block: np.ndarray) -> None:
    with RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START) as writer:
        with pytest.raises(RecordingError, match="does not fit"):
            writer.append(block, monotonic_ns=0, utc_ns=0)
        writer.append(signal(0, 5), monotonic_ns=0, utc_ns=0)
    assert np.array_equal(open_recording(tmp_path / "r").counts, signal(0, 5))


def test_a_second_recording_never_touches_the_first(tmp_path: Path) -> None:
    write(tmp_path / "r", [10])
    before = {path: path.read_bytes() for path in (tmp_path / "r").glob("signal*")}
    with pytest.raises(RecordingError, match="holds a recording already"):
        RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START)
    assert {path: path.read_bytes() for path in (tmp_path / "r").glob("signal*")} == before


def test_nothing_can_be_written_after_closing(tmp_path: Path) -> None:
    writer = RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START)
    writer.append(signal(0, 5), monotonic_ns=0, utc_ns=0)
    assert writer.close() == writer.close() == 5
    with pytest.raises(RecordingError, match="is closed"):
        writer.append(signal(5, 5), monotonic_ns=0, utc_ns=0)
    with pytest.raises(RecordingError, match="is closed"):
        writer.mark("Comment", "x", 0)


def test_a_recording_being_written_can_be_looked_at(tmp_path: Path) -> None:
    with RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START, sync_every_s=0.001) as writer:
        writer.append(signal(0, 50), monotonic_ns=0, utc_ns=0)
        assert np.array_equal(open_recording(tmp_path / "r").counts, signal(0, 50))
        assert verify(tmp_path / "r") == []
        writer.append(signal(50, 50), monotonic_ns=0, utc_ns=0)
        assert open_recording(tmp_path / "r").n_samples == 100
        assert 0 <= writer.sync_age_s < 60


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="holds no recording"):
        open_recording(tmp_path)
    write(tmp_path / "r", [10])
    header = tmp_path / "r" / "signal.vhdr"
    whole = header.read_bytes()
    header.write_bytes(whole[: whole.index(b"[Kindle]")])
    with pytest.raises(KindleError, match="was not written by kindle"):
        open_recording(tmp_path / "r")
    header.write_bytes(whole[: whole.index(b"FirstSample")])
    with pytest.raises(RecordingError, match="is damaged"):
        open_recording(tmp_path / "r")
    header.write_bytes(whole)
    (tmp_path / "r" / "signal.vmrk").unlink()
    with pytest.raises(RecordingError, match=r"signal\.vmrk"):
        open_recording(tmp_path / "r")
