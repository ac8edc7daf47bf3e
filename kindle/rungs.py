"""The ladder of a session as a person sees it: what happened at each current, and which comes next, with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.criterion import Verdict
from drivers.interface import PulseTrain
from kindle.exchange import Trial, VoidTrial
from kindle.protocols.catalogue import Plan, trains_of
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.kindling import KindlingPlan
from kindle.protocols.ladder import Ratio
from kindle.protocols.search import Rising
from kindle.protocols.threshold import ThresholdPlan


@dataclass(frozen=True, slots=True)
class Rung:
    """``results`` are the trials at this current, in their order."""

    current_ua: float
    results: tuple[Trial | VoidTrial, ...]


@dataclass(frozen=True, slots=True)
class NextCurrent:
    current_ua: float
    why: str


def ladder(plan: Plan, trials: Sequence[Trial | VoidTrial]) -> tuple[Rung, ...]:
    """Every current of the plan, rising, each once."""
    currents = sorted({train.current_ua for train in trains_of(plan)})
    return tuple(Rung(ua, tuple(trial for trial in trials if trial.train.current_ua == ua)) for ua in currents)


def next_current(
    plan: Plan, trials: Sequence[Trial | VoidTrial], offered: PulseTrain | None = None
) -> NextCurrent | None:
    """The train that is offered; before there is one, what a rising series or a schedule will ask next.

    ``None`` where only the protocol knows, and where no train follows.
    """
    test = plan.test if isinstance(plan, DrugTestPlan) else plan
    match test:
        case KindlingPlan():
            return _of_schedule(test, trials, offered)
        case ThresholdPlan():
            return _of_series(test, trials, offered)
        case _:
            return None


def _of_schedule(
    plan: KindlingPlan, trials: Sequence[Trial | VoidTrial], offered: PulseTrain | None
) -> NextCurrent | None:
    done = sum(isinstance(trial, Trial) or trial.exposed for trial in trials)
    if done >= plan.trains and offered is None:
        return None
    strength = ""
    if plan.threshold_ua:
        strength = f", {plan.current_ua / plan.threshold_ua:.3g} × the threshold of {plan.threshold_ua:.4g} µA"
    return NextCurrent(plan.current_ua, f"train {done + 1} of {plan.trains}{strength}")


def _of_series(
    plan: ThresholdPlan, trials: Sequence[Trial | VoidTrial], offered: PulseTrain | None
) -> NextCurrent | None:
    rungs_ua = plan.rungs_ua
    last = trials[-1] if trials else None
    if offered is not None:
        current_ua = offered.current_ua
    elif last is None:
        current_ua = rungs_ua[0]
    elif not isinstance(plan.search, Rising) or last.verdict is Verdict.AFTERDISCHARGE:
        return None
    else:
        place = _place(rungs_ua, last.train.current_ua)
        repeated = isinstance(last, VoidTrial) or last.verdict is Verdict.UNDETERMINED
        if not repeated and place + 1 == len(rungs_ua):
            return None
        current_ua = rungs_ua[place if repeated else place + 1]
    parts = [f"rung {_place(rungs_ua, current_ua) + 1} of {len(rungs_ua)}"]
    if last is not None and current_ua > last.train.current_ua:
        step = plan.step
        parts.append(
            f"× {step.value:g}" if isinstance(step, Ratio) else f"+ {current_ua - last.train.current_ua:.4g} µA"
        )
    if last is not None:
        parts.append(f"last: {outcome_word(last)}")
    return NextCurrent(current_ua, ", ".join(parts))


def outcome_word(trial: Trial | VoidTrial) -> str:
    match trial:
        case VoidTrial():
            return "void"
        case Trial(verdict=Verdict.AFTERDISCHARGE):
            return f"afterdischarge, {trial.durations.from_first_spike:.1f} s"
        case Trial():
            return trial.verdict.value


def _place(rungs_ua: Sequence[float], current_ua: float) -> int:
    return min(range(len(rungs_ua)), key=lambda i: abs(rungs_ua[i] - current_ua))
