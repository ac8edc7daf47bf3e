"""What the days of a course are decided from, read out of an animal's ledger."""

from collections.abc import Sequence
from typing import assert_never

from kindle.course_plan import CoursePlan
from kindle.ledger import CHALLENGE, KINDLING_DOSE, Ledger, ObservationFact, Provocation, ThresholdFact, TrainFact
from kindle.protocols.threshold import Aborted, BothThresholds, NoAfterdischarge, ThresholdAveraged, ThresholdFound


def kindling_trains(ledger: Ledger) -> list[TrainFact]:
    return [train for train in ledger.trains if train.protocol == "kindling"]


def kindling_doses(ledger: Ledger) -> list[ObservationFact]:
    return [fact for fact in ledger.observations if fact.condition == KINDLING_DOSE]


def provocations(ledger: Ledger, plan: CoursePlan) -> Sequence[Provocation]:
    """What the criterion of the course counts."""
    return kindling_doses(ledger) if plan.model == "ptz_kindling" else kindling_trains(ledger)


def observed_tests(ledger: Ledger) -> list[ObservationFact]:
    """Observed tests of treatments and their controls; doses of a schedule are none."""
    return [fact for fact in ledger.observations if fact.condition not in (KINDLING_DOSE, CHALLENGE)]


def left_of(tests: Sequence[str], done: Sequence[str]) -> tuple[str, ...]:
    """The planned conditions that were not tested yet, in their order; what was not planned takes no other's place."""
    left = list(tests)
    for condition in done:
        if condition in left:
            left.remove(condition)
    return tuple(left)


def without_stage(ledger: Ledger) -> list[ObservationFact]:
    """Doses of a convulsant that nobody has scored yet; a shock is judged by the extension of the hindlimbs."""
    return [fact for fact in ledger.observations if fact.protocol == "ptz" and fact.stage is None]


def last_threshold_ua(ledger: Ledger) -> float | None:
    """The classical value, the rung that evoked the afterdischarge, of the last test that found one."""
    return next((ua for fact in reversed(ledger.thresholds) if (ua := _rung_ua(fact)) is not None), None)


def _rung_ua(fact: ThresholdFact) -> float | None:
    match fact.outcome:
        case ThresholdFound(rung_ua=rung_ua):
            return rung_ua
        case BothThresholds(afterdischarge=found):
            return found.rung_ua
        case ThresholdAveraged():
            return fact.outcome.estimate_ua
        case NoAfterdischarge() | Aborted():
            return None
        case _:
            assert_never(fact.outcome)


def meets_stage(train: TrainFact, plan: CoursePlan) -> bool:
    on_scale = train.scale == plan.kindled.scale
    return on_scale and train.stage is not None and train.stage >= plan.kindled.stage_from
