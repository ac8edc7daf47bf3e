"""The stretches of a recording that a trial's figure shows, and how many samples become few points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.interface import Channel
from kindle.errors import RecordingError
from kindle.exchange import MeasuredTrain, Trial, VoidTrial
from kindle.recording import Recording

BEFORE_S = 10.0
"""How much of the signal before the train is shown."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """One channel from ``first_sample`` on, in its unit; NaN where nothing is stored."""

    channel: Channel
    first_sample: int
    values: NDArray[np.float32]
    gaps: tuple[int, ...]
    """Samples before which an unknown number was lost."""

    def between(self, first: int, end: int) -> "Trace":
        begin = min(max(first, self.first_sample), self.first_sample + self.values.size)
        stop = max(begin, min(end, self.first_sample + self.values.size))
        inside = self.values[begin - self.first_sample : stop - self.first_sample]
        return Trace(self.channel, begin, inside, tuple(gap for gap in self.gaps if begin < gap < stop))

    @property
    def unit(self) -> str:
        """With the micro sign."""
        unit = self.channel.unit.replace("\N{GREEK SMALL LETTER MU}", "µ")
        return "µ" + unit[1:] if unit in ("uV", "uA") else unit


@dataclass(frozen=True, slots=True, eq=False)
class TrialSignals:
    rate_hz: float
    zero_sample: int
    """Onset of the train; where it was asked for when none was recorded."""
    eeg: Trace
    stimulus: Trace | None
    """Around the train, from the current monitor or, where none is wired, the TTL."""

    def seconds(self, sample: float) -> float:
        return (sample - self.zero_sample) / self.rate_hz


def trial_signals(recording: Recording, trial: Trial | VoidTrial, asked_sample: int) -> TrialSignals:
    """Raises ``RecordingError`` when the trial's channel is not in the recording or no sample of the trial is."""
    rate_hz, train = recording.rate_hz, trial.measured
    zero = asked_sample if train is None else train.onset_sample
    # A void train that only the experimenter spoke of has no samples of its own: show what there is.
    end = trial.last_sample if trial.last_sample > zero else recording.n_samples
    eeg = _trace(recording, _eeg_row(recording, trial), zero - round(BEFORE_S * rate_hz), end)
    if not np.isfinite(eeg.values).any():
        raise RecordingError(f"{recording.folder.name} holds no sample of this trial")
    row = _stimulus_row(recording)
    stimulus = None if row is None else _trace(recording, row, *_around(train, zero, end, rate_hz))
    return TrialSignals(rate_hz, zero, eeg, stimulus)


def envelope(values: NDArray[np.float32], columns: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Positions and values of at most ``2 * columns`` points that hold the lowest and the highest of every column."""
    if values.size <= 2 * columns:
        return np.arange(values.size, dtype=np.float64), values
    edges = np.linspace(0, values.size, columns + 1).astype(np.intp)
    low, high = np.fmin.reduceat(values, edges[:-1]), np.fmax.reduceat(values, edges[:-1])
    middles = (edges[:-1] + edges[1:] - 1) / 2
    positions = np.stack([(edges[:-1] + middles) / 2, (middles + edges[1:] - 1) / 2], axis=1)
    return positions.ravel(), np.stack([low, high], axis=1).ravel()


def _trace(recording: Recording, row: int, first: int, end: int) -> Trace:
    first = max(0, first)
    channel = recording.channels[row]
    values = np.full(max(0, end - first), np.nan, np.float32)
    for segment in recording.segments:
        start, stop = max(first, segment.first_sample), min(end, segment.first_sample + segment.n_samples)
        if start < stop:
            counts = segment.counts[row, start - segment.first_sample : stop - segment.first_sample]
            values[start - first : stop - first] = counts * np.float32(channel.resolution)
    starts = (segment.first_sample for segment in recording.segments[1:])
    return Trace(channel, first, values, tuple(start for start in starts if first < start < end))


def _eeg_row(recording: Recording, trial: Trial | VoidTrial) -> int:
    for row, channel in enumerate(recording.channels):
        if channel.name == trial.channel if isinstance(trial, Trial) else channel.role == "eeg":
            return row
    wanted = f"channel {trial.channel!r}" if isinstance(trial, Trial) else "channel with the role 'eeg'"
    raise RecordingError(f"{recording.folder.name} has no {wanted}")


def _stimulus_row(recording: Recording) -> int | None:
    for role in ("current_monitor", "stimulus_ttl"):
        for row, channel in enumerate(recording.channels):
            if channel.role == role:
                return row
    return None


def _around(train: MeasuredTrain | None, zero: int, end: int, rate_hz: float) -> tuple[int, int]:
    if train is None:
        return zero - round(0.1 * rate_hz), min(end, zero + round(2 * rate_hz))
    margin = max(2, round(0.06 * (train.end_sample - train.onset_sample)))
    return train.onset_sample - margin, train.end_sample + margin
