"""Weeks of an animal: what is due, what is not due yet, and why; the same decisions from the same ledger."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import MONDAY, RACINE, Weeks, event_on, threshold_on, train, weight_on
from msgspec import structs

from detectors.criterion import Verdict
from kindle.course import standing
from kindle.course_flags import missed_days
from kindle.course_plan import CoursePlan, Due, NeedsPerson, Over, Standing, State, Wait
from kindle.drug_days import gate_open
from kindle.errors import UnsafeStimulus
from kindle.interlocks import AnimalLimits, check_day, check_identity, check_scored, check_weight
from kindle.kindled import KindledRule
from kindle.ledger import CONTROL, Ledger, ThresholdFact
from kindle.protocols.threshold import Aborted, NoAfterdischarge

PLAN = CoursePlan(
    kindled=KindledRule(3, 4.0, RACINE, cap_trains=30), tests=("A", "B", "C"), washout_days=7, control_gap_days=(1, 3)
)


def rising(n: int) -> float:
    """Stage 4 from the sixth train on, stage 5 from the eighth."""
    return min(5.0, float(n // 2 + 1))


def on(day: int, ledger: Ledger, plan: CoursePlan = PLAN, hour: int = 0) -> Standing:
    return standing(ledger, plan, MONDAY + timedelta(days=day, hours=hour))


class TestBeforeKindling:
    def test_an_animal_recovers_from_its_operation(self) -> None:
        told = on(3, Ledger("R01", events=(event_on(0, "implanted"),)))
        assert told.state is State.RECOVERING
        assert isinstance(told.next, Wait)
        assert told.next.until == (MONDAY + timedelta(days=7)).replace(hour=0)

    def test_then_its_threshold_is_due(self) -> None:
        told = on(7, Ledger("R01", events=(event_on(0, "implanted"),)))
        assert (told.state, told.next) == (State.NAIVE, Due("threshold", "no threshold has been measured"))

    def test_an_animal_without_an_afterdischarge_needs_a_decision(self) -> None:
        none = ThresholdFact(MONDAY, MONDAY.date(), "s", NoAfterdischarge(915.8))
        told = on(1, Ledger("R01", thresholds=(none,)))
        assert isinstance(told.next, NeedsPerson)
        assert "no afterdischarge up to 915.8 uA" in told.next.reason

    def test_a_test_that_was_stopped_is_repeated_later(self) -> None:
        stopped = ThresholdFact(MONDAY, MONDAY.date(), "s", Aborted(8.0, "the plug came off"))
        assert isinstance(on(0, Ledger("R01", thresholds=(stopped,)), hour=2).next, Wait)
        assert on(1, Ledger("R01", thresholds=(stopped,))).next == Due(
            "threshold", "the last threshold test ended without an answer"
        )

    @pytest.mark.parametrize(
        ("kind", "state"),
        [("died", State.DIED), ("electrode_lost", State.ELECTRODE_LOST), ("excluded", State.EXCLUDED)],
    )
    def test_nothing_is_due_for_an_animal_that_is_out(self, kind: str, state: State) -> None:
        told = on(5, Ledger("R01", thresholds=(threshold_on(0),), events=(event_on(4, kind, "a reason"),)))
        assert told.state is state
        assert isinstance(told.next, Over)
        assert "a reason" in told.next.reason


class TestKindling:
    LEDGER = Ledger("R01", thresholds=(threshold_on(-7),))

    def test_once_a_day(self) -> None:
        ledger = replace(self.LEDGER, trains=(train(0, 1.0),))
        assert isinstance(on(0, ledger, hour=8).next, Wait)
        assert on(1, ledger).next == Due("kindling", "train 2, 0 of 3 seizures of the criterion")

    def test_twice_a_day_with_hours_between(self) -> None:
        twice = structs.replace(PLAN, sessions_per_day=2, session_interval_h=4.0)
        ledger = replace(self.LEDGER, trains=(train(0, 1.0),))
        assert isinstance(on(0, ledger, twice, hour=3).next, Wait)
        assert isinstance(on(0, ledger, twice, hour=4).next, Due)

    def test_not_on_a_day_without_work(self) -> None:
        ledger = replace(self.LEDGER, trains=(train(4, 1.0),))
        told = on(5, ledger)
        assert isinstance(told.next, Wait)
        assert told.next.until == (MONDAY + timedelta(days=7)).replace(hour=0)

    def test_an_unscored_train_comes_first(self) -> None:
        told = on(1, replace(self.LEDGER, trains=(train(0, None),)))
        assert isinstance(told.next, NeedsPerson)
        assert "kindle score" in told.next.reason

    def test_a_resistant_animal_is_at_its_end(self) -> None:
        told = on(40, replace(self.LEDGER, trains=tuple(train(day, 2.0) for day in range(30))))
        assert told.state is State.RESISTANT

    def test_an_old_threshold_is_measured_again(self) -> None:
        plan = structs.replace(PLAN, threshold_every_days=14)
        ledger = replace(self.LEDGER, trains=(train(3, 1.0),))
        assert isinstance(on(4, ledger, plan).next, Due)
        assert on(7, ledger, plan).next == Due("threshold", "the last threshold is 14 days old")

    def test_a_rest_is_followed_by_rekindling(self) -> None:
        plan = structs.replace(PLAN, rest_days=21)
        kindled = tuple(train(day) for day in range(3))
        assert on(10, replace(self.LEDGER, trains=kindled), plan).state is State.RESTING
        told = on(28, replace(self.LEDGER, trains=kindled), plan)
        assert told.state is State.REKINDLING
        again = (*kindled, train(28), train(29))
        assert on(32, replace(self.LEDGER, trains=again), plan).state is State.TESTING


class TestFlags:
    LEDGER = Ledger("R01", thresholds=(threshold_on(-7),), weights=(weight_on(0, 300.0),))

    def test_a_current_far_above_a_fallen_threshold_is_flagged(self) -> None:
        (flag,) = on(1, replace(self.LEDGER, trains=(train(0, 1.0),))).flags
        assert flag == "the current of 500 uA is 5.84 times the last threshold"

    def test_missed_days_are_never_skipped_in_silence(self) -> None:
        ledger = replace(self.LEDGER, trains=(train(0, 1.0, current_ua=90.0), train(3, 1.0, current_ua=90.0)))
        assert [day.day for day in missed_days(ledger, PLAN, (MONDAY + timedelta(days=7)).date())] == [6, 7, 9]
        assert any("3 missed days" in flag for flag in on(7, ledger).flags)

    def test_an_animal_without_a_recent_weight_is_flagged(self) -> None:
        ledger = replace(self.LEDGER, trains=(train(0, 1.0, current_ua=90.0),))
        assert any("last weight is of 2026-01-05" in flag for flag in on(14, ledger).flags)


class TestDrugDays:
    def test_the_controls_must_be_the_animals_usual_seizures(self) -> None:
        usual = [train(day, condition=CONTROL, protocol="drug-test", discharge_s=60.0 + day % 3) for day in range(5)]
        assert gate_open(usual, PLAN)
        assert not gate_open([*usual, train(6, 3.0)], PLAN)
        assert not gate_open([*usual, train(6, discharge_s=10.0)], PLAN)
        assert not gate_open(usual[:1], PLAN)

    def test_a_whole_course_from_threshold_to_the_last_drug(self) -> None:
        weeks = Weeks(PLAN, rising)
        weeks.live(90)
        protocols = [due.protocol for _, due in weeks.done]
        assert protocols[0] == "threshold"
        assert protocols[1:9] == ["kindling"] * 8
        assert "kindling" not in protocols[9:]
        conditions = [due.condition for _, due in weeks.done if due.protocol == "drug-test"]
        assert [one for one in conditions if one != CONTROL] == ["A", "B", "C"]
        assert weeks.said[-1][1].state is State.ENDED
        assert weeks.said[-1][1].next == Over("all 3 drug tests are done")

    @settings(deadline=None, max_examples=25)
    @given(
        washout=st.integers(0, 10),
        least=st.integers(0, 2),
        more=st.integers(0, 3),
        absent=st.frozensets(st.integers(0, 80), max_size=25),
        per_day=st.integers(1, 2),
    )
    def test_no_drug_day_breaks_a_rule_of_its_course(
        self, washout: int, least: int, more: int, absent: frozenset[int], per_day: int
    ) -> None:
        plan = structs.replace(
            PLAN, washout_days=washout, control_gap_days=(least, least + more), sessions_per_day=per_day
        )
        weeks = Weeks(plan, rising)
        weeks.live(80, absent)
        trains = weeks.ledger.trains
        drugged = [one for one in trains if one.protocol == "drug-test" and one.condition != CONTROL]
        controls = [one for one in trains if one.condition == CONTROL]
        for earlier, later in pairwise(drugged):
            assert (later.day - earlier.day).days >= washout
        for one in drugged:
            gaps = [(one.day - control.day).days for control in controls if control.utc < one.utc]
            assert gaps
            assert least <= min(gaps) <= least + more
        for earlier, later in pairwise(trains):
            assert later.utc - earlier.utc >= timedelta(hours=PLAN.session_interval_h)
        for one in trains:
            assert one.day.weekday() < 5
            assert sum(other.day == one.day for other in trains) <= per_day

    @settings(deadline=None, max_examples=25)
    @given(absent=st.frozensets(st.integers(0, 60), max_size=20), stages=st.lists(st.integers(0, 5), min_size=60))
    def test_a_course_replayed_from_its_ledger_decides_the_same(
        self, absent: frozenset[int], stages: list[int]
    ) -> None:
        weeks = Weeks(PLAN, lambda n: float(max(stages[n % len(stages)], 4 if n > 12 else 0)))
        weeks.live(60, absent)
        done = {at for at, _ in weeks.done}
        for at, told in weeks.said:
            # What was done at that moment was not known yet when it was decided.
            then = at - timedelta(seconds=1) if at in done else at
            replayed = standing(weeks.ledger.until(then), PLAN, at)
            assert replayed == told


class TestInterlocks:
    LIMITS = AnimalLimits(max_weight_loss=0.15, max_trains_per_day=2)

    def test_an_animal_that_lost_too_much_is_not_stimulated(self) -> None:
        ledger = Ledger("R01", weights=(weight_on(0, 300.0), weight_on(3, 250.0)))
        with pytest.raises(UnsafeStimulus, match="R01 has lost 17% of its highest weight; max_weight_loss allows 15%"):
            check_weight(ledger, self.LIMITS)
        check_weight(replace(ledger, weights=(weight_on(0, 300.0), weight_on(3, 255.0))), self.LIMITS)
        check_weight(Ledger("R01"), self.LIMITS)

    @pytest.mark.parametrize("read", ["R02", "", "R011"])
    def test_another_animal_on_the_rig_is_refused(self, read: str) -> None:
        with pytest.raises(UnsafeStimulus, match="R01 is to be tested"):
            check_identity("R01", read)

    def test_the_mark_may_be_read_in_small_letters(self) -> None:
        check_identity("R01", " r01\n")

    def test_a_day_holds_no_more_trains_than_allowed(self) -> None:
        today = [train(0, 1.0)]
        check_day(today, 1, Ledger("R01"), self.LIMITS)
        with pytest.raises(UnsafeStimulus, match="has had 1 trains today and the plan has up to 2 more"):
            check_day(today, 2, Ledger("R01"), self.LIMITS)

    def test_a_train_without_a_stage_forbids_the_next(self) -> None:
        ledger = Ledger("R01", trains=(train(0, None),))
        with pytest.raises(UnsafeStimulus, match="without a stage"):
            check_scored(ledger, self.LIMITS)
        check_scored(ledger, structs.replace(self.LIMITS, score_before_next=False))
        check_scored(Ledger("R01", trains=(train(0, None, protocol="threshold", scale=""),)), self.LIMITS)

    def test_the_ledger_counts_every_exposure(self) -> None:
        """Also a sub-threshold train changes the animal; Racine 1972a."""
        ledger = Ledger("R01", trains=(train(0), train(1, verdict=Verdict.NONE), train(2, verdict=None)))
        assert (ledger.n_sub_threshold, ledger.n_afterdischarges, ledger.charge_uc) == (1, 1, 75.0)
