"""Latencies of groups of animals, those without the event censored when their observation ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from kindle import __version__
from kindle.analysis.outcome import Interval, Note, Result, headline
from kindle.analysis.survival import (
    HazardRatio,
    LogRank,
    MedianRule,
    Step,
    Transform,
    hazard_ratio,
    kaplan_meier,
    log_rank,
    median_time,
)


@dataclass(frozen=True, slots=True)
class Group:
    """``curve`` holds the steps at events, ``censored_at`` the ends of observation without one."""

    name: str
    n: int
    n_events: int
    curve: tuple[Step, ...]
    censored_at: tuple[float, ...]
    median: float | None
    """``None``: not reached."""
    median_interval: Interval


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of one group with the first, the reference."""

    group: str
    reference: str
    log_rank: LogRank | None
    p_holm: float | None
    """Adjusted for the number of comparisons (Holm)."""
    hazard_ratio: HazardRatio | None


@dataclass(frozen=True, slots=True)
class Latencies(Result):
    status: Note
    groups: tuple[Group, ...]
    log_rank: LogRank | None
    """Of all groups together."""
    comparisons: tuple[Comparison, ...]
    cut_off: float | None
    median_rule: MedianRule
    transform: Transform
    """Of the limits of curves and medians."""
    level: float
    notes: tuple[Note, ...]
    version: str = __version__


def latency(
    groups: Mapping[str, tuple[Sequence[float], Sequence[int]]],
    *,
    cut_off: float | None = None,
    median: MedianRule = "midpoint",
    transform: Transform = "log-log",
    level: float = 0.95,
) -> Latencies:
    """``groups`` maps a name to times and to whether each time is an event or the end of observation.

    Times past ``cut_off`` become censored there. The first group is the reference. Units are those of the times.
    """
    fault = _fault(groups, cut_off)
    if fault is not None:
        return Latencies(fault, (), None, (), cut_off, median, transform, level, (fault,))
    data = {name: (np.asarray(times, np.float64), np.asarray(events, bool)) for name, (times, events) in groups.items()}
    if cut_off is not None:
        data = {name: (np.minimum(t, cut_off), e & (t <= cut_off)) for name, (t, e) in data.items()}
    described, notes = [], []
    for name, (times, events) in data.items():
        curve = kaplan_meier(times, events, transform, level)
        middle, limits = median_time(curve, median)
        censored = tuple(sorted(times[~events].tolist()))
        described.append(Group(name, times.size, int(events.sum()), curve, censored, middle, limits))
        if not events.any():
            until = "" if cut_off is None else f" by {cut_off:g}"
            message = f"{name}: no events in {times.size} animals{until}, median not reached, no hazard ratio"
            notes.append(Note("warning", "hazard_ratio_infinite", message))
    times, events = (np.concatenate([pair[part] for pair in data.values()]) for part in (0, 1))
    member = np.repeat(np.arange(len(data)), [pair[0].size for pair in data.values()])
    together = log_rank(times, events.astype(bool), member) if len(data) > 1 else None
    compared = _compared(data, level)
    for one in compared:
        both = all(group.n_events for group in described if group.name in (one.group, one.reference))
        if both and one.hazard_ratio is None:
            message = f"{one.group} v {one.reference}: one has all its events after the other has none at risk"
            notes.append(Note("warning", "hazard_ratio_infinite", f"{message}; no hazard ratio, log-rank only"))
    return Latencies(
        headline(tuple(notes)),
        tuple(described),
        together,
        compared,
        cut_off,
        median,
        transform,
        level,
        tuple(notes),
    )


def _compared(data: Mapping[str, tuple[np.ndarray, np.ndarray]], level: float) -> tuple[Comparison, ...]:
    reference, *others = data
    found = []
    for name in others:
        times, events = (np.concatenate([data[reference][part], data[name][part]]) for part in (0, 1))
        second = np.arange(times.size) >= data[reference][0].size
        tested = log_rank(times, events, second.astype(np.int64))
        found.append((name, tested, hazard_ratio(times, events, second, level)))
    adjusted = _holm([None if tested is None else tested.p for _, tested, _ in found])
    return tuple(
        Comparison(name, reference, tested, p, hazard)
        for (name, tested, hazard), p in zip(found, adjusted, strict=True)
    )


def _holm(ps: list[float | None]) -> list[float | None]:
    adjusted: list[float | None] = [None] * len(ps)
    known = sorted((p, index) for index, p in enumerate(ps) if p is not None)
    so_far = 0.0
    for rank, (p, index) in enumerate(known):
        so_far = max(so_far, min(1.0, p * (len(known) - rank)))
        adjusted[index] = so_far
    return adjusted


def _fault(groups: Mapping[str, tuple[Sequence[float], Sequence[int]]], cut_off: float | None) -> Note | None:
    if not groups:
        return Note("error", "bad_input", "no group: give a name with times and events for each")
    if cut_off is not None and not (isfinite(cut_off) and cut_off > 0):
        return Note("error", "bad_input", f"the cut-off must be above 0, got {cut_off:g}")
    for name, (times, events) in groups.items():
        if len(times) != len(events):
            return Note("error", "bad_input", f"{name}: {len(times)} times and {len(events)} events; give one of each")
        if not len(times):
            return Note("error", "bad_input", f"{name}: no animals")
        for row, (time, event) in enumerate(zip(times, events, strict=True), 1):
            if not (isfinite(time) and time >= 0):
                return Note("error", "bad_input", f"{name}, animal {row}: a time of 0 or more expected, got {time:g}")
            if event not in (0, 1):
                return Note("error", "bad_input", f"{name}, animal {row}: event must be yes or no, got {event!r}")
    return None
