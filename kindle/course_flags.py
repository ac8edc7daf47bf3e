"""What people should see of an animal beside what is due; nothing here forbids anything."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from detectors.criterion import Verdict
from kindle.course_calendar import weekday
from kindle.course_facts import kindling_trains, last_threshold_ua
from kindle.course_plan import CoursePlan
from kindle.interlocks import AnimalLimits, weight_loss
from kindle.kindled import FullyKindled, Resistant, kindledness
from kindle.ledger import Ledger


def missed_days(ledger: Ledger, plan: CoursePlan, today: date) -> tuple[date, ...]:
    """Workdays between the first and the last kindling train, or yesterday, on which the animal had no train."""
    trains = kindling_trains(ledger)
    if not trains:
        return ()
    progress = kindledness(trains, plan.kindled)
    over = isinstance(progress, FullyKindled | Resistant)
    last = trains[-1].day if over else today - timedelta(days=1)
    had = {train.day for train in ledger.trains}
    span = (trains[0].day + timedelta(days=n) for n in range((last - trains[0].day).days + 1))
    return tuple(day for day in span if weekday(day) in plan.workdays and day not in had)


def flags_of(ledger: Ledger, plan: CoursePlan, now: datetime, limits: AnimalLimits) -> Iterator[str]:
    threshold_ua, trains = last_threshold_ua(ledger), kindling_trains(ledger)
    if threshold_ua is not None and trains and trains[-1].current_ua / threshold_ua >= plan.drift_ratio:
        ratio = trains[-1].current_ua / threshold_ua
        yield f"the current of {trains[-1].current_ua:.4g} uA is {ratio:.3g} times the last threshold"
    missed = missed_days(ledger, plan, now.date())
    if missed:
        yield f"{len(missed)} missed day{'' if len(missed) == 1 else 's'}, the last on {missed[-1]}"
    loss = weight_loss(ledger.weights)
    if loss is not None and loss > limits.max_weight_loss:
        yield f"it has lost {loss:.0%} of its highest weight"
    if ledger.trains and (not ledger.weights or (now.date() - ledger.weights[-1].day).days > limits.weight_age_days):
        yield "its weight is not known" if not ledger.weights else f"its last weight is of {ledger.weights[-1].day}"
    undetermined = sum(train.verdict is Verdict.UNDETERMINED for train in trains)
    if undetermined:
        yield f"{undetermined} undetermined train{'' if undetermined == 1 else 's'}"
