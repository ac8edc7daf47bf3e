"""Up-and-down, bracketing and alternating series, the generalised seizure threshold, and re-tests."""

from dataclasses import dataclass
from itertools import pairwise
from math import log

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from pure_animal import RATE_HZ, Animal
from strategies import FATES, thresholds_ua
from test_threshold import HANNOVER

from kindle.engine import run
from kindle.errors import ConfigError
from kindle.exchange import Reply, Request, Scored, ScoreSeizure
from kindle.protocols.ladder import Add, Ratio
from kindle.protocols.search import Alternating, Bracket, Search, UpDown
from kindle.protocols.threshold import (
    Aborted,
    BothThresholds,
    Continuation,
    Crossing,
    GeneralisedFound,
    GeneralisedUnknown,
    NoAfterdischarge,
    NotGeneralised,
    ThresholdAveraged,
    ThresholdFound,
    ThresholdOutcome,
    ThresholdPlan,
    describe,
)
from kindle.protocols.threshold_series import starting_below, threshold_series

PROPERTY = settings(deadline=None, max_examples=100)

UP_DOWN = structs.replace(HANNOVER, start_ua=5.0, max_ua=1000.0, search=UpDown(first_ua=50.0))
BRACKET = structs.replace(HANNOVER, start_ua=10.0, max_ua=1000.0, search=Bracket(1.2))
ALTERNATING = structs.replace(HANNOVER, start_ua=10.0, step=Add(10.0), max_ua=200.0, search=Alternating())
SEARCHES = [UP_DOWN, BRACKET, ALTERNATING]


def outcome_of(plan: ThresholdPlan, animal: Animal) -> ThresholdOutcome:
    return run(threshold_series(plan), animal.perform)


@dataclass
class Generalising(Animal):
    """Reaches stage 2 with each discharge, and stage 5 from ``generalised_ua`` on."""

    generalised_ua: float = 100.0
    stages_entered: int = 1000

    def perform(self, request: Request) -> Reply:
        if not isinstance(request, ScoreSeizure):
            return super().perform(request)
        self.stages_entered -= 1
        if self.stages_entered < 0:
            return Scored(request.scale, None)
        return Scored(request.scale, 5.0 if self.trains[-1][1].current_ua >= self.generalised_ua else 2.0)


GST = structs.replace(HANNOVER, lockout_after_ad_s=120.0, continuation=Continuation("racine_1972@1", 4.0))


class TestSearches:
    @PROPERTY
    @given(plan=st.sampled_from(SEARCHES), threshold_ua=thresholds_ua())
    def test_the_outcome_holds_the_true_threshold(self, plan: ThresholdPlan, threshold_ua: float) -> None:
        match outcome_of(plan, Animal(threshold_ua)):
            case ThresholdFound(above_ua, rung_ua):
                assert above_ua < threshold_ua <= rung_ua
            case ThresholdAveraged() as averaged:
                assert all(c.above_ua < threshold_ua <= c.rung_ua for c in averaged.crossings)
                assert averaged.above_ua < averaged.estimate_ua < averaged.rung_ua
            case NoAfterdischarge(above_ua):
                assert above_ua == plan.rungs_ua[-1] < threshold_ua
            case unexpected:
                pytest.fail(f"nothing stops a series of clear trains: {unexpected}")

    @PROPERTY
    @given(
        plan=st.sampled_from(SEARCHES),
        threshold_ua=thresholds_ua(),
        fates=st.lists(st.sampled_from(FATES), max_size=20),
        answers=st.lists(st.integers(0, 3), max_size=10),
    )
    def test_no_train_leaves_the_ladder_and_each_discharge_is_waited_out(
        self, plan: ThresholdPlan, threshold_ua: float, fates: list[str], answers: list[int]
    ) -> None:
        animal = Animal(threshold_ua, fates, answers)  # type: ignore[arg-type]
        outcome_of(plan, animal)
        assert {train.current_ua for _, train in animal.trains} <= set(plan.rungs_ua)
        for n, ((earlier, train), (later, _)) in enumerate(pairwise(animal.trains)):
            fate = fates[n] if n < len(fates) else "clear"
            wait_s = plan.interval_s
            if fate == "clear" and animal.discharges_at(train.current_ua):
                wait_s = plan.lockout_after_ad_s
            assert later - earlier >= wait_s * RATE_HZ - 1

    @PROPERTY
    @given(plan=st.sampled_from(SEARCHES), threshold_ua=thresholds_ua())
    def test_the_worst_case_is_not_exceeded(self, plan: ThresholdPlan, threshold_ua: float) -> None:
        animal = Animal(threshold_ua)
        outcome_of(plan, animal)
        assert len(animal.trains) <= plan.most_trains

    def test_up_and_down_turns_around_the_threshold(self) -> None:
        """Begun at 50 uA below a threshold of 60 uA, steps of 1.2: up, then back and forth over four reversals."""
        animal = Animal(60.0)
        averaged = outcome_of(UP_DOWN, animal)
        assert isinstance(averaged, ThresholdAveraged)
        assert len(averaged.crossings) == 4
        assert len(set(averaged.crossings)) == 1
        assert abs(log(averaged.estimate_ua / 60.0)) < log(1.2)
        assert "geometric mean of 4 crossings" in describe(averaged)

    def test_a_noisy_series_that_runs_off_its_ladder_says_so(self) -> None:
        plan = structs.replace(UP_DOWN, step=Ratio(2.0), start_ua=50.0, max_ua=100.0)
        animal = Animal(1000.0, fates=("undetermined",), answers=(3,))
        outcome = outcome_of(plan, animal)
        assert outcome == ThresholdFound(0.0, 50.0)

    def test_a_bracket_costs_few_trains(self) -> None:
        animal = Animal(75.0)
        found = outcome_of(BRACKET, animal)
        assert isinstance(found, ThresholdFound)
        assert found.rung_ua / found.above_ua <= 1.2
        assert len(animal.trains) <= 5

    def test_an_alternating_series_decides_each_level_by_three_of_five(self) -> None:
        animal = Animal(100.0)
        averaged = outcome_of(ALTERNATING, animal)
        assert isinstance(averaged, ThresholdAveraged)
        assert len(averaged.crossings) == 4
        assert all(crossing == Crossing(90.0, 100.0) for crossing in averaged.crossings)

    @pytest.mark.parametrize("plan", SEARCHES)
    def test_a_series_that_is_stopped_claims_no_more_than_it_saw(self, plan: ThresholdPlan) -> None:
        outcome = outcome_of(plan, Animal(75.0, fates=("undetermined",), answers=(0,)))
        assert isinstance(outcome, Aborted)
        assert outcome.above_ua == 0.0

    @pytest.mark.parametrize("search", [UpDown(50.0), Bracket(1.2), Alternating()])
    def test_every_search_survives_the_journal(self, search: Search) -> None:
        plan = structs.replace(HANNOVER, search=search)
        assert msgspec.json.decode(msgspec.json.encode(plan), type=ThresholdPlan) == plan


class TestGeneralisedSeizureThreshold:
    def test_it_is_the_afterdischarge_threshold_when_the_discharge_generalises_at_once(self) -> None:
        both = outcome_of(GST, Generalising(75.0, generalised_ua=10.0))
        assert isinstance(both, BothThresholds)
        assert isinstance(both.generalised, GeneralisedFound)
        assert both.generalised.rung_ua == both.afterdischarge.rung_ua

    def test_the_series_goes_on_to_the_first_generalised_seizure(self) -> None:
        animal = Generalising(75.0, generalised_ua=140.0)
        both = outcome_of(GST, animal)
        assert isinstance(both, BothThresholds)
        assert isinstance(both.generalised, GeneralisedFound)
        assert both.generalised.above_ua < 140.0 <= both.generalised.rung_ua
        assert both.generalised.rung_ua == pytest.approx(1.2 * both.generalised.above_ua)
        assert "generalised seizure threshold in (123.3, 147.9] uA" in describe(both)

    def test_each_discharge_is_waited_out_before_the_next_current(self) -> None:
        animal = Generalising(75.0, generalised_ua=140.0)
        outcome_of(GST, animal)
        with_one = [onset for onset, train in animal.trains if train.current_ua >= 75.0]
        assert len(with_one) == 4
        assert all(later - earlier >= GST.lockout_after_ad_s * RATE_HZ for earlier, later in pairwise(with_one))

    def test_no_generalised_seizure_up_to_the_maximum_is_right_censored(self) -> None:
        both = outcome_of(GST, Generalising(75.0, generalised_ua=5000.0))
        assert isinstance(both, BothThresholds)
        assert both.generalised == NotGeneralised(GST.rungs_ua[-1])
        assert "no generalised seizure: threshold > 915.8 uA" in describe(both)

    def test_a_stage_that_nobody_entered_decides_nothing(self) -> None:
        both = outcome_of(GST, Generalising(75.0, generalised_ua=140.0, stages_entered=1))
        assert isinstance(both, BothThresholds)
        assert isinstance(both.generalised, GeneralisedUnknown)
        assert both.generalised.above_ua == both.afterdischarge.rung_ua

    def test_without_an_afterdischarge_there_is_nothing_to_go_on_from(self) -> None:
        assert isinstance(outcome_of(GST, Generalising(5000.0)), NoAfterdischarge)

    @PROPERTY
    @given(threshold_ua=st.floats(1.0, 900.0), factor=st.floats(1.0, 10.0))
    def test_the_interval_holds_the_true_threshold(self, threshold_ua: float, factor: float) -> None:
        both = outcome_of(GST, Generalising(threshold_ua, generalised_ua=threshold_ua * factor))
        assert isinstance(both, BothThresholds)
        match both.generalised:
            case GeneralisedFound(above_ua, rung_ua):
                assert above_ua < threshold_ua * factor <= rung_ua
            case NotGeneralised(above_ua):
                assert above_ua < threshold_ua * factor
            case unknown:
                pytest.fail(str(unknown))


class TestRetests:
    def test_a_retest_begins_on_the_same_ladder_below_the_last_threshold(self) -> None:
        plan = starting_below(HANNOVER, 85.6)
        assert plan.rungs_ua == HANNOVER.rungs_ua[-len(plan.rungs_ua) :]
        assert plan.start_ua == pytest.approx(41.28, abs=0.01)

    @PROPERTY
    @given(last_ua=st.floats(0.1, 5000.0), fraction=st.floats(0.01, 1.0))
    def test_it_never_begins_above_the_fraction_unless_the_ladder_does(self, last_ua: float, fraction: float) -> None:
        plan = starting_below(HANNOVER, last_ua, fraction)
        assert plan == HANNOVER or plan.start_ua <= fraction * last_ua

    def test_a_threshold_that_never_was_is_refused(self) -> None:
        with pytest.raises(ConfigError, match="fraction of the last threshold"):
            starting_below(HANNOVER, 0.0)
