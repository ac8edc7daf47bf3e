"""Who answers to a treatment each time, never, or now and then: consistent over repeated tests (Löscher 2000)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kindle.design import Responder, responder
from kindle.ledger import CHALLENGE, CONTROL, KINDLING_DOSE, Ledger, ObservationFact, TrainFact
from kindle.protocols.ptz import ElectroshockObserved

NO_TREATMENT = ("", CONTROL, KINDLING_DOSE, CHALLENGE)


@dataclass(frozen=True, slots=True)
class Protection:
    """What counts as protected: a stage below this, on each scale that the study has."""

    below: Mapping[str, float]

    def of_stage(self, scale: str, stage: float | None) -> bool | None:
        """``None`` where it is not known: not scored, or on a scale that the rule says nothing of."""
        return None if stage is None or scale not in self.below else stage < self.below[scale]


@dataclass(slots=True)
class Answers:
    """Of one animal to one treatment, in the order of its tests; ``unknown`` ones are not counted."""

    protected: list[bool] = field(default_factory=list)
    unknown: int = 0

    def kind(self, least_tests: int) -> Responder | None:
        return responder(self.protected, least_tests=least_tests)


def answers_of(ledger: Ledger, rule: Protection) -> dict[str, Answers]:
    """By treatment, or by code while the study is blind; controls are no treatment."""
    found: dict[str, Answers] = {}
    for fact in sorted(_tests(ledger), key=lambda fact: fact.utc):
        answers = found.setdefault(fact.condition, Answers())
        protected = _protected(fact, rule)
        if protected is None:
            answers.unknown += 1
        else:
            answers.protected.append(protected)
    return found


def _tests(ledger: Ledger) -> Iterator[TrainFact | ObservationFact]:
    yield from (t for t in ledger.trains if t.protocol == "drug-test" and t.condition not in NO_TREATMENT)
    yield from (fact for fact in ledger.observations if fact.condition not in NO_TREATMENT)


def _protected(fact: TrainFact | ObservationFact, rule: Protection) -> bool | None:
    """After a shock the end point is the extension of the hindlimbs, whatever stage was entered."""
    if isinstance(fact, ObservationFact) and fact.protocol == "electroshock":
        return fact.seen.protected if isinstance(fact.seen, ElectroshockObserved) else None
    return rule.of_stage(fact.scale, fact.stage) if fact.decides else None
