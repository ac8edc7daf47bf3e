"""A recording that is looked at: where one is in it, whose readings are compared, and what is being corrected."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from detectors.criterion import Stimulus, Verdict
from kindle.amending import amend_afterdischarges
from kindle.animal_rows import MarkedDischarge
from kindle.gui.review.coarse import Outline
from kindle.gui.review.draft import Bounds, Draft, Edge
from kindle.gui.review.opening import Entry, ReviewTrial, SessionPart, as_recorded, session_part
from kindle.gui.review.reading import Mark, Reading, difference, next_train, told
from kindle.gui.review.source import Source
from kindle.gui.traces.headline import clock
from kindle.loading import Note
from kindle.study import open_study

BEFORE_S, AFTER_S = 10.0, 15.0
"""Shown around a trial or an event."""
AROUND_NOTE_S = 10.0
MOST_NOTES = 2000
RECOVERY_S = 0.5
"""After a train the amplifier may still swing."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Somewhere to jump to; ``[first_s, last_s]`` is what is then on the screen."""

    label: str
    first_s: float
    last_s: float
    channel: str = ""
    train: Stimulus | None = None
    trial: ReviewTrial | None = None


class Looking:
    """Raises ``KindleError`` for what cannot be opened; ``close`` it."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.part: SessionPart | None = session_part(entry)
        self.source = Source(entry.path)
        self.readings: list[Reading] = [as_recorded(self.part)] if self.part is not None else []
        self.compared: tuple[int | None, int | None] = (0 if self.readings else None, None)
        """Which readings are shown, above and below."""
        self.stops: tuple[Stop, ...] = ()
        self.at: int | None = None
        self.draft: Draft | None = None
        self.chosen: tuple[int, Edge] | None = None
        """Discharge of the draft, and the edge that keys move."""
        self._called = Verdict.NONE
        self.channel = next(iter(self.source.signals.brain or self.source.names))
        """On which a trial is compared and corrected."""
        self._find_stops()

    def close(self) -> None:
        self.source.close()

    @property
    def stop(self) -> Stop | None:
        return None if self.at is None else self.stops[self.at]

    @property
    def shown(self) -> list[Reading]:
        return [self.readings[place] for place in self.compared if place is not None]

    @property
    def verdict(self) -> Verdict | None:
        """Of the draft: marked discharges are an afterdischarge; without any it is what the person calls it."""
        if self.draft is None:
            return None
        return Verdict.AFTERDISCHARGE if self.draft.events else self._called

    @property
    def unsaved(self) -> bool:
        trial = None if self.stop is None else self.stop.trial
        if self.draft is None or trial is None:
            return False
        return self.draft.changed or self.verdict is not trial.verdict

    def call(self, verdict: Verdict) -> None:
        """What a trial without a marked discharge is: none, or undetermined."""
        if verdict is not Verdict.AFTERDISCHARGE:
            self._called = verdict

    def trains(self) -> tuple[Stimulus, ...]:
        """Of the readings that are shown."""
        return tuple(dict.fromkeys(said.train for reading in self.shown for said in reading.said))

    def undisturbed(self, outline: Outline) -> NDArray[np.bool_]:
        """Pieces that no train, and no recovery of the amplifier from one, reaches into: these set a scale."""
        clear = np.ones(outline.edges.size - 1, bool)
        after = RECOVERY_S * self.source.rate_hz
        for train in self.trains():
            clear &= (outline.edges[1:] <= train.onset_sample) | (outline.edges[:-1] >= train.end_sample + after)
        return clear

    def jump(self, number: int) -> Stop | None:
        """To a stop by its place in the list; past the ends, to the last there is."""
        if not self.stops:
            return None
        self.at = max(0, min(number, len(self.stops) - 1))
        stop = self.stops[self.at]
        self.channel = stop.channel or self.channel
        trial = stop.trial
        undetermined = trial is not None and trial.verdict is Verdict.UNDETERMINED
        self._called = Verdict.UNDETERMINED if undetermined else Verdict.NONE
        correctable = trial is not None and trial.can_be_corrected
        self.draft = (
            Draft(trial.automatic, trial.standing, trial.train.end_sample, trial.last_sample)
            if correctable and trial is not None and trial.train is not None
            else None
        )
        self.chosen = (0, "onset") if self.draft is not None and self.draft.events else None
        return stop

    def step(self, by: int) -> Stop | None:
        return self.jump(0 if self.at is None else self.at + by)

    def heard(self, reading: Reading) -> None:
        """Another reading is there: it is shown below the first one; one of the same name is replaced."""
        known = [place for place, other in enumerate(self.readings) if other.label == reading.label]
        if known:
            self.readings[known[0]] = reading
            place = known[0]
        else:
            self.readings.append(reading)
            place = len(self.readings) - 1
        first = self.compared[0]
        self.compared = (place, None) if first is None or first == place else (first, place)
        if self.part is None:
            self._find_stops()

    def comparison(self) -> str:
        """How the two readings that are shown differ for the trial, in one line."""
        if len(self.shown) < 2:
            return ""
        train = None if self.stop is None else self.stop.train
        return difference(self.shown[0], self.shown[1], self.channel, train, self.source.rate_hz)

    def sayings(self) -> list[str]:
        """What each reading that is shown says of the trial or event, in a line."""
        if self.stop is None:
            return []
        rate = self.source.rate_hz
        span = (self.stop.first_s * rate, self.stop.last_s * rate)
        lines = [told(reading, self.channel, self.stop.train, span, rate) for reading in self.shown]
        return [line for line in lines if line]

    def choose(self, number: int, edge: Edge) -> None:
        if self.draft is not None and 0 <= number < len(self.draft.events):
            self.chosen = (number, edge)

    @property
    def chosen_s(self) -> float | None:
        """Where the edge that keys move lies."""
        if self.draft is None or self.chosen is None:
            return None
        number, edge = self.chosen
        event = self.draft.events[number]
        return (event.onset_sample if edge == "onset" else event.end_sample) / self.source.rate_hz

    def nudge(self, seconds: float) -> int | None:
        """Move the chosen edge, at least one sample; where it lies now."""
        if self.draft is None or self.chosen is None:
            return None
        number, edge = self.chosen
        event = self.draft.events[number]
        by = round(seconds * self.source.rate_hz) or (1 if seconds > 0 else -1)
        return self.draft.move(number, edge, (event.onset_sample if edge == "onset" else event.end_sample) + by)

    def mark_anew(self, onset_sample: int, end_sample: int) -> bool:
        """A discharge that nobody marked yet; whether there was room for it."""
        placed = None if self.draft is None else self.draft.add(onset_sample, end_sample)
        if placed is not None:
            self.chosen = (placed, "onset")
        return placed is not None

    def unmark(self) -> None:
        if self.draft is not None and self.chosen is not None:
            self.draft.remove(self.chosen[0])
            self.chosen = (0, "onset") if self.draft.events else None

    def undo(self) -> None:
        if self.draft is not None:
            self.draft.undo()
            self._keep_chosen()

    def back_to_detected(self) -> None:
        if self.draft is not None:
            self.draft.back_to_automatic()
            self._keep_chosen()

    def save(self, author: str, reason: str) -> None:
        """Write the correction to the journal. Raises ``KindleError``; then nothing is written."""
        stop = self.stop
        if self.part is None or self.draft is None or stop is None or stop.trial is None:
            return
        events = [
            MarkedDischarge(self.part.in_session(event.onset_sample), self.part.in_session(event.end_sample))
            for event in self.draft.events
        ]
        with open_study(self.part.study) as study:
            amend_afterdischarges(
                study,
                stop.trial.row,
                events,
                author,
                reason,
                utc=datetime.now(UTC),
                verdict=self.verdict,
                animal=self.part.animal,
            )
        self.part = session_part(self.entry)
        if self.part is not None:
            self.readings[0] = as_recorded(self.part)
        self._find_stops()
        self.jump(self.at or 0)

    def _keep_chosen(self) -> None:
        events = self.draft.events if self.draft is not None else ()
        if not events:
            self.chosen = None
        elif self.chosen is None or self.chosen[0] >= len(events):
            self.chosen = (len(events) - 1, "onset")

    def _find_stops(self) -> None:
        if self.part is not None:
            found = [self._of_trial(trial) for trial in self.part.trials]
        else:
            found = [*self._of_readings(), *map(self._of_note, self.source.signals.notes[:MOST_NOTES])]
        self.stops = tuple(sorted(found, key=lambda stop: stop.first_s))

    def _of_trial(self, trial: ReviewTrial) -> Stop:
        said = "void" if trial.verdict is None else trial.verdict.value
        amended = ", corrected" if trial.corrections else ""
        if trial.train is None:
            return Stop(f"{trial.number}  {trial.current_ua:.4g} µA  {said}: {trial.reason}", 0.0, AROUND_NOTE_S)
        ends = [bounds.end_sample for bounds in (*trial.standing, *trial.automatic)]
        label = (
            f"{trial.number}  {trial.current_ua:.4g} µA  {said}{_length(trial.standing, self.source.rate_hz)}{amended}"
        )
        return self._around(label, trial.train.onset_sample, max([trial.train.end_sample, *ends]), trial)

    def _of_readings(self) -> list[Stop]:
        """Of the reading shown last: each train once, and what was found without one."""
        if not self.shown:
            return []
        reading, rate = self.shown[-1], self.source.rate_hz
        stops: list[Stop] = []
        for train in dict.fromkeys(said.train for said in reading.said):
            said = [one for one in reading.said if one.train == train]
            found = [one for one in said if one.verdict == "afterdischarge"]
            judged = (found or said)[0]
            until = next_train(reading, train)
            ends = [mark.end_sample for mark in reading.between(train.onset_sample, until, judged.channel)]
            stop = self._around(
                f"{clock(train.onset_sample / rate)}  {judged.verdict}",
                train.onset_sample,
                max([train.end_sample, *ends]),
            )
            stops.append(Stop(stop.label, stop.first_s, stop.last_s, judged.channel, train))
        if not reading.said:
            stops += [self._of_mark(mark) for mark in reading.marks]
        return stops

    def _of_mark(self, mark: Mark) -> Stop:
        rate = self.source.rate_hz
        label = (
            f"{clock(mark.onset_sample / rate)}  {mark.channel}  {(mark.end_sample - mark.onset_sample) / rate:.1f} s"
        )
        stop = self._around(label, mark.onset_sample, mark.end_sample)
        return Stop(label, stop.first_s, stop.last_s, mark.channel)

    def _of_note(self, note: Note) -> Stop:
        first_s = max(0.0, note.onset_s - AROUND_NOTE_S)
        return Stop(f"{clock(note.onset_s)}  {note.text}", first_s, note.onset_s + note.duration_s + AROUND_NOTE_S)

    def _around(self, label: str, first: int, last: int, trial: ReviewTrial | None = None) -> Stop:
        rate = self.source.rate_hz
        first_s, last_s = max(0.0, first / rate - BEFORE_S), min(self.source.duration_s, last / rate + AFTER_S)
        return Stop(label, first_s, last_s, trial.channel if trial else "", trial.train if trial else None, trial)


def _length(events: tuple[Bounds, ...], rate_hz: float) -> str:
    return f" {(events[0].end_sample - events[0].onset_sample) / rate_hz:.1f} s" if events else ""
