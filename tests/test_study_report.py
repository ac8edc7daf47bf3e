"""What a reader of a study's report can rely on: its numbers are the journal's, and it stands by itself."""

import csv
import re
import sqlite3
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kindle.analysis import fit_quantal, paired
from kindle.analysis.repeated import bootstrap_by_animal
from kindle.analysis.report_line import three_digits
from kindle.analysis.wording import words_of
from kindle.animal_rows import AnimalEvent
from kindle.exchange import CodedDose, Dose
from kindle.ledger_view import ledger_of
from kindle.report import write_study_report
from kindle.rows import Animal, kind_of
from kindle.session_view import ANIMALS
from kindle.study import Study
from tests.reported_sessions import BEGUN, PLAN, Teller, Told, study_with
from tests.told_study import StudyTeller

RATS = tuple(f"R{n:02d}" for n in range(1, 13))
VALPROATE, PHENYTOIN = "sodium valproate", "phenytoin sodium"
COUNTS = {VALPROATE: {100.0: 1, 150.0: 3, 200.0: 5}, PHENYTOIN: {20.0: 1, 30.0: 3, 40.0: 5}}
MIXED = {60.0: 1, 90.0: 4, 120.0: 5}
PER_DOSE = 6
HOSTILE = '<script>alert(1)</script> & "quoted" =1+1'


def dose(substance: str, mg_per_kg: float) -> Dose:
    return Dose(substance, "mg_salt", mg_per_kg, "i.p.", 900.0)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Study, str]]:
    with study_with(tmp_path_factory.mktemp("told") / "study", Animal("rat-1", strain=HOSTILE)) as study:
        first = Teller(study, "rat-1")
        first.recording((Told(PLAN.rungs_ua[0]), Told(PLAN.rungs_ua[1], "discharge")))
        teller = StudyTeller(study)
        for rat in RATS:
            study.add_animal(Animal(rat, strain="Wistar"), BEGUN)
            teller.kindled(rat, (1, 2, None, 3, 5, 5, 5))
        for rat in RATS:
            teller.drug_day(rat, "control", (), 5, 60.0 + int(rat[1:]))
            teller.drug_day(rat, "vehicle", (CodedDose("saline", 2.0, "i.p.", 900.0),), 5, 58.0 + int(rat[1:]))
        for substance, counts in COUNTS.items():
            for amount, protected in counts.items():
                for n, rat in enumerate(RATS[:PER_DOSE]):
                    stage = 1 if n < protected else 5
                    teller.drug_day(rat, f"{substance} {amount:g}", (dose(substance, amount),), stage, 20.0 + n)
        for total, protected in MIXED.items():
            doses = (dose(PHENYTOIN, total / 6), dose(VALPROATE, total * 5 / 6))
            for n, rat in enumerate(RATS[:PER_DOSE]):
                teller.drug_day(rat, f"both {total:g}", doses, 1 if n < protected else 5, 15.0 + n)
        yield study, write_study_report(study).read_text(encoding="utf-8")


def table(study: Study, name: str) -> list[dict[str, str]]:
    with (study.folder / "report" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_train_of_the_table_is_that_of_the_journal_row_it_names(told: tuple[Study, str]) -> None:
    study, _ = told
    shown = {int(row["journal row"]): row for row in table(study, "trains")}
    facts = [train for rat in (*RATS, "rat-1") for train in ledger_of(study.journal, rat).trains]
    assert set(shown) == {fact.seq for fact in facts}
    for fact in facts:
        row = shown[fact.seq]
        assert (row["stage"], row["discharge s"]) == (_cell(fact.stage), _cell(fact.discharge_s))
        assert float(row["current µA"]) == fact.current_ua


def test_the_ed50_is_that_of_the_analysis_of_the_same_counts(told: tuple[Study, str]) -> None:
    for counts in COUNTS.values():
        fit = fit_quantal(list(counts), [PER_DOSE] * len(counts), list(counts.values()), unit="mg/kg")
        value = fit.ed(0.5).value
        assert value is not None
        assert f"ED50 {three_digits(value)} mg/kg" in told[1]


def test_the_vehicle_is_compared_with_the_last_control_of_the_same_rats(told: tuple[Study, str]) -> None:
    study, page = told
    rows = [row for row in table(study, "drug_days") if row["condition"] == "vehicle"]
    before, after = ([float(row[name]) for row in rows] for name in ("control discharge s", "discharge s"))
    assert before == pytest.approx([60.0 + n for n in range(1, 13)])
    assert after == pytest.approx([58.0 + n for n in range(1, 13)])
    assert words_of(paired(before, after, "duration")) in page


def test_an_unscored_train_counts_as_a_stimulation_and_is_listed_as_missing(told: tuple[Study, str]) -> None:
    study, _ = told
    stages = {row["stimulation"]: row["stage"] for row in table(study, "trains") if row["animal"] == "R01"}
    assert [stages[str(n)] for n in range(1, 8)] == ["1.0", "2.0", "", "3.0", "5.0", "5.0", "5.0"]
    missing = [row for row in table(study, "missing") if row["animal"] == "R01"]
    assert [row["what"] for row in missing] == ["not scored: no stage"]


def test_an_animal_that_left_is_told_with_its_reason(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("r")) as study:
        StudyTeller(study).kindled("r", (1,))
        event = AnimalEvent("r", "excluded", "no afterdischarge")
        study.journal.append(ANIMALS, kind_of(event), event, sample=None, utc=BEGUN)
        write_study_report(study)
        assert [row["what"] for row in table(study, "missing")] == ["excluded 2026-03-04: no afterdischarge"]


def test_figures_stand_on_the_page_and_as_files(told: tuple[Study, str]) -> None:
    study, page = told
    names = {path.stem for path in (study.folder / "report").glob("*.svg")}
    assert {"kindling_stage", "kindling_discharge", "dose_response", "paired_1"} <= names
    assert any(name.startswith("isobologram") for name in names)
    assert names == {path.stem for path in (study.folder / "report").glob("*.png")}
    assert page.count('class="strip"') == 2


class _Outside(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.refers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.refers += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href", "data")]


def test_the_page_refers_to_nothing_outside_of_itself(told: tuple[Study, str]) -> None:
    parser = _Outside()
    parser.feed(told[1])
    assert all(reference.startswith("#") for reference in parser.refers)
    assert not {"script", "link", "img", "iframe"} & set(parser.tags)
    assert not re.search(r"url\((?!#)|@import", told[1])
    ids = re.findall(r'\bid="([^"]+)"', told[1])
    assert len(ids) == len(set(ids))


def test_what_is_folded_on_the_screen_is_open_on_paper_and_links_are_not_printed(told: tuple[Study, str]) -> None:
    """Of browsers that know ::details-content: there is no script on the page that could open anything."""
    printed = told[1].split("@media print {", 2)[2]
    rules = dict(re.findall(r"^  ([^{}]+) {([^{}]*)}$", printed.split("\n}\n")[0], re.MULTILINE))
    assert "content-visibility: visible" in rules["details::details-content"]
    assert rules["nav, .files"].strip() == "display: none;"


def test_every_row_that_is_named_is_said_on_the_page(told: tuple[Study, str]) -> None:
    study, page = told
    named = set(re.findall(r'href="#(row-[^"]+)"', page))
    listed = dict(re.findall(r'<tr id="(row-[^"]+)"><td>(\d+)</td>', page))
    assert named == set(listed)
    assert {f"row-{row['journal row']}" for row in table(study, "trains")} <= named
    sections = set(re.findall(r"<nav>.*?</nav>", page)[0].split('href="#')[1:])
    assert all(f'<section id="{one.partition(chr(34))[0]}"' in page for one in sections)


def test_each_stage_names_the_row_that_it_was_entered_in(told: tuple[Study, str]) -> None:
    study, _ = told
    rows = {row.seq: row for row in study.journal.rows()}
    scored = [row for row in table(study, "trains") if row["stage"]]
    assert scored
    for row in scored:
        assert f'"stage":{float(row["stage"]):g},' in rows[int(row["stage row"])].payload


def test_the_page_says_whether_the_hash_chain_is_whole(told: tuple[Study, str], tmp_path: Path) -> None:
    study, page = told
    assert "whole, checked for this report" in page
    assert study.journal.head_hash in page
    with study_with(tmp_path / "study", Animal("r")) as changed:
        StudyTeller(changed).kindled("r", (1,))
        with sqlite3.connect(changed.journal.path) as connection:
            connection.execute("DROP TRIGGER rows_never_change")
            connection.execute("UPDATE rows SET payload = replace(payload, 'told', 'lied') WHERE seq = 2")
        told_now = write_study_report(changed).read_text(encoding="utf-8")
    assert "whole, checked for this report" not in told_now
    assert "row 2 is not what was written" in told_now
    assert "The journal of study was changed or is damaged" in told_now


def test_prism_has_control_and_treated_of_each_treatment_side_by_side(told: tuple[Study, str]) -> None:
    with (told[0].folder / "report" / "prism_treatments_discharge.csv").open(encoding="utf-8", newline="") as file:
        titles, control, treated = list(csv.reader(file))
    assert titles[1:13] == ["vehicle"] * 12
    assert (control[0], treated[0]) == ("control", "treated")
    assert sorted(map(float, control[1:13])) == [60.0 + n for n in range(1, 13)]
    assert sorted(map(float, treated[1:13])) == [58.0 + n for n in range(1, 13)]
    place = titles.index(f"{VALPROATE} 100")
    assert [cell for cell in treated[place : place + 12] if cell] == [str(20.0 + n) for n in range(PER_DOSE)]


def test_figures_with_data_have_a_file_for_prism(told: tuple[Study, str]) -> None:
    report = told[0].folder / "report"
    names = {path.stem for path in report.glob("prism_*.csv")}
    assert {"prism_paired_1", "prism_dose_response", "prism_isobologram_1"} <= names
    figures = {path.stem for path in report.glob("*.svg")} - {"animal_flow"}
    assert figures <= {name.removeprefix("prism_") for name in names}


def test_where_rats_were_tested_again_limits_are_those_of_whole_animals(told: tuple[Study, str]) -> None:
    """Six rats had every dose of every drug: the limits of three times as many rats would be too narrow."""
    for counts in COUNTS.values():
        tests = [(rat, dose, n < k) for dose, k in counts.items() for n, rat in enumerate(RATS[:PER_DOSE])]
        rats, amounts, protected = ([test[place] for test in tests] for place in range(3))
        again = bootstrap_by_animal(rats, amounts, protected)  # type: ignore[arg-type]
        assert again.low is not None
        assert again.high is not None
        limits = f"{three_digits(again.low)} to {three_digits(again.high)} mg/kg (6 animals, 2000 resamples, seed 0)"
        assert f"limits over whole animals {limits}" in told[1]
    assert re.search(
        r"interaction index [\d.]+ .*?; limits over whole animals .*? \(6 animals, 2000 resamples", told[1]
    )


def test_a_hostile_name_is_text_on_the_page(told: tuple[Study, str]) -> None:
    assert "<script" not in told[1]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in told[1]


def test_a_cell_that_a_spreadsheet_would_run_is_written_as_text(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("r", strain="=cmd()")) as study:
        StudyTeller(study).kindled("r", (1,))
        write_study_report(study)
        assert table(study, "animals")[0]["strain"] == "'=cmd()"


def test_of_two_days_of_one_treatment_the_first_is_compared(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("r")) as study:
        teller = StudyTeller(study)
        teller.drug_day("r", "control", (), 5, 60.0)
        for discharge_s in (20.0, 40.0):
            teller.drug_day("r", "vehicle", (CodedDose("saline", 2.0, "i.p.", 900.0),), 5, discharge_s)
        write_study_report(study)
        (row,) = table(study, "prism_paired_1")
    assert (row["control"], row["vehicle"]) == ("60.0", "20.0")


def test_the_codes_of_a_blinded_treatment_stay_codes(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("r")) as study:
        teller = StudyTeller(study)
        teller.drug_day("r", "control", (), 5, 60.0)
        teller.drug_day("r", "B", (CodedDose("B", 2.0, "i.p.", 900.0),), 1, 20.0)
        page = write_study_report(study).read_text(encoding="utf-8")
        assert [row["condition"] for row in table(study, "drug_days")] == ["B"]
    assert "ED50" not in page
    assert "nothing that is known to act" in page


def _cell(value: float | None) -> str:
    return "" if value is None else str(value)
