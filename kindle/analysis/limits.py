"""Limits of a dose on a fitted line: Fieller, delta, and Litchfield and Wilcoxon. All on log10 dose, no data needed."""

from dataclasses import dataclass
from math import log10, sqrt

from scipy.special import ndtri

from kindle.analysis.links import Link

IN_RANGE = (0.155, 0.845)
"""Expected effects whose animals count for Litchfield and Wilcoxon's limits: 16 to 84 %, as rounded in print."""


@dataclass(frozen=True, slots=True)
class Line:
    """eta = ``intercept`` + ``slope`` * log10 dose, with the variances and covariance of the two."""

    intercept: float
    slope: float
    v11: float
    v12: float
    v22: float

    def log10_dose(self, eta: float) -> float:
        return (eta - self.intercept) / self.slope

    def g(self, t: float) -> float:
        """Finney's g; from 1 on, no finite Fieller limits."""
        return t * t * self.v22 / self.slope**2

    def se(self, m: float) -> float:
        """Standard error of the log10 dose ``m``, by the delta method."""
        return sqrt(max(self.v11 + 2 * m * self.v12 + m * m * self.v22, 0.0)) / abs(self.slope)


def delta(line: Line, m: float, t: float) -> tuple[float, float]:
    half = t * line.se(m)
    return m - half, m + half


def fieller(line: Line, m: float, t: float) -> tuple[float, float] | None:
    """Fieller 1944; ``None`` from g = 1 on, where the formula gives the complement of the interval."""
    g = line.g(t)
    if g >= 1:
        return None
    centre = m + g / (1 - g) * (m + line.v12 / line.v22)
    spread = line.v11 + 2 * m * line.v12 + m * m * line.v22 - g * (line.v11 - line.v12**2 / line.v22)
    half = t / ((1 - g) * abs(line.slope)) * sqrt(max(spread, 0.0))
    # At the estimate the interval is of no width; rounding must not push the estimate out.
    return min(centre - half, m), max(centre + half, m)


@dataclass(frozen=True, slots=True)
class LitchfieldWilcoxon:
    """Litchfield & Wilcoxon 1949, steps D and E, on a given line."""

    ed16: float
    ed50: float
    ed84: float
    s: float
    n_prime: int
    """Animals at doses with an expected effect of 16 to 84 %."""
    log10_factor: float
    low: float
    high: float
    s_low: float
    s_high: float

    @property
    def factor(self) -> float:
        return float(10**self.log10_factor)


def litchfield_wilcoxon(
    intercept: float, slope: float, link: Link, doses: list[float], n: list[int], level: float = 0.95
) -> LitchfieldWilcoxon | None:
    """``None`` where no dose has an expected effect of 16 to 84 %, or the line is too flat for finite limits.

    2.77 and 1.1 are the printed constants for 95 %; other levels scale the logarithms by their normal quantile.
    """
    low_eta, high_eta = (link.quantile(p) for p in IN_RANGE)
    n_prime = sum(
        count for dose, count in zip(doses, n, strict=True) if low_eta <= intercept + slope * log10(dose) <= high_eta
    )
    if n_prime == 0 or slope <= 0:
        return None
    scale = float(ndtri(0.5 + level / 2) / ndtri(0.975))
    k = len(set(doses))
    try:
        ed16, ed50, ed84 = (10.0 ** ((link.quantile(p) - intercept) / slope) for p in (0.16, 0.5, 0.84))
        s = (ed84 / ed50 + ed50 / ed16) / 2
        log_factor = 2.77 * log10(s) / sqrt(n_prime) * scale
        log_a = 1.1 * log10(s) ** 2 / log10(max(doses) / min(doses))
        log_fs = log_a * 10 * (k - 1) / (k * sqrt(n_prime)) * scale
        limits = (ed50 / 10**log_factor, ed50 * 10**log_factor, s / 10**log_fs, s * 10**log_fs)
    except (OverflowError, ZeroDivisionError):
        return None
    return LitchfieldWilcoxon(ed16, ed50, ed84, s, n_prime, log_factor, *limits)
