"""Days of a week, re-tests of the threshold, rest and rekindling: rules of a course that stand by themselves."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import MONDAY, RACINE, Weeks, event_on, threshold_on, train
from msgspec import structs

from kindle.course import departure, standing
from kindle.course_facts import left_of
from kindle.course_flags import missed_days
from kindle.course_plan import CoursePlan, Due, Standing, State, Wait
from kindle.drug_days import gate_open
from kindle.kindled import KindledRule
from kindle.ledger import CONTROL, InjectionFact, Ledger
from kindle.protocols.threshold import Aborted

PLAN = CoursePlan(kindled=KindledRule(3, 4.0, RACINE), workdays=())
KNOWN = Ledger("R01", thresholds=(threshold_on(-7),))


def on(day: float, ledger: Ledger, plan: CoursePlan) -> Standing:
    return standing(ledger, plan, MONDAY + timedelta(days=day))


def week_of(day: date) -> tuple[int, int]:
    return day.isocalendar()[:2]


class TestDaysOfAWeek:
    THREE = structs.replace(PLAN, days_per_week=3)

    def test_a_week_that_has_had_its_days_waits_for_monday(self) -> None:
        ledger = replace(KNOWN, trains=tuple(train(day, 1.0) for day in (0, 1, 3)))
        told = on(4, ledger, self.THREE)
        assert isinstance(told.next, Wait)
        assert told.next.until == (MONDAY + timedelta(days=7)).replace(hour=0)
        assert isinstance(on(7, ledger, self.THREE).next, Due)

    def test_a_second_session_of_a_day_is_no_further_day(self) -> None:
        plan = structs.replace(self.THREE, sessions_per_day=2)
        ledger = replace(KNOWN, trains=tuple(train(day, 1.0) for day in (0, 1, 3)))
        assert isinstance(on(3 + 5 / 24, ledger, plan).next, Due)

    def test_days_off_of_the_schedule_are_not_missed(self) -> None:
        five = structs.replace(PLAN, days_per_week=5)
        ledger = replace(KNOWN, trains=tuple(train(day, 1.0) for day in (0, 1, 2, 4, 5, 8)))
        assert missed_days(ledger, five, (MONDAY + timedelta(days=7)).date()) == ()
        assert [day.day for day in missed_days(ledger, PLAN, (MONDAY + timedelta(days=7)).date())] == [8, 11]

    def test_a_rest_is_no_row_of_missed_days(self) -> None:
        plan = structs.replace(PLAN, rest_days=14)
        ledger = replace(KNOWN, trains=tuple(train(day) for day in (0, 1, 2, 16)))
        assert missed_days(ledger, plan, (MONDAY + timedelta(days=17)).date()) == ()

    @settings(deadline=None, max_examples=30)
    @given(
        days=st.integers(1, 7),
        per_day=st.integers(1, 2),
        absent=st.frozensets(st.integers(0, 40), max_size=20),
        first=st.integers(0, 6),
    )
    def test_no_week_has_more_days_than_the_schedule(
        self, days: int, per_day: int, absent: frozenset[int], first: int
    ) -> None:
        never = KindledRule(30, 5.0, RACINE)
        plan = structs.replace(PLAN, kindled=never, days_per_week=days, sessions_per_day=per_day)
        weeks = Weeks(plan, lambda n: 1.0)
        weeks.live(40, absent | frozenset(range(first)))
        trains = [one for one in weeks.ledger.trains if one.protocol == "kindling"]
        n_days = Counter(week_of(day) for day in {one.day for one in trains})
        assert all(n <= days for n in n_days.values())
        for week, n in n_days.items():
            free = [
                MONDAY + timedelta(days=day)
                for day in range(first + 1, 40)
                if day not in absent and week_of((MONDAY + timedelta(days=day)).date()) == week
            ]
            assert n >= min(days, len(free) - 1)


class TestRetests:
    KINDLED = replace(KNOWN, trains=tuple(train(day) for day in range(3)))

    def test_the_threshold_is_measured_again_once_the_animal_is_kindled(self) -> None:
        plan = structs.replace(PLAN, threshold_after_kindling=True, tests=("A",))
        told = on(4, self.KINDLED, plan)
        assert (told.state, told.next) == (
            State.FULLY_KINDLED,
            Due("threshold", "re-test of the threshold after full kindling"),
        )
        assert on(5, replace(self.KINDLED, thresholds=(threshold_on(-7), threshold_on(4))), plan).state is State.TESTING

    def test_a_retest_that_was_stopped_is_none(self) -> None:
        plan = structs.replace(PLAN, threshold_after_kindling=True)
        stopped = replace(threshold_on(4), outcome=Aborted(8.0, "the plug came off"))
        told = on(5, replace(self.KINDLED, thresholds=(threshold_on(-7), stopped)), plan)
        assert told.next == Due("threshold", "re-test of the threshold after full kindling")

    def test_it_needs_no_age_of_the_threshold(self) -> None:
        assert on(4, self.KINDLED, structs.replace(PLAN, threshold_every_days=None)).state is State.FULLY_KINDLED

    def test_the_threshold_can_be_measured_when_a_rest_is_over(self) -> None:
        plan = structs.replace(PLAN, rest_days=14, threshold_after_rest=True, rekindle_n=1)
        assert on(10, self.KINDLED, plan).state is State.RESTING
        told = on(16, self.KINDLED, plan)
        assert told.next == Due("threshold", "re-test of the threshold after a rest of 14 days")
        measured = replace(self.KINDLED, thresholds=(threshold_on(-7), threshold_on(16)))
        again = on(17, measured, plan)
        assert (again.state, again.next) == (
            State.REKINDLING,
            Due("kindling", "rekindling, 0 of 1 seizures after the rest"),
        )
        done = replace(measured, trains=(*measured.trains, train(17)))
        assert on(18, done, plan).state is State.FULLY_KINDLED


class TestDepartures:
    PLAN = structs.replace(PLAN, tests=("A", "B"), gate_controls=0)
    KINDLED = replace(KNOWN, trains=tuple(train(day) for day in range(3)))

    def control(self, day: int) -> Ledger:
        one = train(day, protocol="drug-test", condition=CONTROL)
        return replace(self.KINDLED, trains=(*self.KINDLED.trains, one))

    def told(self, day: float, ledger: Ledger, condition: str = "A") -> str:
        return departure(ledger, self.PLAN, MONDAY + timedelta(days=day), condition)

    def test_a_drug_day_after_its_control_is_none(self) -> None:
        assert self.told(5, self.control(4)) == ""

    @pytest.mark.parametrize(
        ("day", "control", "why"),
        [
            (3, None, "R01 is testing, with nothing due before Fri 2026-01-09 00:00: 2 days after the last kindling"),
            (5, None, "R01 is testing, and drug-test is due first: control before A"),
            (9, 4, "R01 is testing, and drug-test is due first: control before A"),
        ],
    )
    def test_a_drug_day_without_a_control_of_the_days_before_is_one(
        self, day: int, control: int | None, why: str
    ) -> None:
        ledger = self.KINDLED if control is None else self.control(control)
        assert self.told(day, ledger).startswith(why)

    def test_a_drug_day_in_the_washout_is_one(self) -> None:
        ledger = self.control(4)
        utc = MONDAY + timedelta(days=5)
        drugged = train(5, protocol="drug-test", condition="A")
        given_ = InjectionFact(utc, utc.date(), drugged.session, "valproate", 200.0, 1.2, "A")
        ledger = replace(ledger, trains=(*ledger.trains, drugged), injections=(given_,))
        assert "washout of 7 days after valproate" in self.told(8, ledger, "B")
        assert self.told(8, ledger, "A") == "B is the next condition of R01, not A"

    def test_an_animal_that_is_out_has_no_drug_day(self) -> None:
        out = replace(self.control(4), events=(event_on(4, "excluded", "lost its cap"),))
        assert self.told(5, out) == "R01 is excluded: excluded on 2026-01-09: lost its cap"

    def test_a_day_off_of_the_people_is_no_departure(self) -> None:
        plan = structs.replace(self.PLAN, workdays=("mon",))
        assert departure(self.control(4), plan, MONDAY + timedelta(days=5), "A") == ""

    @settings(deadline=None, max_examples=25)
    @given(washout=st.integers(0, 9), absent=st.frozensets(st.integers(0, 60), max_size=20))
    def test_what_a_course_has_due_never_departs_from_it(self, washout: int, absent: frozenset[int]) -> None:
        plan = structs.replace(self.PLAN, washout_days=washout, gate_controls=2)
        weeks = Weeks(plan, lambda n: 5.0)
        for day in range(60):
            if day in absent:
                continue
            now = MONDAY + timedelta(days=day)
            due = standing(weeks.ledger, plan, now).next
            if isinstance(due, Due) and due.condition not in ("", CONTROL):
                assert departure(weeks.ledger, plan, now, due.condition) == ""
            elif len(left_of(plan.tests, [t.condition for t in weeks.ledger.trains])) > 0:
                assert departure(weeks.ledger, plan, now, "A") != ""
            weeks.live(day + 1, frozenset(range(day)) | absent)


def test_where_a_threshold_is_tested_under_a_drug_the_controls_have_no_stage_to_judge() -> None:
    controls = [train(4, None, protocol="drug-test", condition=CONTROL, scale="")]
    assert gate_open(controls, PLAN)
    assert not gate_open([train(4, 2.0, protocol="drug-test", condition=CONTROL)], PLAN)


@given(
    tests=st.lists(st.sampled_from("ABC"), max_size=8).map(tuple),
    done=st.lists(st.sampled_from("ABCX"), max_size=8),
)
def test_what_is_left_and_what_was_done_of_the_plan_make_up_the_plan(tests: tuple[str, ...], done: list[str]) -> None:
    left = Counter(left_of(tests, done))
    assert left == Counter(tests) - Counter(done)
