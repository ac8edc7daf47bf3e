"""A BIDS dataset as mne-bids reads and checks it."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from exported_studies import fixture_study, gapped_study, opened
from hypothesis import given
from hypothesis import strategies as st

from kindle.export.bids import labels, write_bids
from kindle.export.rows import TRIALS
from kindle.recording import open_recording

mne_bids = pytest.importorskip("mne_bids")

_NAME = re.compile(
    r"sub-[A-Za-z0-9]+_ses-[A-Za-z0-9]+(_task-[A-Za-z0-9]+_run-\d+)?"
    r"_(ieeg|channels|events|electrodes|coordsystem|scans)\.(vhdr|vmrk|eeg|json|tsv)"
)


def exported(folder: Path, study: Path) -> Path:
    folder.mkdir()
    with opened(study) as (opened_study, chosen, meter):
        write_bids(opened_study, chosen, folder, meter)
    return folder


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_signals_are_copied_byte_for_byte_and_read_back_with_types_and_start(tmp_path: Path) -> None:
    study = fixture_study(tmp_path / "study", "threshold")
    root = exported(tmp_path / "bids", study)
    recording = open_recording(next((study / "recordings").glob("*/*_threshold")))
    (signal,) = root.rglob("*.eeg")
    assert signal.read_bytes() == (recording.folder / "signal.eeg").read_bytes()
    (path,) = mne_bids.find_matching_paths(root, suffixes="ieeg", extensions=".vhdr", check=True)
    raw = mne_bids.read_raw_bids(path, verbose="error")
    assert raw.get_channel_types() == ["seeg", "stim", "misc"]
    assert raw.info["meas_date"] == recording.start_utc
    np.testing.assert_allclose(
        raw.get_data(picks="EEG")[0] * 1e6, recording.counts[0] * recording.channels[0].resolution, rtol=1e-9
    )


def test_every_file_has_a_name_that_the_standard_knows(tmp_path: Path) -> None:
    root = exported(tmp_path / "bids", gapped_study(tmp_path / "study"))
    inside = [path for path in (root / "sub-R01").rglob("*") if path.is_file()]
    assert inside
    assert [path.name for path in inside if not _NAME.fullmatch(path.name)] == []
    assert {path.name for path in root.iterdir() if path.is_file()} == {
        "README", "dataset_description.json", "participants.json", "participants.tsv", ".bidsignore",
    }  # fmt: skip
    for path in root.rglob("*.json"):
        assert isinstance(json.loads(path.read_text(encoding="utf-8-sig")), dict)


def test_each_stretch_is_a_run_with_its_own_events_and_start(tmp_path: Path) -> None:
    root = exported(tmp_path / "bids", gapped_study(tmp_path / "study"))
    first, second = (table(path) for path in sorted(root.rglob("*_events.tsv")))
    assert [row["trial_type"] for row in first] == ["Stimulus/train/200 uA", "Comment/verdict/none"]
    assert [row["trial_type"] for row in second if row["trial_type"].startswith("Comment")] == [
        "Comment/afterdischarge/primary",
        "Comment/afterdischarge/secondary",
    ]
    train = next(row for row in second if row["trial_type"] == "Stimulus/train/300 uA")
    assert (float(train["onset"]), float(train["duration"]), int(train["sample"])) == (12.0, 1.0, 12_000)
    (scans,) = root.rglob("*_scans.tsv")
    assert [row["acq_time"][:19] for row in table(scans)] == ["2026-03-04T09:30:00", "2026-03-04T09:30:50"]


def test_the_stimulation_is_in_the_sidecar_and_nobody_is_named_who_made_nothing(tmp_path: Path) -> None:
    root = exported(tmp_path / "bids", gapped_study(tmp_path / "study"))
    for path in root.rglob("*_ieeg.json"):
        sidecar = json.loads(path.read_text(encoding="utf-8-sig"))
        assert sidecar["ElectricalStimulation"] is True
        assert "trains of 1 s at 50 Hz" in sidecar["ElectricalStimulationParameters"]
        assert sidecar["Manufacturer"] == "n/a"


def test_participants_are_animals_with_their_species_strain_and_age(tmp_path: Path) -> None:
    root = exported(tmp_path / "bids", gapped_study(tmp_path / "study"))
    (row,) = table(root / "participants.tsv")
    assert row == {
        "participant_id": "sub-R01", "animal": "R01", "species": "Rattus norvegicus",
        "strain": "Göttingen – Wistar", "sex": "F", "age_days": "90",
    }  # fmt: skip
    assert set(json.loads((root / "participants.json").read_text(encoding="utf-8"))) == set(row)


def test_the_tables_of_the_journal_come_as_derivatives(tmp_path: Path) -> None:
    derived = exported(tmp_path / "bids", gapped_study(tmp_path / "study")) / "derivatives" / "kindle"
    assert json.loads((derived / "dataset_description.json").read_text())["DatasetType"] == "derivative"
    header = (derived / "trials.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert header[2:] == [column.name for column in TRIALS]


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=6)))
def test_labels_are_letters_and_digits_and_never_the_same_for_two_names(names: list[str]) -> None:
    found = labels(names)
    assert set(found) == set(names)
    assert all(re.fullmatch("[A-Za-z0-9]+", label) for label in found.values())
    assert len({label.casefold() for label in found.values()}) == len(found)
