"""The binomial likelihood of a line on log dose, and its maximum by Newton's steps."""

from dataclasses import dataclass
from math import log10

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from kindle.analysis.dose_table import DoseTable
from kindle.analysis.links import Link, Values

MAX_STEPS = 200
CONVERGED = 1e-13
"""Newton decrement: what one more step would gain in log likelihood, twice."""


@dataclass(frozen=True, slots=True)
class Terms:
    """At one linear predictor: the log likelihood and, one value per group, its score and information in eta."""

    loglik: float
    score: Values
    expected: Values
    observed: Values


@dataclass(frozen=True, slots=True)
class Assay:
    """Groups on z = (log10 dose - ``centre``) / ``spread``, so that no fit depends on the unit of the dose.

    P = natural + (1 - natural) F(eta). ``responded`` may be fractional after a correction.
    """

    link: Link
    z: Values
    n: Values
    responded: Values
    centre: float
    spread: float
    natural: float = 0.0

    def at(self, eta: Values) -> Terms:
        tails = self.link.tails(eta)
        missed = self.n - self.responded
        if self.natural == 0:
            score = self.responded * tails.hit - missed * tails.miss
            return Terms(
                float(self.responded @ tails.log_p + missed @ tails.log_q),
                score,
                self.n * tails.hit * tails.miss,
                missed * tails.d_miss - self.responded * tails.d_hit,
            )
        p = self.natural + (1 - self.natural) * np.exp(tails.log_p)
        # The share of the responses that is due to the dose.
        due = (1 - self.natural) * np.exp(tails.log_p) / p
        hit = tails.hit * due
        d_hit = due * (tails.d_hit + (1 - due) * tails.hit**2)
        log_q = np.log1p(-self.natural) + tails.log_q
        return Terms(
            float(self.responded @ np.log(p) + missed @ log_q),
            self.responded * hit - missed * tails.miss,
            self.n * hit * tails.miss,
            missed * tails.d_miss - self.responded * d_hit,
        )

    def eta(self, alpha: float, beta: float) -> Values:
        return alpha + beta * self.z

    def probability(self, eta: Values) -> Values:
        return self.natural + (1 - self.natural) * self.link.probability(eta)

    def standardised(self, log10_dose: float) -> float:
        return (log10_dose - self.centre) / self.spread


@dataclass(frozen=True, slots=True)
class Peak:
    coefficients: Values
    loglik: float
    terms: Terms
    converged: bool


def assay(table: DoseTable, link: Link, natural: float = 0.0) -> Assay:
    """Of a table with at least two distinct doses."""
    x = np.array([log10(dose) for dose in table.doses])
    n = np.array(table.n, np.float64)
    centre = float(n @ x / n.sum())
    spread = float(x[-1] - x[0])
    responded = np.array(table.responded, np.float64)
    return Assay(link, (x - centre) / spread, n, responded, centre, spread, natural)


def climb(assay: Assay, design: NDArray[np.float64], start: Values, offset: float = 0.0) -> Peak:
    """The maximum over ``design`` ``(n_groups, n_coefficients)``: Newton's steps, halved until they rise.

    Without natural response the likelihood is concave and any start will do.
    """
    coefficients = start
    terms = assay.at(offset + design @ coefficients)
    for _ in range(MAX_STEPS):
        gradient = design.T @ terms.score
        step = _direction(design, terms, gradient)
        if step is None:
            break
        decrement = float(gradient @ step)
        factor = 1.0
        while factor > 1e-12:
            trial = coefficients + factor * step
            risen = assay.at(offset + design @ trial)
            if risen.loglik >= terms.loglik - 1e-12 * (1 + abs(terms.loglik)):
                break
            factor /= 2
        else:
            break
        coefficients, terms = trial, risen
        if decrement < CONVERGED:
            return Peak(coefficients, terms.loglik, terms, True)
    return Peak(coefficients, terms.loglik, terms, False)


def start_of(assay: Assay) -> Values:
    """A straight line through the empirical probits (or logits), weighted by the animals."""
    p = (assay.responded + 0.5) / (assay.n + 1)
    eta = np.array([assay.link.quantile(float(value)) for value in p])
    middle = float(assay.n @ eta / assay.n.sum())
    # z has mean 0 over the animals.
    slope = float(assay.n @ (assay.z * (eta - middle)) / (assay.n @ assay.z**2))
    return np.array([middle, slope])


def line_design(assay: Assay) -> NDArray[np.float64]:
    return np.column_stack([np.ones_like(assay.z), assay.z])


def information(design: NDArray[np.float64], weights: Values) -> NDArray[np.float64]:
    return np.asarray((design.T * weights) @ design)


def covariance_of(matrix: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The inverse of an information; ``None`` unless positive definite: the likelihood then has no peak there."""
    try:
        np.linalg.cholesky(matrix)
        inverse = np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return None
    return inverse if np.isfinite(inverse).all() and (inverse.diagonal() > 0).all() else None


def saturated(n: Values, responded: Values) -> float:
    """The log likelihood, without binomial coefficients, of a probability of its own for each group."""
    missed = n - responded
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = np.where(responded > 0, responded * np.log(responded / n), 0.0)
        miss = np.where(missed > 0, missed * np.log(missed / n), 0.0)
    return float(hit.sum() + miss.sum())


def log_coefficients(n: Values, responded: Values) -> float:
    return float((gammaln(n + 1) - gammaln(responded + 1) - gammaln(n - responded + 1)).sum())


def _direction(design: NDArray[np.float64], terms: Terms, gradient: Values) -> Values | None:
    """Newton's step; Fisher's where the likelihood is not concave; ``None`` where it is flat."""
    for weights in (terms.observed, terms.expected):
        try:
            step = np.linalg.solve(information(design, weights), gradient)
        except np.linalg.LinAlgError:
            continue
        if np.isfinite(step).all() and gradient @ step >= 0:
            return np.asarray(step)
    return None
