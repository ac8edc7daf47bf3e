"""A drug, or its vehicle, before the train of a kindled animal or before a threshold test."""

from typing import assert_never

import msgspec
from msgspec import structs

from detectors.criterion import Criterion
from kindle.exchange import Steps
from kindle.protocols.injecting import (
    Injection,
    NotAllGiven,
    Pretreated,
    describe_pretreatment,
    give,
    names,
    refusal,
    wait_out,
)
from kindle.protocols.kindling import KindlingOutcome, KindlingPlan, describe_kindling, kindling_trains
from kindle.protocols.threshold import ThresholdOutcome, ThresholdPlan, TrainShape, describe
from kindle.protocols.threshold_series import threshold_series


class DrugTestPlan(msgspec.Struct, frozen=True, tag="drug_test_plan"):
    """Injections, the time that each needs, and the test that shows their effect."""

    preset: str
    injections: tuple[Injection, ...]
    """None on a control day without an injection."""
    tolerance_s: float
    """How far the time from an injection to the first train may be off."""
    test: KindlingPlan | ThresholdPlan
    condition: str = ""
    """What this day is in the design: ``control`` without an injection, a treatment, or a code."""
    departure: str = ""
    """Which rule of the course this day breaks, and why somebody broke it."""

    @property
    def train(self) -> TrainShape:
        return self.test.train

    @property
    def criterion(self) -> Criterion:
        return self.test.criterion

    @property
    def interval_s(self) -> float:
        return self.test.interval_s

    @property
    def lockout_after_ad_s(self) -> float:
        return self.test.lockout_after_ad_s

    @property
    def baseline_s(self) -> float:
        return self.test.baseline_s

    @property
    def watch_s(self) -> float:
        return self.test.watch_s

    @property
    def rungs_ua(self) -> tuple[float, ...]:
        return self.test.rungs_ua

    @property
    def most_trains(self) -> int:
        return self.test.most_trains


class DrugTested(msgspec.Struct, frozen=True, tag="drug_tested"):
    pretreated: tuple[Pretreated, ...]
    test: KindlingOutcome | ThresholdOutcome


class DrugTestStopped(msgspec.Struct, frozen=True, tag="drug_test_stopped"):
    """No train was given; what was injected was injected all the same."""

    injected: tuple[str, ...]
    reason: str


DrugTestOutcome = DrugTested | DrugTestStopped


def drug_test(plan: DrugTestPlan) -> Steps[DrugTestOutcome]:
    """Inject, wait for the pretreatment time of each compound, test."""
    given = yield from give(plan.injections)
    if isinstance(given, NotAllGiven):
        return DrugTestStopped(given.given, given.reason)
    pretreated = yield from wait_out(given, plan.baseline_s)
    reason = yield from refusal(pretreated, plan.tolerance_s)
    if reason:
        return DrugTestStopped(names(given), reason)
    return DrugTested(pretreated, (yield from _test(plan)))


def _test(plan: DrugTestPlan) -> Steps[KindlingOutcome | ThresholdOutcome]:
    match plan.test:
        case KindlingPlan() as kindling:
            return (yield from kindling_trains(kindling))
        case ThresholdPlan() as threshold:
            # The baseline was waited for with the drug.
            return (yield from threshold_series(structs.replace(threshold, baseline_s=0.0)))
        case _:
            assert_never(plan.test)


def describe_drug_test(outcome: DrugTestOutcome) -> str:
    match outcome:
        case DrugTestStopped(injected=injected, reason=reason):
            told = f" after {' and '.join(injected)}" if injected else ""
            return f"no test{told}: {reason}"
        case DrugTested(pretreated=pretreated, test=test):
            after = ", ".join(describe_pretreatment(one) for one in pretreated) or "without an injection"
            effect = describe_kindling(test) if isinstance(test, KindlingOutcome) else describe(test)
            return f"{after}: {effect}"
        case _:
            assert_never(outcome)
