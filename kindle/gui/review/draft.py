"""Onsets and ends as a person moves them, beside what the detector said; nothing is written before it is signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Edge = Literal["onset", "end"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """One discharge, in samples of the recording as it is shown."""

    onset_sample: int
    end_sample: int


class Draft:
    """The discharges of one trial, in the order of time; between ``first`` and ``last`` no two of them meet."""

    def __init__(self, automatic: Sequence[Bounds], standing: Sequence[Bounds], first: int, last: int) -> None:
        self.automatic = tuple(automatic)
        self.standing = tuple(standing)
        """As the journal has it now: the automatic values, or an earlier correction."""
        self.events = self.standing
        self._first, self._last = first, last
        self._before: list[tuple[Bounds, ...]] = []

    @property
    def changed(self) -> bool:
        return self.events != self.standing

    @property
    def can_undo(self) -> bool:
        return bool(self._before)

    def move(self, number: int, edge: Edge, sample: int) -> int:
        """Move an edge as near to ``sample`` as its neighbours let it; where it came to lie."""
        event = self.events[number]
        if edge == "onset":
            lowest = self.events[number - 1].end_sample + 1 if number else self._first
            placed = max(lowest, min(sample, event.end_sample - 1))
            new = Bounds(placed, event.end_sample)
        else:
            highest = self.events[number + 1].onset_sample - 1 if number + 1 < len(self.events) else self._last
            placed = min(highest, max(sample, event.onset_sample + 1))
            new = Bounds(event.onset_sample, placed)
        if new != event:
            self._put((*self.events[:number], new, *self.events[number + 1 :]))
        return placed

    def add(self, onset_sample: int, end_sample: int) -> int | None:
        """A discharge that the detector did not mark; its number, or ``None`` where there is no room for it."""
        onset, end = max(self._first, onset_sample), min(self._last, end_sample)
        meets = any(onset <= event.end_sample and event.onset_sample <= end for event in self.events)
        if onset >= end or meets:
            return None
        new = Bounds(onset, end)
        self._put(tuple(sorted((*self.events, new), key=lambda event: event.onset_sample)))
        return self.events.index(new)

    def remove(self, number: int) -> None:
        self._put((*self.events[:number], *self.events[number + 1 :]))

    def undo(self) -> None:
        if self._before:
            self.events = self._before.pop()

    def back_to_automatic(self) -> None:
        if self.events != self.automatic:
            self._put(self.automatic)

    def _put(self, events: tuple[Bounds, ...]) -> None:
        self._before.append(self.events)
        self.events = events


def beside(draft: Draft, number: int, rate_hz: float, train_end_sample: int) -> str:
    """One discharge as it is marked, and as the detector had it."""

    def at(sample: int) -> str:
        return f"{(sample - train_end_sample) / rate_hz:.3f}"

    def told(bounds: Bounds) -> str:
        length_s = (bounds.end_sample - bounds.onset_sample) / rate_hz
        return f"{at(bounds.onset_sample)} to {at(bounds.end_sample)} s after the train, {length_s:.3f} s long"

    event = draft.events[number]
    nearest = max(draft.automatic, key=lambda other: _overlap(event, other), default=None)
    if nearest is None or _overlap(event, nearest) <= 0:
        return f"{told(event)} (detector: no discharge here)"
    return f"{told(event)} ({'as detected' if nearest == event else f'detector: {told(nearest)}'})"


def _overlap(one: Bounds, other: Bounds) -> int:
    return min(one.end_sample, other.end_sample) - max(one.onset_sample, other.onset_sample)
