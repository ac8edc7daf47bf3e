"""A threshold test as its plan has it; and the plan for an animal whose threshold is known from before."""

from typing import assert_never

from msgspec import structs

from kindle.errors import ConfigError
from kindle.exchange import Steps
from kindle.protocols.search import Alternating, Bracket, Rising, UpDown
from kindle.protocols.seizure_threshold import both_thresholds
from kindle.protocols.staircase import alternating_threshold, bracketed_threshold, up_down_threshold
from kindle.protocols.threshold import ThresholdOutcome, ThresholdPlan, ascending_threshold


def threshold_series(plan: ThresholdPlan) -> Steps[ThresholdOutcome]:
    match plan.search:
        case Rising() if plan.continuation is not None:
            return both_thresholds(plan, plan.continuation)
        case Rising():
            return ascending_threshold(plan)
        case UpDown() as search:
            return up_down_threshold(plan, search)
        case Bracket():
            return bracketed_threshold(plan)
        case Alternating() as search:
            return alternating_threshold(plan, search)
        case _:
            assert_never(plan.search)


def starting_below(plan: ThresholdPlan, last_ua: float, fraction: float = 0.5) -> ThresholdPlan:
    """The same ladder from its highest current that is at most ``fraction`` of the last known threshold.

    Each rung left out is a sub-threshold exposure less; thresholds fall by 40-60 % with kindling (Racine 1972a), so
    half of the last one is the usual place to begin. A ladder that begins higher stays as it is.
    """
    if not 0 < fraction <= 1 or not last_ua > 0:
        raise ConfigError(
            f"a re-test begins at a fraction of the last threshold, not at {fraction:g} of {last_ua:g} uA"
        )
    if not isinstance(plan.search, Rising):
        return plan
    below = [rung_ua for rung_ua in plan.rungs_ua if rung_ua <= fraction * last_ua]
    return structs.replace(plan, start_ua=below[-1]) if below else plan
