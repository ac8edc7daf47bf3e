"""The natural response that fits best: a net of rates climbed at once, and steps whose rate has a closed form.

P = rate + (1 - rate) F(eta) need not have one maximum: the net covers every rate, the best of it is then climbed to the
top, line and rate together.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from kindle.analysis.dose_table import Count
from kindle.analysis.likelihood import Assay
from kindle.analysis.links import Values

Animals = tuple[float, float]
"""As `Count`, of groups that may have been corrected."""
HIGHEST_RATE = 1 - 1e-6
NET = np.concatenate([[0.0], np.linspace(0.04, 0.96, 10)])
NET_STEPS = 5
"""A line that is not at its top yet is a lower bound, which is all that a net has to give."""
MAX_STEPS = 100
CONVERGED = 1e-13


@dataclass(frozen=True, slots=True)
class JointTop:
    """``coefficients`` of the line on a design, and the rate; ``information`` ``(n + 1, n + 1)``, the rate last."""

    coefficients: Values
    rate: float
    loglik: float
    information: NDArray[np.float64]


def control_loglik(control: Count | None, rate: float) -> float:
    n, responded = control or (0, 0)
    return float(xlogy(responded, rate) + xlogy(n - responded, 1 - rate))


def best_of_net(
    assay: Assay,
    control: Count | None,
    design: NDArray[np.float64],
    rates: Values,
    starts: NDArray[np.float64],
    offset: float,
    *,
    rising: bool,
) -> tuple[Values, float]:
    """Coefficients and rate from which to climb, of a net with one row of ``starts`` for each of ``rates``.

    Steps stay within a factor of eight and above zero where the one coefficient is ``rising``.
    """
    coefficients, of_net = starts.copy(), rates
    rates = of_net[:, None]
    logliks, gradient, curvature = _at_rates(assay, rates, design, offset + coefficients @ design.T)
    for _ in range(NET_STEPS):
        trial = coefficients + np.linalg.solve(curvature, gradient[..., None])[..., 0]
        if rising:
            trial = np.clip(trial, coefficients / 8, coefficients * 8)
        for _ in range(2):
            risen = _at_rates(assay, rates, design, offset + trial @ design.T)
            fell = ~(risen[0] >= logliks)
            if not fell.any():
                break
            trial[fell] = (trial[fell] + coefficients[fell]) / 2
        kept = ~fell
        coefficients[kept] = trial[kept]
        for of_all, of_risen in zip((logliks, gradient, curvature), risen, strict=True):
            of_all[kept] = of_risen[kept]
    n_control, r_control = control or (0, 0)
    heights = logliks + xlogy(r_control, of_net) + xlogy(n_control - r_control, 1 - of_net)
    best = int(np.argmax(heights))
    return coefficients[best], float(of_net[best])


def climb_jointly(
    assay: Assay,
    control: Count | None,
    design: NDArray[np.float64],
    start: tuple[Values, float],
    offset: float = 0.0,
    *,
    rising: bool = False,
) -> JointTop:
    """Newton's steps in the coefficients and the rate together, the rate kept from 0 to below 1."""
    coefficients, rate = start
    loglik, gradient, information = joint_terms(assay, control, design, coefficients, rate, offset)
    for _ in range(MAX_STEPS):
        # On its bound the rate moves only inwards.
        free = np.append(np.ones(coefficients.size, bool), rate > 0 or gradient[-1] > 0)
        step = np.zeros_like(gradient)
        step[free] = _uphill(information[np.ix_(free, free)], gradient[free])
        gain = float(gradient @ step)
        factor = 1.0
        while factor > 1e-12:
            to = coefficients + factor * step[:-1]
            if rising:
                to = np.clip(to, coefficients / 8, coefficients * 8)
            to_rate = min(max(rate + factor * float(step[-1]), 0.0), HIGHEST_RATE)
            risen = joint_terms(assay, control, design, to, to_rate, offset)
            if risen[0] >= loglik - 1e-14 * (1 + abs(loglik)):
                break
            factor /= 2
        else:
            break
        coefficients, rate, (loglik, gradient, information) = to, to_rate, risen
        if gain < CONVERGED:
            break
    return JointTop(coefficients, rate, loglik, information)


def joint_terms(
    assay: Assay,
    control: Count | None,
    design: NDArray[np.float64],
    coefficients: Values,
    rate: float,
    offset: float = 0.0,
) -> tuple[float, Values, NDArray[np.float64]]:
    """Log likelihood with the control's, its gradient in coefficients and rate, and the observed information."""
    tails = assay.link.tails(offset + design @ coefficients)
    missed = assay.n - assay.responded
    p_dose = np.exp(tails.log_p)
    p = rate + (1 - rate) * p_dose
    with np.errstate(divide="ignore", invalid="ignore"):
        log_p = np.log(p) if rate else tails.log_p
        due = (1 - rate) * p_dose / p if rate else np.ones_like(p)
        # Of nobody who responded nothing depends on the rate, be the probability as small as it may.
        per_rate = np.where(assay.responded > 0, np.exp(np.minimum(tails.log_q - log_p, 300.0)), 0.0)
        density = np.where(assay.responded > 0, np.exp(np.minimum(tails.log_p - 2 * log_p, 300.0)) * tails.hit, 0.0)
    hit = tails.hit * due
    d_hit = due * (tails.d_hit + (1 - due) * tails.hit**2)
    loglik = float(assay.responded @ log_p + missed @ (np.log1p(-rate) + tails.log_q)) + control_loglik(control, rate)
    n_control, r_control = control or (0, 0)
    lost = float(missed.sum()) + n_control - r_control
    of_control = r_control / rate if r_control and rate else 0.0
    of_rate = float(assay.responded @ per_rate) + of_control - lost / (1 - rate)
    gradient = np.append(design.T @ (assay.responded * hit - missed * tails.miss), of_rate)
    information = np.empty((gradient.size, gradient.size))
    information[:-1, :-1] = (design.T * (missed * tails.d_miss - assay.responded * d_hit)) @ design
    information[:-1, -1] = information[-1, :-1] = design.T @ (assay.responded * density)
    curve = float(assay.responded @ per_rate**2) + lost / (1 - rate) ** 2
    information[-1, -1] = curve + (of_control / rate if rate else 0.0)
    return loglik, gradient, information


def _uphill(information: NDArray[np.float64], gradient: Values) -> Values:
    """Newton's step; where the likelihood is not concave, away from its saddles."""
    bends, axes = np.linalg.eigh(information)
    bends = np.maximum(np.abs(bends), 1e-12 * np.abs(bends).max(initial=1e-300))
    return np.asarray(axes @ ((axes.T @ gradient) / bends))


def _at_rates(
    assay: Assay, rates: NDArray[np.float64], design: NDArray[np.float64], eta: NDArray[np.float64]
) -> tuple[Values, NDArray[np.float64], NDArray[np.float64]]:
    """At each rate the log likelihood, its gradient, and the information: observed, or expected where it must be."""
    tails = assay.link.tails(eta)
    missed = assay.n - assay.responded
    p = rates + (1 - rates) * np.exp(tails.log_p)
    with np.errstate(divide="ignore", invalid="ignore"):
        due = np.where(rates > 0, (1 - rates) * np.exp(tails.log_p) / p, 1.0)
        log_p = np.where(rates > 0, np.log(p), tails.log_p)
    hit = tails.hit * due
    observed = missed * tails.d_miss - assay.responded * due * (tails.d_hit + (1 - due) * tails.hit**2)
    information = np.einsum("kg,gi,gj->kij", observed, design, design)
    concave = np.asarray(np.linalg.eigvalsh(information).min(axis=1) > 0)
    if not concave.all():
        expected = np.einsum("kg,gi,gj->kij", assay.n * hit * tails.miss, design, design)
        information = np.where(concave[:, None, None], information, expected)
    # A line that is all but a step has next to no information left.
    least = 1e-14 + 1e-12 * np.abs(information).max(axis=(1, 2), keepdims=True)
    information += least * np.eye(design.shape[1])
    logliks = log_p @ assay.responded + (np.log1p(-rates) + tails.log_q) @ missed
    return np.asarray(logliks), np.asarray((assay.responded * hit - missed * tails.miss) @ design), information


def constant(low: Animals, own: Animals, share: float) -> float:
    """The greatest log likelihood where ``low`` responds at the rate c and ``own`` with c + (1 - c) ``share``."""
    rate = min(_on_the_bound(*_counts(low), *_counts(own), share), HIGHEST_RATE)
    return _loglik(low, rate) + _loglik(own, rate + (1 - rate) * share)


def flat_or_stepped(low: Animals, own: Animals, below: bool, share: float) -> float:
    """The greatest log likelihood of a step: ``low`` responds at the rate c, ``own`` with a probability of its own.

    That probability lies from c to c + (1 - c) ``share`` (``below``), or from there to 1. Counts are (n, responded).
    The problem is concave, so that its maximum is free, or lies on one of the two bounds.
    """
    (n_low, r_low), (n_own, r_own) = low, own
    p = r_own / n_own
    rate = r_low / n_low if n_low else (p if below else 0.0)
    if below and p < rate:
        rate = p = (r_low + r_own) / (n_low + n_own)
    bound = rate + (1 - rate) * share
    if p > bound if below else p < bound:
        return constant(low, own, share)
    return _loglik(low, min(rate, HIGHEST_RATE)) + _loglik(own, p)


def _on_the_bound(r_low: float, m_low: float, r_own: float, m_own: float, share: float) -> float:
    """The rate c of greatest likelihood where ``own`` responds with c + (1 - c) ``share``: a root of its score."""
    rest = 1 - share
    a = -rest * (r_low + m_low + r_own + m_own)
    b = r_low * (rest - share) - (m_low + m_own) * share + rest * r_own
    return (-b - sqrt(b * b - 4 * a * r_low * share)) / (2 * a)


def _counts(animals: Animals) -> tuple[float, float]:
    """Responders and others."""
    n, responded = animals
    return responded, n - responded


def _loglik(animals: Animals, p: float) -> float:
    responded, missed = _counts(animals)
    return float(xlogy(responded, p) + xlogy(missed, 1 - p))
