"""`kindle.open_recording`: an MNE Raw of anything that kindle reads, which stays on the disk."""

import tracemalloc
from pathlib import Path

import mne
import numpy as np
import pytest
from exported_studies import END_OF_FIRST_S, LOST_S, fixture_study, gapped_study

import kindle
from drivers.interface import Channel
from kindle.errors import RecordingError
from kindle.recording import RecordingWriter, open_recording
from kindle.study import open_study
from tests.recordings import START


def recording_folder(study: Path) -> Path:
    return next((study / "recordings").glob("*/*_threshold"))


def test_samples_types_markers_and_start_are_those_of_the_recording(tmp_path: Path) -> None:
    folder = recording_folder(fixture_study(tmp_path / "study", "threshold"))
    raw, recording = kindle.open_recording(str(folder)), open_recording(folder)
    assert isinstance(raw, mne.io.BaseRaw)
    assert (raw.ch_names, raw.get_channel_types()) == (["EEG", "TTL", "Current"], ["eeg", "stim", "misc"])
    assert raw.info["meas_date"] == recording.start_utc
    resolution = np.array([channel.resolution for channel in recording.channels])[:, None]
    np.testing.assert_allclose(raw.get_data(), recording.counts * resolution * [[1e-6], [1], [1]], rtol=1e-12)
    onsets = [round(onset * recording.rate_hz) for onset in raw.annotations.onset]
    assert onsets == [marker.sample for marker in recording.markers]


def test_picks_windows_copies_and_filters_see_the_same_samples(tmp_path: Path) -> None:
    raw = kindle.open_recording(recording_folder(fixture_study(tmp_path / "study", "threshold")))
    whole = raw.get_data()
    np.testing.assert_array_equal(raw.get_data(picks=["Current", "EEG"], start=700, stop=1900), whole[[2, 0], 700:1900])
    np.testing.assert_array_equal(raw.copy().pick(["TTL"]).load_data(verbose="error").get_data(), whole[[1]])
    np.testing.assert_array_equal(raw.copy().crop(1.0, 2.0).get_data(), whole[:, 1000:2001])
    projected = raw.copy().pick(["EEG"]).load_data(verbose="error").filter(1, 40, verbose="error")
    assert np.isfinite(projected.get_data()).all()


def test_a_gap_is_not_a_number_and_annotated_so_that_mne_leaves_it_out(tmp_path: Path) -> None:
    raw = kindle.open_recording(recording_folder(gapped_study(tmp_path / "study")))
    skipped = [one for one in raw.annotations if one["description"] == "BAD_ACQ_SKIP"]
    assert [(one["onset"], one["duration"]) for one in skipped] == [(END_OF_FIRST_S, LOST_S)]
    missing = np.isnan(raw.get_data(picks="eeg")[0])
    assert np.flatnonzero(missing).tolist() == list(range(END_OF_FIRST_S * 1000, (END_OF_FIRST_S + LOST_S) * 1000))
    assert np.isfinite(raw.get_data(picks="eeg", reject_by_annotation="omit")).all()


@pytest.fixture
def hour(tmp_path: Path) -> Path:
    """An hour of 16 channels at 2 kHz, 230 MB, of which the disk holds next to nothing."""
    folder = tmp_path / "hour"
    channels = [Channel(f"E{n}", "eeg", "µV", 0.1) for n in range(16)]
    with RecordingWriter.create(folder, channels, 2000.0, START) as writer:
        writer.append(np.ones((16, 2000), np.int16), monotonic_ns=0, utc_ns=0)
    with (folder / "signal.eeg").open("r+b") as file:
        file.truncate(3600 * 2000 * 16 * 2)
    # Without an index the size of the file says how long it is.
    (folder / "index.bin").unlink()
    return folder


def test_memory_is_that_of_the_window_not_of_the_recording(hour: Path) -> None:
    tracemalloc.start()
    try:
        raw = kindle.open_recording(hour)
        raw.copy().get_data(start=7_000_000, stop=7_020_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert raw.n_times == 3600 * 2000
    window = 16 * 20_000 * 8
    assert window < peak < 20_000_000


def test_every_export_opens_again_as_a_raw(tmp_path: Path) -> None:
    from exported_studies import opened

    from kindle.export.fif import write_fif

    study = gapped_study(tmp_path / "study")
    (tmp_path / "fif").mkdir()
    with opened(study) as (one, chosen, meter):
        first, second = write_fif(one, chosen, tmp_path / "fif", meter)
    for path, start_s in ((first, 0), (second, END_OF_FIRST_S + LOST_S)):
        raw = mne.io.read_raw_fif(path, verbose="error")
        own = kindle.open_recording(path)
        assert raw.first_time == start_s
        np.testing.assert_array_equal(own.get_data(picks="eeg"), raw.get_data(picks="eeg"))
    assert "Comment/afterdischarge/primary" in raw.annotations.description
    with open_study(study) as one:
        assert raw.info["subject_info"]["his_id"] in one.animals()


def test_what_is_no_recording_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.edf").write_text("no")
    for path in (tmp_path / "a.edf", tmp_path / "missing", tmp_path):
        with pytest.raises(RecordingError) as refused:
            kindle.open_recording(path)
        assert "\n" not in str(refused.value)
