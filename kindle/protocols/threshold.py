"""Afterdischarge threshold: a rising series of trains until the first afterdischarge."""

from math import sqrt
from typing import Literal, assert_never

import msgspec

from detectors.criterion import Criterion, Verdict
from drivers.interface import Polarity, PulseTrain, Shape
from kindle.exchange import TRACE_READINGS, Steps, Trial, VoidTrial, confirm, rest, stimulate
from kindle.protocols.ladder import Step, rungs

MAX_CONSECUTIVE_VOIDS = 3


class TrainShape(msgspec.Struct, frozen=True):
    """Everything of a train but its current."""

    shape: Shape
    polarity: Polarity
    phase_us: float
    interphase_us: float
    pulse_hz: float
    train_s: float

    def at(self, current_ua: float) -> PulseTrain:
        return PulseTrain(
            current_ua=current_ua,
            phase_us=self.phase_us,
            interphase_us=self.interphase_us,
            pulse_hz=self.pulse_hz,
            train_s=self.train_s,
            shape=self.shape,
            polarity=self.polarity,
        )


class ThresholdPlan(msgspec.Struct, frozen=True):
    """A threshold test with nothing left open."""

    preset: str
    start_ua: float
    step: Step
    max_ua: float
    interval_s: float
    """Train onset to train onset."""
    lockout_after_ad_s: float
    baseline_s: float
    watch_s: float
    train: TrainShape
    criterion: Criterion
    if_undetermined: Literal["ask", "stop"]

    @property
    def rungs_ua(self) -> tuple[float, ...]:
        return rungs(self.start_ua, self.step, self.max_ua)


class ThresholdFound(msgspec.Struct, frozen=True, tag="threshold_found"):
    """The threshold lies in ``(above_ua, rung_ua]``; ``above_ua`` is 0 when the first rung already evoked one."""

    above_ua: float
    rung_ua: float

    @property
    def midpoint_ua(self) -> float:
        """Geometric middle of the interval: ladders are multiplicative. The rung itself when left-censored."""
        return sqrt(self.above_ua * self.rung_ua) if self.above_ua > 0 else self.rung_ua


class NoAfterdischarge(msgspec.Struct, frozen=True, tag="no_afterdischarge"):
    """Right-censored: the threshold lies above the highest current that clearly evoked nothing (0: none was clear)."""

    above_ua: float


class Aborted(msgspec.Struct, frozen=True, tag="aborted"):
    """The series ended without an answer; the threshold lies above ``above_ua`` as far as it went."""

    above_ua: float
    reason: str


ThresholdOutcome = ThresholdFound | NoAfterdischarge | Aborted


def describe(outcome: ThresholdOutcome) -> str:
    """The result in one line, as an interval, as it is to be printed everywhere."""
    match outcome:
        case ThresholdFound(above_ua=above, rung_ua=rung) if above > 0:
            return f"threshold in ({above:.4g}, {rung:.4g}] uA, midpoint {outcome.midpoint_ua:.4g} uA"
        case ThresholdFound(rung_ua=rung):
            return f"threshold <= {rung:.4g} uA (the first current already evoked an afterdischarge)"
        case NoAfterdischarge(above_ua=above) if above > 0:
            return f"no afterdischarge: threshold > {above:.4g} uA"
        case NoAfterdischarge():
            return "no afterdischarge, and no current was clearly without one: threshold not bounded"
        case Aborted(above_ua=above, reason=reason):
            return f"stopped: {reason}" + (f"; threshold > {above:.4g} uA as far as it went" if above > 0 else "")
        case _:
            assert_never(outcome)


class Reading(msgspec.Struct, frozen=True):
    """A current that has its answer: from the detector, or from the experimenter where the detector could not tell."""

    trial: Trial
    afterdischarge: bool


class Stopped(msgspec.Struct, frozen=True):
    reason: str


def ascending_threshold(plan: ThresholdPlan) -> Steps[ThresholdOutcome]:
    """Raise the current from train to train, one ``interval_s`` apart, until the first afterdischarge."""
    yield from rest(plan.baseline_s, "baseline before the first train")
    above_ua = 0.0
    previous: Trial | None = None
    for current_ua in plan.rungs_ua:
        if previous is not None:
            yield from rest(_until_due_s(plan, previous), "interval between trains")
        answer = yield from rung(plan, current_ua)
        match answer:
            case Stopped(reason):
                return Aborted(above_ua, reason)
            case Reading(afterdischarge=True):
                return ThresholdFound(above_ua, current_ua)
            case Reading(trial=trial):
                above_ua, previous = current_ua, trial
            case _:
                assert_never(answer)
    return NoAfterdischarge(above_ua)


def rung(plan: ThresholdPlan, current_ua: float) -> Steps[Reading | Stopped]:
    """One current until it has a clear answer. A void train is repeated; an unclear one is the experimenter's call."""
    voids = 0
    while voids < MAX_CONSECUTIVE_VOIDS:
        reply = yield from stimulate(plan.train.at(current_ua))
        match reply:
            case VoidTrial(verdict=Verdict.AFTERDISCHARGE):
                return Stopped(f"a train that was not delivered as asked evoked an afterdischarge: {reply.reason}")
            case VoidTrial(verdict=Verdict.UNDETERMINED):
                voids += 1
                yield from rest(_lockout_s(plan), f"lock-out after a void train: {reply.reason}")
            case VoidTrial():
                voids += 1
                yield from rest(plan.interval_s, f"void train: {reply.reason}")
            case Trial(verdict=Verdict.AFTERDISCHARGE):
                return Reading(reply, afterdischarge=True)
            case Trial(verdict=Verdict.NONE):
                return Reading(reply, afterdischarge=False)
            case Trial(verdict=Verdict.UNDETERMINED):
                settled = yield from settle_by_eye(plan, reply)
                if settled is not None:
                    return settled
                voids = 0
                yield from rest(_lockout_s(plan), "lock-out: there may have been a discharge")
            case _:
                raise AssertionError(f"unknown verdict {reply.verdict!r}")
    return Stopped(f"{MAX_CONSECUTIVE_VOIDS} trains of {current_ua:.4g} uA in a row were not delivered as asked")


def settle_by_eye(plan: ThresholdPlan, trial: Trial) -> Steps[Reading | Stopped | None]:
    """What the experimenter makes of an undetermined trial; ``None`` means: repeat the current after the lock-out."""
    unclear = f"{trial.train.current_ua:.4g} uA: {trial.reason}"
    if plan.if_undetermined == "stop":
        return Stopped(f"undetermined at {unclear}")
    choice = yield from confirm(f"Undetermined at {unclear}. What does the trace show?", TRACE_READINGS)
    match choice:
        case "stop":
            return Stopped(f"stopped by the experimenter after an undetermined trial at {unclear}")
        case "repeat":
            return None
        case _:
            return Reading(trial, afterdischarge=choice == "afterdischarge")


def _lockout_s(plan: ThresholdPlan) -> float:
    return max(plan.lockout_after_ad_s, plan.interval_s)


def _until_due_s(plan: ThresholdPlan, trial: Trial) -> float:
    return max(0.0, plan.interval_s - trial.since_onset_s)
