"""What people should see of an animal beside what is due; nothing here forbids anything."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby

from detectors.criterion import Verdict
from kindle.course_calendar import week, weekday
from kindle.course_facts import kindling_doses, kindling_trains, last_threshold_ua
from kindle.course_plan import CoursePlan
from kindle.interlocks import AnimalLimits, weight_loss
from kindle.kindled import FullyKindled, Resistant, kindledness
from kindle.ledger import Ledger


def missed_days(ledger: Ledger, plan: CoursePlan, today: date) -> tuple[date, ...]:
    """Workdays between the first and the last kindling train, or yesterday, on which the animal had no train.

    A week of which the schedule takes fewer days than there is work on has its days off at its end.
    """
    trains = kindling_trains(ledger)
    if not trains:
        return ()
    match kindledness(trains, plan.kindled):
        case FullyKindled(reached=reached):
            last = reached.day
        case Resistant():
            last = trains[-1].day
        case _:
            last = today - timedelta(days=1)
    had = {train.day for train in ledger.trains}
    span = (trains[0].day + timedelta(days=n) for n in range((last - trains[0].day).days + 1))
    working = [day for day in span if weekday(day) in plan.workdays or not plan.workdays]
    missed: list[date] = []
    for _, of_week in groupby(working, key=week):
        days = list(of_week)
        days_off = max(0, len(days) - (plan.days_per_week or len(days)))
        without = [day for day in days if day not in had]
        missed += without[: max(0, len(without) - days_off)]
    return tuple(missed)


def flags_of(ledger: Ledger, plan: CoursePlan, now: datetime, limits: AnimalLimits) -> Iterator[str]:
    threshold_ua, trains = last_threshold_ua(ledger), kindling_trains(ledger)
    if threshold_ua is not None and trains and trains[-1].current_ua / threshold_ua >= plan.drift_ratio:
        ratio = trains[-1].current_ua / threshold_ua
        yield f"the current of {trains[-1].current_ua:.4g} uA is {ratio:.3g} times the last threshold"
    yield from _doses(ledger, plan, now)
    missed = missed_days(ledger, plan, now.date())
    if missed:
        yield f"{len(missed)} missed day{'' if len(missed) == 1 else 's'}, the last on {missed[-1]}"
    loss = weight_loss(ledger.weights)
    if loss is not None and loss > limits.max_weight_loss:
        yield f"it has lost {loss:.0%} of its highest weight"
    if (ledger.trains or ledger.observations) and (
        not ledger.weights or (now.date() - ledger.weights[-1].day).days > limits.weight_age_days
    ):
        yield "its weight is not known" if not ledger.weights else f"its last weight is of {ledger.weights[-1].day}"
    undetermined = sum(train.verdict is Verdict.UNDETERMINED for train in trains)
    if undetermined:
        yield f"{undetermined} undetermined train{'' if undetermined == 1 else 's'}"


def _doses(ledger: Ledger, plan: CoursePlan, now: datetime) -> Iterator[str]:
    """The sum of the doses that an animal has had, and a dose that is late."""
    doses = kindling_doses(ledger)
    if plan.doses is None or not doses:
        return
    known = [fact.mg_per_kg for fact in doses if fact.mg_per_kg is not None]
    unknown = f", {len(doses) - len(known)} of unknown amount" if len(known) < len(doses) else ""
    yield f"{len(doses)} kindling dose{'' if len(doses) == 1 else 's'}, {sum(known):.4g} mg/kg in all{unknown}"
    late_h = (now - doses[-1].utc) / timedelta(hours=1) - plan.doses.interval_h
    if late_h > plan.doses.interval_h and not isinstance(kindledness(doses, plan.kindled), FullyKindled | Resistant):
        yield f"the last dose was on {doses[-1].day}; the schedule has one every {plan.doses.interval_h:g} h"
