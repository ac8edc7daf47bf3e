"""Every protocol by its plan: what runs, what its outcome says in one line, and the worst that it may deliver."""

from collections.abc import Sequence
from typing import assert_never

from detectors.criterion import Verdict
from drivers.interface import PulseTrain
from kindle.exchange import Injected, Reply, Steps, Trial
from kindle.protocols.drug_test import (
    DrugTested,
    DrugTestOutcome,
    DrugTestPlan,
    DrugTestStopped,
    describe_drug_test,
    drug_test,
)
from kindle.protocols.injecting import names
from kindle.protocols.kindling import (
    KindlingOutcome,
    KindlingPlan,
    KindlingStopped,
    describe_kindling,
    kindling_session,
)
from kindle.protocols.ptz import (
    ElectroshockOutcome,
    ElectroshockPlan,
    NotObserved,
    PtzOutcome,
    PtzPlan,
    describe_observation,
    electroshock_test,
    ptz_test,
)
from kindle.protocols.stimulation import stimulations_in
from kindle.protocols.threshold import Aborted, ThresholdOutcome, ThresholdPlan, describe
from kindle.protocols.threshold_series import threshold_series

StimulatingPlan = ThresholdPlan | KindlingPlan | DrugTestPlan
ObservingPlan = PtzPlan | ElectroshockPlan
Plan = StimulatingPlan | ObservingPlan

Outcome = ThresholdOutcome | KindlingOutcome | DrugTestOutcome | PtzOutcome | ElectroshockOutcome


def protocol(plan: Plan) -> Steps[Outcome]:
    match plan:
        case ThresholdPlan():
            return (yield from threshold_series(plan))
        case KindlingPlan():
            return (yield from kindling_session(plan))
        case DrugTestPlan():
            return (yield from drug_test(plan))
        case PtzPlan():
            return (yield from ptz_test(plan))
        case ElectroshockPlan():
            return (yield from electroshock_test(plan))
        case _:
            assert_never(plan)


def name_of(plan: Plan) -> str:
    """As it is typed after `kindle run`, and as it stands in the names of sessions."""
    match plan:
        case ThresholdPlan():
            return "threshold"
        case KindlingPlan():
            return "kindling"
        case DrugTestPlan():
            return "drug-test"
        case PtzPlan():
            return "ptz"
        case ElectroshockPlan():
            return "electroshock"
        case _:
            assert_never(plan)


def describe_outcome(outcome: Outcome) -> str:
    """The result in one line, as it is to be printed everywhere."""
    if isinstance(outcome, ThresholdOutcome):
        return describe(outcome)
    if isinstance(outcome, KindlingOutcome):
        return describe_kindling(outcome)
    if isinstance(outcome, DrugTestOutcome):
        return describe_drug_test(outcome)
    return describe_observation(outcome)


def trains_of(plan: Plan) -> tuple[PulseTrain, ...]:
    """Every train that the plan may ask for, rising; none where nothing is stimulated."""
    if isinstance(plan, ObservingPlan):
        return ()
    return tuple(plan.train.at(current_ua) for current_ua in plan.rungs_ua)


def ended_early(plan: Plan, replies: Sequence[Reply | None], reason: str) -> Outcome:
    """The outcome of a session that nobody will resume, with what it had come to."""
    injected = names([reply for reply in replies if isinstance(reply, Injected)])
    match plan:
        case ThresholdPlan():
            return _threshold_ended(replies, reason)
        case KindlingPlan(scale=scale):
            return KindlingStopped(stimulations_in(replies, scale), reason)
        case DrugTestPlan() if not any(isinstance(reply, Trial) for reply in replies):
            return DrugTestStopped(injected, reason)
        case DrugTestPlan(test=KindlingPlan(scale=scale)):
            return DrugTested((), KindlingStopped(stimulations_in(replies, scale), reason))
        case DrugTestPlan():
            return DrugTested((), _threshold_ended(replies, reason))
        case PtzPlan() | ElectroshockPlan():
            return NotObserved(injected, reason)
        case _:
            assert_never(plan)


def _threshold_ended(replies: Sequence[Reply | None], reason: str) -> Aborted:
    clear_ua = [r.train.current_ua for r in replies if isinstance(r, Trial) and r.verdict is Verdict.NONE]
    return Aborted(max(clear_ua, default=0.0), reason)
