"""The live detector over a stored recording, in large blocks, and its boundaries refined."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal

import msgspec

from detectors.afterdischarge import AfterdischargeDetector
from detectors.condition import ChannelCondition, Flag
from detectors.criterion import Criterion, Judgement, Seizure, Stimulus, Verdict
from detectors.durations import durations_s
from detectors.refine import refine as refine_boundaries
from detectors.scanning import BaselineScan
from kindle.loading import Floats, Signals, chosen, load
from kindle.stimulus_spec import Automatic, StimulusSpec, is_trigger, parse_stimulus, trains

__all__ = ["RecordingResult", "StimulusSpec", "parse_stimulus", "reanalyse", "table_rows"]

WINDOW_SAMPLES = 1 << 20
"""Samples of all channels that are in memory at once."""
WHOLE_BASELINE_S = 600.0
"""Scanned for seizures, a recording up to this long has one baseline from all of it; a longer one a rolling one."""
REFINED_S = 200.0
"""A discharge longer than this keeps the boundaries of the detector, so that memory stays bounded."""


class TrainSpan(msgspec.Struct, frozen=True):
    onset_s: float
    end_s: float


class DischargeResult(msgspec.Struct, frozen=True):
    kind: Literal["primary", "secondary"]
    onset_s: float
    end_s: float
    duration_s: float
    n_spikes: int
    spike_hz: float
    median_ratio: float
    end_grade: Literal["clear", "gradual", "artefact", "truncated"]
    confidence: float


class DurationsResult(msgspec.Struct, frozen=True):
    """Of the first discharge, the first, and of all; 0 where there is none, null where nobody can tell."""

    from_train_end: float | None
    from_first_spike: float | None
    total: float | None


class TrialResult(msgspec.Struct, frozen=True):
    stimulus: TrainSpan
    verdict: Literal["afterdischarge", "none", "undetermined"]
    reason: str
    afterdischarges: list[DischargeResult]
    durations_s: DurationsResult


class SeizureResult(msgspec.Struct, frozen=True):
    onset_s: float
    end_s: float
    duration_s: float
    confidence: float


class ChannelResult(msgspec.Struct, frozen=True):
    name: str
    flags: list[Flag]
    trials: list[TrialResult]
    seizures: list[SeizureResult]


class RecordingResult(msgspec.Struct, frozen=True):
    """Times are seconds from the start of the recording."""

    path: str
    rate_hz: float
    duration_s: float
    channels: list[ChannelResult]


@dataclass(frozen=True, slots=True)
class _Survey:
    """What the first pass found out about each channel."""

    conditions: list[ChannelCondition]
    baseline_uv: list[float] | None


def reanalyse(
    path: Path,
    *,
    channels: Sequence[str] | None,
    stimulus: StimulusSpec | None,
    criterion: Criterion,
    train_s: float,
    refine: bool = True,
    progress: Callable[[float], None] | None = None,
) -> RecordingResult:
    """Judge every train, or scan for seizures where there is none.

    Without ``stimulus``: a stimulus channel that shows trains, else annotations that speak of a stimulus, else none.
    Scanning takes the baseline from the quieter of two levels of the whole recording, if it has two and is no longer
    than 10 minutes (so a seizure at its very beginning has one too); else from the last clean seconds, as live.
    Raises ``RecordingError`` and ``ConfigError``.
    """
    signals = load(path)
    names = chosen(signals, channels, path)
    if channels is None:
        names = tuple(name for name in names if not is_trigger(signals, name)) or names
    marks = trains(signals, stimulus or Automatic(), brain=names, train_s=train_s, path=path)
    told = progress or (lambda done: None)
    scan = not marks and signals.n_samples <= WHOLE_BASELINE_S * signals.rate_hz
    survey = _survey(signals, names, scan=scan, told=told)
    detector = AfterdischargeDetector(
        len(names),
        signals.rate_hz,
        [1.0] * len(names),
        criterion,
        rails=[condition.rails_uv() for condition in survey.conditions],
        baseline_uv=survey.baseline_uv,
    )
    for train in marks:
        detector.stimulus_begins(train.onset_sample)
        detector.stimulus_ends(train.end_sample)
    for window, done in _windows(signals, names):
        detector.push(window)
        told(0.5 + 0.45 * done)
    detector.finish()
    results = []
    seizures = detector.seizures()
    for row, name in enumerate(names):
        judgements = [j for j in detector.judgements(row) if j.stimulus.onset_sample < signals.n_samples]
        if refine:
            judgements = [_refined(signals, name, judgement, criterion) for judgement in judgements]
        results.append(
            ChannelResult(
                name,
                survey.conditions[row].flags(),
                [_trial(judgement, signals.rate_hz) for judgement in judgements],
                [_seizure(seizure, signals.rate_hz) for seizure in seizures[row]],
            )
        )
    told(1.0)
    return RecordingResult(str(path), signals.rate_hz, _s(signals.n_samples, signals.rate_hz), results)


def table_rows(result: RecordingResult) -> list[dict[str, str]]:
    """One row for each trial, seizure, or channel with neither, for a table that people read."""
    rows: list[dict[str, str]] = []
    for channel in result.channels:
        place = {"recording": Path(result.path).name, "channel": channel.name}
        flags = {"flags": ", ".join(channel.flags)}
        for trial in channel.trials:
            first = trial.afterdischarges[0] if trial.afterdischarges else None
            rows.append(
                place
                | {
                    "train (s)": f"{trial.stimulus.onset_s:.1f}",
                    "verdict": trial.verdict,
                    "onset (s)": f"{first.onset_s:.2f}" if first else "",
                    "end (s)": f"{first.end_s:.2f}" if first else "",
                    "duration (s)": f"{first.duration_s:.1f}" if first else "",
                    "more": f"{len(trial.afterdischarges) - 1} secondary" if len(trial.afterdischarges) > 1 else "",
                    "end": first.end_grade if first else "",
                    "confidence": f"{first.confidence:.2f}" if first else "",
                    "reason": trial.reason,
                }
                | flags
            )
        for seizure in channel.seizures:
            rows.append(
                place
                | {
                    "train (s)": "",
                    "verdict": "seizure",
                    "onset (s)": f"{seizure.onset_s:.2f}",
                    "end (s)": f"{seizure.end_s:.2f}",
                    "duration (s)": f"{seizure.duration_s:.1f}",
                    "more": "",
                    "end": "",
                    "confidence": f"{seizure.confidence:.2f}",
                    "reason": "",
                }
                | flags
            )
        if not channel.trials and not channel.seizures:
            blank = dict.fromkeys(
                ("train (s)", "onset (s)", "end (s)", "duration (s)", "more", "end", "confidence"), ""
            )
            rows.append(place | blank | {"verdict": "no seizure", "reason": ""} | flags)
    return rows


def _survey(signals: Signals, names: tuple[str, ...], *, scan: bool, told: Callable[[float], None]) -> _Survey:
    conditions = [ChannelCondition(signals.rate_hz) for _ in names]
    baseline = BaselineScan(len(names), signals.rate_hz, [1.0] * len(names)) if scan else None
    for window, done in _windows(signals, names):
        for condition, row in zip(conditions, window, strict=True):
            condition.push(row)
        if baseline is not None:
            baseline.push(window)
        told(0.5 * done)
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


def _trial(judgement: Judgement, rate_hz: float) -> TrialResult:
    events = judgement.afterdischarges
    durations = durations_s(judgement.stimulus, events, rate_hz)
    unknown = judgement.verdict is Verdict.UNDETERMINED
    return TrialResult(
        stimulus=_span(judgement.stimulus, rate_hz),
        verdict=judgement.verdict.value,
        reason=judgement.reason,
        afterdischarges=[
            DischargeResult(
                kind=event.kind.value,
                onset_s=_s(event.onset_sample, rate_hz),
                end_s=_s(event.end_sample, rate_hz),
                duration_s=_s(event.end_sample - event.onset_sample, rate_hz),
                n_spikes=event.n_spikes,
                spike_hz=round(event.spike_hz, 3),
                median_ratio=round(event.median_ratio, 3),
                end_grade=event.end_grade.value,
                confidence=round(event.confidence, 3),
            )
            for event in events
        ],
        durations_s=DurationsResult(None, None, None)
        if unknown
        else DurationsResult(
            round(durations.from_train_end, 6), round(durations.from_first_spike, 6), round(durations.total, 6)
        ),
    )


def _seizure(seizure: Seizure, rate_hz: float) -> SeizureResult:
    return SeizureResult(
        onset_s=_s(seizure.onset_sample, rate_hz),
        end_s=_s(seizure.end_sample, rate_hz),
        duration_s=_s(seizure.end_sample - seizure.onset_sample, rate_hz),
        confidence=round(seizure.confidence, 3),
    )


def _span(stimulus: Stimulus, rate_hz: float) -> TrainSpan:
    return TrainSpan(_s(stimulus.onset_sample, rate_hz), _s(stimulus.end_sample, rate_hz))


def _s(sample: int, rate_hz: float) -> float:
    seconds = round(sample / rate_hz, 6)
    assert isfinite(seconds)
    return seconds
