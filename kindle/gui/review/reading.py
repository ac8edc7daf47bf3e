"""What somebody, or some criterion, said of a recording: the marks of one lane."""

from collections.abc import Iterator
from dataclasses import dataclass

from detectors.criterion import Afterdischarge, Judgement, Seizure, Stimulus
from kindle.results import Findings


@dataclass(frozen=True, slots=True)
class Mark:
    """One discharge or seizure of one channel; samples count from the start of the recording, gaps included."""

    channel: str
    onset_sample: int
    end_sample: int
    confidence: float
    end_grade: str
    secondary: bool = False

    def told(self, rate_hz: float) -> str:
        length_s = (self.end_sample - self.onset_sample) / rate_hz
        kind = "secondary " if self.secondary else ""
        return f"{kind}{length_s:.2f} s, end {self.end_grade}, confidence {self.confidence:.2f}"


@dataclass(frozen=True, slots=True)
class Said:
    """The verdict on one train, seen on one channel."""

    channel: str
    train: Stimulus
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """``label`` says whose: a preset's name, or where the session wrote it."""

    label: str
    marks: tuple[Mark, ...]
    said: tuple[Said, ...]

    def between(self, first: float, last: float, channel: str | None = None) -> tuple[Mark, ...]:
        """Marks that touch ``[first, last)``, of one channel or of all."""
        return tuple(
            mark
            for mark in self.marks
            if mark.onset_sample < last and mark.end_sample > first and channel in (None, mark.channel)
        )


def reading_of(findings: Findings, label: str) -> Reading:
    marks: list[Mark] = []
    said: list[Said] = []
    for channel in findings.channels:
        for judgement in channel.judgements:
            said.append(Said(channel.name, judgement.stimulus, judgement.verdict.value, judgement.reason))
            marks += marks_of(judgement, channel.name)
        marks += [mark_of(seizure, channel.name) for seizure in channel.seizures]
    return Reading(label, tuple(marks), tuple(said))


def marks_of(judgement: Judgement, channel: str) -> Iterator[Mark]:
    for event in judgement.afterdischarges:
        yield mark_of(event, channel, secondary=event.kind.value == "secondary")


def mark_of(event: Afterdischarge | Seizure, channel: str, *, secondary: bool = False) -> Mark:
    return Mark(channel, event.onset_sample, event.end_sample, event.confidence, event.end_grade.value, secondary)


def difference(one: Reading, other: Reading, channel: str, train: Stimulus | None, rate_hz: float) -> str:
    """How the first discharge after a train, or the first mark where there is none, differs between two readings."""
    first, second = (_first(reading, channel, train) for reading in (one, other))
    if first is None or second is None:
        if first is second:
            return "both find nothing"
        return f"only {one.label if first else other.label} finds a discharge"
    onset_s = (second.onset_sample - first.onset_sample) / rate_hz
    end_s = (second.end_sample - first.end_sample) / rate_hz
    return f"{other.label} − {one.label}: onset {onset_s:+.2f} s, end {end_s:+.2f} s, duration {end_s - onset_s:+.2f} s"


def told(reading: Reading, channel: str, train: Stimulus | None, span: tuple[float, float], rate_hz: float) -> str:
    """In one line what a reading says of a train, or, without one, of what lies in ``span`` (samples)."""
    first, last = span if train is None else (train.onset_sample, next_train(reading, train))
    words = [mark.told(rate_hz) for mark in reading.between(first, last, channel)]
    for said in reading.said:
        if train is not None and said.train == train and said.channel == channel:
            words = [said.verdict, *words, *([said.reason] if said.reason else [])]
    return f"{reading.label}: {'; '.join(words)}" if words else ""


def next_train(reading: Reading, train: Stimulus) -> float:
    """The sample at which the train after it begins; infinite after the last."""
    later = [said.train.onset_sample for said in reading.said if said.train.onset_sample > train.onset_sample]
    return min(later, default=float("inf"))


def _first(reading: Reading, channel: str, train: Stimulus | None) -> Mark | None:
    marks = sorted((mark for mark in reading.marks if mark.channel == channel), key=lambda mark: mark.onset_sample)
    if train is None:
        return marks[0] if marks else None
    until = next_train(reading, train)
    return next((mark for mark in marks if train.onset_sample <= mark.onset_sample < until), None)
