"""Where the trains of a recording are: what a person says about it, and the trains that follow."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from pathlib import Path

import numpy as np

from detectors.criterion import Stimulus
from detectors.stimulus import ArtefactTrains, TtlEdges, trains_of
from kindle.channel_roles import TTL_NAME
from kindle.errors import ConfigError, RecordingError
from kindle.loading import Floats, Note, Signals

WINDOW_SAMPLES = 1 << 18
STIMULUS_NOTE = re.compile(r"(?i)(^|[^a-z])stim(ulus|ulation)?([^a-z]|$)")


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """A TTL, gating each train or marking each pulse, or a current monitor."""

    name: str


@dataclass(frozen=True, slots=True)
class AnnotationSpec:
    """Annotations that contain ``text``, upper or lower case."""

    text: str


@dataclass(frozen=True, slots=True)
class TimesSpec:
    onsets_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ArtefactSpec:
    """Trains found by the shape of their artefact in the brain signals."""


@dataclass(frozen=True, slots=True)
class NoStimulus:
    """Scan for seizures."""


@dataclass(frozen=True, slots=True)
class Automatic:
    """A stimulus channel that has trains, else annotations that speak of a stimulus, else none."""


StimulusSpec = ChannelSpec | AnnotationSpec | TimesSpec | ArtefactSpec | NoStimulus | Automatic

_FORMS = "channel:NAME, annotation:TEXT, times:12.5,140, artefact or none"


def parse_stimulus(spec: str) -> StimulusSpec:
    """Raises ``ConfigError`` for anything but the forms of ``--stimulus``."""
    kind, colon, value = spec.partition(":")
    match kind.strip().lower(), bool(colon), value.strip():
        case "none", False, _:
            return NoStimulus()
        case "artefact", False, _:
            return ArtefactSpec()
        case "channel", True, name if name:
            return ChannelSpec(name)
        case "annotation", True, text if text:
            return AnnotationSpec(text)
        case "times", True, times if times:
            return TimesSpec(_times(times))
        case _:
            raise ConfigError(f"stimulus {spec!r} is not understood; write {_FORMS}")


def trains(
    signals: Signals, spec: StimulusSpec, *, brain: tuple[str, ...], train_s: float, path: Path
) -> list[Stimulus]:
    """In order, none overlapping. Raises ``ConfigError`` or ``RecordingError`` for what is not there."""
    match spec:
        case NoStimulus():
            return []
        case TimesSpec(onsets_s):
            return _at_times(signals, onsets_s, train_s, path)
        case AnnotationSpec(text):
            notes = [note for note in signals.notes if text.casefold() in note.text.casefold()]
            if not notes:
                there = sorted({note.text for note in signals.notes})[:12]
                raise ConfigError(
                    f"{path} has no annotation with {text!r}; it has: {', '.join(there) or 'none at all'}"
                )
            return _of_notes(signals, notes, train_s)
        case ChannelSpec(name):
            if name not in signals.names:
                raise ConfigError(f"{path} has no channel {name!r}; it has: {', '.join(signals.names)}")
            if not (found := _of_channel(signals, name)):
                raise RecordingError(
                    f"channel {name!r} of {path} shows no train: check that it is the stimulus channel"
                )
            return found
        case ArtefactSpec():
            return _of_artefacts(signals, brain, path)
        case Automatic():
            return _automatic(signals, train_s)


def is_trigger(signals: Signals, name: str) -> bool:
    """Whether the file, or the channel's name, says that it marks the stimulus."""
    return name in signals.stimulus or TTL_NAME.match(name) is not None


def _automatic(signals: Signals, train_s: float) -> list[Stimulus]:
    for name in signals.names:
        if is_trigger(signals, name) and (found := _of_channel(signals, name)):
            return found
    return _of_notes(signals, [note for note in signals.notes if STIMULUS_NOTE.search(note.text)], train_s)


def _times(text: str) -> tuple[float, ...]:
    try:
        onsets = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(
            f"times {text!r} are not all numbers; write seconds with commas, as in times:12.5,140"
        ) from None
    if not all(isfinite(onset) and onset >= 0 for onset in onsets):
        raise ConfigError(f"times {text!r} must be seconds from the start of the recording, 0 or later")
    return onsets


def _at_times(signals: Signals, onsets_s: tuple[float, ...], train_s: float, path: Path) -> list[Stimulus]:
    duration_s = signals.n_samples / signals.rate_hz
    if late := [onset for onset in onsets_s if onset >= duration_s]:
        raise ConfigError(f"a train at {late[0]:g} s lies outside {path}, which is {duration_s:.1f} s long")
    found = [_train(signals, onset, train_s) for onset in sorted(set(onsets_s))]
    for before, after in pairwise(found):
        if after.onset_sample < before.end_sample:
            raise ConfigError(f"trains of {train_s:g} s overlap at {after.onset_sample / signals.rate_hz:g} s")
    return found


def _of_notes(signals: Signals, notes: list[Note], train_s: float) -> list[Stimulus]:
    """An annotation shorter than two samples is a point: its train lasts ``train_s``."""
    found: list[Stimulus] = []
    for note in sorted(notes, key=lambda note: note.onset_s):
        length_s = note.duration_s if note.duration_s * signals.rate_hz >= 2 else train_s
        train = _train(signals, note.onset_s, length_s)
        inside = 0 <= train.onset_sample < signals.n_samples
        if inside and not (found and train.onset_sample < found[-1].end_sample):
            found.append(train)
    return found


def _train(signals: Signals, onset_s: float, length_s: float) -> Stimulus:
    onset = round(onset_s * signals.rate_hz)
    return Stimulus(onset, onset + max(1, round(length_s * signals.rate_hz)))


def _of_channel(signals: Signals, name: str) -> list[Stimulus]:
    """From how far the channel is from its usual level: idle low, idle high and biphasic pulses are all the same."""
    sampled = np.concatenate([window[:: max(1, window.size // 512)] for window in _windows(signals, name)])
    usual = float(np.median(sampled))
    noise = float(np.median(np.abs(sampled - usual)))
    farthest = max((float(np.abs(window - usual).max(initial=0.0)) for window in _windows(signals, name)), default=0.0)
    if farthest <= 10 * noise or farthest == 0:
        return []
    if is_trigger(signals, name):
        low, high = 0.3 * farthest, 0.7 * farthest
    else:
        # A current monitor: in a rising series the first train is a hundredth of the last.
        high = max(12 * noise, 0.005 * farthest)
        low = 0.5 * high
    edges = TtlEdges(low, high)
    found = [edge for window in _windows(signals, name) for edge in edges.push(np.abs(window - usual))]
    return trains_of(found, signals.rate_hz, signals.n_samples)


def _windows(signals: Signals, name: str) -> Iterator[Floats]:
    for first in range(0, signals.n_samples, WINDOW_SAMPLES):
        yield np.nan_to_num(signals.read([name], first, first + WINDOW_SAMPLES)[0])


def _of_artefacts(signals: Signals, brain: tuple[str, ...], path: Path) -> list[Stimulus]:
    """From the channel that shows most trains; the others show the same current, or less of it."""
    finders = [ArtefactTrains(signals.rate_hz) for _ in brain]
    step = max(1, WINDOW_SAMPLES // len(brain))
    for first in range(0, signals.n_samples, step):
        for finder, row in zip(finders, signals.read(brain, first, first + step), strict=True):
            finder.push(row)
    best = max((finder.trains() for finder in finders), key=len)
    if not best:
        seen = [refused for finder in finders for refused in finder.refused()]
        why = f" (at {seen[0].first_sample / signals.rate_hz:.1f} s: {seen[0].reason})" if seen else ""
        raise RecordingError(f"{path} shows no train by its artefact{why}: give the trains with --stimulus times:...")
    return best
