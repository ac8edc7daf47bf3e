"""The afterdischarge threshold: ladders, outcomes as intervals, and what the animal may never receive."""

from dataclasses import dataclass, field
from itertools import pairwise
from math import log, sqrt
from statistics import fmean

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from pure_animal import RATE_HZ, Animal, Fate
from strategies import FATES, animals, clear_animals, plans, thresholds_ua

from detectors.criterion import Criterion, Verdict
from kindle.engine import Perform, run
from kindle.errors import UnsafeStimulus
from kindle.exchange import Confirm, Confirmed, Reply, Request, Rest, Stimulate, Trial, VoidTrial
from kindle.protocols.ladder import Add, Ratio, Step
from kindle.protocols.threshold import (
    MAX_CONSECUTIVE_VOIDS,
    Aborted,
    NoAfterdischarge,
    ThresholdFound,
    ThresholdOutcome,
    ThresholdPlan,
    TrainShape,
    ascending_threshold,
    describe,
)
from kindle.safety import SafetyLimits, check_train

HANNOVER = ThresholdPlan(
    preset="hannover_ascending@1",
    start_ua=8.0,
    step=Ratio(1.2),
    max_ua=1000.0,
    interval_s=60.0,
    lockout_after_ad_s=14_400.0,
    baseline_s=30.0,
    watch_s=45.0,
    train=TrainShape("monophasic", "cathodic_first", 1000.0, 0.0, 50.0, 1.0),
    criterion=Criterion(),
    if_undetermined="ask",
)


@dataclass
class Course:
    """What was asked and answered on the way to the outcome."""

    outcome: ThresholdOutcome
    exchanges: list[tuple[Request, Reply]] = field(default_factory=list)

    @property
    def currents_ua(self) -> list[float]:
        return [request.train.current_ua for request, _ in self.exchanges if isinstance(request, Stimulate)]


def course(plan: ThresholdPlan, perform: Perform) -> Course:
    exchanges: list[tuple[Request, Reply]] = []

    def performed(request: Request) -> Reply:
        reply = perform(request)
        exchanges.append((request, reply))
        return reply

    return Course(run(ascending_threshold(plan), performed), exchanges)


def evoked(reply: Reply) -> bool:
    """An afterdischarge, seen by the detector or by the experimenter."""
    match reply:
        case Trial(verdict=verdict):
            return verdict is Verdict.AFTERDISCHARGE
        case Confirmed(choice):
            return choice == "afterdischarge"
        case _:
            return False


def clearly_without(exchanges: list[tuple[Request, Reply]]) -> list[float]:
    """Currents that evoked nothing, as the detector or the experimenter saw it."""
    currents: list[float] = []
    for request, reply in exchanges:
        match request, reply:
            case Stimulate(train), Trial(verdict=verdict):
                last_ua = train.current_ua
                if verdict is Verdict.NONE:
                    currents.append(last_ua)
            case Confirm(), Confirmed("none"):
                currents.append(last_ua)
    return currents


class TestOutcomes:
    def test_a_rat_at_the_published_mean_needs_fourteen_trains(self) -> None:
        """75 uA from 8 x 1.2: 14 trains, 13 of them sub-threshold, in 13 min; domain reference, section 3.3."""
        animal = Animal(75.0)
        found = course(HANNOVER, animal.perform)
        assert len(found.currents_ua) == 14
        assert animal.trains[-1][0] - animal.trains[0][0] == 13 * 60 * RATE_HZ
        assert isinstance(found.outcome, ThresholdFound)
        assert (round(found.outcome.above_ua, 1), round(found.outcome.rung_ua, 1)) == (71.3, 85.6)

    def test_from_one_microamp_it_needs_twenty_five(self) -> None:
        """Domain reference, section 3.3."""
        assert len(course(structs.replace(HANNOVER, start_ua=1.0), Animal(75.0).perform).currents_ua) == 25

    def test_the_midpoint_is_the_geometric_middle(self) -> None:
        """None at 71.3, afterdischarge at 85.6: (71.3, 85.6], midpoint 78.1; domain reference, section 3.4."""
        outcome = ThresholdFound(71.3, 85.6)
        assert round(outcome.midpoint_ua, 1) == 78.1
        assert describe(outcome) == "threshold in (71.3, 85.6] uA, midpoint 78.12 uA"

    @pytest.mark.parametrize(
        ("start_ua", "step", "mean_trains", "rung_bias", "midpoint_bias"),
        [(8.0, Ratio(1.2), 13.9, 0.10, 0.0), (20.0, Add(20.0), 4.9, 0.14, -0.03)],
    )
    def test_the_bias_of_the_rung_and_of_the_midpoint(
        self, start_ua: float, step: Step, mean_trains: float, rung_bias: float, midpoint_bias: float
    ) -> None:
        """Noiseless animals with thresholds even in the logarithm from 30 to 200 uA; domain reference, section 3.3."""
        plan = structs.replace(HANNOVER, start_ua=start_ua, step=step)
        n_trains, rung, midpoint = [], [], []
        for n in range(101):
            true_ua = 30.0 * (200.0 / 30.0) ** (n / 100)
            found = course(plan, Animal(true_ua).perform)
            assert isinstance(found.outcome, ThresholdFound)
            n_trains.append(len(found.currents_ua))
            rung.append(found.outcome.rung_ua / true_ua - 1)
            midpoint.append(found.outcome.midpoint_ua / true_ua - 1)
        assert fmean(n_trains) == pytest.approx(mean_trains, abs=0.15)
        assert fmean(rung) == pytest.approx(rung_bias, abs=0.01)
        assert fmean(midpoint) == pytest.approx(midpoint_bias, abs=0.01)

    def test_an_afterdischarge_on_the_first_rung_is_left_censored(self) -> None:
        found = course(HANNOVER, Animal(5.0).perform)
        assert found.outcome == ThresholdFound(0.0, 8.0)
        assert found.currents_ua == [8.0]
        assert describe(found.outcome) == "threshold <= 8 uA (the first current already evoked an afterdischarge)"
        assert ThresholdFound(0.0, 8.0).midpoint_ua == 8.0

    def test_no_afterdischarge_up_to_the_maximum_is_right_censored(self) -> None:
        """Printed as "> 1099", never as 1099; domain reference, section 3.4."""
        outcome = course(structs.replace(HANNOVER, max_ua=1100.0), Animal(3000.0).perform).outcome
        assert isinstance(outcome, NoAfterdischarge)
        assert outcome.above_ua == pytest.approx(8 * 1.2**27)
        assert describe(outcome) == "no afterdischarge: threshold > 1099 uA"

    def test_a_threshold_on_a_rung_belongs_to_that_rung(self) -> None:
        assert course(HANNOVER, Animal(9.6).perform).outcome == ThresholdFound(8.0, 9.6)

    @pytest.mark.parametrize(
        "outcome", [ThresholdFound(0.0, 8.0), NoAfterdischarge(441.6), Aborted(8.0, "stopped by the experimenter")]
    )
    def test_every_outcome_survives_the_journal(self, outcome: ThresholdOutcome) -> None:
        assert msgspec.json.decode(msgspec.json.encode(outcome), type=ThresholdOutcome) == outcome

    @pytest.mark.parametrize(
        ("outcome", "line"),
        [
            (NoAfterdischarge(0.0), "no afterdischarge, and no current was clearly without one: threshold not bounded"),
            (Aborted(0.0, "the plug came off"), "stopped: the plug came off"),
            (Aborted(28.7, "the plug came off"), "stopped: the plug came off; threshold > 28.7 uA as far as it went"),
        ],
    )
    def test_what_is_not_a_threshold_is_not_printed_as_one(self, outcome: ThresholdOutcome, line: str) -> None:
        assert describe(outcome) == line


class TestUnclearTrains:
    def test_a_void_train_is_repeated_at_its_current(self) -> None:
        found = course(HANNOVER, Animal(11.0, fates=("clear", "void", "void")).perform)
        assert found.currents_ua == pytest.approx([8.0, 9.6, 9.6, 9.6, 11.52])
        assert found.outcome == ThresholdFound(9.6, 11.52)

    def test_three_void_trains_in_a_row_end_the_series(self) -> None:
        found = course(HANNOVER, Animal(75.0, fates=("clear", "void", "void", "void")).perform)
        assert found.outcome == Aborted(8.0, "3 trains of 9.6 uA in a row were not delivered as asked")
        assert len(found.currents_ua) == 4

    def test_void_trains_that_are_not_in_a_row_do_not_end_it(self) -> None:
        fates: tuple[Fate, ...] = ("void", "void", "undetermined", "void", "void")
        found = course(HANNOVER, Animal(5.0, fates=fates, answers=(1,)).perform)
        assert found.currents_ua == [8.0] * 6
        assert found.outcome == ThresholdFound(0.0, 8.0)

    def test_an_undetermined_train_is_never_taken_for_none(self) -> None:
        """The first answer is the cautious one: with nobody there the series stops."""
        found = course(HANNOVER, Animal(75.0, fates=("clear", "undetermined"), answers=(0,)).perform)
        assert found.currents_ua == [8.0, 9.6]
        assert isinstance(found.outcome, Aborted)
        assert found.outcome.above_ua == 8.0
        assert "9.6 uA: the amplifier was blind for 5 s" in found.outcome.reason

    def test_a_plan_can_stop_without_asking(self) -> None:
        plan = structs.replace(HANNOVER, if_undetermined="stop")
        found = course(plan, Animal(75.0, fates=("undetermined",)).perform)
        assert found.outcome == Aborted(0.0, "undetermined at 8 uA: the amplifier was blind for 5 s")
        assert not any(isinstance(request, Confirm) for request, _ in found.exchanges)

    @pytest.mark.parametrize(("answer", "outcome"), [(2, ThresholdFound(9.6, 11.52)), (3, ThresholdFound(8.0, 9.6))])
    def test_the_experimenter_may_read_the_trace(self, answer: int, outcome: ThresholdOutcome) -> None:
        assert course(HANNOVER, Animal(11.0, ("clear", "undetermined"), (answer,)).perform).outcome == outcome

    def test_a_repeated_current_waits_for_the_whole_lock_out(self) -> None:
        animal = Animal(9.0, fates=("undetermined",), answers=(1,))
        assert course(HANNOVER, animal.perform).outcome == ThresholdFound(8.0, 9.6)
        (first, _), (second, _) = animal.trains[:2]
        assert second - first == (1 + 45 + 14_400) * RATE_HZ


PROPERTY = settings(deadline=None, max_examples=100)


class TestWhatTheAnimalMayNeverReceive:
    @PROPERTY
    @given(plan=plans(), animal=animals())
    def test_no_train_exceeds_the_maximum_of_the_plan(self, plan: ThresholdPlan, animal: Animal) -> None:
        course(plan, animal.perform)
        assert all(train.current_ua <= plan.max_ua for _, train in animal.trains)
        assert all(train == plan.train.at(train.current_ua) for _, train in animal.trains)

    @PROPERTY
    @given(plan=plans(), animal=animals(), max_current_ua=st.floats(1.0, 2000.0))
    def test_no_train_exceeds_the_limit_of_the_rig(
        self, plan: ThresholdPlan, animal: Animal, max_current_ua: float
    ) -> None:
        limits = SafetyLimits(max_current_ua, 1000.0, 100.0, 1.0, 2.0, 0.0, 1e6, 1e6, 1e6, 100, 0.0, 0.0)

        def guarded(request: Request) -> Reply:
            if isinstance(request, Stimulate):
                check_train(request.train, limits)
            return animal.perform(request)

        try:
            asked_ua = course(plan, guarded).currents_ua
        except UnsafeStimulus:
            assert plan.max_ua > max_current_ua
            asked_ua = [train.current_ua for _, train in animal.trains]
        assert all(current_ua <= max_current_ua * (1 + 1e-9) for current_ua in asked_ua)
        assert len(asked_ua) == len(animal.trains)

    @PROPERTY
    @given(plan=plans(), animal=animals())
    def test_nothing_is_asked_after_an_afterdischarge(self, plan: ThresholdPlan, animal: Animal) -> None:
        found = course(plan, animal.perform)
        assert not any(evoked(reply) for _, reply in found.exchanges[:-1])
        assert evoked(found.exchanges[-1][1]) == isinstance(found.outcome, ThresholdFound)

    @PROPERTY
    @given(plan=plans(), animal=animals())
    def test_trains_keep_their_distance(self, plan: ThresholdPlan, animal: Animal) -> None:
        """The interval always; the lock-out too when a repeated train may have hidden a discharge."""
        found = course(plan, animal.perform)
        for (earlier, _), (later, _) in pairwise(animal.trains):
            assert later - earlier >= plan.interval_s * RATE_HZ - 1
        may_hide_one, rested_s = False, 0.0
        for request, reply in found.exchanges:
            match request, reply:
                case Stimulate(), _:
                    assert not may_hide_one or rested_s >= plan.lockout_after_ad_s
                    may_hide_one, rested_s = isinstance(reply, Trial) and reply.verdict is Verdict.UNDETERMINED, 0.0
                case Rest(duration_s), _:
                    rested_s += duration_s
                case Confirm(), Confirmed("none"):
                    may_hide_one = False

    @PROPERTY
    @given(plan=plans(), animal=animals())
    def test_the_current_rises_only_after_a_clear_none(self, plan: ThresholdPlan, animal: Animal) -> None:
        found = course(plan, animal.perform)
        without = set(clearly_without(found.exchanges))
        for earlier_ua, later_ua in pairwise(found.currents_ua):
            if later_ua != earlier_ua:
                assert earlier_ua in without
                ladder = plan.rungs_ua
                assert ladder.index(later_ua) == ladder.index(earlier_ua) + 1

    @PROPERTY
    @given(plan=plans(), animal=animals())
    def test_no_more_than_three_void_trains_in_a_row(self, plan: ThresholdPlan, animal: Animal) -> None:
        in_a_row = 0
        for request, reply in course(plan, animal.perform).exchanges:
            if isinstance(request, Stimulate):
                in_a_row = in_a_row + 1 if isinstance(reply, VoidTrial) else 0
                assert in_a_row <= MAX_CONSECUTIVE_VOIDS

    @PROPERTY
    @given(plan=plans(), animal=animals())
    def test_the_baseline_comes_first(self, plan: ThresholdPlan, animal: Animal) -> None:
        request, _ = course(plan, animal.perform).exchanges[0]
        assert isinstance(request, Rest)
        assert request.duration_s == plan.baseline_s


class TestWhatTheOutcomeMayClaim:
    @PROPERTY
    @given(plan=plans(), animal=clear_animals())
    def test_the_interval_contains_the_true_threshold(self, plan: ThresholdPlan, animal: Animal) -> None:
        outcome = course(plan, animal.perform).outcome
        match outcome:
            case ThresholdFound(above_ua, rung_ua):
                assert above_ua < animal.threshold_ua <= rung_ua
                assert above_ua == 0.0 or log(outcome.midpoint_ua) == pytest.approx(log(sqrt(above_ua * rung_ua)))
            case NoAfterdischarge(above_ua):
                assert above_ua == max(plan.rungs_ua, default=0.0) < animal.threshold_ua
            case Aborted():
                pytest.fail("nothing stops a series of clear trains")

    @PROPERTY
    @given(plan=plans(), threshold_ua=thresholds_ua(), fates=st.lists(st.sampled_from(FATES), max_size=20))
    def test_unclear_trains_and_a_true_reading_do_not_move_the_interval_off_the_threshold(
        self, plan: ThresholdPlan, threshold_ua: float, fates: list[Fate]
    ) -> None:
        match course(plan, Animal(threshold_ua, fates).perform).outcome:
            case ThresholdFound(above_ua, rung_ua):
                assert above_ua < threshold_ua <= rung_ua
            case NoAfterdischarge(above_ua) | Aborted(above_ua):
                assert above_ua < threshold_ua

    @PROPERTY
    @given(plan=plans(), animal=animals())
    def test_the_lower_bound_is_the_last_clear_none(self, plan: ThresholdPlan, animal: Animal) -> None:
        found = course(plan, animal.perform)
        assert found.outcome.above_ua == max(clearly_without(found.exchanges), default=0.0)
