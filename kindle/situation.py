"""Where a session stands, as a person has to see it: made from the facts that the rig tells, and from nothing else."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from msgspec import structs

from detectors.criterion import Verdict
from drivers.interface import DeliveredTrain, PulseTrain
from kindle import progress
from kindle.behaviour import Scoring
from kindle.exchange import Trial, VoidTrial
from kindle.experimenter import Mark
from kindle.interlock_list import Interlock, interlocks
from kindle.protocols.catalogue import ObservingPlan, Plan
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.kindling import KindlingPlan
from kindle.protocols.threshold import ThresholdPlan
from kindle.rungs import NextCurrent, Rung, ladder, next_current
from kindle.safety import Exposure, SafetyLimits
from kindle.scorebook import scoring_of

NOTHING_YET = Exposure()


class Phase(StrEnum):
    CONNECTING = "connecting"
    RESTING = "waiting"
    READY = "ready to arm"
    ARMED = "ARMED"
    TRAIN = "train"
    WATCHING = "watching"
    OBSERVING = "observing"
    LOST = "signal lost"


@dataclass(frozen=True, slots=True)
class Span:
    """Samples ``[onset, end)``; ``end`` is ``None`` while it goes on."""

    onset: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Situation:
    animal: str
    plan: Plan
    limits: SafetyLimits
    rate_hz: float
    scale: str
    """On which behaviour is scored."""
    n_samples: int = 0
    phase: Phase = Phase.CONNECTING
    why: str = ""
    remaining_s: float | None = None
    offered: PulseTrain | None = None
    """The train that a person is to arm, has armed, or that is going on."""
    delivered: DeliveredTrain | None = None
    """What the stimulator makes of it, once it is armed."""
    train: Span | None = None
    """The last one of this recording."""
    discharge: Span | None = None
    """As it goes on, and as it was judged."""
    spike_hz: float | None = None
    """Of the discharge that goes on."""
    gaps: tuple[tuple[int, int], ...] = ()
    """Samples before which some were lost, and about how many."""
    trials: tuple[Trial | VoidTrial, ...] = ()
    marks: tuple[tuple[int, Mark], ...] = ()
    """Since the last train, or since the observation began."""
    observed_from: int | None = None
    to_be_scored: bool = False
    """A train was given whose behaviour nobody has scored yet."""
    exposure: Exposure = NOTHING_YET
    trouble: str = ""
    """What is wrong with the signal now."""
    alarm: str = ""
    """An emergency of the animal that nobody has acknowledged yet: never hidden from anybody."""

    @property
    def now_s(self) -> float:
        return self.n_samples / self.rate_hz

    @property
    def zero_sample(self) -> int | None:
        """Where the latency clocks start: the end of the train, or the beginning of the observation."""
        return self.observed_from if self.train is None or self.observed_from is not None else self.train.end

    @property
    def since_zero_s(self) -> float | None:
        return None if self.zero_sample is None else (self.n_samples - self.zero_sample) / self.rate_hz

    @property
    def discharge_s(self) -> float | None:
        """Running length of a discharge that is going on."""
        if self.discharge is None or self.discharge.end is not None:
            return None
        return (self.n_samples - self.discharge.onset) / self.rate_hz

    @property
    def scoring(self) -> Scoring:
        return scoring_of(self.marks, self.scale)

    @property
    def ladder(self) -> tuple[Rung, ...]:
        return ladder(self.plan, self.trials)

    @property
    def next_current(self) -> NextCurrent | None:
        return next_current(self.plan, self.trials, self.offered)

    @property
    def last_train(self) -> PulseTrain | None:
        """The one that is going on, else the one that was given last, before an interruption too."""
        if self.phase in (Phase.TRAIN, Phase.WATCHING) and self.offered is not None:
            return self.offered
        return self.trials[-1].train if self.trials else None

    @property
    def interlocks(self) -> tuple[Interlock, ...]:
        """Of the train that comes next; first of all whether there is a signal to see its effect in."""
        signal = Interlock("Signal of the amplifier", not self.trouble, self.trouble or "comes in")
        due = self.next_current
        if due is None or isinstance(self.plan, ObservingPlan):
            return (signal,)
        going_on = self.exposure.in_discharge or self.discharge_s is not None
        exposure = structs.replace(self.exposure, in_discharge=going_on)
        return (signal, *interlocks(self.plan.train.at(due.current_ua), exposure, self.now_s, self.limits))


def scale_of(plan: Plan) -> str | None:
    """On which the plan has behaviour scored; ``None`` where it does not ask."""
    match plan:
        case ThresholdPlan(continuation=continuation):
            return None if continuation is None else continuation.scale
        case DrugTestPlan(test=test):
            return scale_of(test)
        case _:
            return plan.scale


def scores_every_train(plan: Plan) -> bool:
    return isinstance(plan, KindlingPlan) or (isinstance(plan, DrugTestPlan) and scores_every_train(plan.test))


def scored(situation: Situation) -> Situation:
    """The person has confirmed the stage: what the EEG says may be seen."""
    return replace(situation, to_be_scored=False)


def after(situation: Situation, fact: progress.Progress) -> Situation:
    """The situation once ``fact`` is known."""
    match fact:
        case progress.Read(first_sample, block):
            return replace(situation, n_samples=first_sample + block.shape[1], trouble="")
        case progress.Exposed(exposure):
            return replace(situation, exposure=exposure)
        case progress.Resting(remaining_s, why):
            return _idle(situation, Phase.RESTING, why=why, remaining_s=remaining_s)
        case progress.Observing(remaining_s):
            begun = situation.observed_from is None
            return replace(
                _idle(situation, Phase.OBSERVING, why="observing the animal", remaining_s=remaining_s),
                observed_from=situation.n_samples if begun else situation.observed_from,
                marks=() if begun else situation.marks,
            )
        case progress.Ready(train, waiting_s, left_s):
            why = "arm when the animal is ready" if waiting_s < 1 else f"due for {waiting_s:.0f} s"
            if left_s is not None:
                why += f"; the pretreatment time ends in {left_s:.0f} s"
            return replace(_idle(situation, Phase.READY, why=why), offered=train, alarm="")
        case progress.Armed(train, delivered, remaining_s):
            told = replace(situation, phase=Phase.ARMED, why="fire, or wait and it is disarmed")
            return replace(told, remaining_s=remaining_s, offered=train, delivered=delivered)
        case progress.Arming(train):
            return replace(situation, phase=Phase.TRAIN, why="", remaining_s=None, offered=train)
        case progress.Fired(train, delivered):
            begun_now = replace(situation, phase=Phase.TRAIN, offered=train, delivered=delivered, marks=())
            span = Span(situation.n_samples, None)
            hiding = scores_every_train(situation.plan)
            return replace(begun_now, train=span, discharge=None, observed_from=None, to_be_scored=hiding)
        case progress.Watching(since_train_s, discharge_s, spike_hz):
            return replace(_watching(situation, since_train_s, discharge_s), spike_hz=spike_hz)
        case progress.Done(trial):
            return _done(situation, trial)
        case progress.Voided(trial):
            return replace(scored(situation), trials=(*situation.trials[:-1], trial), discharge=None)
        case progress.Marked(sample, mark):
            return replace(situation, marks=(*situation.marks, (sample, mark)))
        case progress.Lost(_, reason, stop):
            trouble = f"the signal is lost and the stimulator was stopped ({stop.value}): {reason}"
            return replace(situation, phase=Phase.LOST, why="", offered=None, trouble=trouble, discharge=None)
        case progress.Awaiting(remaining_s, why):
            trouble = f"{why}; looked for again for {remaining_s:.0f} s more: check cable and power"
            return replace(situation, phase=Phase.LOST, remaining_s=remaining_s, trouble=trouble)
        case progress.Back(sample, n_lost):
            lost_s = n_lost / situation.rate_hz
            why = f"the signal is back after about {lost_s:.1f} s; the baseline is taken anew"
            back = replace(situation, phase=Phase.RESTING, why=why, trouble="", remaining_s=None)
            return replace(back, gaps=(*situation.gaps, (sample, n_lost)))
        case progress.Alarmed():
            return replace(situation, alarm=fact.text)
        case _:
            assert_never(fact)


def _idle(situation: Situation, phase: Phase, *, why: str, remaining_s: float | None = None) -> Situation:
    """No train is going on, and the next one is not armed."""
    told = replace(situation, phase=phase, why=why, remaining_s=remaining_s, offered=None, delivered=None)
    return scored(told) if phase is not Phase.OBSERVING else told


def _watching(situation: Situation, since_train_s: float, discharge_s: float | None) -> Situation:
    now, rate_hz = situation.n_samples, situation.rate_hz
    end = now - round(since_train_s * rate_hz)
    train = situation.train
    if train is None or train.end is None:
        length_s = 0.0 if situation.delivered is None else situation.delivered.train_s
        train = Span(end - round(length_s * rate_hz), end)
    discharge = situation.discharge
    if discharge_s is not None:
        discharge = Span(now - round(discharge_s * rate_hz), None)
    elif discharge is not None and discharge.end is None:
        discharge = Span(discharge.onset, now)
    return replace(situation, phase=Phase.WATCHING, why="", remaining_s=None, train=train, discharge=discharge)


def _done(situation: Situation, trial: Trial | VoidTrial) -> Situation:
    told = replace(situation, trials=(*situation.trials, trial), offered=None, delivered=None, phase=Phase.WATCHING)
    if situation.train is None:
        # A train that was settled after an interruption lies in another recording.
        return told
    measured = trial.measured
    train = situation.train if measured is None else Span(measured.onset_sample, measured.end_sample)
    discharge = None
    if isinstance(trial, Trial) and trial.verdict is Verdict.AFTERDISCHARGE:
        first = trial.afterdischarges[0]
        discharge = Span(first.onset_sample, first.end_sample)
    return replace(told, train=train, discharge=discharge)
