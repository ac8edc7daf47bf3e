"""The change of thresholds in the same rats as a ratio, when a threshold is known only to lie between two rungs.

A ratio of thresholds is normal on the log scale; what a series tells about it is an interval, open on one side when a
rat had no afterdischarge up to the maximal current. Likelihood of interval-censored values: a rat that never responded
under drug counts as what it is, above the maximum, where leaving it out or calling it the maximum biases low.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log, log1p

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import log_ndtr
from scipy.stats import t

from kindle import __version__
from kindle.analysis.outcome import Interval, Note, Result, headline

Values = NDArray[np.float64]
WIDEST_LOG_SD = 20.0
"""Beyond this the data do not bound the spread: a factor of e^20 between rats is no threshold of a rat."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Lies in ``(above_ua, up_to_ua]``; ``above_ua`` 0 on the first rung, ``up_to_ua`` ``None`` above the maximum.

    Equal ends state a single value. Raises ``ValueError`` for anything else.
    """

    above_ua: float
    up_to_ua: float | None

    def __post_init__(self) -> None:
        high = inf if self.up_to_ua is None else self.up_to_ua
        if not (0 <= self.above_ua <= high and high > 0 and self.above_ua < inf):
            raise ValueError(
                f"a threshold lies above 0 and in order, got above {self.above_ua} up to {self.up_to_ua} µA"
            )


@dataclass(frozen=True, slots=True)
class ThresholdChange(Result):
    """``ratio`` is drug / control: the geometric mean over rats, with a profile-likelihood interval that is
    Student's where every ratio is known exactly."""

    status: Note
    n: int
    n_censored: int
    """Rats of which one limit of the ratio is not known."""
    ratio: float | None
    interval: Interval
    level: float
    log_sd: float | None
    """Standard deviation of ln ratio between rats (maximum likelihood)."""
    notes: tuple[Note, ...]
    version: str = __version__


def threshold_change(
    control: Sequence[Threshold], drug: Sequence[Threshold], *, level: float = 0.95
) -> ThresholdChange:
    """The rats in the same order on both sides. Raises ``ValueError`` for lists of unequal length."""
    if len(control) != len(drug):
        raise ValueError(f"expected as many thresholds under drug as under control, got {len(drug)} and {len(control)}")
    low = np.array([_ln(d.above_ua) - _ln(c.up_to_ua) for c, d in zip(control, drug, strict=True)])
    high = np.array([_ln(d.up_to_ua) - _ln(c.above_ua) for c, d in zip(control, drug, strict=True)])
    return _change(np.round(low, 12), np.round(high, 12), level)


def _ln(current_ua: float | None) -> float:
    if current_ua is None:
        return inf
    return log(current_ua) if current_ua > 0 else -inf


def _change(low: Values, high: Values, level: float) -> ThresholdChange:
    n, n_censored = low.size, int((np.isinf(low) | np.isinf(high)).sum())

    def told(note: Note, interval: Interval) -> ThresholdChange:
        return ThresholdChange(note, n, n_censored, None, interval, level, None, (note,))

    nothing = Interval(None, None)
    known = np.isfinite(low) | np.isfinite(high)
    low, high = low[known], high[known]
    if low.size < 2:
        message = f"a change known in {low.size} of {n} rats: a mean change needs at least two"
        return told(Note("error", "too_few_pairs", message), nothing)
    for bound, of_all in (("upper", np.isinf(high).all()), ("lower", np.isinf(low).all())):
        if of_all:
            message = f"the ratio has no {bound} bound in any rat: use the sign test"
            return told(Note("error", "all_censored", message), nothing)
    least, most = float(low.max()), float(high.min())
    if least < most:
        message = (
            f"one ratio between {exp(least):.3g} and {exp(most):.3g} fits every rat: no spread between rats to see"
        )
        return told(Note("status", "no_spread", message), _profile(low, high, level, 0.0, (least + most) / 2))
    if least == most and (low == high).any():
        message = f"the ratio {exp(least):.3g} fits every rat: no spread between rats to see"
        return told(Note("status", "no_spread", message), nothing)
    scale = float(np.ptp(np.concatenate([low[np.isfinite(low)], high[np.isfinite(high)]]))) or 1.0
    middle = (np.where(np.isfinite(low), low, high) + np.where(np.isfinite(high), high, low)) / 2
    start = [float(np.mean(middle)), log(max(float(np.std(middle)), 0.05 * scale))]
    bounds = [(None, None), (log(1e-6 * scale), log(WIDEST_LOG_SD))]
    best = minimize(lambda at: -_log_likelihood(low, high, at[0], exp(at[1])), start, bounds=bounds, method="L-BFGS-B")
    mean, sd = float(best.x[0]), exp(float(best.x[1]))
    if sd > 0.98 * WIDEST_LOG_SD:
        message = "the censored rats leave the spread of the ratios unbounded; use the sign test"
        return told(Note("status", "spread_unbounded", message), nothing)
    notes: tuple[Note, ...] = ()
    if n_censored:
        message = f"{n_censored} of {n} rats known on one side only; their likelihood is used, no value is put in"
        notes = (Note("warning", "censored", message),)
    interval = _profile(low, high, level, -float(best.fun), mean)
    return ThresholdChange(headline(notes), n, n_censored, exp(mean), interval, level, sd, notes)


def _log_likelihood(low: Values, high: Values, mean: float, sd: float) -> float:
    """Log probability of each interval, log density where its ends are equal."""
    a, b = (low - mean) / sd, (high - mean) / sd
    exact = low == high
    # In the upper tail both probabilities round to 1: mirrored, they do not.
    mirrored = a > 0
    a, b = np.where(mirrored, -b, a), np.where(mirrored, -a, b)
    with np.errstate(divide="ignore", invalid="ignore"):
        upper, lower = log_ndtr(b), log_ndtr(a)
        of_interval = upper + np.log1p(-np.exp(np.where(np.isneginf(lower), -inf, lower - upper)))
        of_point = -0.5 * np.where(exact, (low - mean) / sd, 0.0) ** 2 - log(sd) - 0.5 * log(2 * np.pi)
    return float(np.where(exact, of_point, of_interval).sum())


def _profile(low: Values, high: Values, level: float, best: float, top: float) -> Interval:
    """All means that the likelihood ratio does not reject; ``top`` is where the likelihood is greatest."""
    scale = float(np.ptp(np.concatenate([low[np.isfinite(low)], high[np.isfinite(high)]]))) or 1.0
    spread = (log(1e-6 * scale), log(WIDEST_LOG_SD))
    # With every ratio known exactly this likelihood ratio gives Student's interval.
    allowed = low.size * log1p(float(t.ppf(0.5 + level / 2, low.size - 1)) ** 2 / (low.size - 1))

    def excess(mean: float) -> float:
        along = minimize_scalar(lambda s: -_log_likelihood(low, high, mean, exp(s)), bounds=spread, method="bounded")
        return 2 * (best + float(along.fun)) - allowed

    def limit(direction: int) -> float | None:
        inside = top
        for step in 0.25 * scale * 2.0 ** np.arange(12):
            outside = top + direction * float(step)
            if excess(outside) > 0:
                return exp(float(brentq(excess, inside, outside, xtol=1e-10)))
            inside = outside
        return None

    return Interval(limit(-1), limit(1))
