"""Workdays, and the time that lies between two sessions of an animal."""

from datetime import date, datetime, timedelta

from kindle.course_plan import CoursePlan, Due, Next, Wait, Weekday
from kindle.ledger import Ledger

_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def session_due(ledger: Ledger, plan: CoursePlan, now: datetime, due: Due, *, sessions_per_day: int) -> Next:
    """The session, unless the animal has had its trains for today or needs more time since the last one."""
    if not ledger.trains:
        return on_workday(plan, now, due)
    last = ledger.trains[-1]
    todays = {train.session for train in ledger.trains if train.day == now.date()}
    wait_h = plan.after_threshold_h if last.protocol == "threshold" else plan.session_interval_h
    after = last.utc + timedelta(hours=wait_h)
    if len(todays) >= sessions_per_day:
        tomorrow = midnight(now.date() + timedelta(days=1), now)
        after = max(after, tomorrow)
    if due.protocol == "kindling" and (free := _week_over(ledger, plan, now)) is not None:
        after = max(after, free)
    return on_workday(plan, now, due, after=after)


def _week_over(ledger: Ledger, plan: CoursePlan, now: datetime) -> datetime | None:
    """Next Monday, when the animal has been kindled on as many other days of this week as the schedule has."""
    if plan.days_per_week is None:
        return None
    today = now.date()
    kindled = {train.day for train in ledger.trains if train.protocol == "kindling"}
    this_week = {day for day in kindled if week(day) == week(today) and day != today}
    if len(this_week) < plan.days_per_week:
        return None
    return midnight(today + timedelta(days=7 - today.weekday()), now)


def on_workday(plan: CoursePlan, now: datetime, due: Due, after: datetime | None = None) -> Next:
    if after is not None and now < after:
        return Wait(after.astimezone(now.tzinfo), f"{due.protocol} then: {due.reason}")
    if weekday(now.date()) in plan.workdays or not plan.workdays:
        return due
    day = now.date()
    while weekday(day) not in plan.workdays:
        day += timedelta(days=1)
    return Wait(midnight(day, now), f"no work today; {due.protocol} then: {due.reason}")


def week(day: date) -> tuple[int, int]:
    """Year and number of the week, which begins on Monday."""
    iso = day.isocalendar()
    return iso.year, iso.week


def weekday(day: date) -> Weekday:
    return _WEEKDAYS[day.weekday()]


def midnight(day: date, now: datetime) -> datetime:
    return datetime.combine(day, datetime.min.time(), now.tzinfo)
