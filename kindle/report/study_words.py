"""Rules and plans of a study in the words of a Methods section."""

from collections.abc import Iterable, Sequence
from typing import assert_never

from detectors.criterion import Criterion
from kindle.kindled import KindledRule
from kindle.protocols.kindling import KindlingPlan
from kindle.protocols.ladder import Add, Listed, Ratio, Step
from kindle.protocols.search import Alternating, Bracket, Rising, UpDown
from kindle.protocols.threshold import ThresholdPlan, TrainShape
from kindle.report.definitions import baseline_in_words, discharge_in_words


def counted(n: int, what: str) -> str:
    """3 rats; 1 rat."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def listed(words: Iterable[str]) -> str:
    """a, b and c."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def range_of(values: Sequence[float], unit: str) -> str:
    low, high = min(values), max(values)
    return f"{low:.4g} {unit}" if low == high else f"{low:.4g} to {high:.4g} {unit}"


def rule_in_words(rule: KindledRule) -> str:
    run = "consecutive " if rule.mode == "consecutive" else ""
    conditions = [f"{run}{'seizure' if rule.n == 1 else 'seizures'} of stage {rule.stage_from:g} or more"]
    if rule.afterdischarge_required:
        conditions.append("each with an afterdischarge")
    if rule.one_per_day:
        conditions.append("of each day only the first clear stimulation counted")
    if rule.within is not None:
        conditions.append(f"within {counted(rule.within, 'stimulation')}")
    if rule.stable_days is not None:
        conditions.append(f"then stable on {counted(rule.stable_days, 'further day')}")
    if rule.cap_trains is not None:
        conditions.append(f"within {counted(rule.cap_trains, 'stimulation')} in all")
    if rule.cap_days is not None:
        conditions.append(f"within {counted(rule.cap_days, 'day')} of stimulation")
    return f"{rule.n} {', '.join(conditions)} (scale {rule.scale})"


def train_in_words(train: TrainShape) -> str:
    between = f", {train.interphase_us:g} µs between the phases" if train.interphase_us > 0 else ""
    polarity = train.polarity.replace("_", "-")
    return (
        f"{train.train_s:g} s of {train.shape}, {polarity} pulses at {train.pulse_hz:g} Hz, {train.phase_us:g} µs per "
        f"phase{between}"
    )


def criterion_in_words(criterion: Criterion) -> str:
    return f"An afterdischarge is {discharge_in_words(criterion)}; {baseline_in_words(criterion)}."


def threshold_in_words(plan: ThresholdPlan) -> str:
    undetermined = {"ask": "the experimenter decided on the trace", "stop": "the test was stopped"}
    on = ""
    if plan.continuation is not None:
        on = (
            f" The series went on to the first generalised seizure, stage {plan.continuation.generalised_from:g} or "
            f"more on {plan.continuation.scale}."
        )
    return (
        f"Threshold test: trains of {train_in_words(plan.train)}; {_search(plan)}, one train every "
        f"{plan.interval_s:g} s from onset to onset, after {plan.baseline_s:g} s of baseline, each watched for "
        f"{plan.watch_s:g} s; {plan.lockout_after_ad_s:g} s at least from an afterdischarge to the next train. Where "
        f"the signal could not be judged, {undetermined[plan.if_undetermined]}; a void train was repeated. The "
        "threshold lies above the highest current that clearly evoked nothing and not above the lowest that evoked an "
        f"afterdischarge.{on}"
    )


def kindling_in_words(plan: KindlingPlan, currents_ua: Sequence[float]) -> str:
    apart = f", {plan.interval_s:g} s from onset to onset" if plan.trains > 1 else ""
    lockout = (
        f" and {plan.lockout_after_ad_s:g} s at least from the end of the watch after an afterdischarge to the next"
        if plan.trains > 1
        else ""
    )
    habituation = f" after {plan.habituation_s:g} s of habituation" if plan.habituation_s > 0 else ""
    return (
        f"{counted(plan.trains, 'train')} of {train_in_words(plan.train)} at {range_of(currents_ua, 'µA')} in each "
        f"session{apart}{lockout}{habituation}; baseline {plan.baseline_s:g} s, watched for {plan.watch_s:g} s, scored "
        f"on {plan.scale}."
    )


def _search(plan: ThresholdPlan) -> str:
    match plan.search:
        case Rising():
            return f"currents {_steps(plan.start_ua, plan.step, plan.max_ua)} until the first afterdischarge"
        case UpDown(first_ua=first, reversals=reversals, max_trains=most):
            return (
                f"up and down from {first:.4g} µA on the ladder {_steps(plan.start_ua, plan.step, plan.max_ua)}, until "
                f"{reversals} reversals or {most} trains"
            )
        case Bracket(tolerance=tolerance):
            return (
                f"the interval from {plan.start_ua:.4g} to {plan.max_ua:.4g} µA was halved on a logarithmic scale "
                f"until its bounds differed by no more than a factor of {tolerance:g}"
            )
        case Alternating(series=series, trains=trains, positive=positive, max_trains=most):
            return (
                f"{series} descending and ascending series in turn on the ladder "
                f"{_steps(plan.start_ua, plan.step, plan.max_ua)}, at each level {trains} trains of which {positive} "
                f"had to evoke an afterdischarge, {most} trains at most"
            )
        case _:
            assert_never(plan.search)


def _steps(start_ua: float, step: Step, max_ua: float) -> str:
    match step:
        case Ratio(value=ratio):
            return f"rising from {start_ua:.4g} µA by factors of {ratio:g} to at most {max_ua:.4g} µA"
        case Add(value_ua=added_ua):
            return f"rising from {start_ua:.4g} µA by {added_ua:g} µA to at most {max_ua:.4g} µA"
        case Listed(values_ua=values):
            allowed = [value for value in values if value <= max_ua]
            return f"of {', '.join(f'{value:g}' for value in allowed)} µA, at most {max_ua:.4g} µA"
        case _:
            assert_never(step)
