"""The outcome of a session whose trials are read in another way: what the protocol would have said of them."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from kindled_animal import Kindled
from msgspec import structs
from pure_animal import Animal, trial
from strategies import animals, plans

from detectors.criterion import Criterion, Verdict
from kindle.engine import Exchange, run
from kindle.exchange import Dose, Reply, Request, Scored, Trial
from kindle.protocols.catalogue import Outcome, Plan, protocol
from kindle.protocols.drug_test import DrugTested, DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingDone, KindlingPlan
from kindle.protocols.ladder import Ratio
from kindle.protocols.search import Alternating, Bracket, Rising, Search, UpDown
from kindle.protocols.threshold import (
    Aborted,
    BothThresholds,
    Continuation,
    GeneralisedUnknown,
    ThresholdFound,
    ThresholdPlan,
    TrainShape,
)
from kindle.rereading import NEVER_GIVEN, reread

TRAIN = TrainShape("biphasic", "cathodic_first", 1000.0, 0.0, 50.0, 1.0)
RISING = ThresholdPlan("mine@1", 20.0, Ratio(1.2), 60.0, 60.0, 60.0, 30.0, 45.0, TRAIN, Criterion(), "ask")
"""20, 24, 28.8, 34.56, 41.472, 49.7664 and 59.71968 uA."""
DAILY = KindlingPlan("mine@1", 100.0, TRAIN, 3, 120.0, 60.0, 10.0, 15.0, Criterion(), "racine_1972@1")
TEST = DrugTestPlan(
    "mine@1", (Injection(Dose("sodium valproate", "mg_salt", 200.0, "i.p.", 900.0)),), 60.0, DAILY, "valproate 200"
)


def told(plan: Plan, animal: Animal) -> tuple[Outcome, list[Exchange]]:
    """A session and everything that was said in it."""
    exchanges: list[Exchange] = []

    def perform(request: Request) -> Reply:
        reply = animal.perform(request)
        exchanges.append(Exchange(request, reply))
        return reply

    return run(protocol(plan), perform), exchanges


def read_as(exchanges: list[Exchange], current_ua: float, verdict: Verdict) -> list[Exchange]:
    """The first trial at about this current, read in another way."""
    n, old = next(
        (n, exchange.reply)
        for n, exchange in enumerate(exchanges)
        if isinstance(exchange.reply, Trial) and abs(exchange.reply.train.current_ua - current_ua) < 0.01
    )
    new = trial(old.train, verdict, old.measured.onset_sample, old.last_sample)
    return [*exchanges[:n], replace(exchanges[n], reply=new), *exchanges[n + 1 :]]


SEARCHES = (Rising(), UpDown(34.56, reversals=3), Bracket(1.1), Alternating())


@given(plan=plans(), animal=animals(), search=st.sampled_from(SEARCHES))
def test_a_threshold_test_read_as_it_was_comes_to_what_it_came_to(
    plan: ThresholdPlan, animal: Animal, search: Search
) -> None:
    plan = structs.replace(plan, search=search)
    assume(plan.rungs_ua)  # a plan without a current never begins
    outcome, exchanges = told(plan, animal)
    assert reread(plan, exchanges) == outcome


@pytest.mark.parametrize("plan", [DAILY, TEST])
def test_a_session_of_a_kindled_animal_read_as_it_was_comes_to_what_it_came_to(plan: Plan) -> None:
    outcome, exchanges = told(plan, Kindled(50.0, thinks_s=7.0))
    assert reread(plan, exchanges) == outcome


def test_a_discharge_found_below_the_last_current_is_the_threshold() -> None:
    outcome, exchanges = told(RISING, Animal(41.0))
    assert outcome == ThresholdFound(34.56, 41.472)
    assert reread(RISING, read_as(exchanges, 24.0, Verdict.AFTERDISCHARGE)) == ThresholdFound(20.0, 24.0)


@pytest.mark.parametrize("verdict", [Verdict.NONE, Verdict.UNDETERMINED])
def test_a_series_whose_discharge_was_none_has_no_threshold_yet(verdict: Verdict) -> None:
    _, exchanges = told(RISING, Animal(41.0))
    above_ua = 41.472 if verdict is Verdict.NONE else 34.56
    assert reread(RISING, read_as(exchanges, 41.472, verdict)) == Aborted(above_ua, NEVER_GIVEN)


def test_a_reading_makes_the_question_about_the_trace_needless() -> None:
    outcome, exchanges = told(RISING, Animal(41.0, ["undetermined"], [2]))
    assert outcome == ThresholdFound(34.56, 41.472)
    assert reread(RISING, read_as(exchanges, 20.0, Verdict.NONE)) == outcome
    assert reread(RISING, read_as(exchanges, 20.0, Verdict.AFTERDISCHARGE)) == ThresholdFound(0.0, 20.0)


def test_an_up_and_down_series_that_would_have_gone_the_other_way_ends_there() -> None:
    plan = structs.replace(RISING, search=UpDown(34.56, reversals=3))
    _, exchanges = told(plan, Animal(30.0))
    assert reread(plan, read_as(exchanges, 34.56, Verdict.NONE)) == Aborted(34.56, NEVER_GIVEN)


def test_an_earlier_discharge_leaves_the_generalised_threshold_unknown_where_nobody_scored_it() -> None:
    plan = structs.replace(RISING, continuation=Continuation("racine_1972@1", 4.0))
    outcome, exchanges = told(plan, Kindled(41.0))
    assert isinstance(outcome, BothThresholds)
    earlier = reread(plan, read_as(exchanges, 34.56, Verdict.AFTERDISCHARGE))
    assert earlier == BothThresholds(
        ThresholdFound(28.8, 34.56), GeneralisedUnknown(28.8, "no stage was entered at 34.56 uA")
    )


def test_kindling_trains_keep_their_stage_whatever_the_trace_is_read_as() -> None:
    _, exchanges = told(DAILY, Kindled(50.0))
    amended = reread(DAILY, read_as(exchanges, 100.0, Verdict.NONE))
    assert isinstance(amended, KindlingDone)
    assert [one.verdict.value for one in amended.stimulations] == ["none", "afterdischarge", "afterdischarge"]  # type: ignore[union-attr]
    assert [one.stage for one in amended.stimulations] == [5.0, 5.0, 5.0]


def test_a_stage_that_is_corrected_reaches_the_outcome() -> None:
    _, exchanges = told(TEST, Kindled(50.0))
    corrected = [
        replace(one, reply=structs.replace(one.reply, stage=2.0)) if isinstance(one.reply, Scored) else one
        for one in exchanges
    ]
    amended = reread(TEST, corrected)
    assert isinstance(amended, DrugTested)
    assert [one.stage for one in amended.test.stimulations] == [2.0, 2.0, 2.0]  # type: ignore[union-attr]
    assert amended.pretreated[0].waited_s == pytest.approx(900.0, abs=1.0)
