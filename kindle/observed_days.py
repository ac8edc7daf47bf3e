"""Days of a convulsant or a shock: doses counted until an animal is kindled, a challenge, and tests that are observed.

Pure functions of the ledger, as all of a course.
"""

from datetime import datetime, timedelta
from typing import assert_never

from kindle.course_calendar import midnight, on_workday
from kindle.course_facts import kindling_doses, left_of, observed_tests
from kindle.course_plan import CoursePlan, DoseSchedule, Due, NeedsPerson, Next, Over, State, Wait
from kindle.kindled import FullyKindled, Resistant, Stabilising, StillKindling, kindledness
from kindle.ledger import CHALLENGE, KINDLING_DOSE, Ledger, ObservationFact, Provocation


def kindled_by_doses(ledger: Ledger, plan: CoursePlan, now: datetime) -> tuple[State, Next]:
    """Doses at their interval until the criterion is met; then the challenge, then the tests."""
    schedule = plan.doses
    if schedule is None:
        return State.NAIVE, NeedsPerson("[ptz] of study.toml names no interval between doses: set interval_h")
    doses = kindling_doses(ledger)
    progress = kindledness(doses, plan.kindled)
    match progress:
        case StillKindling(counted=counted, needed=needed):
            told = f"dose {len(doses) + 1}, {schedule.told}; {counted} of {needed} seizures of the criterion"
            return (State.KINDLING if doses else State.NAIVE), _dose_due(ledger, plan, now, schedule, told)
        case Stabilising(days=days, needed=needed):
            told = f"dose {len(doses) + 1}, {schedule.told}; day {days + 1} of {needed} stable days after the criterion"
            return State.STABILISING, _dose_due(ledger, plan, now, schedule, told)
        case Resistant(trains, days):
            return State.RESISTANT, Over(f"resistant: {trains} doses on {days} days without meeting the criterion")
        case FullyKindled(reached, n):
            return _after_kindling(ledger, plan, now, schedule, reached, n)
        case _:
            assert_never(progress)


def observed_day(ledger: Ledger, plan: CoursePlan, now: datetime) -> tuple[State, Next]:
    """The next test of the plan, a washout after whatever the animal was given last."""
    left = left_of(plan.tests, [fact.condition for fact in observed_tests(ledger)])
    if not plan.tests:
        return State.NAIVE, NeedsPerson("no tests are planned: name them as tests under [course], or draw a design")
    if not left:
        return State.ENDED, Over(f"all {len(plan.tests)} tests are done")
    free = free_of_drugs(ledger, plan, now)
    if free is not None:
        return State.WASHOUT, free
    due = Due(
        "electroshock" if plan.model == "electroshock" else "ptz",
        f"test {len(plan.tests) - len(left) + 1} of {len(plan.tests)}",
        left[0],
    )
    return State.TESTING, on_workday(plan, now, due)


def observed_departure(ledger: Ledger, plan: CoursePlan, now: datetime, condition: str) -> str:
    """Why an observed test of this condition, now, would depart from the course; nothing where it would not."""
    left = left_of(plan.tests, [fact.condition for fact in observed_tests(ledger)])
    if plan.model != "kindling" and left and condition != left[0]:
        return f"{left[0]} is the next condition of {ledger.animal}, not {condition}"
    wait = free_of_drugs(ledger, plan, now)
    if wait is None:
        return ""
    return f"{ledger.animal} is in its {wait.reason} until {wait.until:%a %Y-%m-%d %H:%M}"


def free_of_drugs(ledger: Ledger, plan: CoursePlan, now: datetime) -> Wait | None:
    """The washout since the last dose or shock, whatever it was; ``None`` when it is over."""
    given = [(fact.utc, fact.day, fact.name) for fact in ledger.injections]
    given += [(fact.utc, fact.day, "the shock") for fact in ledger.observations if fact.protocol == "electroshock"]
    if not given:
        return None
    _, day, name = max(given)
    free = day + timedelta(days=plan.washout_days)
    if now.date() >= free:
        return None
    return Wait(midnight(free, now), f"washout of {plan.washout_days} days after {name}")


def _dose_due(ledger: Ledger, plan: CoursePlan, now: datetime, schedule: DoseSchedule, told: str) -> Next:
    due = Due("ptz", told, KINDLING_DOSE)
    last = last_dose(ledger)
    after = None if last is None else last.utc + schedule.least
    return on_workday(plan, now, due, after=after)


def last_dose(ledger: Ledger) -> ObservationFact | None:
    """Of a convulsant, for whatever it was given."""
    return next((fact for fact in reversed(ledger.observations) if fact.protocol == "ptz"), None)


def _after_kindling(
    ledger: Ledger, plan: CoursePlan, now: datetime, schedule: DoseSchedule, reached: Provocation, n: int
) -> tuple[State, Next]:
    if schedule.challenge_after_days is not None and not any(f.condition == CHALLENGE for f in ledger.observations):
        back = reached.day + timedelta(days=schedule.challenge_after_days)
        if now.date() < back:
            return State.RESTING, Wait(
                midnight(back, now), f"rest of {schedule.challenge_after_days} days before the challenge"
            )
        told = f"challenge {schedule.challenge_after_days} days after full kindling, which took {n} doses"
        return State.RESTING, on_workday(plan, now, Due("ptz", told, CHALLENGE))
    if not plan.tests:
        return State.FULLY_KINDLED, Over(f"fully kindled by {n} doses; no tests are planned")
    return observed_day(ledger, plan, now)
