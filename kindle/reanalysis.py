"""The live detector over stored recordings, in large blocks and on all cores, and its boundaries refined."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from detectors.afterdischarge import AfterdischargeDetector
from detectors.condition import ChannelCondition
from detectors.criterion import Criterion, Judgement, Stimulus, Verdict
from detectors.refine import refine as refine_boundaries
from detectors.scanning import BaselineScan
from kindle.loading import Floats, Signals, chosen, load
from kindle.results import ChannelFindings, Findings, RecordingResult, table_rows
from kindle.spreading import at_once, tell
from kindle.stimulus_spec import Automatic, StimulusSpec, is_trigger, parse_stimulus, trains

__all__ = [
    "Asked",
    "Part",
    "Plan",
    "RecordingResult",
    "StimulusSpec",
    "judge",
    "parse_stimulus",
    "parts",
    "plan",
    "reanalyse",
    "table_rows",
    "together",
]

WINDOW_SAMPLES = 1 << 20
"""Samples of all channels that are in memory at once."""
WHOLE_BASELINE_S = 600.0
"""Scanned for seizures, a recording up to this long has one baseline from all of it; a longer one a rolling one."""
REFINED_S = 200.0
"""A discharge longer than this keeps the boundaries of the detector, so that memory stays bounded."""
WORTH_SPLITTING = 20_000_000
"""Samples of all channels from which on the channels of one recording are shared out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the person wants to know of a recording, the same for all of them."""

    criterion: Criterion
    channels: tuple[str, ...] | None = None
    stimulus: StimulusSpec | None = None
    train_s: float = 1.0
    refine: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A recording that was opened: the channels to judge and the trains in it."""

    path: Path
    asked: Asked
    names: tuple[str, ...]
    trains: tuple[Stimulus, ...]
    rate_hz: float
    n_samples: int


@dataclass(frozen=True, slots=True)
class Part:
    """Some channels of a recording: what one worker judges. It opens the recording by itself."""

    plan: Plan
    names: tuple[str, ...]


def plan(path: Path, asked: Asked) -> Plan:
    """Raises ``RecordingError`` and ``ConfigError``.

    Without ``stimulus``: a stimulus channel that shows trains, else annotations that speak of a stimulus, else none.
    """
    signals = load(path)
    names = chosen(signals, asked.channels, path)
    if asked.channels is None:
        names = tuple(name for name in names if not is_trigger(signals, name)) or names
    found = trains(signals, asked.stimulus or Automatic(), brain=names, train_s=asked.train_s, path=path)
    return Plan(path, asked, names, tuple(found), signals.rate_hz, signals.n_samples)


def parts(plan: Plan, workers: int) -> list[Part]:
    """Channels do not know of each other: however they are shared out, the results are the same."""
    n = min(workers, len(plan.names)) if plan.n_samples * len(plan.names) >= WORTH_SPLITTING else 1
    edges = [len(plan.names) * k // n for k in range(n + 1)]
    return [Part(plan, plan.names[first:last]) for first, last in pairwise(edges)]


def together(plan: Plan, judged: Sequence[Sequence[ChannelFindings]]) -> Findings:
    """The parts of a recording, in order."""
    return Findings(plan.path, plan.rate_hz, plan.n_samples, tuple(channel for part in judged for channel in part))


def reanalyse(
    path: Path,
    *,
    channels: Sequence[str] | None,
    stimulus: StimulusSpec | None,
    criterion: Criterion,
    train_s: float,
    refine: bool = True,
    progress: Callable[[float], None] | None = None,
    executor: Executor | None = None,
    workers: int = 1,
) -> RecordingResult:
    """Judge every train of one recording, or scan it for seizures where there is none; here, or by ``executor``."""
    asked = Asked(criterion, tuple(channels) if channels else None, stimulus, train_s, refine)
    told = progress or (lambda share: None)
    planned = plan(path, asked)
    if executor is None:
        with at_once(lambda key, share: told(share)) as here:
            findings = together(planned, [here.submit(judge, part).result() for part in parts(planned, 1)])
    else:
        submitted = [executor.submit(judge, part) for part in parts(planned, workers)]
        findings = together(planned, [future.result() for future in submitted])
    told(1.0)
    return findings.result()


def judge(part: Part) -> list[ChannelFindings]:
    """Every train, or every seizure, of the channels of ``part``; ``tell`` hears how far it is.

    Scanning takes the baseline from the quieter of two levels of the whole recording, if it has two and is no longer
    than 10 minutes (so a seizure at its very beginning has one too); else from the last clean seconds, as live.
    """
    planned, names, criterion = part.plan, part.names, part.plan.asked.criterion
    signals = load(planned.path)
    survey = _survey(signals, part)
    detector = AfterdischargeDetector(
        len(names),
        signals.rate_hz,
        [1.0] * len(names),
        criterion,
        rails=[condition.rails_uv() for condition in survey.conditions],
        baseline_uv=survey.baseline_uv,
    )
    for train in planned.trains:
        detector.stimulus_begins(train.onset_sample)
        detector.stimulus_ends(train.end_sample)
    for window, done in _windows(signals, names):
        detector.push(window)
        tell((part.plan.path, names), 0.5 + 0.45 * done)
    detector.finish()
    seizures = detector.seizures()
    found = []
    for row, name in enumerate(names):
        judgements = [j for j in detector.judgements(row) if j.stimulus.onset_sample < signals.n_samples]
        if planned.asked.refine:
            judgements = [_refined(signals, name, judgement, criterion) for judgement in judgements]
        baseline = survey.baseline_uv[row] if survey.baseline_uv else None
        found.append(
            ChannelFindings(
                name, tuple(survey.conditions[row].flags()), tuple(judgements), tuple(seizures[row]), baseline
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Survey:
    """What the first pass found out about each channel."""

    conditions: list[ChannelCondition]
    baseline_uv: list[float] | None


def _survey(signals: Signals, part: Part) -> _Survey:
    names = part.names
    scan = not part.plan.trains and signals.n_samples <= WHOLE_BASELINE_S * signals.rate_hz
    conditions = [ChannelCondition(signals.rate_hz) for _ in names]
    baseline = BaselineScan(len(names), signals.rate_hz, [1.0] * len(names)) if scan else None
    for window, done in _windows(signals, names):
        for condition, row in zip(conditions, window, strict=True):
            condition.push(row)
        if baseline is not None:
            baseline.push(window)
        tell((part.plan.path, names), 0.5 * done)
    return _Survey(conditions, baseline.baseline_uv() if baseline else None)


def _windows(signals: Signals, names: tuple[str, ...]) -> Iterator[tuple[Floats, float]]:
    """Pieces of the recording and the share of it that is read with each."""
    step = max(1, WINDOW_SAMPLES // len(names))
    for first in range(0, signals.n_samples, step):
        last = min(signals.n_samples, first + step)
        yield signals.read(names, first, last), last / signals.n_samples


def _refined(signals: Signals, name: str, judgement: Judgement, criterion: Criterion) -> Judgement:
    if judgement.verdict is not Verdict.AFTERDISCHARGE:
        return judgement
    first = judgement.stimulus.onset_sample
    last = min(signals.n_samples, judgement.afterdischarges[-1].end_sample + round(2 * signals.rate_hz))
    if last - first > REFINED_S * signals.rate_hz:
        return judgement
    return refine_boundaries(judgement, signals.read([name], first, last)[0], first, signals.rate_hz, criterion)
