"""What a study's report stands on: every animal with its ledger, and every test day with what was injected."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC

from kindle.exchange import CodedDose, Dose, Injected
from kindle.kindled import Kindledness, kindledness
from kindle.kindling_presets import KindledPreset, load_preset, resolve_kindled
from kindle.ledger import CONTROL, Ledger, TrainFact
from kindle.ledger_view import amended_rows, ledger_of
from kindle.rows import Animal, decode
from kindle.study import ANIMALS, SessionView, Study


@dataclass(frozen=True, slots=True)
class DrugDay:
    """The kindling train of a drug-test session; ``doses`` are empty on a control day."""

    animal: str
    train: TrainFact
    doses: tuple[Dose | CodedDose, ...]

    @property
    def condition(self) -> str:
        return self.train.condition

    @property
    def known(self) -> tuple[Dose, ...]:
        """Doses whose substance is known, none of a vehicle or a code."""
        return tuple(dose for dose in self.doses if isinstance(dose, Dose))


@dataclass(frozen=True, slots=True)
class StudyFacts:
    animals: Mapping[str, Animal]
    """As amended."""
    ledgers: Mapping[str, Ledger]
    sessions: tuple[SessionView, ...]
    kindled: Mapping[str, Kindledness]
    drug_days: tuple[DrugDay, ...]

    def days(self, condition: str) -> tuple[DrugDay, ...]:
        return tuple(day for day in self.drug_days if day.condition == condition)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Treatments and codes in the order of their first day; the control is none of them."""
        return tuple(dict.fromkeys(day.condition for day in self.drug_days if day.condition != CONTROL))

    def control_of(self, day: DrugDay) -> DrugDay | None:
        """The last control of the animal before a test day."""
        before = [
            other
            for other in self.days(CONTROL)
            if other.animal == day.animal and other.train.utc < day.train.utc and other.train.verdict is not None
        ]
        return before[-1] if before else None


def study_facts(study: Study) -> StudyFacts:
    """Days are those of UTC, so that a report does not depend on the computer that writes it."""
    rows = (row for row in amended_rows(study.journal) if row.session == ANIMALS and row.kind == "animal_added")
    animals = {animal.id: animal for animal in (decode(row.kind, row.payload, Animal) for row in rows)}
    ledgers = {id: ledger_of(study.journal, id, UTC) for id in animals}
    preset = load_preset(KindledPreset, study.config.criterion, study.config.kindled)
    rule = resolve_kindled(preset, study.config.scale)
    kindled = {
        id: kindledness([train for train in ledger.trains if train.protocol == "kindling"], rule)
        for id, ledger in ledgers.items()
    }
    sessions = tuple(study.sessions())
    return StudyFacts(animals, ledgers, sessions, kindled, tuple(_drug_days(ledgers, sessions)))


def _drug_days(ledgers: Mapping[str, Ledger], sessions: tuple[SessionView, ...]) -> Iterator[DrugDay]:
    injected = {
        view.id: tuple(one.reply.dose for one in view.exchanges if isinstance(one.reply, Injected)) for view in sessions
    }
    for animal, ledger in ledgers.items():
        for train in ledger.trains:
            if train.protocol == "drug-test" and train.scale:
                yield DrugDay(animal, train, injected[train.session])
