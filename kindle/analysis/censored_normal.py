"""The mean of normal values of which only limits are known, by the likelihood of interval-censored values.

A value above the highest current that was given counts as what it is: leaving it out, or calling it that current,
would bias the mean low.
"""

from dataclasses import dataclass
from math import exp, inf, log, log1p

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import log_ndtr
from scipy.stats import t

from kindle.analysis.outcome import Interval, Note

Values = NDArray[np.float64]
WIDEST_SD = 20.0
"""Of natural logarithms; beyond it the data do not bound the spread: no threshold differs by a factor of e^20."""
FARTHEST = 100.0
"""From the mean, in natural logarithms; a limit beyond it is none."""


@dataclass(frozen=True, slots=True)
class Words:
    """What the values are called in messages; ``instead`` is what can still be done without a mean."""

    value: str
    too_few: str
    """The code for fewer than two values."""
    instead: str


@dataclass(frozen=True, slots=True)
class CensoredMean:
    """On the natural log scale, but for the words of ``note``; ``None`` where the values bound no mean, or no spread.

    ``interval`` is of profile likelihood, and Student's where every value is known exactly.
    """

    note: Note | None
    mean: float | None
    sd: float | None
    interval: Interval


def censored_mean(low: Values, high: Values, level: float, words: Words) -> CensoredMean:
    """Of values in ``(low, high]``, equal for an exact one and infinite where there is no limit."""
    nothing = Interval(None, None)
    n = low.size
    known = np.isfinite(low) | np.isfinite(high)
    low, high = low[known], high[known]
    if low.size < 2:
        message = f"a {words.value} known in {low.size} of {n} rats: a mean needs at least two"
        return CensoredMean(Note("error", words.too_few, message), None, None, nothing)
    for bound, of_all in (("upper", np.isinf(high).all()), ("lower", np.isinf(low).all())):
        if of_all:
            message = f"the {words.value} has no {bound} bound in any rat: {words.instead}"
            return CensoredMean(Note("error", "all_censored", message), None, None, nothing)
    least, most = float(low.max()), float(high.min())
    if least < most:
        message = f"one {words.value} between {exp(least):.3g} and {exp(most):.3g} fits every rat: no spread to see"
        limits = _profile(low, high, level, 0.0, (least + most) / 2)
        return CensoredMean(Note("status", "no_spread", message), None, None, limits)
    if least == most and (low == high).any():
        message = f"the {words.value} {exp(least):.3g} fits every rat: no spread to see"
        return CensoredMean(Note("status", "no_spread", message), None, None, nothing)
    scale = _extent(low, high)
    middle = (np.where(np.isfinite(low), low, high) + np.where(np.isfinite(high), high, low)) / 2
    start = [float(np.mean(middle)), log(max(float(np.std(middle)), 0.05 * scale))]
    bounds = [(None, None), (log(1e-6 * scale), log(WIDEST_SD))]
    best = minimize(lambda at: -_log_likelihood(low, high, at[0], exp(at[1])), start, bounds=bounds, method="L-BFGS-B")
    mean, sd = float(best.x[0]), exp(float(best.x[1]))
    if sd > 0.98 * WIDEST_SD:
        message = f"the censored rats leave the spread of the {words.value}s unbounded; {words.instead}"
        return CensoredMean(Note("status", "spread_unbounded", message), None, None, nothing)
    return CensoredMean(None, mean, sd, _profile(low, high, level, -float(best.fun), mean))


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
    scale = _extent(low, high)
    spread = (log(1e-6 * scale), log(WIDEST_SD))
    # With every value known exactly this likelihood ratio gives Student's interval.
    allowed = low.size * log1p(float(t.ppf(0.5 + level / 2, low.size - 1)) ** 2 / (low.size - 1))

    def excess(mean: float) -> float:
        along = minimize_scalar(lambda s: -_log_likelihood(low, high, mean, exp(s)), bounds=spread, method="bounded")
        return 2 * (best + float(along.fun)) - allowed

    def limit(direction: int) -> float | None:
        inside = top
        for step in 0.25 * scale * 2.0 ** np.arange(12):
            if step > FARTHEST:
                return None
            outside = top + direction * float(step)
            if excess(outside) > 0:
                return float(brentq(excess, inside, outside, xtol=1e-10))
            inside = outside
        return None

    return Interval(limit(-1), limit(1))


def _extent(low: Values, high: Values) -> float:
    return float(np.ptp(np.concatenate([low[np.isfinite(low)], high[np.isfinite(high)]]))) or 1.0
