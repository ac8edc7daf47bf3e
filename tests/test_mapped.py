"""BrainVision files of other programs: the same numbers, names and markers as MNE reads, without MNE."""

from pathlib import Path

import mne
import numpy as np
import pytest
from numpy.typing import NDArray

from kindle.errors import RecordingError
from kindle.loading import load
from kindle.mapped import MappedSignals
from kindle.mne_signals import MneSignals

N = 1000
VALUES = np.random.default_rng(0).integers(-30_000, 30_000, (3, N))


def written(
    folder: Path,
    values: NDArray[np.generic],
    binary: str = "INT_16",
    orientation: str = "MULTIPLEXED",
    header: str = "Brain Vision Data Exchange Header File Version 1.0",
) -> Path:
    stored = values.T if orientation == "MULTIPLEXED" else values
    (folder / "rat 7.eeg").write_bytes(np.ascontiguousarray(stored).tobytes())
    (folder / "rat 7.vhdr").write_text(
        f"{header}\n; made by a test\n\n[Common Infos]\nCodepage=UTF-8\nDataFile=$b.eeg\n"
        f"MarkerFile=rat 7.vmrk\nDataFormat=BINARY\nDataOrientation={orientation}\nNumberOfChannels=3\n"
        f"SamplingInterval=1953.125\n\n[Binary Infos]\nBinaryFormat={binary}\n\n[Channel Infos]\n"
        "; Ch<n>=<Name>,<Reference>,<Resolution>,<Unit>\nCh1=A\\1 left,,0.5,µV\nCh2=B,REF,,mV\nCh3=TTL,,1,V\n"
        "[Comment]\nCh1=not a channel\n"
    )
    (folder / "rat 7.vmrk").write_text(
        "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nDataFile=rat 7.eeg\n[Marker Infos]\n"
        "Mk1=New Segment,,1,1,0,20260105093000000000\nMk2=Stimulus,train\\1 100 uA,501,256,0\nMk3=Comment,,900,1,0\n"
    )
    return folder / "rat 7.vhdr"


@pytest.mark.parametrize("orientation", ["MULTIPLEXED", "VECTORIZED"])
@pytest.mark.parametrize(("binary", "dtype"), [("INT_16", "<i2"), ("IEEE_FLOAT_32", "<f4")])
def test_a_window_is_what_mne_reads(tmp_path: Path, binary: str, dtype: str, orientation: str) -> None:
    path = written(tmp_path, VALUES.astype(dtype), binary, orientation)
    # MNE does not know $b.
    path.write_text(path.read_text().replace("$b", "rat 7"))
    mapped, mne_s = load(path), MneSignals(path)
    assert isinstance(mapped, MappedSignals)
    assert (mapped.names, mapped.rate_hz, mapped.n_samples) == (mne_s.names, mne_s.rate_hz, mne_s.n_samples)
    assert mapped.brain == mne_s.brain
    for first, last in ((0, N), (3, 500), (990, N + 20)):
        np.testing.assert_allclose(
            mapped.read(["B", "A, left"], first, last), mne_s.read(["B", "A, left"], first, last)
        )


def test_markers_are_those_that_mne_reads(tmp_path: Path) -> None:
    path = written(tmp_path, VALUES.astype("<i2"))
    path.write_text(path.read_text().replace("$b", "rat 7"))
    theirs = mne.io.read_raw(path, verbose="ERROR").annotations
    ours = load(path).notes
    assert [note.onset_s for note in ours] == pytest.approx(theirs.onset)
    assert [note.duration_s for note in ours] == pytest.approx(theirs.duration)
    assert ours[0].text == "Stimulus/train, 100 uA"
    assert ours[0].onset_s == pytest.approx(500 / 512)


def test_a_unit_that_is_missing_means_microvolts(tmp_path: Path) -> None:
    path = written(tmp_path, VALUES.astype("<i2"))
    path.write_text(path.read_text().replace("0.5,µV", "0.5"))
    np.testing.assert_allclose(load(path).read(["A, left"], 0, 5)[0], 0.5 * VALUES[0, :5])


def test_a_last_row_that_is_torn_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, VALUES.astype("<i2"))
    signal = path.with_suffix(".eeg")
    signal.write_bytes(signal.read_bytes()[:-3])
    assert load(path).n_samples == N - 1


def test_what_is_not_plain_binary_is_left_to_mne(tmp_path: Path) -> None:
    path = written(tmp_path, VALUES.astype("<i2"))
    path.write_text(path.read_text().replace("DataFormat=BINARY", "DataFormat=ASCII"))
    with pytest.raises(RecordingError, match="cannot be read as a recording"):
        load(path)


@pytest.mark.parametrize(
    ("old", "new"), [("NumberOfChannels=3", "NumberOfChannels=4"), ("SamplingInterval=1953.125", "SamplingInterval=x")]
)
def test_a_header_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str) -> None:
    path = written(tmp_path, VALUES.astype("<i2"))
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(RecordingError, match=r"rat 7\.vhdr is no whole BrainVision header"):
        load(path)


@pytest.mark.parametrize("content", [None, b""])
def test_a_signal_file_that_is_missing_or_empty_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = written(tmp_path, VALUES.astype("<i2"))
    path.with_suffix(".eeg").unlink()
    if content is not None:
        path.with_suffix(".eeg").write_bytes(content)
    with pytest.raises(RecordingError, match=r"rat 7\.eeg"):
        load(path)
