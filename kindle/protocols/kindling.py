"""A kindling session: one train or several at one current, each watched and scored."""

from typing import assert_never

import msgspec

from detectors.criterion import Criterion, Verdict
from drivers.interface import PulseTrain
from kindle.errors import ConfigError
from kindle.exchange import Steps, rest
from kindle.protocols.stimulation import Given, Missed, Status, Wrong, stimulation
from kindle.protocols.threshold import MAX_CONSECUTIVE_VOIDS, TrainShape
from kindle.status import StatusRule


class Fixed(msgspec.Struct, frozen=True, tag="fixed"):
    """The same current for every animal."""

    current_ua: float


class AtThreshold(msgspec.Struct, frozen=True, tag="at_threshold"):
    """The animal's own threshold (the rung that evoked the afterdischarge) times ``multiple`` plus ``plus_ua``."""

    multiple: float = 1.0
    plus_ua: float = 0.0


Current = Fixed | AtThreshold


def current_for(rule: Current, threshold_ua: float | None) -> float:
    """The kindling current of an animal. Raises ``ConfigError`` where it needs a threshold that nobody measured."""
    match rule:
        case Fixed(current_ua):
            return current_ua
        case AtThreshold(multiple, plus_ua) if threshold_ua is not None:
            return threshold_ua * multiple + plus_ua
        case AtThreshold():
            raise ConfigError(
                "this schedule stimulates at the animal's threshold, and none is known; "
                "find it first with: kindle run threshold"
            )
        case _:
            assert_never(rule)


class KindlingPlan(msgspec.Struct, frozen=True, tag="kindling_plan"):
    """A kindling session with nothing left open."""

    preset: str
    current_ua: float
    train: TrainShape
    trains: int
    """In this session; those of a day may be spread over several sessions."""
    interval_s: float
    """Train onset to train onset within the session."""
    lockout_after_ad_s: float
    """From the end of the watch after a discharge to the next train of the session."""
    baseline_s: float
    watch_s: float
    criterion: Criterion
    scale: str
    habituation_s: float = 0.0
    status: StatusRule = StatusRule()
    threshold_ua: float | None = None
    """The threshold known when the session began; the current over it is the strength of the stimulus."""

    @property
    def one_train(self) -> PulseTrain:
        return self.train.at(self.current_ua)

    @property
    def rungs_ua(self) -> tuple[float, ...]:
        """Every current that may be asked."""
        return (self.current_ua,)

    @property
    def most_trains(self) -> int:
        return self.trains


class KindlingDone(msgspec.Struct, frozen=True, tag="kindling_done"):
    stimulations: tuple[Given | Wrong, ...]


class KindlingStopped(msgspec.Struct, frozen=True, tag="kindling_stopped"):
    """The session ended before its last train."""

    stimulations: tuple[Given | Wrong, ...]
    reason: str


KindlingOutcome = KindlingDone | KindlingStopped


def kindling_session(plan: KindlingPlan) -> Steps[KindlingOutcome]:
    if plan.habituation_s > 0:
        yield from rest(plan.habituation_s, "habituation to the chamber")
    yield from rest(plan.baseline_s, "baseline before the first train")
    return (yield from kindling_trains(plan))


def kindling_trains(plan: KindlingPlan) -> Steps[KindlingOutcome]:
    """The trains of a session whose baseline is over."""
    done: list[Given] = []
    while len(done) < plan.trains:
        if done:
            yield from _interval(plan, done[-1])
        answer = yield from _given_once(plan)
        match answer:
            case Missed(reason):
                return KindlingStopped(tuple(done), f"no train could be given: {reason}")
            case Status(given):
                return KindlingStopped((*done, given), "status epilepticus")
            case Wrong(reason=reason):
                return KindlingStopped((*done, answer), f"the train was void: {reason}")
            case Given():
                done.append(answer)
            case _:
                assert_never(answer)
    return KindlingDone(tuple(done))


def _given_once(plan: KindlingPlan) -> Steps[Given | Wrong | Missed | Status]:
    for attempt in range(MAX_CONSECUTIVE_VOIDS):
        answer = yield from stimulation(plan.one_train, plan.scale, plan.status)
        if not isinstance(answer, Missed):
            return answer
        if attempt + 1 < MAX_CONSECUTIVE_VOIDS:
            yield from rest(plan.interval_s, f"no current flowed: {answer.reason}")
    return answer


def _interval(plan: KindlingPlan, last: Given) -> Steps[None]:
    """Until the next train is due, by the sample clock: the person who scored may have taken any time over it."""
    now = yield from rest(0.0, "reading the clock")
    gone_s = (now.last_sample - last.onset_sample) / last.rate_hz if now.recording == last.recording else 0.0
    lockout_s = 0.0 if last.verdict is Verdict.NONE else plan.lockout_after_ad_s
    yield from rest(max(plan.interval_s - gone_s, lockout_s, 0.0), "interval between trains")


def describe_kindling(outcome: KindlingOutcome) -> str:
    told = ", ".join(_told(one) for one in outcome.stimulations) or "no train"
    match outcome:
        case KindlingDone():
            return told
        case KindlingStopped(reason=reason):
            return f"stopped: {reason}; {told}"
        case _:
            assert_never(outcome)


def _told(one: Given | Wrong) -> str:
    stage = "not scored" if one.stage is None else f"stage {one.stage:g} on {one.scale}"
    match one:
        case Wrong():
            return f"a void train of {one.current_ua:.4g} uA, {stage}"
        case Given(verdict=Verdict.AFTERDISCHARGE, discharge_s=float(discharge_s)):
            return f"{stage}, afterdischarge of {discharge_s:.1f} s at {one.current_ua:.4g} uA"
        case Given(verdict=Verdict.NONE):
            return f"{stage}, no afterdischarge at {one.current_ua:.4g} uA"
        case _:
            return f"{stage}, undetermined at {one.current_ua:.4g} uA"
