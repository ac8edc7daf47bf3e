"""Where on the ray of a fixed ratio two drugs that only add up would have half their effect.

Doses of a mixture are totals; ``mass_fraction_a`` is drug A's share of the total, fixed as the dose rises.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from kindle.analysis.outcome import Interval
from kindle.analysis.potencies import Potency

Pair = tuple[float, float]
"""A dose of drug A and one of drug B."""
STEP = 1e-5
"""For derivatives along logarithms, where the functions are of order one."""


@dataclass(frozen=True, slots=True)
class AdditivePoint:
    """``interval`` is log-normal."""

    total: float
    dose_a: float
    dose_b: float
    se_log10: float
    interval: Interval
    n: int | None
    """n_A + n_B - 4, the animals behind the two lines less the parameters of these."""


def mass_fraction(a: float, b: float, fraction_of_ed50: float) -> float:
    """Of drug A in a mixture of ``fraction_of_ed50`` of A's ED50 and the rest of B's."""
    return fraction_of_ed50 * a / (fraction_of_ed50 * a + (1 - fraction_of_ed50) * b)


def ed50_fraction(a: float, b: float, mass_fraction_a: float) -> float:
    """The share of A's ED50 in the additive mixture: the inverse of `mass_fraction`."""
    return mass_fraction_a / a / (mass_fraction_a / a + (1 - mass_fraction_a) / b)


def parallel(a: Potency, b: Potency, mass_fraction_a: float, quantile: float) -> AdditivePoint:
    """Type I: on the straight line between the ED50s; variance by the delta method at the fixed mass ratio."""
    f = ed50_fraction(a.ed50, b.ed50, mass_fraction_a)
    total = 1 / (mass_fraction_a / a.ed50 + (1 - mass_fraction_a) / b.ed50)
    se = sqrt((f * _se(a)) ** 2 + ((1 - f) * _se(b)) ** 2)
    return _point(total, mass_fraction_a, se, quantile, _animals(a, b))


def not_parallel(
    a: Potency, b: Potency, mass_fraction_a: float, quantile: float
) -> tuple[AdditivePoint, AdditivePoint]:
    """The lower and the upper additive point on the two curves of Grabovsky and Tallarida; both slopes are needed.

    Standard errors of the slopes, where they are known, add to those of the ED50s; covariances are taken as zero.
    """
    assert a.slope is not None
    assert b.slope is not None
    at = np.array([log(a.ed50), log(b.ed50), log(a.slope), log(b.slope)])
    of_slopes = [0.0 if drug.se_slope is None else drug.se_slope / exp(s) for drug, s in ((a, at[2]), (b, at[3]))]
    se = np.array([_se(a) * log(10), _se(b) * log(10), *of_slopes])
    points = []
    for curve in (_b_over_a, _a_over_b):

        def log_total(x: NDArray[np.float64], curve: Callable[[float, float], float] = curve) -> float:
            return log(_on(curve, exp(x[0]), exp(x[1]), exp(x[2] - x[3]), mass_fraction_a))

        slopes = [(log_total(at + step) - log_total(at - step)) / (2 * STEP) for step in STEP * np.eye(4)]
        se_log10 = float(np.linalg.norm(np.array(slopes) * se)) / log(10)
        points.append(_point(exp(log_total(at)), mass_fraction_a, se_log10, quantile, _animals(a, b)))
    lower, upper = sorted(points, key=lambda point: point.total)
    return lower, upper


def totals_between(a: float, b: float, ratio: float, mass_fraction_a: float) -> tuple[float, float]:
    """The additive totals on the two curves, the lower one first; ``ratio`` is slope A / slope B."""
    lower, upper = sorted(_on(curve, a, b, ratio, mass_fraction_a) for curve in (_b_over_a, _a_over_b))
    return lower, upper


def one_inactive(active: Potency, mass_fraction_active: float, active_is_a: bool, quantile: float) -> AdditivePoint:
    """Type II: the inactive drug only dilutes; the isobole runs parallel to its axis."""
    rho_a = mass_fraction_active if active_is_a else 1 - mass_fraction_active
    n = None if active.n is None else active.n - 2
    return _point(active.ed50 / mass_fraction_active, rho_a, _se(active), quantile, n)


def curves_between(
    a: float, b: float, ratio: float, shares: Sequence[float]
) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Doses of A and B along both additive curves, at ``shares`` of A's ED50; ``ratio`` is slope A / slope B."""
    below, beside = (tuple((x * a, curve(x, ratio) * b) for x in shares) for curve in (_b_over_a, _a_over_b))
    return below, beside


def _b_over_a(share_a: float, ratio: float) -> float:
    return 1 - float(share_a**ratio)


def _a_over_b(share_a: float, ratio: float) -> float:
    return float((1 - share_a) ** ratio)


def _on(curve: Callable[[float, float], float], a: float, b: float, ratio: float, rho: float) -> float:
    """The total dose at which the ray of the mixture crosses the curve."""
    if rho in (0.0, 1.0):
        return a if rho else b

    def above(share_a: float) -> float:
        return share_a * a * (1 - rho) / (rho * b) - curve(share_a, ratio)

    return float(brentq(above, 0.0, 1.0, xtol=1e-15, rtol=1e-14)) * a / rho


def _point(total: float, rho: float, se_log10: float, quantile: float, n: int | None) -> AdditivePoint:
    width = 10 ** (quantile * se_log10)
    return AdditivePoint(total, rho * total, (1 - rho) * total, se_log10, Interval(total / width, total * width), n)


def _se(drug: Potency) -> float:
    assert drug.se_log10 is not None
    return drug.se_log10


def _animals(a: Potency, b: Potency) -> int | None:
    return None if a.n is None or b.n is None else a.n + b.n - 4
