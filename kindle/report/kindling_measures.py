"""What every stimulation of kindling gave, and after how many of them each animal was fully kindled."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kindle.course_facts import kindling_doses
from kindle.exchange import Trial
from kindle.kindled import FullyKindled
from kindle.ledger import CONTROL, ObservationFact, TrainFact
from kindle.report.study_facts import StudyFacts

Given = TrainFact | ObservationFact
"""A train, or a dose of a convulsant."""
ALL = "all animals"
NOT_ALLOTTED = "not allotted"


@dataclass(frozen=True, slots=True)
class Stimulated:
    """The ``number``-th train, or dose of a convulsant, of an animal; void and unscored ones count."""

    animal: str
    group: str
    number: int
    fact: Given
    stage: float | None
    """On the scale of the study."""
    latency_s: float | None
    """Train end to the first spike of the afterdischarge; ``None`` without one."""


@dataclass(frozen=True, slots=True)
class TimeToKindled:
    """``stimulations`` up to the one that met the criterion, or all that the animal had without meeting it."""

    animal: str
    group: str
    stimulations: int
    kindled: bool
    ended: str
    """Why an animal was not kindled."""


def groups_of(facts: StudyFacts) -> Mapping[str, str]:
    """The group of each animal, as the design gives every animal one; else all are one group."""
    groups = facts.groups
    found = {id: groups.get(id, NOT_ALLOTTED) if groups else ALL for id in facts.ledgers}
    return dict(sorted(found.items(), key=lambda item: _in_order(item[1])))


def _in_order(group: str) -> tuple[bool, list[tuple[int, str]]]:
    """The control first, a dose of 60 before one of 120."""
    parts = re.split(r"(\d+)", group)
    return group != CONTROL, [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def stimulated(facts: StudyFacts) -> tuple[Stimulated, ...]:
    latencies = dict(_latencies(facts))
    return tuple(
        Stimulated(id, group, number, fact, _stage(facts, fact), latencies.get((fact.session, fact.seq)))
        for id, group in groups_of(facts).items()
        for number, fact in enumerate(_provocations(facts, id), 1)
    )


def times_to_kindled(facts: StudyFacts) -> tuple[TimeToKindled, ...]:
    """Of the animals that were stimulated."""
    found = []
    for id, group in groups_of(facts).items():
        state, given = facts.kindled[id], _provocations(facts, id)
        if isinstance(state, FullyKindled):
            n = 1 + next(place for place, fact in enumerate(given) if fact == state.reached)
            found.append(TimeToKindled(id, group, n, True, ""))
        elif given:
            departure = facts.departure(id)
            ended = str(departure) if departure is not None else type(state).__name__.lower()
            found.append(TimeToKindled(id, group, len(given), False, ended))
    return tuple(found)


def _provocations(facts: StudyFacts, animal: str) -> Sequence[Given]:
    return facts.kindling(animal) or kindling_doses(facts.ledgers[animal])


def _stage(facts: StudyFacts, fact: Given) -> float | None:
    return fact.stage if fact.scale == facts.scale.name else None


def _latencies(facts: StudyFacts) -> Iterator[tuple[tuple[str, int], float]]:
    """By session and journal row of the reply."""
    for view in facts.sessions:
        replies = [exchange.reply for exchange in view.exchanges if exchange.reply is not None]
        for reply, seq in zip(replies, view.reply_seqs, strict=True):
            if isinstance(reply, Trial) and reply.afterdischarges:
                first = min(event.onset_sample for event in reply.afterdischarges)
                yield (view.id, seq), (first - reply.measured.end_sample) / reply.rate_hz
