"""Animals that would have been protected anyway: Abbott's correction, and the natural response estimated jointly."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kindle.analysis.dose_table import Count
from kindle.analysis.heights import EstimatedRate, FixedRate
from kindle.analysis.likelihood import Assay, Peak, climb, covariance_of, line_design, start_of
from kindle.analysis.links import Values


def abbott(p: Sequence[float], rate: float) -> list[float]:
    """Proportions corrected for the control's ``rate``, 0 where the control did better (Abbott 1925)."""
    return [max((value - rate) / (1 - rate), 0.0) for value in p]


@dataclass(frozen=True, slots=True)
class JointPeak:
    """Line and natural response at the maximum; ``covariance`` ``(3, 3)`` of intercept, slope and rate, or ``(2, 2)``
    where the rate rests on its bound 0. On the standardised log dose; observed information."""

    assay: Assay
    peak: Peak
    covariance: NDArray[np.float64] | None


def estimate_rate(assay: Assay, control: Count | None) -> JointPeak:
    """The maximum over intercept, slope and rate."""
    design = line_design(assay)

    def line(fixed: FixedRate) -> Peak:
        corrected = replace(assay, responded=_corrected(assay, fixed.assay.natural))
        return climb(fixed.assay, design, start_of(corrected))

    _, rate = EstimatedRate(assay, control).over_rates(lambda fixed: line(fixed).loglik)
    best = replace(assay, natural=rate)
    peak = line(FixedRate(best))
    if rate == 0:
        return JointPeak(best, peak, covariance_of((design.T * peak.terms.observed) @ design))
    theta = np.append(peak.coefficients, rate)
    for _ in range(20):
        gradient, hessian = _derivatives(assay, control, design, theta)
        covariance = covariance_of(-hessian)
        if covariance is None:
            return JointPeak(best, peak, None)
        step = covariance @ gradient
        moved = theta + step
        if not 0 < moved[2] < 1 or float(gradient @ step) < 1e-24:
            break
        theta = moved
    best = replace(assay, natural=float(theta[2]))
    terms = best.at(design @ theta[:2])
    gradient, hessian = _derivatives(assay, control, design, theta)
    found = Peak(theta[:2], terms.loglik, terms, peak.converged)
    return JointPeak(best, found, covariance_of(-hessian))


def _corrected(assay: Assay, rate: float) -> Values:
    corrected: Values = assay.n * np.array(abbott(list(assay.responded / assay.n), min(rate, 0.99)))
    return corrected


def _derivatives(
    assay: Assay, control: Count | None, design: NDArray[np.float64], theta: Values
) -> tuple[Values, NDArray[np.float64]]:
    """Gradient and Hessian of the log likelihood in intercept, slope and rate."""
    rate = float(theta[2])
    fixed = replace(assay, natural=rate)
    eta = design @ theta[:2]
    terms, p = fixed.at(eta), fixed.probability(eta)
    tails = assay.link.tails(eta)
    missed = assay.n - assay.responded
    per_rate = np.exp(tails.log_q) / p
    n_control, r_control = control or (0, 0)
    of_rate = float(assay.responded @ per_rate - missed.sum() / (1 - rate))
    of_rate += r_control / rate - (n_control - r_control) / (1 - rate)
    curve = float(assay.responded @ per_rate**2 + missed.sum() / (1 - rate) ** 2)
    curve += r_control / rate**2 + (n_control - r_control) / (1 - rate) ** 2
    density = np.exp(tails.log_p) * tails.hit
    mixed = design.T @ (-assay.responded * density / p**2)
    hessian = np.empty((3, 3))
    hessian[:2, :2] = -(design.T * terms.observed) @ design
    hessian[:2, 2] = hessian[2, :2] = mixed
    hessian[2, 2] = -curve
    gradient: Values = np.append(design.T @ terms.score, of_rate)
    return gradient, hessian
