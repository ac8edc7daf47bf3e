"""Kindling sessions, drug tests and pentylenetetrazol tests: what the animal gets, when, and what may be claimed."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kindled_animal import Kindled
from msgspec import structs
from pure_animal import RATE_HZ, Fate
from strategies import FATES
from test_threshold import HANNOVER

from detectors.criterion import Criterion, Verdict
from kindle.behaviour import ItemStamp, StageStamp, Stamp
from kindle.engine import Exchange, resuming, run
from kindle.errors import ConfigError
from kindle.exchange import CodedDose, Confirm, Dose, Reply, Request, Rest, ScoreSeizure, Stimulate
from kindle.protocols.catalogue import Outcome, Plan, describe_outcome, name_of, protocol, trains_of
from kindle.protocols.drug_test import DrugTested, DrugTestPlan, DrugTestStopped
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import AtThreshold, Fixed, KindlingDone, KindlingPlan, KindlingStopped, current_for
from kindle.protocols.ptz import (
    ElectroshockObserved,
    ElectroshockPlan,
    NotObserved,
    NotSeen,
    PtzObserved,
    PtzPlan,
    Seen,
)
from kindle.protocols.stimulation import Given, Wrong
from kindle.protocols.threshold import ThresholdFound, TrainShape

PROPERTY = settings(deadline=None, max_examples=60)

TRAIN = TrainShape("monophasic", "cathodic_first", 1000.0, 0.0, 50.0, 1.0)
DAILY = KindlingPlan(
    preset="hannover_daily@1",
    current_ua=500.0,
    train=TRAIN,
    trains=1,
    interval_s=1200.0,
    lockout_after_ad_s=600.0,
    baseline_s=30.0,
    watch_s=180.0,
    criterion=Criterion(),
    scale="racine_1972@1",
)
RAPID = structs.replace(DAILY, preset="rapid_bla@1", trains=10)

VALPROATE = Dose("sodium valproate", "mg_salt", 200.0, "i.p.", 900.0)
MAGNESIUM = Dose("magnesium sulfate heptahydrate", "mg_salt", 60.0, "i.p.", 1800.0)
PTZ = Dose("pentylenetetrazol", "mg_salt", 60.0, "s.c.", 0.0)
TEST = DrugTestPlan("hannover_paired@1", (Injection(VALPROATE),), 60.0, DAILY)
OBSERVATION = PtzPlan("guide_2025@1", (Injection(VALPROATE),), Injection(PTZ), 60.0, 1800.0, "guide_2025@1", 4.0, 30.0)
SHOCK = ElectroshockPlan("mes@1", (), 60.0, "150 mA, 50 Hz, 0.2 s, corneal", 60.0, "guide_2025@1", 10.0)
PLANS: list[Plan] = [HANNOVER, DAILY, RAPID, TEST, OBSERVATION, SHOCK]


def outcome_of(plan: Plan, animal: Kindled) -> Outcome:
    return run(protocol(plan), animal.perform)


class TestKindlingSessions:
    def test_a_daily_train_is_given_once_watched_and_scored(self) -> None:
        animal = Kindled(75.0)
        done = outcome_of(DAILY, animal)
        assert isinstance(done, KindlingDone)
        (one,) = done.stimulations
        assert isinstance(one, Given)
        assert (one.stage, one.scale, one.verdict) == (5.0, "racine_1972@1", Verdict.AFTERDISCHARGE)
        assert [type(request) for request in animal.requests] == [Rest, Stimulate, ScoreSeizure]
        assert "stage 5 on racine_1972@1, afterdischarge of" in describe_outcome(done)

    def test_a_trial_without_a_stage_is_told_as_not_scored(self) -> None:
        done = outcome_of(DAILY, Kindled(75.0, stage_of=lambda n: None))
        assert isinstance(done, KindlingDone)
        assert done.stimulations[0].stage is None
        assert describe_outcome(done).startswith("not scored")

    @PROPERTY
    @given(
        plan=st.sampled_from([DAILY, RAPID]),
        threshold_ua=st.floats(10.0, 1000.0),
        fates=st.lists(st.sampled_from(FATES), max_size=12),
        thinks_s=st.floats(0.0, 3000.0),
    )
    def test_no_train_differs_from_the_plan_and_none_comes_too_soon(
        self, plan: KindlingPlan, threshold_ua: float, fates: Sequence[Fate], thinks_s: float
    ) -> None:
        animal = Kindled(threshold_ua, fates, thinks_s=thinks_s)
        outcome_of(plan, animal)
        assert all(train == plan.one_train for _, train in animal.trains)
        assert len(animal.trains) <= plan.trains
        for (earlier, _), (later, _) in pairwise(animal.trains):
            assert later - earlier >= plan.interval_s * RATE_HZ - 1

    def test_a_slow_scorer_does_not_stretch_the_interval(self) -> None:
        """Onset to onset by the sample clock, however long the person took over the stage."""
        animal = Kindled(75.0, thinks_s=300.0)
        outcome_of(RAPID, animal)
        onsets = [onset for onset, _ in animal.trains]
        assert len(onsets) == 10
        assert {later - earlier for earlier, later in pairwise(onsets)} == {1200 * RATE_HZ}

    def test_an_undetermined_train_is_not_repeated(self) -> None:
        """Whatever the signal shows, the animal has had it."""
        animal = Kindled(75.0, fates=("undetermined",))
        done = outcome_of(DAILY, animal)
        assert len(animal.trains) == 1
        assert isinstance(done, KindlingDone)
        (one,) = done.stimulations
        assert isinstance(one, Given)
        assert (one.discharge_s, one.total_s) == (None, None)

    def test_a_train_that_came_wrong_ends_the_session(self) -> None:
        animal = Kindled(75.0, fates=("clear", "void"))
        stopped = outcome_of(RAPID, animal)
        assert isinstance(stopped, KindlingStopped)
        assert len(animal.trains) == 2
        assert stopped.reason.startswith("the train was void: ")

    def test_status_epilepticus_ends_the_session_with_the_rescue_text(self) -> None:
        animal = Kindled(75.0, discharge_s=301.0)
        stopped = outcome_of(RAPID, animal)
        assert isinstance(stopped, KindlingStopped)
        assert stopped.reason == "status epilepticus"
        assert len(animal.trains) == 1
        (alarm,) = [request for request in animal.requests if isinstance(request, Confirm)]
        assert "STATUS EPILEPTICUS: the discharge has lasted 301 s" in alarm.text
        assert "rescue drug" in alarm.text

    def test_a_long_discharge_within_the_limit_is_no_alarm(self) -> None:
        animal = Kindled(75.0, discharge_s=299.0)
        assert isinstance(outcome_of(DAILY, animal), KindlingDone)

    @pytest.mark.parametrize(
        ("rule", "current_ua"),
        [(Fixed(500.0), 500.0), (AtThreshold(), 80.0), (AtThreshold(1.5), 120.0), (AtThreshold(1.0, 50.0), 130.0)],
    )
    def test_the_current_of_a_schedule(self, rule: Fixed | AtThreshold, current_ua: float) -> None:
        assert current_for(rule, 80.0) == pytest.approx(current_ua)

    def test_a_schedule_at_threshold_needs_one(self) -> None:
        with pytest.raises(ConfigError, match="find it first with: kindle run threshold"):
            current_for(AtThreshold(), None)


class TestDrugTests:
    def test_the_train_comes_when_the_pretreatment_is_over(self) -> None:
        animal = Kindled(75.0, thinks_s=7.0)
        tested = outcome_of(TEST, animal)
        assert isinstance(tested, DrugTested)
        (injected, _), (onset, _) = animal.injected[0], animal.trains[0]
        assert onset - injected == 900 * RATE_HZ
        assert tested.pretreated[0].waited_s == pytest.approx(900.0)

    def test_a_threshold_test_can_follow_an_injection(self) -> None:
        plan = structs.replace(TEST, test=HANNOVER)
        animal = Kindled(75.0)
        tested = outcome_of(plan, animal)
        assert isinstance(tested, DrugTested)
        assert isinstance(tested.test, ThresholdFound)
        assert animal.trains[0][0] - animal.injected[0][0] == 900 * RATE_HZ
        assert describe_outcome(tested).startswith("15.0 min after sodium valproate: threshold in (71.33")

    def test_two_drugs_each_get_their_own_time(self) -> None:
        plan = structs.replace(TEST, injections=(Injection(VALPROATE), Injection(MAGNESIUM)))
        animal = Kindled(75.0, thinks_s=5.0)
        tested = outcome_of(plan, animal)
        assert isinstance(tested, DrugTested)
        assert [name for _, name in animal.injected] == ["magnesium sulfate heptahydrate", "sodium valproate"]
        for one in tested.pretreated:
            assert one.waited_s == pytest.approx(one.planned_s, abs=plan.tolerance_s)

    def test_no_train_follows_an_injection_that_came_too_late(self) -> None:
        """Two drugs, and the person took so long over the second that the first is past its time."""
        plan = structs.replace(TEST, injections=(Injection(VALPROATE), Injection(MAGNESIUM)))
        animal = Kindled(75.0, thinks_s=400.0)
        stopped = outcome_of(plan, animal)
        assert isinstance(stopped, DrugTestStopped)
        assert animal.trains == []
        assert "the plan asks for 30 min, give or take 60 s" in stopped.reason

    def test_no_train_follows_an_injection_that_was_withheld(self) -> None:
        animal = Kindled(75.0, withholds=True)
        stopped = outcome_of(TEST, animal)
        assert stopped == DrugTestStopped((), "sodium valproate was not injected")
        assert animal.trains == []

    @pytest.mark.parametrize(("answer", "n_trains"), [(0, 0), (1, 1)])
    def test_an_unknown_time_since_the_injection_is_the_experimenters_call(self, answer: int, n_trains: int) -> None:
        """A session that was interrupted goes on in another recording: no sample clock spans the two."""
        animal = Kindled(75.0, answers=(answer,))

        def interrupted(request: Request) -> Reply:
            reply = animal.perform(request)
            if animal.injected:
                animal.recording = "r-2"
            return reply

        outcome = run(protocol(TEST), interrupted)
        assert len(animal.trains) == n_trains
        assert isinstance(outcome, DrugTested if n_trains else DrugTestStopped)

    def test_a_blinded_dose_is_told_by_its_code(self) -> None:
        plan = structs.replace(TEST, injections=(Injection(CodedDose("B", 2.0, "i.p.", 900.0)),))
        tested = outcome_of(plan, Kindled(75.0))
        assert "15.0 min after code B" in describe_outcome(tested)

    def test_a_control_day_has_no_injection(self) -> None:
        animal = Kindled(75.0)
        tested = outcome_of(structs.replace(TEST, injections=()), animal)
        assert isinstance(tested, DrugTested)
        assert animal.injected == []
        assert animal.trains[0][0] == DAILY.baseline_s * RATE_HZ

    @PROPERTY
    @given(thinks_s=st.floats(0.0, 2000.0), n=st.integers(1, 2), fates=st.lists(st.sampled_from(FATES), max_size=3))
    def test_no_train_is_given_outside_the_tolerance(self, thinks_s: float, n: int, fates: Sequence[Fate]) -> None:
        plan = structs.replace(TEST, injections=(Injection(VALPROATE), Injection(MAGNESIUM))[:n])
        animal = Kindled(75.0, fates, thinks_s=thinks_s)
        outcome_of(plan, animal)
        for onset, _ in animal.trains[:1]:
            for (at, name), wanted in zip(animal.injected, (MAGNESIUM, VALPROATE)[2 - n :], strict=True):
                assert name == wanted.substance
                assert abs((onset - at) / RATE_HZ - wanted.pretreatment_s) <= plan.tolerance_s


class TestPentylenetetrazol:
    def test_latencies_count_from_the_injection(self) -> None:
        stamps: tuple[Stamp, ...] = (
            ItemStamp(90_000, "myoclonic_twitch"),
            StageStamp(120_000, 2.0),
            StageStamp(300_000, 5.0),
            StageStamp(330_000, 1.0),
            StageStamp(600_000, 4.0),
        )
        seen = outcome_of(OBSERVATION, Kindled(75.0, stamps=stamps))
        assert isinstance(seen, PtzObserved)
        assert seen.first_seizure == Seen(300.0)
        assert seen.items["myoclonic_twitch"] == Seen(90.0)
        assert (seen.n_seizures, seen.seizure_s, seen.worst, seen.died) == (2, 30.0 + 1200.0, 5.0, False)

    def test_an_animal_without_a_seizure_is_censored_at_the_end(self) -> None:
        """Not given 30 min as a latency; domain reference, section 11."""
        seen = outcome_of(OBSERVATION, Kindled(75.0, stamps=(StageStamp(5, 1.0),)))
        assert isinstance(seen, PtzObserved)
        assert seen.first_seizure == NotSeen(1800.0)
        assert "no first seizure within 1800 s; 0 seizures" in describe_outcome(seen)

    def test_an_animal_that_nobody_scored_is_not_one_without_a_seizure_stage(self) -> None:
        seen = outcome_of(OBSERVATION, Kindled(75.0))
        assert isinstance(seen, PtzObserved)
        assert seen.worst is None
        assert "not scored" in describe_outcome(seen)

    def test_a_death_is_told(self) -> None:
        seen = outcome_of(OBSERVATION, Kindled(75.0, stamps=(StageStamp(1000, 5.0), ItemStamp(2000, "death"))))
        assert isinstance(seen, PtzObserved)
        assert seen.died
        assert describe_outcome(seen).endswith("; died")

    def test_nothing_is_observed_when_the_convulsant_is_withheld(self) -> None:
        animal = Kindled(75.0, withholds=True)
        assert isinstance(outcome_of(structs.replace(OBSERVATION, pretreatment=()), animal), NotObserved)

    def test_electroshock_is_observed_at_its_end_point(self) -> None:
        extended = outcome_of(SHOCK, Kindled(75.0, answers=(1,), stamps=(ItemStamp(2500, "tonic_hindlimb_extension"),)))
        assert isinstance(extended, ElectroshockObserved)
        assert extended.extension == Seen(2.5)
        protected = outcome_of(SHOCK, Kindled(75.0, answers=(1,)))
        assert isinstance(protected, ElectroshockObserved)
        assert protected.extension == NotSeen(60.0)
        assert isinstance(outcome_of(SHOCK, Kindled(75.0, answers=(0,))), NotObserved)

    def test_no_current_is_ever_asked_for(self) -> None:
        for plan in (OBSERVATION, SHOCK):
            animal = Kindled(75.0, answers=(1,))
            outcome_of(plan, animal)
            assert animal.trains == []
            assert trains_of(plan) == ()


class TestAllProtocols:
    @pytest.mark.parametrize("plan", PLANS, ids=name_of)
    def test_a_session_that_dies_at_any_request_resumes_to_the_same_outcome(self, plan: Plan) -> None:
        """Answers up to the request come from the journal, that request is performed now, no train is repeated."""
        whole: list[Exchange] = []
        animal = Kindled(75.0, answers=(1,))

        def noted(request: Request) -> Reply:
            reply = animal.perform(request)
            whole.append(Exchange(request, reply))
            return reply

        expected = run(protocol(plan), noted)
        for died_at in range(len(whole) + 1):
            rest_of_it = iter(whole[died_at:])
            asked: list[Request] = []

            def on(request: Request, left: object = rest_of_it, asked: list[Request] = asked) -> Reply:
                asked.append(request)
                following = next(left)  # type: ignore[call-overload]
                assert following.request == request
                reply: Reply = following.reply
                return reply

            assert run(protocol(plan), resuming(on, whole[:died_at], on)) == expected
            assert asked == [exchange.request for exchange in whole[died_at:]]

    @pytest.mark.parametrize("plan", PLANS, ids=name_of)
    def test_every_plan_and_outcome_survives_the_journal(self, plan: Plan) -> None:
        assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan
        outcome = outcome_of(plan, Kindled(75.0, answers=(1,)))
        assert msgspec.json.decode(msgspec.json.encode(outcome), type=Outcome) == outcome

    @pytest.mark.parametrize("plan", PLANS, ids=name_of)
    def test_no_train_is_asked_that_the_plan_did_not_announce(self, plan: Plan) -> None:
        animal = Kindled(75.0, answers=(1,))
        outcome_of(plan, animal)
        assert {train for _, train in animal.trains} <= set(trains_of(plan))

    def test_a_wrong_train_is_told_apart_from_no_discharge(self) -> None:
        stopped = outcome_of(DAILY, Kindled(75.0, fates=("void",)))
        assert isinstance(stopped, KindlingStopped)
        assert isinstance(stopped.stimulations[0], Wrong)
