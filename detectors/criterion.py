"""What counts as an afterdischarge: every number a named parameter, none of them hidden in the code."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Criterion:
    """The afterdischarge rule of a laboratory; amplitudes are peaks relative to the pre-train baseline peak.

    Baseline: median over the last ``baseline_s`` clean seconds before the train of the largest band-passed
    ``|signal|`` in each second.
    """

    amplitude_ratio: float = 2.0
    min_spike_hz: float = 1.0
    min_duration_s: float = 3.0
    onset_window_s: float = 30.0
    """The first afterdischarge begins at most this long after the train's end."""
    max_gap_s: float = 2.0
    """Silence between two spikes of one run of spikes, before adapting to the last gaps between runs."""
    secondary_window_s: float = 60.0
    """A further discharge that begins this soon after the last one's end is secondary."""
    baseline_s: float = 30.0
    merge_gap_s: float = 5.0
    """Silence between two runs that does not end a discharge, if the later run is large enough."""
    merge_gap_growth: float = 3.0
    """Pauses between bursts grow towards the end: a pause up to this many times the last one does not end it either."""
    merge_gap_limit_s: float = 20.0
    merge_amplitude: float = 0.5
    """Of the amplitude before the pause."""
    seizure_min_duration_s: float = 10.0
    """Without a train, in continuous scanning; 10 s is the rule for electrographic seizures (ACNS 2021)."""


class Verdict(StrEnum):
    AFTERDISCHARGE = "afterdischarge"
    NONE = "none"
    UNDETERMINED = "undetermined"


class Kind(StrEnum):
    PRIMARY = "primary"
    SECONDARY = "secondary"


class EndGrade(StrEnum):
    CLEAR = "clear"
    GRADUAL = "gradual"
    ARTEFACT = "artefact"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Afterdischarge:
    """One discharge, first to last spike; samples are absolute indices in the recording, amplitudes in uV."""

    onset_sample: int
    end_sample: int
    kind: Kind
    n_spikes: int
    peak_uv: float
    median_ratio: float
    spike_hz: float
    end_grade: EndGrade
    confidence: float
    earliest_onset_sample: int | None = None
    """Where blindness touches the onset: the discharge began between here and ``onset_sample``."""
    latest_end_sample: int | None = None
    """Where blindness touches the end: the discharge ended between ``end_sample`` and here."""


@dataclass(frozen=True, slots=True)
class Stimulus:
    """A train in the signal, ``[onset_sample, end_sample)``."""

    onset_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one channel's signal says about one stimulus."""

    stimulus: Stimulus
    verdict: Verdict
    reason: str
    afterdischarges: tuple[Afterdischarge, ...]
    baseline_uv: float
    """NaN when there was no usable baseline."""
    blind: tuple[tuple[int, int], ...]
    """Spans ``[first, last)`` after the train in which the signal could not be judged."""
    final: bool
    """Whether later samples can still change this."""


@dataclass(frozen=True, slots=True)
class Seizure:
    """A discharge found without a stimulus, in continuous scanning."""

    onset_sample: int
    end_sample: int
    n_spikes: int
    peak_uv: float
    median_ratio: float
    spike_hz: float
    end_grade: EndGrade
    confidence: float
