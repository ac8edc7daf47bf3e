"""The course of an animal from study.toml: schedule, criterion, days around a drug day, and the animal's own order."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ledgers import MONDAY, threshold_on, train
from msgspec import structs

from kindle.blinding import store_design
from kindle.course import standing
from kindle.course_in_force import course_of
from kindle.course_plan import CoursePlan
from kindle.design import groups
from kindle.errors import ConfigError
from kindle.ledger import Ledger
from kindle.rows import Animal
from kindle.study import create_study, open_study

TREATMENTS = """
[[treatments]]
name = "vehicle"
vehicle = { substance = "saline", ml_per_kg = 2.0, route = "i.p.", pretreatment_min = 15.0 }
"""

In = Callable[[str], CoursePlan]


@pytest.fixture
def course(tmp_path: Path) -> In:
    def made(text: str) -> CoursePlan:
        create_study(tmp_path / "study", f'name = "x"\n{text}')
        with open_study(tmp_path / "study") as study:
            study.add_animal(Animal("R01"), MONDAY)
            return course_of(study, "R01")

    return made


def test_the_days_of_a_week_are_those_of_the_schedule(course: In) -> None:
    """Hannover: five days a week, from memory of the literature."""
    plan = course("")
    assert (plan.days_per_week, plan.workdays) == (5, ("mon", "tue", "wed", "thu", "fri"))


def test_a_schedule_of_every_day_works_on_every_day(course: In) -> None:
    plan = course("[kindling]\ndays_per_week = 7\n")
    assert (plan.days_per_week, plan.workdays) == (7, ())


def test_the_laboratorys_own_days_come_first(course: In) -> None:
    plan = course('[kindling]\ndays_per_week = 7\n[course]\nworkdays = ["mon", "wed"]\ndays_per_week = 2\n')
    assert (plan.days_per_week, plan.workdays) == (2, ("mon", "wed"))


def test_the_days_around_a_drug_day_are_published_ones_with_the_laboratorys_over_them(course: In) -> None:
    plan = course('[course]\npreset = "hannover"\nafter_kindling_days = 3\ngate_controls = 3\nwashout_days = 10\n')
    assert (plan.control_gap_days, plan.after_kindling_days, plan.gate_controls, plan.washout_days) == (
        (2, 3),
        3,
        3,
        10,
    )


def test_without_a_name_they_are_the_conventional_ones(course: In) -> None:
    plan = course("")
    assert (plan.control_gap_days, plan.after_kindling_days, plan.washout_days) == ((1, 3), 2, 7)


def test_what_a_design_leaves_open_is_asked_for_where_there_are_tests(course: In) -> None:
    with pytest.raises(ConfigError) as refused:
        course('[course]\npreset = "etsp"\ntests = ["vehicle"]\n' + TREATMENTS)
    assert str(refused.value) == (
        "preset etsp does not state control_gap_days, washout_days, gate_controls; set them under [course] in "
        "study.toml"
    )


def test_and_not_where_there_are_none(course: In) -> None:
    assert course('[course]\npreset = "etsp"\n').tests == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[course]\npreset = "mine"\n', "no drug test preset 'mine'; there are: conventional, etsp, hannover"),
        ('[course]\ntests = ["A"]\n', "tests under .course. names 'A', which is none of the .*vehicle"),
        ('[course]\ntests = ["control"]\n', "names 'control', which is none of"),
        ("[course]\nkindled = { n = 3 }\n", "unknown key 'kindled' under .course.; it is set under .kindled."),
        ("[course]\ndoses = { }\n", "unknown key 'doses' under .course.; it is set under .ptz."),
        ("[course]\nwashout = 7\n", "unknown key `washout` under .course."),
        ('[course]\nmodel = "kindled"\n', 'model under .course. takes one of "electroshock", "kindling", "ptz"'),
        ('[course]\nmodel = "ptz_kindling"\n', "has no .ptz."),
        (
            '[course]\nmodel = "ptz_kindling"\n[kindled]\nafterdischarge_required = true\n[ptz]\npreset = "ito_1977"\n',
            "asks for an afterdischarge, and nobody looks for one after a dose",
        ),
    ],
)
def test_what_is_wrong_is_named(course: In, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        course(text + TREATMENTS)


def test_a_control_is_a_test_of_its_own_where_nothing_else_is_compared_with(course: In) -> None:
    assert course('[course]\nmodel = "electroshock"\ntests = ["control", "vehicle"]\n' + TREATMENTS).tests == (
        "control",
        "vehicle",
    )


def test_doses_are_judged_on_the_scale_of_the_convulsant(course: In) -> None:
    plan = course('criterion = "ptz_kindling"\n[course]\nmodel = "ptz_kindling"\n[ptz]\npreset = "ito_1977"\n')
    assert (plan.kindled.scale, plan.kindled.n) == ("guide_2025@1", 3)
    assert plan.doses is not None
    assert (plan.doses.amount_per_kg, plan.doses.interval_h) == (40.0, 24.0)


def test_groups_give_each_animal_one_treatment(tmp_path: Path) -> None:
    create_study(tmp_path / "study", 'name = "x"\n[course]\nmodel = "ptz"\n' + TREATMENTS)
    with open_study(tmp_path / "study") as study:
        ids = [f"R{n:02}" for n in range(1, 8)]
        for id in ids:
            study.add_animal(Animal(id), MONDAY)
        store_design(study, groups(ids, ["vehicle", "dose"], 3), datetime(2026, 1, 5, tzinfo=UTC))
        tests = [course_of(study, id).tests for id in ids]
    assert {len(one) for one in tests} == {1}
    n_vehicle = tests.count(("vehicle",))
    assert abs(2 * n_vehicle - len(ids)) == 1


def test_a_current_that_stays_while_the_threshold_falls_is_flagged(course: In) -> None:
    """The threshold falls by 40-60 % under daily trains (Racine 1972a): a fixed current creeps up over it."""
    plan = course("[course]\ndrift_ratio = 1.5\n")
    ledger = Ledger("R01", thresholds=(threshold_on(-7),), trains=(train(0, 1.0, current_ua=130.0),))
    assert "the current of 130 uA is 1.52 times the last threshold" in standing(ledger, plan, MONDAY).flags
    usual = structs.replace(plan, drift_ratio=2.0)
    assert not any("times the last threshold" in flag for flag in standing(ledger, usual, MONDAY).flags)
