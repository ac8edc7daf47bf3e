"""From days to weeks: what is due next for an animal, and why. Pure functions of its ledger and of a time."""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec import structs

from kindle.course_calendar import midnight, on_workday, session_due
from kindle.course_facts import kindling_trains, last_threshold_ua, left_of, meets_stage, without_stage
from kindle.course_flags import flags_of
from kindle.course_plan import CoursePlan, Due, NeedsPerson, Next, Over, Standing, State, Wait
from kindle.drug_days import conditions_done, drug_day
from kindle.interlocks import AnimalLimits, alarm_text, unscored
from kindle.kindled import FullyKindled, Resistant, Stabilising, StillKindling, kindledness
from kindle.ledger import Ledger, Provocation
from kindle.observed_days import kindled_by_doses, observed_day
from kindle.protocols.threshold import Aborted, NoAfterdischarge

_ENDS: dict[str, State] = {
    "died": State.DIED,
    "electrode_lost": State.ELECTRODE_LOST,
    "excluded": State.EXCLUDED,
}


def standing(ledger: Ledger, plan: CoursePlan, now: datetime, limits: AnimalLimits | None = None) -> Standing:
    """``now`` carries the time zone in which days are counted."""
    known = ledger.until(now)
    state, following = _next(known, plan, now)
    if state in _ENDS.values():
        return Standing(state, following)
    if isinstance(following, Due | Wait):
        if (alarm := known.open_alarm) is not None:
            following = NeedsPerson(alarm_text(alarm))
        elif waiting := unscored(known):
            following = NeedsPerson(f"the train of session {waiting[-1].session} has no stage yet: kindle score")
        elif seen := without_stage(known):
            following = NeedsPerson(f"the dose of session {seen[-1].session} has no stage yet: kindle score")
    return Standing(state, following, tuple(flags_of(known, plan, now, limits or AnimalLimits())))


def departure(ledger: Ledger, plan: CoursePlan, now: datetime, condition: str) -> str:
    """Why a drug day of this condition, now, would depart from the course; nothing where it would not.

    What lies in the calendar of the people is no reason: work on a day off is still a good test.
    """
    known = ledger.until(now)
    done = conditions_done(known)
    left = left_of(plan.tests, done)
    if left and condition != left[0]:
        return f"{left[0]} is the next condition of {ledger.animal}, not {condition}"
    asked = structs.replace(plan, workdays=(), tests=(*done, condition))
    state, following = _next(known, asked, now)
    match following:
        case Due("drug-test", _, then) if then == condition:
            return ""
        case Due(protocol, reason):
            return f"{ledger.animal} is {state}, and {protocol} is due first: {reason}"
        case Wait(until, reason):
            return f"{ledger.animal} is {state}, with nothing due before {until:%a %Y-%m-%d %H:%M}: {reason}"
        case NeedsPerson(reason) | Over(reason):
            return f"{ledger.animal} is {state}: {reason}"
        case _:
            assert_never(following)


def _next(ledger: Ledger, plan: CoursePlan, now: datetime) -> tuple[State, Next]:
    ended = ledger.event("died", "electrode_lost", "excluded")
    if ended is not None:
        return _ENDS[ended.kind], Over(
            f"{_ENDS[ended.kind]} on {ended.day}" + (f": {ended.reason}" if ended.reason else "")
        )
    implanted = ledger.event("implanted")
    if implanted is not None and now.date() < (free := implanted.day + timedelta(days=plan.recovery_days)):
        return State.RECOVERING, Wait(midnight(free, now), f"recovery of {plan.recovery_days} days after implantation")
    match plan.model:
        case "kindling":
            return _kindled_by_trains(ledger, plan, now)
        case "ptz_kindling":
            return kindled_by_doses(ledger, plan, now)
        case "ptz" | "electroshock":
            return observed_day(ledger, plan, now)
        case _:
            assert_never(plan.model)


def _kindled_by_trains(ledger: Ledger, plan: CoursePlan, now: datetime) -> tuple[State, Next]:
    if plan.threshold_first and (first := _first_threshold(ledger, plan, now)) is not None:
        return State.NAIVE, first
    progress = kindledness(kindling_trains(ledger), plan.kindled)
    match progress:
        case StillKindling() | Stabilising():
            state = State.KINDLING if isinstance(progress, StillKindling) else State.STABILISING
            return state, _kindling(ledger, plan, now, progress)
        case Resistant(trains, days):
            return State.RESISTANT, Over(f"resistant: {trains} trains on {days} days without meeting the criterion")
        case FullyKindled(reached, _):
            return _after_kindling(ledger, plan, now, reached)
        case _:
            assert_never(progress)


def _first_threshold(ledger: Ledger, plan: CoursePlan, now: datetime) -> Next | None:
    """What stands between the animal and its first kindling train; ``None`` when its threshold is known."""
    if not ledger.thresholds:
        return on_workday(plan, now, Due("threshold", "no threshold has been measured"))
    if last_threshold_ua(ledger) is not None:
        return None
    match ledger.thresholds[-1].outcome:
        case NoAfterdischarge(above_ua=above_ua):
            return NeedsPerson(
                f"no afterdischarge up to {above_ua:.4g} uA: exclude the animal, or test it with a higher max_ua"
            )
        case _:
            due = Due("threshold", "the last threshold test ended without an answer")
            return on_workday(plan, now, due, after=ledger.thresholds[-1].utc + timedelta(hours=plan.after_threshold_h))


def _kindling(ledger: Ledger, plan: CoursePlan, now: datetime, progress: StillKindling | Stabilising) -> Next:
    trains = kindling_trains(ledger)
    if isinstance(progress, StillKindling):
        told = f"train {len(trains) + 1}, {progress.counted} of {progress.needed} seizures of the criterion"
    else:
        told = f"day {progress.days + 1} of {progress.needed} stable days after the criterion"
    retest = _retest(ledger, plan, now)
    if retest is not None:
        return retest
    return session_due(ledger, plan, now, Due("kindling", told), sessions_per_day=plan.sessions_per_day)


def _retest(ledger: Ledger, plan: CoursePlan, now: datetime) -> Next | None:
    if plan.threshold_every_days is None or not ledger.thresholds:
        return None
    age_days = (now.date() - ledger.thresholds[-1].day).days
    if age_days < plan.threshold_every_days:
        return None
    due = Due("threshold", f"the last threshold is {age_days} days old")
    return session_due(ledger, plan, now, due, sessions_per_day=1)


def _after_kindling(ledger: Ledger, plan: CoursePlan, now: datetime, reached: Provocation) -> tuple[State, Next]:
    if plan.threshold_after_kindling and not _measured_since(ledger, reached.utc):
        due = Due("threshold", "re-test of the threshold after full kindling")
        return State.FULLY_KINDLED, session_due(ledger, plan, now, due, sessions_per_day=1)
    if plan.rest_days:
        back = reached.day + timedelta(days=plan.rest_days)
        if now.date() < back:
            return State.RESTING, Wait(midnight(back, now), f"rest of {plan.rest_days} days after full kindling")
        if plan.threshold_after_rest and not _measured_since(ledger, midnight(back, now)):
            due = Due("threshold", f"re-test of the threshold after a rest of {plan.rest_days} days")
            return State.REKINDLING, session_due(ledger, plan, now, due, sessions_per_day=1)
        again = [t for t in kindling_trains(ledger) if t.day >= back and meets_stage(t, plan)]
        if len(again) < plan.rekindle_n:
            due = Due("kindling", f"rekindling, {len(again)} of {plan.rekindle_n} seizures after the rest")
            return State.REKINDLING, session_due(ledger, plan, now, due, sessions_per_day=plan.sessions_per_day)
    left = left_of(plan.tests, conditions_done(ledger))
    if not plan.tests:
        return State.FULLY_KINDLED, Over("fully kindled; no drug tests are planned")
    if not left:
        return State.ENDED, Over(f"all {len(plan.tests)} drug tests are done")
    return drug_day(ledger, plan, now, left[0])


def _measured_since(ledger: Ledger, utc: datetime) -> bool:
    """Whether a threshold test has given an answer since then; one that was stopped is none."""
    return any(fact.utc > utc and not isinstance(fact.outcome, Aborted) for fact in ledger.thresholds)
