"""The weeks of one animal as a laboratory plans them, and what can be said of an animal on a given day."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kindle.kindled import KindledRule

Days = Annotated[int, Meta(ge=0, le=1000)]
Hours = Annotated[float, Meta(ge=0, le=1000)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class DoseSchedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Doses of a convulsant below the one that makes a naive animal convulse, until the criterion is met."""

    substance: str
    amount_per_kg: float
    basis: str
    interval_h: float
    early_h: float = 4.0
    """A dose may come this much before its interval is over: people do not come at the same minute each day."""
    challenge_after_days: Days | None = None
    """From full kindling to one more dose, which shows what is left; ``None`` without a challenge."""
    challenge_amount_per_kg: float | None = None

    @property
    def told(self) -> str:
        return f"{self.amount_per_kg:g} {UNITS[self.basis]} of {self.substance}"

    @property
    def least(self) -> timedelta:
        """From one dose to the next."""
        return timedelta(hours=self.interval_h - self.early_h)


UNITS = {
    "mg_salt": "mg/kg",
    "mg_free": "mg/kg (free form)",
    "mmol_active": "mmol/kg",
    "mg_cation": "mg/kg (cation)",
    "mmol_cation": "mmol/kg (cation)",
}

Model = Literal["kindling", "ptz_kindling", "ptz", "electroshock"]
"""What is done with the animals: trains until they are kindled, doses until they are, or observed tests alone."""


class CoursePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The weeks of one animal. ``tests`` are the conditions of its drug days in their order, codes or treatments."""

    kindled: KindledRule
    model: Model = "kindling"
    doses: DoseSchedule | None = None
    """Of a convulsant, where it is what kindles."""
    recovery_days: Days = 7
    threshold_first: bool = True
    threshold_every_days: Days | None = None
    """A re-test of the threshold when the last one is this old."""
    threshold_after_kindling: bool = False
    """A re-test of the threshold once the animal is fully kindled, before its rest and its drug days."""
    threshold_after_rest: bool = False
    """A re-test of the threshold when the rest is over, before the animal is rekindled."""
    sessions_per_day: Annotated[int, Meta(ge=1, le=24)] = 1
    session_interval_h: Hours = 4.0
    """Between two sessions of a day."""
    after_threshold_h: Hours = 24.0
    """From the end of a threshold test to the first kindling session."""
    workdays: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    days_per_week: Annotated[int, Meta(ge=1, le=7)] | None = None
    """From Monday to Sunday an animal has kindling trains on no more days than this."""
    drift_ratio: Annotated[float, Meta(gt=1, le=100)] = 2.0
    """A current this many times the last threshold is flagged: the threshold falls while the current stays."""
    rest_days: Days = 0
    """Between full kindling and the first test; afterwards the animal is rekindled."""
    rekindle_n: Annotated[int, Meta(ge=1, le=100)] = 2
    tests: tuple[str, ...] = ()
    after_kindling_days: Days = 2
    control_gap_days: tuple[Days, Days] = (1, 3)
    """A drug day follows a control this many days at least and at most."""
    washout_days: Days = 7
    gate_controls: Annotated[int, Meta(ge=0, le=20)] = 2
    """The last so many controls meet the stage of the rule, their discharges within 2 SD of the animal's own."""
    tolerance_s: Annotated[float, Meta(gt=0, le=3600)] = 60.0
    """How far the time from an injection to the test may be off."""


class State(StrEnum):
    IMPLANTED = "implanted"
    RECOVERING = "recovering"
    NAIVE = "naive"
    KINDLING = "kindling"
    STABILISING = "stabilising"
    FULLY_KINDLED = "fully kindled"
    RESTING = "resting"
    REKINDLING = "rekindling"
    TESTING = "testing"
    WASHOUT = "washout"
    RESISTANT = "resistant"
    ENDED = "ended"
    EXCLUDED = "excluded"
    DIED = "died"
    ELECTRODE_LOST = "electrode lost"


@dataclass(frozen=True, slots=True)
class Due:
    """A session that is due now, with the reason as the card beside the cage says it."""

    protocol: Literal["threshold", "kindling", "drug-test", "ptz", "electroshock"]
    reason: str
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing before ``until``, the start of a day or a time of day."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """A decision that the rules do not make."""

    reason: str


@dataclass(frozen=True, slots=True)
class Over:
    reason: str


Next = Due | Wait | NeedsPerson | Over


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an animal is in its course; ``flags`` are for people to see and forbid nothing."""

    state: State
    next: Next
    flags: tuple[str, ...] = ()
