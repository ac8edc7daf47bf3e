"""NWB as pynwb reads it and nwbinspector judges it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported_studies import END_OF_FIRST_S, LOST_S, blinded_study, fixture_study, gapped_study, opened

from kindle.export.nwb import write_nwb
from kindle.loading import load
from kindle.recording import Recording, open_recording

pynwb = pytest.importorskip("pynwb")
nwbinspector = pytest.importorskip("nwbinspector")

GRAVE = {"CRITICAL", "BEST_PRACTICE_VIOLATION", "ERROR", "PYNWB_VALIDATION"}


def exported(folder: Path, study: Path) -> Path:
    folder.mkdir()
    with opened(study) as (opened_study, chosen, meter):
        (path,) = write_nwb(opened_study, chosen, folder, meter)
    return path


def recording_of(study: Path) -> Recording:
    return open_recording(next((study / "recordings").glob("*/*_threshold")))


@pytest.mark.parametrize("made", [gapped_study, blinded_study, lambda folder: fixture_study(folder, "threshold")])
def test_the_inspector_and_the_validator_find_nothing_grave(tmp_path: Path, made: Any) -> None:
    path = exported(tmp_path / "nwb", made(tmp_path / "study"))
    grave = [
        f"{one.importance.name} {one.check_function_name} {one.message}"
        for one in nwbinspector.inspect_nwbfile(nwbfile_path=path)
        if one.importance.name in GRAVE
    ]
    assert grave == []
    assert pynwb.validate(path=str(path)) == []


def test_signals_are_the_very_counts_compressed(tmp_path: Path) -> None:
    study = fixture_study(tmp_path / "study", "threshold")
    recording = recording_of(study)
    with pynwb.NWBHDF5IO(exported(tmp_path / "nwb", study), "r") as io:
        file = io.read()
        eeg = file.acquisition["eeg"]
        assert eeg.data.dtype == np.int16
        assert eeg.data.compression == "gzip"
        np.testing.assert_array_equal(np.asarray(eeg.data[:]).reshape(-1), recording.counts[0])
        assert eeg.conversion == pytest.approx(recording.channels[0].resolution * 1e-6)
        for name, row, unit in (("TTL", 1, "volts"), ("Current", 2, "amperes")):
            series = file.stimulus[name]
            np.testing.assert_array_equal(series.data[:], recording.counts[row])
            assert series.unit == unit
        assert file.stimulus["Current"].conversion == pytest.approx(recording.channels[2].resolution * 1e-6)


def test_the_subject_and_the_electrodes_are_those_of_the_study(tmp_path: Path) -> None:
    with pynwb.NWBHDF5IO(exported(tmp_path / "nwb", gapped_study(tmp_path / "study")), "r") as io:
        file = io.read()
        subject = file.subject
        assert (subject.subject_id, subject.species, subject.sex) == ("R01", "Rattus norvegicus", "F")
        assert (subject.strain, subject.weight, subject.age) == ("Göttingen – Wistar", "0.312 kg", "P90D")
        assert list(file.electrodes["channel_name"][:]) == ["Amygdala R"]
        assert "stainless steel" in file.electrode_groups["implanted"].description
        assert file.session_id == "R01_20260304_093000_threshold"
        assert {device.description for device in file.devices.values()} == {
            "NI USB-6343 0x1A2B",
            "Pulse Pal, firmware 21",
        }


def test_trials_discharges_doses_and_settings_are_tables(tmp_path: Path) -> None:
    with pynwb.NWBHDF5IO(exported(tmp_path / "nwb", gapped_study(tmp_path / "study")), "r") as io:
        file = io.read()
        trials = file.trials.to_dataframe()
        assert trials["current_asked_ua"].tolist() == [200.0, 300.0]
        assert trials["verdict"].tolist() == ["none", "afterdischarge"]
        assert trials["start_time"].tolist() == pytest.approx([12.0, 62.0])
        assert trials["stage"].tolist() == pytest.approx([np.nan, 3.0], nan_ok=True)
        discharges = file.intervals["afterdischarges"].to_dataframe()
        assert discharges["kind"].tolist() == ["primary", "secondary"]
        assert (discharges["stop_time"] - discharges["start_time"]).tolist() == pytest.approx(
            discharges["duration_s"].tolist()
        )
        doses = file.intervals["doses"].to_dataframe()
        assert doses[["substance", "mg_per_kg", "volume_ml", "route"]].values.tolist() == [
            ["valproate", 198.7, 0.62, "ip"]
        ]
        assert "valproate" in file.pharmacology
        settings = file.analysis["settings"].to_dataframe().set_index("setting")["value"]
        assert settings["limits.max_current_ua"] == "950.0"
        assert settings["software.numpy"] == "2.3"
        assert settings["max_ua"] == "900"
        assert str(np.ravel(file.was_generated_by[:])[0]) == "kindle-eeg"


def test_after_a_gap_every_channel_goes_on_in_a_series_of_its_own_at_the_right_time(tmp_path: Path) -> None:
    study = gapped_study(tmp_path / "study")
    path, recording = exported(tmp_path / "nwb", study), recording_of(study)
    first, second = recording.segments
    elapsed_s = (second.start_utc - first.start_utc).total_seconds()
    with pynwb.NWBHDF5IO(path, "r") as io:
        file = io.read()
        assert set(file.acquisition) == {"eeg", "eeg_part2"}
        assert {name: series.starting_time for name, series in file.stimulus.items()} == {
            "TTL": 0.0,
            "TTL_part2": elapsed_s,
            "Current": 0.0,
            "Current_part2": elapsed_s,
        }
        gap = file.invalid_times.to_dataframe()
        assert gap["start_time"].tolist() == [END_OF_FIRST_S]
        assert gap["stop_time"].tolist() == [END_OF_FIRST_S + LOST_S]
    signals = load(path)
    assert set(signals.names) == {"Amygdala R", "TTL", "Current"}
    assert signals.gaps == ((first.n_samples, round(elapsed_s * recording.rate_hz)),)


def test_channels_of_different_gain_and_a_signal_longer_than_one_piece_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from drivers.interface import Channel
    from kindle.recording import RecordingWriter
    from kindle.rows import RecordingClosed, RecordingStarted
    from tests.reported_sessions import BEGUN, Animal, Teller, study_with

    monkeypatch.setattr("kindle.export.nwb_counts.SAMPLES_AT_ONCE", 1)
    channels = (Channel("A", "eeg", "µV", 0.5), Channel("B", "eeg", "mV", 0.002), Channel("pH", "aux", "pH", 0.01))
    counts = np.random.default_rng(0).integers(-32768, 32768, (3, 50_000)).astype(np.int16)
    with study_with(tmp_path / "study", Animal("R01")) as study:
        teller, name = Teller(study, "R01"), "recordings/R01/1_threshold"
        with RecordingWriter.create(study.folder / name, channels, 1000.0, BEGUN) as writer:
            teller.write(RecordingStarted(name, "x", "y", 1000.0, ("A", "B", "pH")))
            writer.append(counts, monotonic_ns=0, utc_ns=0)
            teller.write(RecordingClosed(name, writer.n_samples))
    signals = load(exported(tmp_path / "nwb", tmp_path / "study"))
    np.testing.assert_allclose(
        signals.read(["A", "B", "pH"], 0, 50_000), counts * np.array([[0.5], [2.0], [0.01]]), rtol=1e-9
    )
