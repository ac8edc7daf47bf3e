"""Everything that an animal has had, in the order of time: what courses are decided from. Facts only, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, Protocol

from detectors.criterion import Verdict
from kindle.exchange import Injected
from kindle.protocols.ptz import ElectroshockObserved, PtzObserved
from kindle.protocols.threshold import ThresholdOutcome

EventKind = Literal["implanted", "rested", "electrode_lost", "excluded", "died", "note"]

CONTROL = "control"
"""The condition of a test day without an injection."""

KINDLING_DOSE = "kindling"
CHALLENGE = "challenge"
"""The condition of a convulsant dose that kindles, and of the one that shows after a rest what is left of it."""


class Provocation(Protocol):
    """What a criterion of full kindling counts: a train, or a dose of a convulsant, with what was seen after it."""

    @property
    def utc(self) -> datetime: ...

    @property
    def day(self) -> date: ...

    @property
    def seq(self) -> int: ...

    @property
    def scale(self) -> str: ...

    @property
    def stage(self) -> float | None: ...

    @property
    def discharge_s(self) -> float | None: ...

    @property
    def decides(self) -> bool:
        """Whether it says anything of the brain, once it has a stage."""
        ...

    @property
    def discharged(self) -> bool: ...

    @property
    def rig(self) -> str:
        """The other rig of the laboratory whose journal holds the row; empty for this rig's own."""
        ...


@dataclass(frozen=True, slots=True)
class TrainFact:
    """One train that the animal had, or may have had; ``verdict`` is ``None`` for one that came wrong."""

    utc: datetime
    day: date
    session: str
    seq: int
    """Journal row of the reply, or of the request where there is none."""
    protocol: str
    current_ua: float
    charge_uc: float
    verdict: Verdict | None
    scale: str = ""
    stage: float | None = None
    discharge_s: float | None = None
    condition: str = ""
    rig: str = ""
    """The other rig of the laboratory whose journal holds the row."""
    stage_seq: int | None = None
    """Journal row that says the stage; ``None`` where it was not scored, or the ledger was not read from a journal."""

    @property
    def scored(self) -> bool:
        return self.stage is not None

    @property
    def decides(self) -> bool:
        """A void or undetermined train says nothing."""
        return self.verdict in (Verdict.AFTERDISCHARGE, Verdict.NONE)

    @property
    def discharged(self) -> bool:
        return self.verdict is Verdict.AFTERDISCHARGE


@dataclass(frozen=True, slots=True)
class ThresholdFact:
    utc: datetime
    day: date
    session: str
    outcome: ThresholdOutcome
    seq: int = 0
    """Journal row of the outcome; 0 in a ledger that was not read from a journal."""


@dataclass(frozen=True, slots=True)
class InjectionFact:
    """``mg_per_kg`` and ``mmol_per_kg`` as really given; ``None`` while blinded."""

    utc: datetime
    day: date
    session: str
    name: str
    mg_per_kg: float | None
    mmol_per_kg: float | None
    condition: str = ""
    given: Injected | None = None
    """As it stands in the journal, with a code as a code."""


@dataclass(frozen=True, slots=True)
class ObservationFact:
    """A dose of a convulsant, or a shock, that the animal had, and what was seen after it.

    ``seq`` is the row of what was seen, or of the injection where nothing was; ``stage`` is the worst one.
    """

    utc: datetime
    """Of the injection, or of the shock."""
    day: date
    session: str
    seq: int
    protocol: Literal["ptz", "electroshock"]
    mg_per_kg: float | None
    """As really given; ``None`` for a shock, and where nobody knows."""
    condition: str = ""
    scale: str = ""
    stage: float | None = None
    seen: PtzObserved | ElectroshockObserved | None = None
    """``None`` where the observation was broken off."""
    rig: str = ""
    """The other rig of the laboratory whose journal holds the row."""

    @property
    def decides(self) -> bool:
        return True

    @property
    def discharged(self) -> bool:
        """Nobody looked for an afterdischarge."""
        return False

    @property
    def discharge_s(self) -> float | None:
        return None


@dataclass(frozen=True, slots=True)
class WeightFact:
    utc: datetime
    day: date
    weight_g: float


@dataclass(frozen=True, slots=True)
class EventFact:
    utc: datetime
    day: date
    kind: EventKind
    reason: str = ""
    seq: int = 0
    """Its journal row; 0 in a ledger that was not read from a journal."""


@dataclass(frozen=True, slots=True)
class AlarmFact:
    """An alarm for status epilepticus; it bars every train until somebody acknowledges it."""

    utc: datetime
    day: date
    session: str
    seq: int
    cause: str
    rig: str = ""
    """The other rig of the laboratory whose journal holds the row."""
    acknowledged_utc: datetime | None = None
    acknowledged_by: str = ""

    def until(self, utc: datetime) -> "AlarmFact":
        """As it stood at that time."""
        if self.acknowledged_utc is None or self.acknowledged_utc <= utc:
            return self
        return replace(self, acknowledged_utc=None, acknowledged_by="")


@dataclass(frozen=True, slots=True)
class Ledger:
    """Of one animal; every tuple is in the order of time."""

    animal: str
    trains: tuple[TrainFact, ...] = ()
    thresholds: tuple[ThresholdFact, ...] = ()
    injections: tuple[InjectionFact, ...] = ()
    weights: tuple[WeightFact, ...] = ()
    events: tuple[EventFact, ...] = ()
    observations: tuple[ObservationFact, ...] = ()
    alarms: tuple[AlarmFact, ...] = ()

    def until(self, utc: datetime) -> "Ledger":
        """What was known at that time: a course replayed from its journal decides as it did then."""
        return Ledger(
            self.animal,
            tuple(fact for fact in self.trains if fact.utc <= utc),
            tuple(fact for fact in self.thresholds if fact.utc <= utc),
            tuple(fact for fact in self.injections if fact.utc <= utc),
            tuple(fact for fact in self.weights if fact.utc <= utc),
            tuple(fact for fact in self.events if fact.utc <= utc),
            tuple(fact for fact in self.observations if fact.utc <= utc),
            tuple(fact.until(utc) for fact in self.alarms if fact.utc <= utc),
        )

    @property
    def n_sub_threshold(self) -> int:
        """Exposures without an afterdischarge: they change the animal too."""
        return sum(train.verdict is Verdict.NONE for train in self.trains)

    @property
    def n_afterdischarges(self) -> int:
        return sum(train.verdict is Verdict.AFTERDISCHARGE for train in self.trains)

    @property
    def charge_uc(self) -> float:
        return sum(train.charge_uc for train in self.trains)

    @property
    def open_alarm(self) -> AlarmFact | None:
        """The last alarm, while nobody has acknowledged it."""
        return next((alarm for alarm in reversed(self.alarms) if alarm.acknowledged_utc is None), None)

    def event(self, *kinds: EventKind) -> EventFact | None:
        """The last event of these kinds."""
        return next((event for event in reversed(self.events) if event.kind in kinds), None)


def together(ledgers: Sequence[Ledger]) -> Ledger:
    """What several journals say about one animal, in the order of time."""
    return Ledger(
        ledgers[0].animal,
        tuple(sorted((fact for ledger in ledgers for fact in ledger.trains), key=_time)),
        tuple(sorted((fact for ledger in ledgers for fact in ledger.thresholds), key=_time)),
        tuple(sorted((fact for ledger in ledgers for fact in ledger.injections), key=_time)),
        tuple(sorted((fact for ledger in ledgers for fact in ledger.weights), key=_time)),
        tuple(sorted((fact for ledger in ledgers for fact in ledger.events), key=_time)),
        tuple(sorted((fact for ledger in ledgers for fact in ledger.observations), key=_time)),
        tuple(sorted((fact for ledger in ledgers for fact in ledger.alarms), key=_time)),
    )


def _time(
    fact: TrainFact | ThresholdFact | InjectionFact | WeightFact | EventFact | ObservationFact | AlarmFact,
) -> datetime:
    return fact.utc
