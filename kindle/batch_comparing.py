"""Two analyses of the same recordings: which verdicts changed, how durations differ, what only one of them found."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from detectors.agreement import BlandAltman, bland_altman
from kindle.batch_table import Stored
from kindle.results import ChannelResult, RecordingResult, TrialResult

T = TypeVar("T")

SAME_TRAIN_S = 0.5
"""Trains whose onsets are no farther apart are one train."""
FEWEST_PAIRS = 3
"""With fewer there are no limits of agreement."""

Which = Literal["A", "B"]


@dataclass(frozen=True, slots=True)
class Place:
    recording: str
    channel: str
    onset_s: float
    """Of the train, or of the event; from the start of the recording."""


@dataclass(frozen=True, slots=True)
class Change:
    place: Place
    verdict_a: str
    verdict_b: str
    reason_a: str
    reason_b: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Total duration of the afterdischarges that A and B found after one train, or of one seizure."""

    place: Place
    a_s: float
    b_s: float


@dataclass(frozen=True, slots=True)
class OnlyIn:
    which: Which
    what: Literal["recording", "channel", "train", "afterdischarge", "seizure"]
    recording: str
    detail: str


@dataclass
class Comparison:
    """``B - A`` throughout."""

    n_recordings: int = 0
    n_trials: int = 0
    n_same_verdict: int = 0
    changes: list[Change] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    only: list[OnlyIn] = field(default_factory=list)

    @property
    def durations(self) -> BlandAltman | None:
        """``None`` for fewer than 3 pairs."""
        if len(self.pairs) < FEWEST_PAIRS:
            return None
        return bland_altman([pair.a_s for pair in self.pairs], [pair.b_s for pair in self.pairs])


def compare(a: Iterable[Stored], b: Iterable[Stored]) -> Comparison:
    """Recordings are the same where their bytes are, wherever they lay."""
    found = Comparison()
    in_a = {stored.content: stored for stored in a}
    in_b = {stored.content: stored for stored in b}
    for content in dict.fromkeys([*in_a, *in_b]):
        one, other = in_a.get(content), in_b.get(content)
        result_a = None if one is None else one.result
        result_b = None if other is None else other.result
        if result_a is not None and result_b is not None:
            found.n_recordings += 1
            _recording(found, result_a, result_b)
        elif result_a is not None or result_b is not None:
            here, missing = (one, other) if result_a is not None else (other, one)
            assert here is not None
            why = "not analysed there" if missing is None else f"failed there: {missing.reason}"
            found.only.append(OnlyIn("A" if here is one else "B", "recording", here.recording, why))
    return found


def _recording(found: Comparison, a: RecordingResult, b: RecordingResult) -> None:
    others = {channel.name: channel for channel in b.channels}
    for channel in a.channels:
        other = others.pop(channel.name, None)
        if other is None:
            found.only.append(OnlyIn("A", "channel", a.path, channel.name))
        else:
            _channel(found, a.path, channel, other)
    found.only += [OnlyIn("B", "channel", a.path, name) for name in others]


def _channel(found: Comparison, recording: str, a: ChannelResult, b: ChannelResult) -> None:
    trains = _matched(a.trials, b.trials, lambda x, y: abs(x.stimulus.onset_s - y.stimulus.onset_s) <= SAME_TRAIN_S)
    for one, other in trains:
        if one is None or other is None:
            _only(found, recording, a.name, "train", one, other, lambda trial: trial.stimulus.onset_s)
        else:
            _trial(found, Place(recording, a.name, one.stimulus.onset_s), one, other)
    for seizure, again in _matched(a.seizures, b.seizures, _overlap):
        if seizure is None or again is None:
            _only(found, recording, a.name, "seizure", seizure, again, lambda event: event.onset_s)
        else:
            place = Place(recording, a.name, seizure.onset_s)
            found.pairs.append(Pair(place, seizure.duration_s, again.duration_s))


def _trial(found: Comparison, place: Place, a: TrialResult, b: TrialResult) -> None:
    found.n_trials += 1
    if a.verdict != b.verdict:
        found.changes.append(Change(place, a.verdict, b.verdict, a.reason, b.reason))
    else:
        found.n_same_verdict += 1
        if a.verdict == "afterdischarge" and a.durations_s.total is not None and b.durations_s.total is not None:
            found.pairs.append(Pair(place, a.durations_s.total, b.durations_s.total))
    for one, other in _matched(a.afterdischarges, b.afterdischarges, _overlap):
        if one is None or other is None:
            _only(found, place.recording, place.channel, "afterdischarge", one, other, lambda event: event.onset_s)


def _only(
    found: Comparison,
    recording: str,
    channel: str,
    what: Literal["train", "afterdischarge", "seizure"],
    one: T | None,
    other: T | None,
    onset_s: Callable[[T], float],
) -> None:
    event = one if one is not None else other
    assert event is not None
    which: Which = "A" if one is not None else "B"
    found.only.append(OnlyIn(which, what, recording, f"{channel} at {onset_s(event):.2f} s"))


def _overlap(a: Any, b: Any) -> bool:
    return bool(a.onset_s < b.end_s and b.onset_s < a.end_s)


def _matched(a: Sequence[T], b: Sequence[T], same: Callable[[T, T], bool]) -> list[tuple[T | None, T | None]]:
    """Each of ``a`` with the first of ``b`` that is the same and not taken, in order; the others alone."""
    left = list(b)
    pairs: list[tuple[T | None, T | None]] = []
    for one in a:
        position = next((n for n, other in enumerate(left) if same(one, other)), None)
        pairs.append((one, None if position is None else left.pop(position)))
    return [*pairs, *((None, other) for other in left)]
