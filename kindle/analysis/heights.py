"""How high the likelihood reaches under a constraint: along a dose, without a slope, and with an infinite one.

With a natural response that is estimated, each height is the highest over its rate, the control group included.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from scipy.optimize import minimize_scalar

from kindle.analysis.dose_table import Count
from kindle.analysis.likelihood import Assay, saturated
from kindle.analysis.links import Values

Side = Literal["below", "above"]
HIGHEST_RATE = 1 - 1e-6
MAX_STEPS = 200


class Heights(Protocol):
    def through(self, eta_p: float, z: float, slope: float) -> tuple[float, float]:
        """Over rising lines with eta = ``eta_p`` at ``z``; also the slope, to start the next search from."""

    def flat(self, eta_p: float, side: Side) -> float:
        """Over constant responses on that side of ``eta_p``: where lines go whose dose is infinitely far."""

    def stepped(self, z: float, eta_p: float, side: Side) -> float:
        """With an infinite slope at the dose ``z``, whose own response lies on that side of ``eta_p``."""


@dataclass(frozen=True, slots=True)
class FixedRate:
    """The natural response, if any, is known."""

    assay: Assay

    def through(self, eta_p: float, z: float, slope: float) -> tuple[float, float]:
        distance = self.assay.z - z
        at = self.assay.at(np.full_like(distance, eta_p))
        if float(distance @ at.score) <= 0:
            return at.loglik, 0.0
        return _rise(self.assay, eta_p, distance, slope)

    def flat(self, eta_p: float, side: Side) -> float:
        rate, natural = _overall(self.assay), self.assay.natural
        bound = natural + (1 - natural) * float(self.assay.link.probability(np.array([eta_p]))[0])
        p = min(max(rate, natural), bound) if side == "below" else max(rate, bound)
        return _loglik_at(self.assay, np.full_like(self.assay.z, p))

    def stepped(self, z: float, eta_p: float, side: Side) -> float:
        natural = self.assay.natural
        bound = natural + (1 - natural) * float(self.assay.link.probability(np.array([eta_p]))[0])
        at = self.assay.z == z
        own = _overall_at(self.assay, at)
        own = min(max(own, natural), bound) if side == "below" else max(own, bound)
        p = np.where(self.assay.z < z, natural, 1.0)
        return _loglik_at(self.assay, np.where(at, own, p))


@dataclass(frozen=True, slots=True)
class EstimatedRate:
    """The natural response is whatever fits best, in the control group and the dosed ones together."""

    assay: Assay
    control: Count | None

    def through(self, eta_p: float, z: float, slope: float) -> tuple[float, float]:
        def height(fixed: FixedRate) -> float:
            nonlocal slope
            loglik, found = fixed.through(eta_p, z, slope)
            slope = found or slope
            return loglik

        return self.over_rates(height)[0], slope

    def flat(self, eta_p: float, side: Side) -> float:
        return self.over_rates(lambda fixed: fixed.flat(eta_p, side))[0]

    def stepped(self, z: float, eta_p: float, side: Side) -> float:
        return self.over_rates(lambda fixed: fixed.stepped(z, eta_p, side))[0]

    def over_rates(self, height: Callable[[FixedRate], float]) -> tuple[float, float]:
        """The height over all rates, and the rate where it is reached."""

        def lowered(rate: float) -> float:
            value = height(FixedRate(replace(self.assay, natural=rate))) + control_loglik(self.control, rate)
            return -value if value > -1e300 else 1e300

        grid = np.concatenate([[0.0], np.linspace(0.04, 0.96, 10)])
        heights = [lowered(float(rate)) for rate in grid]
        best = int(np.argmin(heights))
        bounds = (float(grid[max(best - 1, 0)]), float(grid[best + 1]) if best + 1 < grid.size else HIGHEST_RATE)
        found = minimize_scalar(lowered, bounds=bounds, method="bounded", options={"xatol": 1e-9})
        if heights[0] <= found.fun:
            return -heights[0], 0.0
        return -float(found.fun), float(found.x)


def control_loglik(control: Count | None, rate: float) -> float:
    if control is None:
        return 0.0
    n, responded = control
    return _xlogy(responded, rate) + _xlogy(n - responded, 1 - rate)


def highest(assay: Assay) -> float:
    """Each dose with the response that it had."""
    return saturated(assay.n, assay.responded)


def _rise(assay: Assay, eta_p: float, distance: Values, slope: float) -> tuple[float, float]:
    """Newton's steps in the slope alone, kept positive; the score falls with the slope."""
    terms = assay.at(eta_p + slope * distance)
    for _ in range(MAX_STEPS):
        gradient = float(distance @ terms.score)
        curvature = float((distance * distance) @ terms.observed)
        if curvature <= 0:
            curvature = float((distance * distance) @ terms.expected)
        step = gradient / curvature if curvature > 0 else slope * (1 if gradient > 0 else -0.5)
        # Within a factor of eight a step, and never through zero.
        following = min(max(slope + step, slope / 8), slope * 8)
        trial = assay.at(eta_p + following * distance)
        while trial.loglik < terms.loglik - 1e-12 * (1 + abs(terms.loglik)):
            following = (following + slope) / 2
            if abs(following - slope) <= 1e-14 * slope:
                return terms.loglik, slope
            trial = assay.at(eta_p + following * distance)
        terms, slope = trial, following
        if abs(gradient * step) < 1e-13:
            break
    return terms.loglik, slope


def _overall(assay: Assay) -> float:
    return float(assay.responded.sum() / assay.n.sum())


def _overall_at(assay: Assay, at: np.ndarray) -> float:
    return float(assay.responded[at].sum() / assay.n[at].sum())


def _loglik_at(assay: Assay, p: Values) -> float:
    return float(sum(_xlogy(r, q) + _xlogy(n - r, 1 - q) for n, r, q in zip(assay.n, assay.responded, p, strict=True)))


def _xlogy(x: float, y: float) -> float:
    if x == 0:
        return 0.0
    return float(x * np.log(y)) if y > 0 else -np.inf
