"""What the days of a course are decided from, read out of an animal's ledger."""

from typing import assert_never

from kindle.course_plan import CoursePlan
from kindle.ledger import Ledger, ThresholdFact, TrainFact
from kindle.protocols.threshold import Aborted, BothThresholds, NoAfterdischarge, ThresholdAveraged, ThresholdFound


def kindling_trains(ledger: Ledger) -> list[TrainFact]:
    return [train for train in ledger.trains if train.protocol == "kindling"]


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
