"""Kindling curves: stage, afterdischarge duration and latency against the number of the stimulation.

Animals leave the curve when they are done, so a mean at a late stimulation is of those that kindle slowly: every point
says of how many it is, and stimulations to fully kindled are times to an event, censored where an animal stopped first.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
from scipy import stats

from kindle import __version__
from kindle.analysis.latencies import Latencies, latency
from kindle.analysis.outcome import Interval, Note, Result, headline


@dataclass(frozen=True, slots=True)
class Stimulation:
    """Of one animal; ``number`` counts delivered trains from 1, ``value`` ``None`` where nothing could be measured."""

    animal: str
    group: str
    number: int
    value: float | None


@dataclass(frozen=True, slots=True)
class AnimalCurve:
    animal: str
    group: str
    numbers: tuple[int, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """Of a group at one stimulation; quartiles by linear interpolation, ``sem`` ``None`` for one animal."""

    number: int
    n: int
    mean: float
    sem: float | None
    interval: Interval
    """Student's, of the mean; none for one animal."""
    median: float
    lower_quartile: float
    upper_quartile: float


@dataclass(frozen=True, slots=True)
class GroupCurve:
    group: str
    n_animals: int
    points: tuple[Point, ...]
    complete_until: int
    """The last stimulation up to which every animal of the group was measured; 0 if that is not the first."""


@dataclass(frozen=True, slots=True)
class KindlingCurves(Result):
    status: Note
    measure: str
    unit: str
    animals: tuple[AnimalCurve, ...]
    groups: tuple[GroupCurve, ...]
    notes: tuple[Note, ...]
    level: float
    version: str = __version__


@dataclass(frozen=True, slots=True)
class KindledRule:
    """Fully kindled at the ``n``-th stimulation of stage ``stage`` or higher, in a row or in all."""

    n: int
    stage: float
    consecutive: bool = True

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"a criterion needs at least one stimulation, got {self.n}")

    def __str__(self) -> str:
        return f"{self.n} {'consecutive ' if self.consecutive else ''}stimulations of stage {self.stage:g} or higher"


def kindling_curves(
    stimulations: Iterable[Stimulation], *, measure: str, unit: str = "", level: float = 0.95
) -> KindlingCurves:
    """Groups in the order in which they first occur. Raises ``ValueError`` for a stimulation that cannot be placed."""
    by_animal: dict[tuple[str, str], dict[int, float | None]] = {}
    for one in stimulations:
        own = by_animal.setdefault((one.group, one.animal), {})
        where = f"{one.animal}, stimulation {one.number}"
        if one.number < 1:
            raise ValueError(f"{where}: stimulations count from 1")
        if one.number in own:
            raise ValueError(f"{where}: given twice")
        if one.value is not None and not isfinite(one.value):
            raise ValueError(f"{where}: {measure} is {one.value}; give None where it was not measured")
        own[one.number] = one.value
    if len({animal for _, animal in by_animal}) != len(by_animal):
        twice = sorted(animal for _, animal in by_animal)
        name = next(animal for animal in twice if twice.count(animal) > 1)
        raise ValueError(f"{name} stands in two groups")
    animals = tuple(
        AnimalCurve(animal, group, tuple(sorted(own)), tuple(own[number] for number in sorted(own)))
        for (group, animal), own in by_animal.items()
    )
    groups = tuple(_group(name, animals, level) for name in dict.fromkeys(one.group for one in animals))
    notes = tuple(_about(group) for group in groups if group.points and group.complete_until < group.points[-1].number)
    status = headline(notes) if animals else Note("error", "no_stimulations", "no stimulations to draw a curve of")
    return KindlingCurves(status, measure, unit, animals, groups, notes, level)


def _group(name: str, animals: Sequence[AnimalCurve], level: float) -> GroupCurve:
    members = [dict(zip(one.numbers, one.values, strict=True)) for one in animals if one.group == name]
    points, complete = [], 0
    for number in sorted({number for member in members for number in member}):
        values = [value for member in members if (value := member.get(number)) is not None]
        if values:
            points.append(_point(number, values, level))
        if len(values) == len(members) and complete == number - 1:
            complete = number
    return GroupCurve(name, len(members), tuple(points), complete)


def _point(number: int, values: Sequence[float], level: float) -> Point:
    n, mean = len(values), float(np.mean(values))
    sem = float(np.std(values, ddof=1)) / sqrt(n) if n > 1 else None
    half = None if sem is None else float(stats.t.ppf(0.5 + level / 2, n - 1)) * sem
    limits = Interval(None, None) if half is None else Interval(mean - half, mean + half)
    lower, median, upper = (float(value) for value in np.quantile(values, (0.25, 0.5, 0.75)))
    return Point(number, n, mean, sem, limits, median, lower, upper)


def _about(group: GroupCurve) -> Note:
    fewest = min(point.n for point in group.points)
    message = f"{group.group}: all {group.n_animals} animals up to stimulation {group.complete_until}, then as few as"
    message = f"{message} {fewest}; later points are of the animals that went on"
    return Note("warning", "animals_leave", message)


def stimulations_to(
    stages: Mapping[str, Sequence[float | None]], rule: KindledRule
) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """For each animal's stages in order, the stimulation that met ``rule``; else the last one, and ``False``.

    A stage that is not known (``None``: undetermined or void) neither counts nor breaks a run.
    """
    times, met = [], []
    for own in stages.values():
        so_far, at = 0, None
        for number, stage in enumerate(own, 1):
            if stage is None:
                continue
            so_far = so_far + 1 if stage >= rule.stage else (0 if rule.consecutive else so_far)
            if so_far == rule.n:
                at = number
                break
        times.append(len(own) if at is None else at)
        met.append(at is not None)
    return tuple(times), tuple(met)


def kindling_rate(
    groups: Mapping[str, Mapping[str, Sequence[float | None]]], rule: KindledRule, *, level: float = 0.95
) -> Latencies:
    """Stimulations to fully kindled, of each group's animals and their stages, as survival."""
    return latency({name: stimulations_to(animals, rule) for name, animals in groups.items()}, level=level)
