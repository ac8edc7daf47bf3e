"""Firth's penalised likelihood: finite estimates where responders and non-responders do not overlap.

logL + 0.5 log det I with the expected information I (Firth 1993); for the logit it is that of R's logistf.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar

from kindle.analysis.likelihood import Assay, Terms, information, line_design, start_of
from kindle.analysis.links import Values

MAX_STEPS = 500
CONVERGED = 1e-20
LOWEST = -1e12


@dataclass(frozen=True, slots=True)
class PenalisedPeak:
    """On the standardised log dose."""

    coefficients: Values
    penalised: float
    terms: Terms


def climb_penalised(assay: Assay) -> PenalisedPeak:
    """Fisher's scoring on the adjusted score, halved until it rises."""
    design = line_design(assay)
    at = _point(assay, design, start_of(assay))
    for _ in range(MAX_STEPS):
        tails = assay.link.tails(design @ at.coefficients)
        fisher = information(design, at.terms.expected)
        leverages = at.terms.expected * np.einsum("ij,jk,ik->i", design, np.linalg.inv(fisher), design)
        with np.errstate(divide="ignore", invalid="ignore"):
            curvature = tails.d_hit / tails.hit + tails.d_miss / tails.miss
        pull = np.where(leverages > 0, 0.5 * leverages * curvature, 0.0)
        gradient = design.T @ (at.terms.score + pull)
        step = np.linalg.solve(fisher, gradient)
        factor = 1.0
        while factor > 1e-10:
            risen = _point(assay, design, at.coefficients + factor * step)
            if risen.penalised >= at.penalised - 1e-13 * (1 + abs(at.penalised)):
                at = risen
                break
            factor /= 2
        if factor <= 1e-10 or float(gradient @ step) < CONVERGED:
            break
    return at


def log10_dose_limits(
    assay: Assay, peak: PenalisedPeak, eta_p: float, allowed: float
) -> tuple[float | None, float | None]:
    """Profile limits of the log10 dose at ``eta_p`` over rising lines; ``None`` where there is no limit.

    ``allowed`` is the loss of twice the penalised log likelihood.
    """
    alpha, beta = peak.coefficients
    middle = float((eta_p - alpha) / beta)

    def best(z: float) -> float:
        return _best_over(lambda log_b: _height(assay, eta_p - np.exp(log_b) * z, np.exp(log_b)), np.log(beta))

    low, high = _limits(best, middle, 0.25, peak.penalised, allowed)
    on_log10 = [None if z is None else assay.centre + assay.spread * z for z in (low, high)]
    return on_log10[0], on_log10[1]


def slope_limits(assay: Assay, peak: PenalisedPeak, allowed: float) -> tuple[float | None, float | None]:
    """Profile limits of the slope on log10 dose."""
    alpha, beta = (float(value) for value in peak.coefficients)
    se = sqrt(float(np.linalg.inv(information(line_design(assay), peak.terms.expected))[1, 1]))

    def best(slope: float) -> float:
        # Where the line passes through half: the intercept moves with the slope.
        return _best_over(lambda z: _height(assay, -slope * z, slope), -alpha / beta)

    low, high = _limits(best, beta, se, peak.penalised, allowed)
    return None if low is None else low / assay.spread, None if high is None else high / assay.spread


def _limits(
    best: Callable[[float], float], middle: float, step: float, top: float, allowed: float
) -> tuple[float | None, float | None]:
    def excess(at: float) -> float:
        return 2 * (top - best(at)) - allowed

    def limit(direction: int) -> float | None:
        inside, outside = middle, middle + direction * step
        for _ in range(24):
            if excess(outside) > 0:
                return float(brentq(excess, inside, outside, xtol=1e-12))
            inside, outside = outside, middle + 2 * (outside - middle)
        return None

    return limit(-1), limit(1)


def _best_over(height: Callable[[float], float], start: float) -> float:
    # Where the information vanishes the penalty is endless; a parabola through it is not.
    found = minimize_scalar(lambda at: -max(height(at), LOWEST), bracket=(start - 0.5, start + 0.5), tol=1e-11)
    return -float(found.fun)


def _height(assay: Assay, alpha: float, beta: float) -> float:
    return _point(assay, line_design(assay), np.array([alpha, beta])).penalised


def _point(assay: Assay, design: NDArray[np.float64], coefficients: Values) -> PenalisedPeak:
    terms = assay.at(design @ coefficients)
    sign, log_det = np.linalg.slogdet(information(design, terms.expected))
    penalty = 0.5 * float(log_det) if sign > 0 else -inf
    return PenalisedPeak(coefficients, terms.loglik + penalty, terms)
