"""What a study's report stands on: every animal with its ledger, and every test day with what was injected."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kindle.course_facts import kindling_doses, kindling_trains
from kindle.exchange import CodedDose, Dose, Injected
from kindle.kindled import FullyKindled, Kindledness, KindledRule, Stabilising, kindledness
from kindle.ledger import (
    CONTROL,
    EventFact,
    Ledger,
    ObservationFact,
    Provocation,
    ThresholdFact,
    TrainFact,
)
from kindle.protocols.drug_test import DrugTestPlan
from kindle.report.study_conditions import condition_of, given_on
from kindle.report.study_merging import check_one_study, merged
from kindle.report.study_sources import Source
from kindle.report.tables import JournalRow
from kindle.rows import Animal
from kindle.scale import Scale, load_scale
from kindle.session_view import SessionView

OUT = ("excluded", "died", "electrode_lost")
"""Events after which an animal is out of the study."""


@dataclass(frozen=True, slots=True)
class DrugDay:
    """The kindling train of a drug-test session; ``doses`` are empty on a control day."""

    animal: str
    train: TrainFact
    doses: tuple[Dose | CodedDose, ...]
    """As injected."""
    condition: str
    """A treatment, a code that is not open, or the control."""
    known: tuple[Dose, ...]
    """Doses whose substance is known; of an open code what the key and study.toml say of it."""
    all_known: bool
    """Whether nothing else that may act was injected."""
    given: str
    """What was injected, in words."""
    row: JournalRow


@dataclass(frozen=True, slots=True)
class Departure:
    """Why an animal is out of the study, and the row that says so."""

    event: EventFact
    row: JournalRow

    def __str__(self) -> str:
        told = f"{self.event.kind.replace('_', ' ')} {self.event.day}"
        return told + (f": {self.event.reason}" if self.event.reason else "")


@dataclass(frozen=True)
class StudyFacts:
    sources: tuple[Source, ...]
    animals: Mapping[str, Animal]
    """As amended."""
    ledgers: Mapping[str, Ledger]
    """Of each animal over all folders, in the order of time."""
    sessions: tuple[SessionView, ...]
    kindled: Mapping[str, Kindledness]
    drug_days: tuple[DrugDay, ...]
    rule: KindledRule
    scale: Scale

    @property
    def name(self) -> str:
        return ", ".join(dict.fromkeys(source.config.name for source in self.sources))

    @cached_property
    def _of_session(self) -> dict[str, Source]:
        return {view.id: source for source in self.sources for view in source.sessions}

    def source(self, session: str) -> Source:
        return self._of_session[session]

    def row(self, session: str, seq: int) -> JournalRow:
        """A row of a session, as tables and links name it."""
        return self._of_session[session].row(seq)

    def train_row(self, train: TrainFact) -> JournalRow:
        return self.row(train.session, train.seq)

    def kindled_row(self, animal: str) -> JournalRow | None:
        """The stimulation at which the animal met the criterion."""
        state = self.kindled[animal]
        reached = state.reached if isinstance(state, FullyKindled | Stabilising) else None
        return self.row(reached.session, reached.seq) if isinstance(reached, TrainFact | ObservationFact) else None

    def threshold_row(self, threshold: ThresholdFact) -> JournalRow:
        return self.row(threshold.session, threshold.seq)

    def kindling(self, animal: str) -> tuple[TrainFact, ...]:
        """Every train of the kindling sessions of an animal, void and unscored ones too: they count."""
        return tuple(kindling_trains(self.ledgers[animal]))

    def stimulations(self, animal: str) -> Sequence[Provocation]:
        """The trains, or doses of a convulsant, that the animal was kindled with, whichever it was."""
        return _provocations(self.ledgers[animal])

    def stage(self, train: TrainFact) -> float | None:
        """On the scale of the study; ``None`` where it was not scored, or on another scale."""
        return train.stage if train.scale == self.scale.name else None

    def days(self, condition: str) -> tuple[DrugDay, ...]:
        return tuple(day for day in self.drug_days if day.condition == condition)

    def first_days(self, condition: str) -> Mapping[str, DrugDay]:
        """The first day of a treatment of each animal: only that one is compared, so that no rat counts twice."""
        first: dict[str, DrugDay] = {}
        for day in self.days(condition):
            first.setdefault(day.animal, day)
        return first

    @property
    def conditions(self) -> tuple[str, ...]:
        """Treatments and codes in the order of the design, then of their first day; the control is none of them."""
        tested = dict.fromkeys(day.condition for day in self.drug_days if day.condition != CONTROL)
        planned = [name for name in self._planned if name in tested]
        return tuple(dict.fromkeys((*planned, *tested)))

    @cached_property
    def _planned(self) -> tuple[str, ...]:
        designs = [(source, source.designed[1].design) for source in self.sources if source.designed is not None]
        return tuple(condition_of(source, name, self.sources) for source, one in designs for name in one.treatments)

    def control_of(self, day: DrugDay) -> DrugDay | None:
        """The last control of the animal before a test day."""
        before = [
            other
            for other in self.days(CONTROL)
            if other.animal == day.animal and other.train.utc < day.train.utc and other.train.verdict is not None
        ]
        return before[-1] if before else None

    @cached_property
    def groups(self) -> Mapping[str, str]:
        """The one treatment of each animal where the design gives every animal one; empty for any other design."""
        orders = {
            animal: tuple(condition_of(source, name, self.sources) for name in order)
            for source in self.sources
            if source.designed is not None
            for animal, order in source.designed[1].design.orders.items()
        }
        if not orders or any(len(order) != 1 for order in orders.values()):
            return {}
        return {animal: order[0] for animal, order in sorted(orders.items(), key=lambda one: self._place(one[1][0]))}

    def _place(self, condition: str) -> int:
        return self._planned.index(condition)

    def departure(self, animal: str) -> Departure | None:
        found = [
            Departure(event, source.row(event.seq))
            for source in self.sources
            if animal in source.ledgers
            for event in source.ledgers[animal].events
            if event.kind in OUT
        ]
        return max(found, key=lambda one: one.event.utc, default=None)


def study_facts(sources: tuple[Source, ...]) -> StudyFacts:
    """Raises ``ConfigError`` where the folders are not of one study, or tell different things of one animal."""
    check_one_study(sources)
    ids = tuple(dict.fromkeys(id for source in sources for id in source.animals))
    animals = {id: next(source.animals[id] for source in sources if id in source.animals) for id in ids}
    ledgers = {id: merged(id, sources) for id in ids}
    rule = sources[0].course.kindled
    kindled = {id: kindledness(_provocations(ledger), rule) for id, ledger in ledgers.items()}
    sessions = tuple(sorted((view for s in sources for view in s.sessions), key=lambda view: view.started_utc))
    days = tuple(_drug_days(ledgers, sources))
    scale = load_scale(sources[0].config.scale)
    return StudyFacts(sources, animals, ledgers, sessions, kindled, days, rule, scale)


def _provocations(ledger: Ledger) -> Sequence[Provocation]:
    """Trains, or doses of a convulsant, whichever the animal was kindled with."""
    return kindling_trains(ledger) or kindling_doses(ledger)


def _drug_days(ledgers: Mapping[str, Ledger], sources: tuple[Source, ...]) -> Iterator[DrugDay]:
    views = {view.id: (source, view) for source in sources for view in source.sessions}
    for animal, ledger in ledgers.items():
        for train in ledger.trains:
            source, view = views[train.session]
            plan = view.started.plan
            if isinstance(plan, DrugTestPlan) and train.scale:
                injected = tuple(one.reply for one in view.exchanges if isinstance(one.reply, Injected))
                given = given_on(source, plan.condition, injected, sources)
                yield DrugDay(
                    animal,
                    train,
                    tuple(one.dose for one in injected),
                    train.condition,
                    given.known,
                    given.complete,
                    given.words,
                    source.row(train.seq),
                )
