"""Times to an event with censoring: Kaplan-Meier, log-rank, and the hazard ratio of two groups (Efron's ties)."""

from dataclasses import dataclass
from math import exp
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kindle.analysis.outcome import Interval

Values = NDArray[np.float64]
Counts = NDArray[np.int64]
Transform = Literal["log-log", "log", "plain"]
MedianRule = Literal["midpoint", "left"]


@dataclass(frozen=True, slots=True)
class Step:
    """From ``time`` on, the share ``survival`` has had no event; Greenwood's limits, ``None`` where none exist."""

    time: float
    at_risk: int
    events: int
    survival: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class LogRank:
    chi2: float
    df: int
    p: float


@dataclass(frozen=True, slots=True)
class HazardRatio:
    """Cox model; above 1 the event comes sooner than in the reference group."""

    value: float
    interval: Interval
    log_value: float
    se_log: float
    p: float


def kaplan_meier(times: Values, events: NDArray[np.bool_], transform: Transform, level: float) -> tuple[Step, ...]:
    """One step for each time of an event."""
    z = float(stats.norm.ppf(0.5 + level / 2))
    survival, variance, steps = 1.0, 0.0, []
    for time in np.unique(times[events]):
        at_risk, dead = int((times >= time).sum()), int((events & (times == time)).sum())
        survival *= 1 - dead / at_risk
        variance += dead / (at_risk * (at_risk - dead)) if dead < at_risk else 0.0
        steps.append(Step(float(time), at_risk, dead, survival, _limits(survival, variance, z, transform)))
    return tuple(steps)


def _limits(survival: float, variance: float, z: float, transform: Transform) -> Interval:
    """``variance`` is that of log survival (Greenwood). At 0 there is no standard error."""
    if survival <= 0:
        return Interval(None, None)
    half = z * float(np.sqrt(variance))
    match transform:
        case "log-log":
            log_survival = float(np.log(survival))
            low, high = (survival ** exp(sign * half / log_survival) for sign in (-1, 1))
        case "log":
            low, high = survival * exp(-half), survival * exp(half)
        case "plain":
            low, high = survival * (1 - half), survival * (1 + half)
    return Interval(max(low, 0.0), min(high, 1.0))


def median_time(steps: tuple[Step, ...], rule: MedianRule) -> tuple[float | None, Interval]:
    """When half have had the event, ``None`` if that was not reached; limits where those of the curve cross 0.5.

    ``rule`` matters only where the curve lies at exactly 0.5 for a while.
    """
    values = [step.survival for step in steps]
    # Where everyone has had the event no limit of the curve exists, and none of the median follows from it.
    lows = [step.interval.low for step in steps if step.interval.low is not None]
    highs = [step.interval.high for step in steps if step.interval.high is not None]
    return _half_at(steps, values, rule), Interval(_half_at(steps, lows, rule), _half_at(steps, highs, rule))


def _half_at(steps: tuple[Step, ...], values: list[float], rule: MedianRule) -> float | None:
    for index, value in enumerate(values):
        if abs(value - 0.5) < 1e-12:
            last = index + 1 == len(steps)
            return steps[index].time if rule == "left" or last else (steps[index].time + steps[index + 1].time) / 2
        if value < 0.5:
            return steps[index].time
    return None


def log_rank(times: Values, events: NDArray[np.bool_], group: Counts) -> LogRank | None:
    """``group`` counts from 0. Hypergeometric variance; ``None`` where no event tells the groups apart."""
    n_groups = int(group.max()) + 1
    excess, covariance = np.zeros(n_groups), np.zeros((n_groups, n_groups))
    for time in np.unique(times[events]):
        at_risk = np.bincount(group[times >= time], minlength=n_groups).astype(float)
        dead = np.bincount(group[events & (times == time)], minlength=n_groups)
        n, d = at_risk.sum(), dead.sum()
        share = at_risk / n
        excess += dead - d * share
        if n > 1:
            covariance += d * (n - d) / (n - 1) * (np.diag(share) - np.outer(share, share))
    # The excesses sum to zero: one group is given by the others.
    inverse = np.linalg.pinv(covariance[1:, 1:], rcond=1e-10, hermitian=True)
    df = int(np.linalg.matrix_rank(covariance[1:, 1:], tol=1e-10, hermitian=True))
    if df == 0:
        return None
    chi2 = float(excess[1:] @ inverse @ excess[1:])
    return LogRank(chi2, df, float(stats.chi2.sf(chi2, df)))


def hazard_ratio(
    times: Values, events: NDArray[np.bool_], second: NDArray[np.bool_], level: float
) -> HazardRatio | None:
    """Of the ``second`` group to the other. ``None`` when the likelihood has no finite maximum."""
    risks = []
    seen = np.zeros(2, bool)
    for time in np.unique(times[events]):
        at_risk, dead = times >= time, events & (times == time)
        n = np.array([(at_risk & ~second).sum(), (at_risk & second).sum()], float)
        d = np.array([(dead & ~second).sum(), (dead & second).sum()], float)
        if n.all():
            seen |= d > 0
        risks.append((n, d))
    if not seen.all():
        return None
    beta, information = 0.0, 1.0
    for _ in range(100):
        score, information = 0.0, 0.0
        for n, d in risks:
            score += d[1]
            for tie in range(int(d.sum())):
                left = n - d * tie / d.sum()
                share = left[1] * exp(beta) / (left[0] + left[1] * exp(beta))
                score -= share
                information += share * (1 - share)
        step = float(np.clip(score / information, -1.0, 1.0))
        beta += step
        if abs(step) < 1e-12:
            break
    se = float(information**-0.5)
    half = float(stats.norm.ppf(0.5 + level / 2)) * se
    return HazardRatio(
        exp(beta), Interval(exp(beta - half), exp(beta + half)), beta, se, 2 * float(stats.norm.sf(abs(beta) / se))
    )
