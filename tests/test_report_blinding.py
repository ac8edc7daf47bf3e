"""What a report says of a blinded study before and after its codes were opened, and of a vehicle."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from kindle.animal_rows import CodesOpened
from kindle.blinding import design_of, store_design, unblind
from kindle.design import blocks
from kindle.exchange import CodedDose, Dose
from kindle.report import write_study_report
from kindle.rows import Animal, kind_of
from kindle.session_view import ANIMALS
from kindle.study import Study, create_study, open_study
from tests.told_study import BEGUN, StudyTeller

TREATMENTS = {"low": 50.0, "middle": 100.0, "high": 200.0}
RATS = tuple(f"R{n}" for n in range(1, 5))
TOML = """\
name = "blind"
[[treatments]]
name = "saline"
vehicle = { substance = "saline", ml_per_kg = 2.0, route = "i.p.", pretreatment_min = 15.0 }
[blinding]
ml_per_kg = 2.0
route = "i.p."
pretreatment_min = 15.0
"""
INJECTED = """\
[[treatments]]
name = "{name}"
[[treatments.injections]]
substance = "sodium valproate"
amount_per_kg = {dose}
basis = "mg_salt"
mg_per_ml = {mg_per_ml}
vehicle = "water"
route = "i.p."
pretreatment_min = 15.0
"""


@pytest.fixture
def blind(tmp_path: Path) -> Iterator[tuple[Study, Path]]:
    """Of the low dose no rat is protected, of the middle one every second, of the high one all; of saline none."""
    toml = TOML + "".join(
        INJECTED.format(name=name, dose=dose, mg_per_ml=dose / 2) for name, dose in TREATMENTS.items()
    )
    create_study(tmp_path / "study", toml)
    key = tmp_path / "key.json"
    with open_study(tmp_path / "study") as study:
        for rat in RATS:
            study.add_animal(Animal(rat), BEGUN)
        store_design(study, blocks(RATS, ["saline", *TREATMENTS], 7), BEGUN, key_file=key)
        teller = StudyTeller(study)
        hidden = _treatments(key)
        design = design_of(study)
        assert design is not None
        for rat, codes in design.orders.items():
            for code in codes:
                teller.drug_day(rat, "control", (), 5, 60.0)
                protected = {"high": True, "middle": rat in RATS[::2]}.get(hidden[code], False)
                teller.drug_day(rat, code, (CodedDose(code, 2.0, "i.p.", 900.0),), 1 if protected else 5, 30.0)
        yield study, key


def _treatments(key: Path) -> dict[str, str]:
    return dict(msgspec.json.decode(key.read_bytes())["codes"])


def days(study: Study) -> list[dict[str, str]]:
    page = write_study_report(study)
    with (page.parent / "drug_days.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def page_of(study: Study) -> str:
    return write_study_report(study).read_text(encoding="utf-8")


def opened(study: Study, key: Path) -> None:
    unblind(study, key, "Ada <b>", "all tests are done", BEGUN + timedelta(days=30))


def test_before_they_are_opened_the_codes_are_all_that_is_shown(blind: tuple[Study, Path]) -> None:
    study, _ = blind
    assert {row["condition"] for row in days(study)} == {"code A", "code B", "code C", "code D"}
    told = "code {}, not opened: the substance is not known to this report"
    assert {row["given"] for row in days(study)} == {told.format(code) for code in "ABCD"}
    page = page_of(study)
    assert "Treatments are shown as their codes, which nobody has opened yet (study: A, B, C, D)." in page
    assert "Nobody has opened the codes." in page
    assert "its seed is in the sealed key" in page
    assert "ED50" not in page
    assert "valproate" not in page


def test_after_they_are_opened_the_treatments_and_their_doses_are_shown(blind: tuple[Study, Path]) -> None:
    study, key = blind
    code = {treatment: code for code, treatment in _treatments(key).items()}
    opened(study, key)
    given = {row["condition"]: row["given"] for row in days(study)}
    assert given["low"] == f"sodium valproate 50 mg/kg (mg_salt) i.p. (code {code['low']}, opened)"
    assert given["saline"] == f"vehicle: saline 2 ml/kg i.p. (code {code['saline']}, opened)"
    page = page_of(study)
    assert "n = 12 (50-200 mg/kg; 0/4 2/4 4/4)" in page
    assert "sodium valproate: 50 mg/kg (0.301 mmol/kg), 100 mg/kg (0.602 mmol/kg) and 200 mg/kg" in page
    assert f"{code['saline']} (a vehicle, or a code): 2 ml/kg i.p., 15 min before the test, 4 injections." in page
    assert "Ada &lt;b&gt; opened the codes on 2026-04-08 09:00:00 UTC: all tests are done (row " in page
    assert "32 sessions had begun before that, 0 after." in page


def test_a_vehicle_beside_a_drug_does_not_hide_its_dose(tmp_path: Path) -> None:
    """A rat that had the drug and saline in place of a second drug counts; one with an unknown bottle does not."""
    head, _, rest = INJECTED.format(name="low", dose=50.0, mg_per_ml=25.0).partition("[[treatments.injections]]")
    vehicle = 'vehicle = { substance = "saline", ml_per_kg = 2.0, route = "i.p.", pretreatment_min = 15.0 }\n'
    create_study(tmp_path / "study", f'name = "beside"\n{head}{vehicle}[[treatments.injections]]{rest}')
    dose = Dose("sodium valproate", "mg_salt", 50.0, "i.p.", 900.0)
    with open_study(tmp_path / "study") as study:
        for rat in ("R1", "R2"):
            study.add_animal(Animal(rat), BEGUN)
        teller = StudyTeller(study)
        for rat, bottle in (("R1", "saline"), ("R2", "X")):
            teller.drug_day(rat, "low", (dose, CodedDose(bottle, 2.0, "i.p.", 900.0)), 1, 20.0)
        report = write_study_report(study).parent
    with (report / "doses.csv").open(encoding="utf-8", newline="") as file:
        assert [row["animal"] for row in csv.DictReader(file)] == ["R1"]
    with (report / "analysed.csv").open(encoding="utf-8", newline="") as file:
        left_out = {row["outcome"]: row["left out"] for row in csv.DictReader(file)}
    assert left_out["dose-response"] == "R2: dose not known"


def test_a_bottle_that_did_not_hold_the_dose_that_was_meant_gives_no_dose(blind: tuple[Study, Path]) -> None:
    """An early key tells no contents, and study.toml was changed since."""
    study, key = blind
    told = msgspec.json.decode(key.read_bytes())
    sealed = next(row for row in study.journal.rows(ANIMALS) if row.kind == "codes_sealed")
    digest = msgspec.json.decode(sealed.payload)["sha256"]
    act = CodesOpened(digest, told["codes"], "Ada", "done")
    study.journal.append(ANIMALS, kind_of(act), act, sample=None, utc=BEGUN)
    text = (study.folder / "study.toml").read_text(encoding="utf-8")
    (study.folder / "study.toml").write_text(text.replace("amount_per_kg = 50.0", "amount_per_kg = 70.0"), "utf-8")
    with open_study(study.folder) as changed:
        given = {row["condition"]: row["given"] for row in days(changed)}
        assert "ED50" in page_of(changed)
    assert "70 mg/kg of sodium valproate were meant, but 2 ml/kg with 25 mg/ml hold 50 mg/kg" in given["low"]
    assert given["high"].startswith("sodium valproate 200 mg/kg")
