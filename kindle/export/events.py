"""What stands beside an exported signal: the markers of its files, and what the journal knows besides."""

from collections.abc import Iterator
from dataclasses import dataclass

from kindle.exchange import Injected, Trial
from kindle.export.contents import Contents, Stored, dose_name
from kindle.ledger import TrainFact
from kindle.markers import markers_of
from kindle.recording import Marker

_OF_A_TRIAL = ("afterdischarge", "verdict", "void")


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """``[sample, sample + n_samples)`` on the clock of the recording; a point has one sample."""

    sample: int
    n_samples: int
    text: str


def events_of(contents: Contents, stored: Stored) -> list[Event]:
    """In the order of time, each once; trials are as the journal has them now, whatever was marked at the time."""
    written = [marker for marker in stored.recording.markers if contents.view is None or not _is_of_a_trial(marker)]
    judged = [
        marker for _, trial in contents.trials if trial.recording == stored.folder for marker in markers_of(trial)
    ]
    found = {
        Event(stored.on_clock(marker.sample), marker.n_samples, f"{marker.type}/{marker.description}")
        for marker in (*written, *judged)
    }
    return sorted(found | set(_told(contents, stored)))


def within(events: list[Event], start: int, n_samples: int) -> Iterator[Event]:
    """The events that begin in a segment, counted from its start, and not beyond its end."""
    for event in events:
        if start <= event.sample < start + n_samples:
            begins = event.sample - start
            yield Event(begins, max(1, min(event.n_samples, n_samples - begins)), event.text)


def _is_of_a_trial(marker: Marker) -> bool:
    kind = marker.description.partition("/")[0]
    return marker.type == "Stimulus" or (marker.type == "Comment" and kind in _OF_A_TRIAL)


def stage_text(fact: TrainFact) -> str:
    return f"{fact.stage:g} ({fact.scale})"


def _told(contents: Contents, stored: Stored) -> Iterator[Event]:
    for answer in contents.answers:
        match answer.reply:
            case Injected(recording=folder, sample=sample) if folder == stored.folder:
                yield Event(stored.on_clock(sample), 1, f"Dose/{dose_name(answer.reply)}")
            case Trial(recording=folder, measured=measured) if folder == stored.folder:
                fact = contents.trains.get(answer.seq)
                if fact is not None and fact.stage is not None:
                    yield Event(stored.on_clock(measured.onset_sample), 1, f"Score/{stage_text(fact)}")
            case _:
                pass
