"""Fully kindled, as one form of rule: so many seizures of a stage, in a row or in all, within so many trains.

Doses of a convulsant are counted as trains are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from statistics import fmean, stdev
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kindle.ledger import Provocation


class KindledRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``n`` trains with a stage of at least ``stage_from`` on ``scale``; caps make an animal resistant."""

    n: Annotated[int, Meta(ge=1, le=1000)]
    stage_from: float
    scale: str
    mode: Literal["consecutive", "cumulative"] = "consecutive"
    one_per_day: bool = False
    """Only the first clear train of a day counts."""
    afterdischarge_required: bool = False
    within: Annotated[int, Meta(ge=1, le=1000)] | None = None
    """The ``n`` lie within this many clear trains."""
    stable_days: Annotated[int, Meta(ge=1, le=100)] | None = None
    """Then, on so many further days of trains, each is as high, and each discharge within 2 SD of those before."""
    cap_trains: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    cap_days: Annotated[int, Meta(ge=1, le=1000)] | None = None


@dataclass(frozen=True, slots=True)
class StillKindling:
    """``counted`` of the ``needed`` seizures are there."""

    counted: int
    needed: int
    trains: int


@dataclass(frozen=True, slots=True)
class Stabilising:
    reached: Provocation
    days: int
    needed: int


@dataclass(frozen=True, slots=True)
class FullyKindled:
    """``reached`` is the train that met the rule; ``trains`` counts the clear ones up to it."""

    reached: Provocation
    trains: int


@dataclass(frozen=True, slots=True)
class Resistant:
    trains: int
    days: int


Kindledness = StillKindling | Stabilising | FullyKindled | Resistant


def clear(train: Provocation, rule: KindledRule) -> bool:
    """Void, undetermined and unscored trains neither count nor break a run; nor do stages of another scale."""
    return train.decides and train.stage is not None and train.scale == rule.scale


def meets(train: Provocation, rule: KindledRule) -> bool:
    with_one = train.discharged or not rule.afterdischarge_required
    return with_one and train.stage is not None and train.stage >= rule.stage_from


def kindledness(trains: Sequence[Provocation], rule: KindledRule) -> Kindledness:
    """Where the kindling trains of an animal have got it; days without a train do not break a run."""
    judged = [train for train in trains if clear(train, rule)]
    counting = [next(day) for _, day in groupby(judged, key=lambda train: train.day)] if rule.one_per_day else judged
    for n in range(len(counting)):
        if _counted(counting[: n + 1], rule) >= rule.n and not _too_late(trains, rule, counting[n]):
            reached = counting[n]
            return _stability(reached, judged, judged.index(reached) + 1, rule)
    days = len({train.day for train in trains})
    if _over_cap(trains, rule):
        return Resistant(len(judged), days)
    return StillKindling(_counted(counting, rule), rule.n, len(judged))


def _counted(counting: Sequence[Provocation], rule: KindledRule) -> int:
    """Seizures that count up to the last train of the list."""
    window = counting[-rule.within :] if rule.within is not None else counting
    if rule.mode == "cumulative":
        return sum(meets(train, rule) for train in window)
    run = 0
    for train in reversed(window):
        if not meets(train, rule):
            break
        run += 1
    return run


def _stability(reached: Provocation, judged: Sequence[Provocation], n: int, rule: KindledRule) -> Kindledness:
    if rule.stable_days is None:
        return FullyKindled(reached, n)
    before = [train for train in judged if train.utc <= reached.utc and meets(train, rule)]
    after = [train for train in judged if train.day > reached.day]
    days: set[date] = set()
    for day, of_day in groupby(after, key=lambda train: train.day):
        todays = list(of_day)
        if all(meets(train, rule) and _usual(train, before) for train in todays):
            days.add(day)
        else:
            days.clear()
        before += todays
        if len(days) == rule.stable_days:
            return FullyKindled(reached, n)
    return Stabilising(reached, len(days), rule.stable_days)


def _usual(train: Provocation, before: Sequence[Provocation]) -> bool:
    """Within 2 SD of the animal's own discharges; with fewer than three of them there is nothing to compare with."""
    known = [one.discharge_s for one in before if one.discharge_s is not None]
    if train.discharge_s is None or len(known) < 3:
        return True
    return abs(train.discharge_s - fmean(known)) <= 2 * stdev(known) + 1e-9


def _over_cap(trains: Sequence[Provocation], rule: KindledRule) -> bool:
    """Whether an animal that has not met the rule has had all that it may have: every train that was given counts."""
    return _at_least(len(trains), rule.cap_trains) or _at_least(len({train.day for train in trains}), rule.cap_days)


def _too_late(trains: Sequence[Provocation], rule: KindledRule, reached: Provocation) -> bool:
    """Whether the rule was met by a train that was beyond the caps."""
    before = [train for train in trains if train.utc < reached.utc]
    days_before = {train.day for train in before} - {reached.day}
    return _at_least(len(before), rule.cap_trains) or _at_least(len(days_before), rule.cap_days)


def _at_least(number: int, cap: int | None) -> bool:
    return cap is not None and number >= cap
