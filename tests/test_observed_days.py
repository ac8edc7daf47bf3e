"""Weeks of doses and of observed tests: when the next one may be given, until when not, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import MONDAY, event_on
from msgspec import structs

from kindle.course import departure, standing
from kindle.course_plan import CoursePlan, DoseSchedule, Due, NeedsPerson, Over, Standing, State, Wait
from kindle.kindled import FullyKindled, KindledRule, kindledness
from kindle.ledger import CHALLENGE, CONTROL, KINDLING_DOSE, InjectionFact, Ledger, ObservationFact
from kindle.observed_days import observed_departure

SCALE = "guide_2025@1"
EVERY_48_H = DoseSchedule("pentylenetetrazol", 35.0, "mg_salt", 48.0, 4.0, 10, 35.0)
DOSES = CoursePlan(
    kindled=KindledRule(3, 4.0, SCALE, cap_trains=20), model="ptz_kindling", doses=EVERY_48_H, workdays=()
)
ACUTE = CoursePlan(kindled=KindledRule(1, 4.0, SCALE), model="ptz", tests=("vehicle", "valproate 200"), workdays=())


def dose(
    day: float, stage: float | None = 1.0, condition: str = KINDLING_DOSE, *, protocol: str = "ptz"
) -> ObservationFact:
    utc = MONDAY + timedelta(days=day)
    return ObservationFact(
        utc=utc,
        day=utc.date(),
        session=f"R01_{utc:%m%d_%H}",
        seq=0,
        protocol=protocol,  # type: ignore[arg-type]
        mg_per_kg=None if protocol == "electroshock" else 34.8,
        condition=condition,
        scale=SCALE,
        stage=stage,
    )


def injection(day: float, name: str = "pentylenetetrazol") -> InjectionFact:
    utc = MONDAY + timedelta(days=day)
    return InjectionFact(utc, utc.date(), "s", name, 34.8, 0.25)


def had(*doses: ObservationFact) -> Ledger:
    return Ledger(
        "R01", observations=doses, injections=tuple(injection((d.utc - MONDAY) / timedelta(days=1)) for d in doses)
    )


def on(day: float, ledger: Ledger, plan: CoursePlan = DOSES) -> Standing:
    return standing(ledger, plan, MONDAY + timedelta(days=day))


class TestDoses:
    def test_the_first_dose_needs_neither_threshold_nor_train(self) -> None:
        told = on(0, Ledger("R01"))
        assert told.state is State.NAIVE
        assert told.next == Due(
            "ptz", "dose 1, 35 mg/kg of pentylenetetrazol; 0 of 3 seizures of the criterion", KINDLING_DOSE
        )

    def test_the_next_one_comes_when_its_interval_is_over_and_no_more_than_a_little_earlier(self) -> None:
        early = on(1.8, had(dose(0)))
        assert isinstance(early.next, Wait)
        assert early.next.until == MONDAY + timedelta(hours=44)
        assert isinstance(on(44 / 24, had(dose(0))).next, Due)

    def test_seizures_of_the_criterion_are_counted(self) -> None:
        told = on(8, had(dose(0, 2.0), dose(2, 4.0), dose(4, 5.0)))
        assert isinstance(told.next, Due)
        assert told.next.reason == "dose 4, 35 mg/kg of pentylenetetrazol; 2 of 3 seizures of the criterion"
        assert told.flags[0] == "3 kindling doses, 104.4 mg/kg in all"

    def test_a_late_dose_is_flagged(self) -> None:
        assert any("the schedule has one every 48 h" in flag for flag in on(9, had(dose(0))).flags)
        assert not any("the schedule has one" in flag for flag in on(3, had(dose(0))).flags)

    def test_an_unscored_dose_comes_first(self) -> None:
        told = on(3, had(dose(0, None)))
        assert isinstance(told.next, NeedsPerson)
        assert "kindle score" in told.next.reason

    def test_the_challenge_follows_its_rest_once(self) -> None:
        kindled = [dose(0, 4.0), dose(2, 4.0), dose(4, 4.0)]
        resting = on(10, had(*kindled))
        assert (resting.state, type(resting.next)) == (State.RESTING, Wait)
        challenged = on(14, had(*kindled))
        assert isinstance(challenged.next, Due)
        assert challenged.next.condition == CHALLENGE
        over = on(30, had(*kindled, dose(14, 5.0, CHALLENGE)))
        assert (over.state, over.next) == (State.FULLY_KINDLED, Over("fully kindled by 3 doses; no tests are planned"))

    def test_without_a_challenge_the_tests_follow_the_washout(self) -> None:
        plain = structs.replace(EVERY_48_H, challenge_after_days=None, challenge_amount_per_kg=None)
        plan = structs.replace(DOSES, doses=plain, tests=("valproate 200",))
        kindled = had(dose(0, 4.0), dose(2, 4.0), dose(4, 4.0))
        assert on(10, kindled, plan).state is State.WASHOUT
        assert on(11, kindled, plan).next == Due("ptz", "test 1 of 1", "valproate 200")

    def test_an_animal_at_its_cap_is_resistant(self) -> None:
        told = on(60, had(*(dose(2 * n, 3.0) for n in range(20))))
        assert told.state is State.RESISTANT

    def test_an_animal_that_died_after_a_dose_gets_no_other(self) -> None:
        dead = replace(had(dose(0, 5.0)), events=(event_on(0, "died", "in session s"),))
        assert on(3, dead).state is State.DIED


class TestObservedTests:
    def test_tests_follow_each_other_after_the_washout(self) -> None:
        assert on(0, Ledger("R01"), ACUTE).next == Due("ptz", "test 1 of 2", "vehicle")
        one = had(dose(0, 5.0, "vehicle"))
        assert on(3, one, ACUTE).state is State.WASHOUT
        assert on(7, one, ACUTE).next == Due("ptz", "test 2 of 2", "valproate 200")
        both = had(dose(0, 5.0, "vehicle"), dose(7, 1.0, "valproate 200"))
        assert on(20, both, ACUTE).next == Over("all 2 tests are done")

    def test_a_test_that_was_not_planned_takes_the_place_of_no_other(self) -> None:
        one = had(dose(0, 5.0, CONTROL))
        assert on(7, one, ACUTE).next == Due("ptz", "test 1 of 2", "vehicle")

    def test_a_shock_is_washed_out_as_a_drug_is(self) -> None:
        plan = structs.replace(ACUTE, model="electroshock")
        shocked = Ledger("R01", observations=(dose(0, None, "vehicle", protocol="electroshock"),))
        told = on(3, shocked, plan)
        assert isinstance(told.next, Wait)
        assert told.next.reason == "washout of 7 days after the shock"
        assert on(7, shocked, plan).next == Due("electroshock", "test 2 of 2", "valproate 200")

    @pytest.mark.parametrize(
        ("day", "condition", "why"),
        [
            (7, "valproate 200", ""),
            (7, "vehicle", "valproate 200 is the next condition of R01, not vehicle"),
            (6, "valproate 200", "R01 is in its washout of 7 days after pentylenetetrazol until Mon 2026-01-12 00:00"),
        ],
    )
    def test_what_departs_from_the_course_is_told(self, day: int, condition: str, why: str) -> None:
        ledger = had(dose(0, 5.0, "vehicle"))
        assert observed_departure(ledger, ACUTE, MONDAY + timedelta(days=day), condition) == why


@dataclass
class Doses:
    """A technician who looks three times a day and gives what is due."""

    plan: CoursePlan
    stage_of: Callable[[int], float]
    ledger: Ledger = field(default_factory=lambda: Ledger("R01"))
    said: list[tuple[datetime, Standing]] = field(default_factory=list)

    def live(self, days: int, absent: frozenset[int] = frozenset(), hours: Sequence[float] = (0, 4, 8)) -> None:
        for day in range(days):
            for hour in hours if day not in absent else ():
                now = MONDAY + timedelta(days=day, hours=hour)
                told = standing(self.ledger, self.plan, now)
                self.said.append((now, told))
                if isinstance(told.next, Due):
                    at = (now - MONDAY) / timedelta(days=1)
                    one = dose(at, self.stage_of(len(self.ledger.observations)), told.next.condition)
                    self.ledger = replace(
                        self.ledger,
                        observations=(*self.ledger.observations, one),
                        injections=(*self.ledger.injections, injection(at)),
                    )


stages = st.lists(st.sampled_from([0.0, 1.0, 3.0, 4.0, 5.0]), min_size=1, max_size=30)


class TestHistories:
    @settings(deadline=None, max_examples=40)
    @given(
        stages=stages,
        interval_h=st.sampled_from([12.0, 24.0, 48.0, 72.0]),
        early_h=st.sampled_from([0.0, 1.0, 4.0]),
        absent=st.frozensets(st.integers(0, 60), max_size=20),
        washout=st.integers(1, 9),
        hours=st.lists(st.floats(0, 23), min_size=1, max_size=4).map(sorted),
    )
    def test_no_dose_breaks_a_rule_of_its_course(
        self,
        stages: list[float],
        interval_h: float,
        early_h: float,
        absent: frozenset[int],
        washout: int,
        hours: list[float],
    ) -> None:
        schedule = structs.replace(EVERY_48_H, interval_h=interval_h, early_h=early_h)
        plan = structs.replace(DOSES, doses=schedule, tests=("A", "B"), washout_days=washout)
        life = Doses(plan, lambda n: stages[n % len(stages)])
        life.live(90, absent, hours)
        given_ = life.ledger.observations
        kindling = [fact for fact in given_ if fact.condition == KINDLING_DOSE]
        for earlier, later in pairwise(kindling):
            assert later.utc - earlier.utc >= timedelta(hours=interval_h - early_h)
        assert len(kindling) <= 20
        assert list(given_[: len(kindling)]) == kindling
        progress = kindledness(kindling, plan.kindled)
        after = [fact.condition for fact in given_[len(kindling) :]]
        if not isinstance(progress, FullyKindled):
            assert after == []
            return
        assert progress.reached == kindling[-1]
        assert after == [CHALLENGE, "A", "B"][: len(after)]
        for earlier, later in pairwise(given_[len(kindling) - 1 :]):
            least = 10 if later.condition == CHALLENGE else washout
            assert (later.day - earlier.day).days >= least

    @settings(deadline=None, max_examples=25)
    @given(stages=stages, absent=st.frozensets(st.integers(0, 50), max_size=20))
    def test_a_course_replayed_from_its_ledger_decides_the_same(
        self, stages: list[float], absent: frozenset[int]
    ) -> None:
        plan = structs.replace(DOSES, tests=("A",))
        life = Doses(plan, lambda n: stages[n % len(stages)])
        life.live(60, absent)
        for at, told in life.said:
            then = at - timedelta(seconds=1) if isinstance(told.next, Due) else at
            assert standing(life.ledger.until(then), plan, at) == told


def test_a_drug_day_of_trains_is_no_departure_only_where_it_is_due() -> None:
    """The same rules as the course of trains has, for a day that somebody asks for."""
    naive = Ledger("R01")
    plan = CoursePlan(kindled=KindledRule(1, 5.0, "racine_1972@1"))
    assert departure(naive, plan, MONDAY, "A").startswith("R01 is naive, and threshold is due first")
