"""The animal flow: everybody who entered is in it once, and whoever is missing from an outcome has a reason."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from kindle.animal_rows import AnimalEvent
from kindle.blinding import store_design
from kindle.design import Design
from kindle.exchange import CodedDose, Dose
from kindle.report.flow_figure import flow_figure
from kindle.report.section import Drawer
from kindle.report.study_facts import StudyFacts, study_facts
from kindle.report.study_flow import Flow, analysed_table, animal_flow
from kindle.report.study_missing import missing_table
from kindle.report.study_sources import sources_of
from kindle.report.tables import JournalRow
from kindle.rows import Animal, kind_of
from kindle.session_view import ANIMALS
from kindle.study import Study, create_study, open_study
from tests.reported_sessions import study_with
from tests.told_study import BEGUN, StudyTeller
from tests.told_tests import TestTeller

KINDLED = (5, 5, 5)


def told(folder: Path, tell: Callable[[Study, StudyTeller], None], *animals: str) -> StudyFacts:
    create_study(folder, 'name = "flow"\n[kindled]\none_per_day = false\n')
    with open_study(folder) as study:
        for animal in animals:
            study.add_animal(Animal(animal), BEGUN)
        tell(study, StudyTeller(study))
        return study_facts(sources_of(study))


def left(study: Study, animal: str, kind: str, reason: str = "") -> int:
    event = AnimalEvent(animal, kind, reason)  # type: ignore[arg-type]
    return study.journal.append(ANIMALS, kind_of(event), event, sample=None, utc=BEGUN + timedelta(days=9)).seq


def dose(mg_per_kg: float) -> Dose:
    return Dose("sodium valproate", "mg_salt", mg_per_kg, "i.p.", 900.0)


@pytest.fixture
def facts(tmp_path: Path) -> StudyFacts:
    def tell(study: Study, teller: StudyTeller) -> None:
        orders: dict[str, tuple[str, ...]] = {f"R{n}": ("low" if n % 2 else "high",) for n in range(1, 7)}
        store_design(study, Design("blocks", 1, ("low", "high"), orders), BEGUN)
        for rat in ("R2", "R3", "R4", "R5", "R6"):
            teller.kindled(rat, KINDLED if rat != "R3" else (1, 2))
        left(study, "R1", "died", "anaesthesia")
        left(study, "R4", "electrode_lost")
        for rat in ("R2", "R5", "R6"):
            if rat != "R6":
                teller.drug_day(rat, "control", (), 5, 60.0)
            teller.drug_day(rat, "low" if rat == "R5" else "high", (dose(100.0),), 1, 20.0)

    return told(tmp_path / "study", tell, *(f"R{n}" for n in range(1, 7)))


def test_each_box_counts_who_came_so_far_and_names_who_did_not(facts: StudyFacts) -> None:
    steps = animal_flow(facts).steps
    assert [(step.what, step.n) for step in steps] == [
        ("entered", 6),
        ("stimulated", 5),
        ("fully kindled", 4),
        ("tested", 3),
    ]
    assert [dict(step.lost) for step in steps] == [
        {"died (anaesthesia)": ("R1",)},
        {"not fully kindled": ("R3",)},
        {"electrode lost": ("R4",)},
        {},
    ]
    for one, following in itertools.pairwise(steps):
        assert one.n - sum(map(len, one.lost.values())) == following.n


def test_each_group_says_who_was_allocated_tested_and_analysed(facts: StudyFacts) -> None:
    low, high = animal_flow(facts).arms
    assert (low.name, low.allocated, low.tested) == ("low", 3, 1)
    assert dict(low.lost) == {"died (anaesthesia)": ("R1",), "not fully kindled": ("R3",)}
    assert (high.name, high.allocated, high.tested) == ("high", 3, 2)
    assert {one.outcome: one.n for one in high.outcomes} == {
        "discharge, paired": 1,
        "stage, paired": 1,
        "dose-response": 2,
    }
    table = analysed_table(animal_flow(facts))
    assert ("high", "stage, paired", 2, 1, "R6: no control before it") in table.rows


def test_an_animal_tested_without_being_kindled_is_told(tmp_path: Path) -> None:
    def tell(_: Study, teller: StudyTeller) -> None:
        teller.kindled("R1", KINDLED)
        for rat in ("R1", "R2"):
            teller.drug_day(rat, "saline", (CodedDose("saline", 2.0, "i.p.", 900.0),), 5, 60.0)

    flow = animal_flow(told(tmp_path / "study", tell, "R1", "R2"))
    assert flow.steps[-1].note == "1 of them were not fully kindled"
    (arm,) = flow.arms
    assert arm.allocated is None
    assert [one.outcome for one in arm.outcomes] == ["discharge, paired", "stage, paired"]


def test_the_figure_says_what_the_flow_says_and_nothing_runs_out_of_its_box(facts: StudyFacts) -> None:
    flow = animal_flow(facts)
    figure = flow_figure(flow)
    assert_inside(figure)
    words = " ".join(text.get_text() for text in figure.axes[0].texts).replace("\N{NO-BREAK SPACE}", " ")
    for step in flow.steps:
        assert f"{step.what}: n = {step.n}" in words
    for arm in flow.arms:
        assert arm.name in words


def test_long_reasons_and_many_treatments_stay_in_their_boxes(tmp_path: Path) -> None:
    def tell(study: Study, teller: StudyTeller) -> None:
        for n in range(9):
            teller.drug_day("R1", f"treatment {n} " + "of a long name " * 4, (dose(10.0 + n),), 5, 60.0)
        for rat in range(2, 12):
            left(study, f"R{rat}", "excluded", "a reason that somebody wrote down at length " * 4 + "<b>$x_1$</b>")

    flow = animal_flow(told(tmp_path / "study", tell, *(f"R{n}" for n in range(1, 12))))
    assert_inside(flow_figure(flow))
    assert len(flow.arms) == 9


def assert_inside(figure: Figure) -> None:
    """Every line of text lies in some box, and every box in the figure."""
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [patch.get_window_extent() for patch in axes.patches]
    page = figure.bbox
    for box in boxes:
        assert page.x0 <= box.x0
        assert box.x1 <= page.x1
        assert page.y0 <= box.y0
        assert box.y1 <= page.y1
    lines = [text for text in axes.texts if type(text) is Text]
    assert lines
    for line in lines:
        of_text = line.get_window_extent()
        assert any(box.x0 <= of_text.x0 and of_text.x1 <= box.x1 for box in boxes if box.y0 < of_text.y0 < box.y1)


def test_exclusions_name_the_row_that_says_so(tmp_path: Path) -> None:
    seqs: list[int] = []

    def tell(study: Study, teller: StudyTeller) -> None:
        teller.kindled("R1", (None, 2))
        seqs.append(left(study, "R1", "excluded", "no afterdischarge"))

    facts = told(tmp_path / "study", tell, "R1")
    table = missing_table(facts)
    by_what = {str(row[3]): row[-1] for row in table.rows}
    assert by_what["excluded 2026-03-18: no afterdischarge"] == JournalRow("", seqs[0])
    assert set(by_what) == {"excluded 2026-03-18: no afterdischarge", "not scored: no stage"}


def test_an_observation_that_was_broken_off_is_missing_and_in_no_outcome(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("R0")) as study:
        teller = TestTeller(study)
        for rat in ("R1", "R2"):
            teller.animal(rat)
            teller.ptz(rat, "control", (), [(30.0, 5.0)], broken_off=rat == "R2")
        facts = study_facts(sources_of(study))
    assert ("R2", "ptz", "control", "observation broken off: no latency") in [
        row[:4] for row in missing_table(facts).rows
    ]
    (arm,) = animal_flow(facts).arms
    assert (arm.name, arm.tested) == ("ptz: control", 2)
    assert [(one.outcome, one.n, one.left_out) for one in arm.outcomes] == [
        ("first seizure", 1, {"R2": "observation broken off"})
    ]


def test_a_study_that_only_enters_animals_has_a_flow_too(tmp_path: Path) -> None:
    flow: Flow = animal_flow(told(tmp_path / "study", lambda *_: None, "R1"))
    assert [(step.what, step.n, dict(step.lost)) for step in flow.steps] == [
        ("entered", 1, {"not stimulated": ("R1",)}),
        ("stimulated", 0, {}),
    ]
    assert "animal_flow.svg" in _drawn(flow)


def _drawn(flow: Flow) -> set[str]:
    draw = Drawer()
    draw.figure("animal_flow", flow_figure(flow), "flow")
    return set(draw.files)
