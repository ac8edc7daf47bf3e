"""Tidy tables: every number of the journal once, with a codebook, readable by people and by programs."""

import csv
from pathlib import Path

import pytest
from exported_studies import blinded_study, gapped_study, opened

from kindle.animal_rows import DischargesAmended, MarkedDischarge, TrialReading
from kindle.export.tables import write_tables
from kindle.rows import Animal
from kindle.session_view import ANIMALS
from kindle.study import create_study, open_study
from tests.reported_sessions import BEGUN
from tests.told_study import StudyTeller


def exported(folder: Path, study: Path) -> dict[str, list[dict[str, str]]]:
    folder.mkdir()
    with opened(study) as (opened_study, chosen, _):
        written = write_tables(opened_study, chosen, folder)
    assert sorted(written) == sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.stem: list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) for path in written}


def test_every_train_is_a_row_with_its_durations_stage_and_journal_row(tmp_path: Path) -> None:
    first, second = exported(tmp_path / "out", gapped_study(tmp_path / "study"))["trials"]
    assert (first["verdict"], first["total_s"], first["stage"]) == ("none", "0.0", "")
    assert (second["verdict"], second["stage"], second["scale"]) == ("afterdischarge", "3.0", "racine_1972@1")
    assert float(second["start_s"]) == 62.0
    assert float(second["total_s"]) > float(second["from_first_spike_s"]) > 11
    assert int(second["journal_row"]) > int(first["journal_row"])


def test_discharges_and_doses_have_tables_of_their_own(tmp_path: Path) -> None:
    tables = exported(tmp_path / "out", gapped_study(tmp_path / "study"))
    assert [(row["trial"], row["number"], row["kind"]) for row in tables["afterdischarges"]] == [
        ("2", "1", "primary"),
        ("2", "2", "secondary"),
    ]
    (dose,) = tables["doses"]
    assert (dose["substance"], dose["mg_per_kg"], dose["volume_ml"], dose["weight_g"]) == (
        "valproate", "198.7", "0.62", "312.0",
    )  # fmt: skip
    # Sample 45,000 lies 2 s behind the gap.
    assert float(dose["start_s"]) == 52.0


def test_animals_and_sessions_say_who_and_when(tmp_path: Path) -> None:
    tables = exported(tmp_path / "out", gapped_study(tmp_path / "study"))
    (animal,), (session,) = tables["animals"], tables["sessions"]
    assert (animal["strain"], animal["sex"], animal["born"]) == ("Göttingen – Wistar", "F", "2025-12-04")
    assert (session["age_days"], session["weight_g"], session["n_trains"]) == ("90", "312.0", "2")
    assert session["start_utc"] == "2026-03-04T09:30:00+00:00"
    assert session["outcome"].startswith("threshold in (200, 300] uA")


def test_no_cell_is_run_as_a_formula_by_a_spreadsheet(tmp_path: Path) -> None:
    (animal,) = exported(tmp_path / "out", gapped_study(tmp_path / "study"))["animals"]
    assert animal["note"] == "'=1+1"


def test_the_codebook_explains_every_column_of_every_table(tmp_path: Path) -> None:
    tables = exported(tmp_path / "out", gapped_study(tmp_path / "study"))
    explained = {(row["table"], row["column"]) for row in tables["codebook"] if row["meaning"]}
    there = {
        (name, column)
        for name in ("animals", "sessions", "trials", "afterdischarges", "doses")
        for column in tables[name][0]
    }
    assert there <= explained


def test_a_blinded_dose_is_a_code_without_milligrams(tmp_path: Path) -> None:
    (dose,) = exported(tmp_path / "out", blinded_study(tmp_path / "study"))["doses"]
    assert "B" in dose["substance"]
    assert dose["mg_per_kg"] == ""


def test_a_corrected_discharge_is_what_is_exported(tmp_path: Path) -> None:
    study = gapped_study(tmp_path / "study")
    before = exported(tmp_path / "before", study)
    row = int(before["trials"][1]["journal_row"])
    old = TrialReading("afterdischarge")
    with open_study(study) as one:
        new = TrialReading("afterdischarge", (MarkedDischarge(57_000, 60_500),))
        amended = DischargesAmended("R01", row, old, new, "AB", "seen on the trace")
        one.journal.append(ANIMALS, "discharges_amended", amended, sample=None, utc=BEGUN)
    (event,) = exported(tmp_path / "after", study)["afterdischarges"]
    assert float(event["duration_s"]) == 3.5


class TestPrism:
    @pytest.fixture
    def kindled(self, tmp_path: Path) -> Path:
        folder = tmp_path / "study"
        create_study(folder, 'name = "x"\n')
        with open_study(folder) as study:
            for id in ("R01", "R02"):
                study.add_animal(Animal(id), BEGUN)
            teller = StudyTeller(study)
            teller.kindled("R01", [0, 1, None])
            teller.kindled("R02", [2, 5])
        return folder

    def test_a_readout_is_a_row_for_each_stimulation_and_a_column_for_each_animal(
        self, tmp_path: Path, kindled: Path
    ) -> None:
        rows = exported(tmp_path / "out", kindled)["kindling_stage"]
        assert rows == [
            {"stimulation": "1", "R01": "0.0", "R02": "2.0"},
            {"stimulation": "2", "R01": "1.0", "R02": "5.0"},
            {"stimulation": "3", "R01": "", "R02": ""},
        ]
