"""Thresholds in a study's report: censored ones count as what they are, and every number names its row."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest

from kindle.analysis.threshold_change import threshold_change
from kindle.analysis.thresholds import Threshold, group_threshold
from kindle.analysis.wording import words_of
from kindle.protocols.threshold import (
    Aborted,
    BothThresholds,
    GeneralisedFound,
    NoAfterdischarge,
    NotGeneralised,
    ThresholdFound,
)
from kindle.report.section import Drawer, Section
from kindle.report.study_facts import StudyFacts, study_facts
from kindle.report.study_sources import sources_of
from kindle.report.study_thresholds import section
from kindle.report.threshold_tests import threshold_tests
from kindle.rows import Animal
from kindle.study import Study
from tests.reported_sessions import study_with
from tests.told_study import StudyTeller
from tests.told_tests import TestTeller, valproate

ToldStudy = tuple[Study, StudyFacts, Section, Drawer]
EARLY = datetime(2026, 3, 1, 9, tzinfo=UTC)
BEFORE = {"R1": (71.3, 85.6), "R2": (85.6, 102.7), "R3": (123.3, 147.9), "R4": (0.0, 8.0), "R5": (59.4, 71.3)}
AFTER = {"R1": (34.4, 41.3), "R2": (41.3, 49.5), "R3": (71.3, 85.6), "R5": (19.9, 23.9)}
CONTROL = {"R1": (34.4, 41.3), "R2": (34.4, 41.3), "R3": (71.3, 85.6)}
DRUG = {"R1": (102.7, 123.3), "R2": (85.6, 102.7), "R3": (900.0, None), "R5": (49.5, 59.4)}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToldStudy]:
    with study_with(tmp_path_factory.mktemp("told") / "study", Animal("R1")) as study:
        teller = TestTeller(study)
        early = TestTeller(study, begun=EARLY)
        for animal in ("R2", "R3", "R4", "R5", "R6"):
            early.animal(animal)
        early.threshold("R2", ThresholdFound(400.0, 500.0))
        for animal, (above, rung) in BEFORE.items():
            early.threshold(animal, ThresholdFound(above, rung))
        early.threshold("R6", Aborted(20.7, "the headset came off"))
        for animal in AFTER:
            teller.kindled(animal, (1, 3, 5, 5, 5), (10.0, 15.0, 30.0, 40.0, 45.0))
        for animal, (above, rung) in AFTER.items():
            found = ThresholdFound(above, rung)
            generalised = NotGeneralised(900.0) if animal == "R3" else GeneralisedFound(above, rung)
            teller.threshold(animal, BothThresholds(found, generalised))
        for animal, (above, rung) in CONTROL.items():
            teller.drug_threshold(animal, "control", (), ThresholdFound(above, rung))
        for animal, (above, upper) in DRUG.items():
            outcome = NoAfterdischarge(above) if upper is None else ThresholdFound(above, upper)
            teller.drug_threshold(animal, "valproate 200", (valproate(200.0),), outcome)
        facts, draw = study_facts(sources_of(study)), Drawer()
        found_section = section(facts, draw)
        assert found_section is not None
        yield study, facts, found_section, draw


def written(draw: Drawer, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(draw.files[f"{name}.csv"].decode())))


def limits(of: dict[str, tuple[float, float | None]] | dict[str, tuple[float, float]]) -> list[Threshold]:
    return [Threshold(above, up_to) for above, up_to in of.values()]


def test_groups_are_summed_up_by_the_likelihood_of_their_intervals(told: ToldStudy) -> None:
    body = told[2].body
    for of in (BEFORE, AFTER, CONTROL, DRUG):
        assert words_of(group_threshold(limits(of))) in body


def test_changes_are_of_the_same_rats_and_a_censored_one_is_not_left_out(told: ToldStudy) -> None:
    body = told[2].body
    kindled = threshold_change(limits({id: BEFORE[id] for id in AFTER}), limits(AFTER))
    drug = threshold_change(limits(CONTROL), limits({id: DRUG[id] for id in CONTROL}))
    assert kindled.ratio is not None
    assert kindled.ratio < 0.6
    assert words_of(kindled) in body
    assert words_of(drug) in body
    assert "1 more without a threshold before" in body
    assert "sign test" in body
    rows = [row for row in written(told[3], "threshold_changes") if row["animal"] == "R3"]
    assert float(rows[0]["ratio to"]) == pytest.approx(85.6 / 123.3)
    assert rows[1]["ratio to"] == ""
    (prism,) = [row for row in written(told[3], "prism_threshold_changes") if row[""] == "R3"]
    assert (prism["valproate 200 / control: to"], float(prism["valproate 200 / control: from"])) == (
        "",
        pytest.approx(900.0 / 85.6),
    )
    assert float(rows[1]["ratio from"]) == pytest.approx(900.0 / 85.6)


def test_of_several_tests_before_kindling_the_last_counts(told: ToldStudy) -> None:
    prism = {row[""]: row for row in written(told[3], "prism_thresholds")}
    assert float(prism["R2"]["before kindling: up to µA"]) == 102.7
    assert prism["R4"]["fully kindled: up to µA"] == ""
    tests = [row for row in written(told[3], "thresholds") if row["animal"] == "R2"]
    assert len(tests) == 5


def test_a_test_that_was_stopped_stands_in_the_table_and_in_no_mean(told: ToldStudy) -> None:
    row = next(row for row in written(told[3], "thresholds") if row["animal"] == "R6")
    assert row["stopped"] == "the headset came off"
    assert "R6" not in {row[""] for row in written(told[3], "prism_thresholds")}
    assert "1 stopped before an answer" in told[2].body


def test_every_test_names_the_row_that_holds_its_outcome(told: ToldStudy) -> None:
    study, facts = told[0], told[1]
    kinds = {row.seq: (row.kind, row.session) for row in study.journal.rows()}
    tests = threshold_tests(facts)
    assert tests
    assert all(kinds[test.row.seq] == ("session_ended", test.session) for test in tests)


def test_the_generalised_seizure_threshold_has_a_figure_of_its_own(told: ToldStudy) -> None:
    assert {"thresholds.svg", "generalised_thresholds.svg", "threshold_changes.png"} <= set(told[3].files)
    of_r3 = next(row for row in written(told[3], "prism_generalised_thresholds") if row[""] == "R3")
    assert (of_r3["fully kindled: above µA"], of_r3["fully kindled: up to µA"]) == ("900.0", "")


def test_a_study_without_threshold_tests_has_no_such_section(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("R1")) as study:
        StudyTeller(study).kindled("R1", (1,))
        assert section(study_facts(sources_of(study)), Drawer()) is None


def test_thresholds_of_which_nothing_is_known_are_told_without_a_figure(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("R1")) as study:
        TestTeller(study).threshold("R1", NoAfterdischarge(0.0))
        draw = Drawer()
        found = section(study_facts(sources_of(study)), draw)
        assert found is not None
        assert "a threshold known in 0 of 1 rats" in found.body
        assert "thresholds.svg" not in draw.files
