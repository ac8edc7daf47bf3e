"""What a reanalysis found, as it is written: times in seconds from the start of the recording."""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Literal

import msgspec

from detectors.condition import Flag
from detectors.criterion import Judgement, Seizure, Stimulus, Verdict
from detectors.durations import durations_s


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
class ChannelFindings:
    """What the detector said of one channel, in samples."""

    name: str
    flags: tuple[Flag, ...]
    judgements: tuple[Judgement, ...]
    seizures: tuple[Seizure, ...]
    scan_baseline_uv: float | None
    """The baseline of the whole recording, when it was scanned for seizures with one."""


@dataclass(frozen=True, slots=True)
class Findings:
    path: Path
    rate_hz: float
    n_samples: int
    channels: tuple[ChannelFindings, ...]

    def result(self) -> RecordingResult:
        channels = [
            ChannelResult(
                channel.name,
                list(channel.flags),
                [_trial(judgement, self.rate_hz) for judgement in channel.judgements],
                [_seizure(seizure, self.rate_hz) for seizure in channel.seizures],
            )
            for channel in self.channels
        ]
        return RecordingResult(str(self.path), self.rate_hz, _s(self.n_samples, self.rate_hz), channels)


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
