"""From the afterdischarge threshold on to the generalised seizure threshold, in the same series of currents."""

from detectors.criterion import Verdict
from kindle.exchange import Scored, Steps, VoidTrial, rest, score, stimulate
from kindle.protocols.threshold import (
    MAX_CONSECUTIVE_VOIDS,
    BothThresholds,
    Continuation,
    Generalised,
    GeneralisedFound,
    GeneralisedUnknown,
    NotGeneralised,
    Stopped,
    ThresholdFound,
    ThresholdOutcome,
    ThresholdPlan,
    ascending_threshold,
    lockout_s,
)


def both_thresholds(plan: ThresholdPlan, go_on: Continuation) -> Steps[ThresholdOutcome]:
    """Without an afterdischarge there is no generalised seizure to look for."""
    found = yield from ascending_threshold(plan)
    if not isinstance(found, ThresholdFound):
        return found
    generalised = yield from generalised_threshold(plan, go_on, found)
    return BothThresholds(found, generalised)


def generalised_threshold(plan: ThresholdPlan, go_on: Continuation, found: ThresholdFound) -> Steps[Generalised]:
    """The stage decides, whatever the trace shows; a stage that nobody entered decides nothing."""
    stage = (yield from score(go_on.scale)).stage
    above_ua, current_ua = found.above_ua, found.rung_ua
    above = iter(rung_ua for rung_ua in plan.rungs_ua if rung_ua > found.rung_ua)
    while True:
        if stage is None:
            return GeneralisedUnknown(above_ua, f"no stage was entered at {current_ua:.4g} uA")
        if stage >= go_on.generalised_from:
            return GeneralisedFound(above_ua, current_ua)
        above_ua = current_ua
        following_ua = next(above, None)
        if following_ua is None:
            return NotGeneralised(above_ua)
        current_ua = following_ua
        yield from rest(lockout_s(plan), "lock-out after an afterdischarge, before the next current")
        answer = yield from _stage_at(plan, go_on, current_ua)
        if isinstance(answer, Stopped):
            return GeneralisedUnknown(above_ua, answer.reason)
        stage = answer.stage


def _stage_at(plan: ThresholdPlan, go_on: Continuation, current_ua: float) -> Steps[Scored | Stopped]:
    for _ in range(MAX_CONSECUTIVE_VOIDS):
        trial = yield from stimulate(plan.train.at(current_ua))
        if not isinstance(trial, VoidTrial):
            return (yield from score(go_on.scale))
        if trial.verdict is Verdict.AFTERDISCHARGE:
            return Stopped(f"a void train evoked an afterdischarge: {trial.reason}")
        yield from rest(lockout_s(plan), f"lock-out after a void train: {trial.reason}")
    return Stopped(f"{MAX_CONSECUTIVE_VOIDS} trains of {current_ua:.4g} uA in a row were not delivered as asked")
