"""Ledgers written by hand, and a simulated animal that is taken through its course day by day."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from detectors.criterion import Verdict
from kindle.course import standing
from kindle.course_plan import CoursePlan, Due, Standing
from kindle.ledger import CONTROL, EventFact, InjectionFact, Ledger, ThresholdFact, TrainFact, WeightFact
from kindle.protocols.threshold import ThresholdFound

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RACINE = "racine_1972@1"


def train(
    day: int,
    stage: float | None = 5.0,
    *,
    hour: int = 0,
    verdict: Verdict | None = Verdict.AFTERDISCHARGE,
    discharge_s: float | None = 60.0,
    protocol: str = "kindling",
    condition: str = "",
    scale: str = RACINE,
    current_ua: float = 500.0,
) -> TrainFact:
    """``day`` counts from Monday 5 January 2026, 9:00 UTC."""
    utc = MONDAY + timedelta(days=day, hours=hour)
    return TrainFact(
        utc=utc,
        day=utc.date(),
        session=f"R01_{utc:%m%d_%H}",
        seq=0,
        protocol=protocol,
        current_ua=current_ua,
        charge_uc=25.0,
        verdict=verdict,
        scale=scale,
        stage=stage,
        discharge_s=discharge_s,
        condition=condition,
    )


def threshold_on(day: int) -> ThresholdFact:
    utc = MONDAY + timedelta(days=day)
    return ThresholdFact(utc, utc.date(), "R01_threshold", ThresholdFound(71.3, 85.6))


def event_on(day: int, kind: str, reason: str = "") -> EventFact:
    utc = MONDAY + timedelta(days=day)
    return EventFact(utc, utc.date(), kind, reason)  # type: ignore[arg-type]


def weight_on(day: int, weight_g: float) -> WeightFact:
    utc = MONDAY + timedelta(days=day)
    return WeightFact(utc, utc.date(), weight_g)


@dataclass
class Weeks:
    """A technician who looks at nine every morning and every few hours, and does what is due."""

    plan: CoursePlan
    stage_of: Callable[[int], float]
    """The stage of the n-th kindling or test train."""
    ledger: Ledger = field(default_factory=lambda: Ledger("R01"))
    said: list[tuple[datetime, Standing]] = field(default_factory=list)
    done: list[tuple[datetime, Due]] = field(default_factory=list)

    def live(self, days: int, absent: frozenset[int] = frozenset()) -> None:
        for day in range(days):
            if day in absent:
                continue
            for hour in (0, 4, 8):
                now = MONDAY + timedelta(days=day, hours=hour)
                told = standing(self.ledger, self.plan, now)
                self.said.append((now, told))
                if isinstance(told.next, Due):
                    self._do(told.next, day, hour, now)

    def _do(self, due: Due, day: int, hour: int, now: datetime) -> None:
        self.done.append((now, due))
        if due.protocol == "threshold":
            below = train(day, None, hour=hour, verdict=Verdict.NONE, protocol="threshold", scale="")
            fact = replace(threshold_on(day), utc=now)
            self.ledger = replace(
                self.ledger, trains=(*self.ledger.trains, below), thresholds=(*self.ledger.thresholds, fact)
            )
            return
        n = sum(t.protocol != "threshold" for t in self.ledger.trains) + 1
        one = train(day, self.stage_of(n), hour=hour, protocol=due.protocol, condition=due.condition)
        self.ledger = replace(self.ledger, trains=(*self.ledger.trains, one))
        if due.protocol == "drug-test" and due.condition != CONTROL:
            injection = InjectionFact(now, now.date(), one.session, due.condition, 200.0, 1.2, due.condition)
            self.ledger = replace(self.ledger, injections=(*self.ledger.injections, injection))
