"""One trial through the detector, causal then refined, through the artefact finder, and through the peers."""

import numpy as np

from benchmarks import raters
from benchmarks.peers import SETTINGS, Event, available, prepared
from benchmarks.trials import Measured, Reading, Span, Trial
from detectors.afterdischarge import AfterdischargeDetector
from detectors.criterion import Criterion, Judgement, Kind, Stimulus
from detectors.refine import refine
from detectors.stimulus import ArtefactTrains
from drivers.simulated.scenarios import Recording, TrueEvent

CRITERION = Criterion()
AFTER_END_S = 2.0
"""What refinement sees beyond the last discharge."""


def measure(trial: Trial, *, with_peers: bool = True) -> Measured:
    recording = trial.draw()
    causal = judge(recording)
    refined = refine(causal, *_around(recording, causal), recording.rate_hz, CRITERION)
    readings = {"causal": _ours(recording, causal), "refined": _ours(recording, refined)}
    truth = recording.truth
    if with_peers and truth.verdict in ("afterdischarge", "none"):
        p = prepared(recording)
        for name, peer in available().items():
            readings[name] = _theirs(recording, peer(p, *SETTINGS[name]))
    readings |= raters.readings(recording)
    first = truth.events[0] if truth.events else None
    return Measured(
        group=trial.group,
        number=recording.number,
        name=recording.name,
        seed=trial.seed,
        family=recording.family.value,
        ratio=recording.ratio,
        rate_hz=recording.rate_hz,
        verdict=truth.verdict,
        borderline=truth.borderline,
        span_s=_span_s(recording, first.onset_sample, first.end_sample) if first else None,
        onset_exact=first is not None and first.onset_range[0] == first.onset_range[1],
        end_exact=first is not None and first.end_range[0] == first.end_range[1],
        n_events=len(truth.events),
        end_grade=first.end_grade if first else None,
        readings=readings,
        train_error_s=train_error_s(recording),
    )


def judge(recording: Recording) -> Judgement:
    """The causal path, as live: counts in, the train marked, lost samples as gaps."""
    detector = AfterdischargeDetector(
        1, recording.rate_hz, [recording.resolution_uv], CRITERION, rails=[recording.rails]
    )
    detector.stimulus_begins(recording.stimulus[0])
    detector.stimulus_ends(recording.stimulus[1])
    for first, counts in recording.pieces():
        detector.gap(first - detector.n_samples)
        detector.push(counts[None])
    detector.gap(recording.counts.size - detector.n_samples)
    detector.finish()
    (judgement,) = detector.judgements(0)
    return judgement


def train_error_s(recording: Recording) -> float | None:
    """The worse end of the train found by its artefact; ``None`` unless exactly one was found."""
    finder = ArtefactTrains(recording.rate_hz)
    finder.push(_microvolts(recording))
    trains: list[Stimulus] = finder.trains()
    if len(trains) != 1:
        return None
    onset, end = recording.stimulus
    return max(abs(trains[0].onset_sample - onset), abs(trains[0].end_sample - end)) / recording.rate_hz


def _microvolts(recording: Recording) -> np.ndarray:
    uv = recording.counts * recording.resolution_uv
    for first, last in recording.gaps:
        uv[first:last] = np.nan
    return uv


def _around(recording: Recording, judgement: Judgement) -> tuple[np.ndarray, int]:
    """The part of the signal that refinement reads, as reanalysis gives it."""
    first = judgement.stimulus.onset_sample
    ends = [event.end_sample for event in judgement.afterdischarges]
    last = max(ends, default=first) + round(AFTER_END_S * recording.rate_hz)
    return _microvolts(recording)[first:last], first


def _ours(recording: Recording, judgement: Judgement) -> Reading:
    events = judgement.afterdischarges
    if not events:
        return Reading(verdict=judgement.verdict.value, reason=judgement.reason)
    first = events[0]
    errors = _errors(recording, first.onset_sample / recording.rate_hz, first.end_sample / recording.rate_hz)
    return Reading(
        verdict=judgement.verdict.value,
        span_s=_span_s(recording, first.onset_sample, first.end_sample),
        onset_error_s=errors[0],
        end_error_s=errors[1],
        duration_error_s=errors[2],
        n_events=len(events),
        n_secondary=sum(event.kind is Kind.SECONDARY for event in events),
        end_grade=first.end_grade.value,
        confidence=first.confidence,
        onset_censored=first.earliest_onset_sample is not None,
        reason=judgement.reason,
    )


def _theirs(recording: Recording, event: Event | None) -> Reading:
    if event is None:
        return Reading(verdict="none")
    since = recording.stimulus[1] / recording.rate_hz
    errors = _errors(recording, event[0] + since, event[1] + since)
    return Reading("afterdischarge", event, *errors, n_events=1)


def _span_s(recording: Recording, onset_sample: int, end_sample: int) -> Span:
    return recording.seconds_after(onset_sample), recording.seconds_after(end_sample)


def _errors(recording: Recording, onset_s: float, end_s: float) -> tuple[float | None, float | None, float | None]:
    if not recording.truth.events:
        return None, None, None
    true: TrueEvent = recording.truth.events[0]
    (onset_low, onset_high), (end_low, end_high) = (
        [sample / recording.rate_hz for sample in span] for span in (true.onset_range, true.end_range)
    )
    return (
        _beyond(onset_s, onset_low, onset_high),
        _beyond(end_s, end_low, end_high),
        _beyond(end_s - onset_s, end_low - onset_high, end_high - onset_low),
    )


def _beyond(value: float, low: float, high: float) -> float:
    return value - min(max(value, low), high)
