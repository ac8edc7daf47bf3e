"""Afterdischarge threshold: the plan, the outcomes, one current until it has its answer, and the rising series."""

from math import exp, log, sqrt
from typing import Literal, assert_never

import msgspec

from detectors.criterion import Criterion, Verdict
from drivers.interface import Polarity, PulseTrain, Shape
from kindle.exchange import TRACE_READINGS, Steps, Trial, VoidTrial, confirm, rest, stimulate
from kindle.protocols.ladder import Step, rungs
from kindle.protocols.search import Bracket, Rising, Search, bracket_ladder, most_trains

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


class Continuation(msgspec.Struct, frozen=True, tag="continuation"):
    """After the afterdischarge the series goes on to the first generalised seizure, a lock-out after each discharge."""

    scale: str
    generalised_from: float
    """The lowest stage of the scale that counts."""


class ThresholdPlan(msgspec.Struct, frozen=True, tag="threshold_plan"):
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
    search: Search = Rising()
    continuation: Continuation | None = None

    @property
    def rungs_ua(self) -> tuple[float, ...]:
        """Every current that may be asked, rising."""
        if isinstance(self.search, Bracket):
            return bracket_ladder(self.start_ua, self.max_ua, self.search.tolerance)
        return rungs(self.start_ua, self.step, self.max_ua)

    @property
    def most_trains(self) -> int:
        """How many trains the test takes at most; void and undetermined ones that are repeated come on top."""
        return most_trains(self.search, len(self.rungs_ua))


class ThresholdFound(msgspec.Struct, frozen=True, tag="threshold_found"):
    """The threshold lies in ``(above_ua, rung_ua]``; ``above_ua`` is 0 when the first rung already evoked one."""

    above_ua: float
    rung_ua: float

    @property
    def midpoint_ua(self) -> float:
        """Geometric middle of the interval: ladders are multiplicative. The rung itself when left-censored."""
        return sqrt(self.above_ua * self.rung_ua) if self.above_ua > 0 else self.rung_ua


class Crossing(msgspec.Struct, frozen=True):
    """Neighbouring currents: the lower one without, the higher one with an afterdischarge."""

    above_ua: float
    rung_ua: float


class ThresholdAveraged(msgspec.Struct, frozen=True, tag="threshold_averaged"):
    """The threshold was crossed several times; ``reason`` says why there were fewer crossings than planned."""

    crossings: tuple[Crossing, ...]
    reason: str = ""

    @property
    def estimate_ua(self) -> float:
        """Geometric mean of the middles of the crossings."""
        middles = [log(crossing.above_ua * crossing.rung_ua) / 2 for crossing in self.crossings]
        return exp(sum(middles) / len(middles))

    @property
    def above_ua(self) -> float:
        return min(crossing.above_ua for crossing in self.crossings)

    @property
    def rung_ua(self) -> float:
        return max(crossing.rung_ua for crossing in self.crossings)


class NoAfterdischarge(msgspec.Struct, frozen=True, tag="no_afterdischarge"):
    """Right-censored: the threshold lies above the highest current that clearly evoked nothing (0: none was clear)."""

    above_ua: float


class Aborted(msgspec.Struct, frozen=True, tag="aborted"):
    """The series ended without an answer; the threshold lies above ``above_ua`` as far as it went."""

    above_ua: float
    reason: str


class GeneralisedFound(msgspec.Struct, frozen=True, tag="generalised_found"):
    """The generalised seizure threshold lies in ``(above_ua, rung_ua]``; ``above_ua`` is 0 at the first rung."""

    above_ua: float
    rung_ua: float


class NotGeneralised(msgspec.Struct, frozen=True, tag="not_generalised"):
    """Right-censored: no generalised seizure up to ``above_ua``, the highest current given."""

    above_ua: float


class GeneralisedUnknown(msgspec.Struct, frozen=True, tag="generalised_unknown"):
    """The search for the generalised seizure ended without an answer."""

    above_ua: float
    reason: str


Generalised = GeneralisedFound | NotGeneralised | GeneralisedUnknown


class BothThresholds(msgspec.Struct, frozen=True, tag="both_thresholds"):
    """Afterdischarge threshold and generalised seizure threshold of one series; they may be the same current."""

    afterdischarge: ThresholdFound
    generalised: Generalised


ThresholdOutcome = ThresholdFound | ThresholdAveraged | BothThresholds | NoAfterdischarge | Aborted


def describe(outcome: ThresholdOutcome) -> str:
    """The result in one line, as an interval, as it is to be printed everywhere."""
    match outcome:
        case ThresholdFound(above_ua=above, rung_ua=rung) if above > 0:
            return f"threshold in ({above:.4g}, {rung:.4g}] uA, midpoint {outcome.midpoint_ua:.4g} uA"
        case ThresholdFound(rung_ua=rung):
            return f"threshold <= {rung:.4g} uA (the first current already evoked an afterdischarge)"
        case ThresholdAveraged(crossings=crossings, reason=reason):
            early = f"; ended early: {reason}" if reason else ""
            return (
                f"threshold about {outcome.estimate_ua:.4g} uA, geometric mean of {len(crossings)} crossings between "
                f"{outcome.above_ua:.4g} and {outcome.rung_ua:.4g} uA{early}"
            )
        case BothThresholds(afterdischarge=found, generalised=generalised):
            return f"{describe(found)}; {_describe_generalised(generalised)}"
        case NoAfterdischarge(above_ua=above) if above > 0:
            return f"no afterdischarge: threshold > {above:.4g} uA"
        case NoAfterdischarge():
            return "no afterdischarge, and no current was clearly without one: threshold not bounded"
        case Aborted(above_ua=above, reason=reason):
            return f"stopped: {reason}" + (f"; threshold > {above:.4g} uA as far as it went" if above > 0 else "")
        case _:
            assert_never(outcome)


def _describe_generalised(outcome: Generalised) -> str:
    match outcome:
        case GeneralisedFound(above_ua=above, rung_ua=rung) if above > 0:
            return f"generalised seizure threshold in ({above:.4g}, {rung:.4g}] uA"
        case GeneralisedFound(rung_ua=rung):
            return f"generalised seizure threshold <= {rung:.4g} uA"
        case NotGeneralised(above_ua=above):
            return f"no generalised seizure: threshold > {above:.4g} uA"
        case GeneralisedUnknown(above_ua=above, reason=reason):
            bound = f"; it is > {above:.4g} uA as far as the series went" if above > 0 else ""
            return f"generalised seizure threshold not found: {reason}{bound}"
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
            yield from rest(until_due_s(plan, previous), "interval between trains")
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
                return Stopped(f"a void train evoked an afterdischarge: {reply.reason}")
            case VoidTrial(verdict=Verdict.UNDETERMINED):
                voids += 1
                yield from rest(lockout_s(plan), f"lock-out after a void train: {reply.reason}")
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
                yield from rest(lockout_s(plan), "lock-out: there may have been a discharge")
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


def lockout_s(plan: ThresholdPlan) -> float:
    return max(plan.lockout_after_ad_s, plan.interval_s)


def until_due_s(plan: ThresholdPlan, trial: Trial) -> float:
    return max(0.0, plan.interval_s - trial.since_onset_s)
