"""Kindling in a study's report: curves by group, and stimulations to full kindling with the rats that were lost."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from kindle.analysis import latency
from kindle.analysis.wording import words_of
from kindle.animal_rows import Designed
from kindle.design import Design
from kindle.report.section import Drawer, Section
from kindle.report.study_curves import section
from kindle.report.study_facts import StudyFacts, study_facts
from kindle.report.study_sources import sources_of
from kindle.rows import Animal, kind_of
from kindle.session_view import ANIMALS
from kindle.study import Study
from tests.reported_sessions import BEGUN, study_with
from tests.told_tests import TestTeller

STAGES: dict[str, tuple[float | None, ...]] = {
    "R1": (1, 3, 5, 5, 5, 5),
    "R2": (1, 2, None, 4, 5, 5, 5),
    "R3": (2, 3, 3),
    "R4": (1, 4, 4, 4),
    "R5": (1, 1, 2, 3, 4),
}
GROUPS = {"R1": "saline", "R2": "saline", "R3": "saline", "R4": "valproate", "R5": "valproate"}
TO_KINDLED = {"saline": ([5, 6, 3], [1, 1, 0]), "valproate": ([4, 5], [1, 0])}
"""Stimulations and whether the rat was kindled: three stages of 4 or more, on days in a row."""

ToldStudy = tuple[Study, StudyFacts, Section, Drawer]


def in_report(study: Study) -> ToldStudy:
    facts, draw = study_facts(sources_of(study)), Drawer()
    found = section(facts, draw)
    assert found is not None
    return study, facts, found, draw


def kindle(study: Study) -> None:
    teller = TestTeller(study)
    for animal, stages in STAGES.items():
        if animal != "R1":
            teller.animal(animal)
        teller.kindled(animal, stages, [0.0 if n == 0 else 10.0 + 5 * n for n in range(len(stages))])
    teller.left("R3", "headset lost")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToldStudy]:
    with study_with(tmp_path_factory.mktemp("told") / "study", Animal("R1")) as study:
        orders = {animal: (group,) for animal, group in GROUPS.items()}
        design = Designed(Design("blocks", 1, ("saline", "valproate"), orders))
        study.journal.append(ANIMALS, kind_of(design), design, sample=None, utc=BEGUN)
        kindle(study)
        yield in_report(study)


def written(draw: Drawer, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(draw.files[f"{name}.csv"].decode())))


def test_rats_that_were_lost_are_censored_at_their_last_stimulation(told: ToldStudy) -> None:
    rows = {row["animal"]: row for row in written(told[3], "stimulations_to_kindled")}
    for group, (times, events) in TO_KINDLED.items():
        of_group = [row for row in rows.values() if row["group"] == group]
        assert [int(row["stimulations"]) for row in of_group] == times
        assert [int(row["kindled"]) for row in of_group] == events
    assert "headset lost" in rows["R3"]["otherwise"]
    assert words_of(latency(TO_KINDLED)) in told[2].body


def test_a_kindled_rat_names_the_row_of_the_stimulation_that_met_the_criterion(told: ToldStudy) -> None:
    study, facts = told[0], told[1]
    rows = {row["animal"]: row for row in written(told[3], "stimulations_to_kindled")}
    kinds = {row.seq: row.kind for row in study.journal.rows()}
    fifth = facts.kindling("R1")[4]
    assert int(rows["R1"]["journal row"]) == fifth.seq
    assert kinds[fifth.seq] == "answered"
    assert rows["R5"]["journal row"] == ""


def test_an_unscored_stimulation_counts_and_stays_blank(told: ToldStudy) -> None:
    curve = list(csv.reader(StringIO(told[3].files["prism_kindling_stage.csv"].decode())))
    assert curve[0] == ["stimulation", *["saline"] * 3, *["valproate"] * 3]
    assert curve[3] == ["3.0", "5.0", "", "3.0", "4.0", "2.0", ""]


def test_a_train_without_a_discharge_has_no_latency_and_a_duration_of_zero(told: ToldStudy) -> None:
    rows = written(told[3], "kindling_curves")
    first = {(row["measure"], row["group"]): row for row in rows if row["stimulation"] == "1"}
    assert first["afterdischarge", "saline"]["mean"] == "0.0"
    assert first["afterdischarge", "saline"]["with afterdischarge"] == "0"
    assert ("latency of the afterdischarge", "saline") not in first
    second = next(row for row in rows if row["measure"].startswith("latency") and row["stimulation"] == "2")
    assert float(second["mean"]) == pytest.approx(0.8)


def test_a_stage_is_summed_up_by_its_median_and_never_by_a_mean(told: ToldStudy) -> None:
    rows = [row for row in written(told[3], "kindling_curves") if row["measure"] == "stage"]
    assert all(row["mean"] == "" for row in rows)
    fourth = next(row for row in rows if (row["group"], row["stimulation"]) == ("valproate", "4"))
    assert (fourth["n"], fourth["median"]) == ("2", "3.5")


def test_a_discharge_has_a_mean_with_students_limits(told: ToldStudy) -> None:
    rows = [row for row in written(told[3], "kindling_curves") if row["measure"] == "afterdischarge"]
    second = next(row for row in rows if (row["group"], row["stimulation"]) == ("saline", "2"))
    assert [float(second[name]) for name in ("n", "mean", "95% from", "95% to")] == [3, 15.0, 15.0, 15.0]


def test_a_study_without_groups_is_one_curve(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("R1")) as study:
        kindle(study)
        _, _, found, draw = in_report(study)
        assert "all animals 3/5 events" in found.body
        assert "log-rank" not in found.body
        assert {"kindled.svg", "kindling_stage.svg", "kindling_latency.png", "prism_kindled.csv"} <= set(draw.files)


def test_a_study_without_kindling_has_no_such_section(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("R1")) as study:
        assert section(study_facts(sources_of(study)), Drawer()) is None
