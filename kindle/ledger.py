"""Everything that an animal has had, in the order of time: what courses are decided from. Facts only, no clock."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from detectors.criterion import Verdict
from kindle.protocols.threshold import ThresholdOutcome

EventKind = Literal["implanted", "rested", "electrode_lost", "excluded", "died", "note"]

CONTROL = "control"
"""The condition of a test day without an injection."""


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

    @property
    def scored(self) -> bool:
        return self.stage is not None


@dataclass(frozen=True, slots=True)
class ThresholdFact:
    utc: datetime
    day: date
    session: str
    outcome: ThresholdOutcome


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


@dataclass(frozen=True, slots=True)
class Ledger:
    """Of one animal; every tuple is in the order of time."""

    animal: str
    trains: tuple[TrainFact, ...] = ()
    thresholds: tuple[ThresholdFact, ...] = ()
    injections: tuple[InjectionFact, ...] = ()
    weights: tuple[WeightFact, ...] = ()
    events: tuple[EventFact, ...] = ()

    def until(self, utc: datetime) -> "Ledger":
        """What was known at that time: a course replayed from its journal decides as it did then."""
        return Ledger(
            self.animal,
            tuple(fact for fact in self.trains if fact.utc <= utc),
            tuple(fact for fact in self.thresholds if fact.utc <= utc),
            tuple(fact for fact in self.injections if fact.utc <= utc),
            tuple(fact for fact in self.weights if fact.utc <= utc),
            tuple(fact for fact in self.events if fact.utc <= utc),
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

    def event(self, *kinds: EventKind) -> EventFact | None:
        """The last event of these kinds."""
        return next((event for event in reversed(self.events) if event.kind in kinds), None)
