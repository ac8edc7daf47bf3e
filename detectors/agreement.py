"""A detector against raters, and raters against each other: bias, limits of agreement, ICC, verdicts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from detectors.criterion import Verdict


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Differences measured - reference: bias and limits of agreement, each with its 95 % interval."""

    n: int
    bias: float
    bias_interval: Interval
    lower_limit: float
    lower_interval: Interval
    upper_limit: float
    upper_interval: Interval
    slope: float
    """Of the difference on the mean: away from 0, log ratios describe the pairs better."""


@dataclass(frozen=True, slots=True)
class Icc:
    """ICC(A,1): two-way, absolute agreement, single measure. Depends on the spread of the values: never alone."""

    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Proportion:
    k: int
    n: int
    interval: Interval

    @property
    def value(self) -> float:
        return self.k / self.n


@dataclass(frozen=True, slots=True)
class Confusion:
    """All cells, ``counts[(reference, measured)]``; undetermined is a verdict of its own, never counted as none."""

    counts: dict[tuple[Verdict, Verdict], int]
    sensitivity: Proportion | None
    """Of the reference's afterdischarges, those found; ``None`` without any."""
    false_rate: Proportion | None
    """Of the reference's nones, those called an afterdischarge."""


def bland_altman(reference: Sequence[float], measured: Sequence[float], level: float = 0.95) -> BlandAltman:
    """Bland & Altman 1986, with their approximate intervals for the limits. Raises ``ValueError`` for < 3 pairs."""
    x, y = _pairs(reference, measured)
    difference, mean = y - x, (x + y) / 2
    n = difference.size
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    t = float(stats.t.ppf(0.5 + level / 2, n - 1))
    z = float(stats.norm.ppf(0.975))
    of_bias = t * sd / sqrt(n)
    of_limit = t * sd * sqrt(1 / n + z**2 / (2 * (n - 1)))
    lower, upper = bias - z * sd, bias + z * sd
    spread = float(((mean - mean.mean()) ** 2).sum())
    slope = float(((mean - mean.mean()) * (difference - bias)).sum()) / spread if spread else 0.0
    return BlandAltman(
        n,
        bias,
        Interval(bias - of_bias, bias + of_bias),
        lower,
        Interval(lower - of_limit, lower + of_limit),
        upper,
        Interval(upper - of_limit, upper + of_limit),
        slope,
    )


def icc_a1(ratings: NDArray[np.float64], level: float = 0.95) -> Icc:
    """``ratings`` ``(n_subjects, n_raters)``; formula and interval of McGraw & Wong 1996. Raises ``ValueError``."""
    if ratings.ndim != 2 or min(ratings.shape) < 2 or not np.isfinite(ratings).all():
        raise ValueError(f"expected finite ratings of at least 2 subjects by 2 raters, got shape {ratings.shape}")
    n, k = ratings.shape
    grand = ratings.mean()
    rows, columns = ratings.mean(axis=1), ratings.mean(axis=0)
    of_rows = k * float(((rows - grand) ** 2).sum()) / (n - 1)
    of_columns = n * float(((columns - grand) ** 2).sum()) / (k - 1)
    residual = ratings - rows[:, None] - columns[None, :] + grand
    of_error = float((residual**2).sum()) / ((n - 1) * (k - 1))
    below = of_rows + (k - 1) * of_error + k * (of_columns - of_error) / n
    if below <= 0:
        raise ValueError("all ratings are equal: an ICC needs values that differ")
    value = (of_rows - of_error) / below
    if of_error <= 1e-12 * of_rows and of_columns <= 1e-12 * of_rows:
        return Icc(1.0, Interval(1.0, 1.0))
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    freedom = (a * of_columns + b * of_error) ** 2 / (
        (a * of_columns) ** 2 / (k - 1) + (b * of_error) ** 2 / ((n - 1) * (k - 1))
    )
    tail = 0.5 + level / 2
    f_low = float(stats.f.ppf(tail, n - 1, freedom))
    f_high = float(stats.f.ppf(tail, freedom, n - 1))
    noise = k * of_columns + (k * n - k - n) * of_error
    low = n * (of_rows - f_low * of_error) / (f_low * noise + n * of_rows)
    high = n * (f_high * of_rows - of_error) / (noise + n * f_high * of_rows)
    return Icc(value, Interval(low, high))


def clopper_pearson(k: int, n: int, level: float = 0.95) -> Interval:
    """Exact limits of a proportion (Clopper & Pearson 1934). Raises ``ValueError`` unless 0 <= k <= n, n > 0."""
    if not 0 <= k <= n or n == 0:
        raise ValueError(f"expected k of n with 0 <= k <= n and n > 0, got {k} of {n}")
    tail = (1 - level) / 2
    low = 0.0 if k == 0 else float(stats.beta.ppf(tail, k, n - k + 1))
    high = 1.0 if k == n else float(stats.beta.ppf(1 - tail, k + 1, n - k))
    return Interval(low, high)


def confusion(reference: Sequence[Verdict], measured: Sequence[Verdict]) -> Confusion:
    if len(reference) != len(measured):
        raise ValueError(f"expected as many verdicts on both sides, got {len(reference)} and {len(measured)}")
    counted = Counter(zip(reference, measured, strict=True))
    counts = {(r, m): counted[(r, m)] for r in Verdict for m in Verdict}
    return Confusion(counts, _share(counts, Verdict.AFTERDISCHARGE), _share(counts, Verdict.NONE))


def _share(counts: dict[tuple[Verdict, Verdict], int], given: Verdict) -> Proportion | None:
    n = sum(counts[(given, m)] for m in Verdict)
    k = counts[(given, Verdict.AFTERDISCHARGE)]
    return Proportion(k, n, clopper_pearson(k, n)) if n else None


def _pairs(reference: Sequence[float], measured: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.asarray(reference, np.float64), np.asarray(measured, np.float64)
    if x.shape != y.shape or x.size < 3 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(f"expected at least 3 finite pairs, got {x.size} and {y.size} values")
    return x, y
