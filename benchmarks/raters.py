"""Three simulated raters, so that detector against rater stands beside rater against rater.

A rater sees the spikes that are there (nothing else is taken for one), and has habits: how large a spike must be to
count, how long a pause ends the discharge, and how exactly a cursor is placed. The figures are no more than these
habits; offsets and scatter are of the size that is found between readers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from benchmarks.trials import Reading, Span
from drivers.simulated.scenarios import Recording, TrueEvent

ONSET_SD_S = 0.15
END_SD_S = {"clear": 0.5, "gradual": 2.0, "artefact": 5.0, "truncated": 0.5}
MINIMUM_S = 3.0
APART_S = 0.08
"""Peaks closer together than this are one spike to a reader."""


@dataclass(frozen=True, slots=True)
class Rater:
    name: str
    offset_s: float
    """By which every end is marked late."""
    least_ratio: float
    """To the baseline, of a spike that counts."""
    longest_gap_s: float


RATERS = (
    Rater("rater 1", -0.3, 2.0, 5.0),
    Rater("rater 2", 0.0, 1.5, 20.0),
    Rater("rater 3", 0.5, 1.2, 10.0),
)


def readings(recording: Recording) -> dict[str, Reading]:
    """Of the trials that show a discharge or nothing at all; borderline ones are called either way."""
    truth = recording.truth
    if truth.verdict not in ("afterdischarge", "none"):
        return {}
    times_s, sizes = _spikes(recording) if truth.events else (np.zeros(0), np.zeros(0))
    found = {}
    for number, rater in enumerate(RATERS):
        rng = np.random.default_rng([recording.seed, ord(recording.number[0]), number])
        span_s = _span(rater, times_s, sizes, recording)
        otherwise = truth.borderline and rng.random() < 0.1
        if span_s is None or otherwise:
            found[rater.name] = Reading("none")
            continue
        grade = truth.events[0].end_grade
        onset_s = span_s[0] + rng.normal(0, ONSET_SD_S)
        end_s = max(onset_s + 0.1, span_s[1] + rater.offset_s + rng.normal(0, END_SD_S[grade]))
        found[rater.name] = Reading("afterdischarge", (onset_s, end_s), n_events=1)
    return found


def _spikes(recording: Recording) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times in s since the train's end, and heights over the baseline, of the spikes of all true discharges."""
    uv = recording.counts * recording.resolution_uv
    high_hz = min(70.0, 0.4 * recording.rate_hz)
    sos = signal.butter(2, [2, high_hz], "bandpass", fs=recording.rate_hz, output="sos")
    first = max(0, min(_reach(event)[0] for event in recording.truth.events) - round(recording.rate_hz))
    last = min(uv.size, max(_reach(event)[1] for event in recording.truth.events) + round(recording.rate_hz))
    size = np.abs(signal.sosfiltfilt(sos, uv[first:last])) / recording.truth.b_uv
    peaks, _ = signal.find_peaks(size, height=1.0, distance=max(1, round(APART_S * recording.rate_hz)))
    seen = np.zeros(peaks.size, bool)
    for event in recording.truth.events:
        onset, end = _reach(event)
        seen |= (peaks + first >= onset) & (peaks + first <= end)
    for hidden_from, hidden_to in recording.truth.blind:
        seen &= ~((peaks + first >= hidden_from) & (peaks + first < hidden_to))
    at = (peaks[seen] + first - recording.stimulus[1]) / recording.rate_hz
    return at, np.asarray(size[peaks[seen]])


def _reach(event: TrueEvent) -> tuple[int, int]:
    return min(event.onset_sample, event.onset_range[0]), max(event.end_sample, event.end_range[1])


def _span(rater: Rater, times_s: NDArray[np.float64], sizes: NDArray[np.float64], recording: Recording) -> Span | None:
    """The first run of counted spikes without a pause that is too long for this rater; what is covered is no pause."""
    counted = times_s[sizes >= rater.least_ratio]
    pauses = np.diff(counted)
    for first, last in recording.truth.blind:
        hidden = np.minimum(counted[1:], recording.seconds_after(last)) - np.maximum(
            counted[:-1], recording.seconds_after(first)
        )
        pauses -= np.maximum(hidden, 0)
    for run in np.split(counted, np.flatnonzero(pauses > rater.longest_gap_s) + 1):
        if run.size >= 2 and run[-1] - run[0] >= MINIMUM_S - ONSET_SD_S:
            return float(run[0]), float(run[-1])
    return None
