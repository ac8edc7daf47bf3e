"""How high the likelihood reaches under a constraint: along a dose, without a slope, and with an infinite one.

With a natural response that is estimated, each height is the highest over its rate, the control group included.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from kindle.analysis.dose_table import Count
from kindle.analysis.likelihood import Assay, saturated
from kindle.analysis.links import Values
from kindle.analysis.natural_rates import NET, Animals, best_of_net, climb_jointly, constant, flat_or_stepped

Side = Literal["below", "above"]
USUAL = 4.0
"""A slope over the range of the tested log doses to start from."""
STEEP = 1.0
"""Difference of eta between the place of a line and the nearest dose."""
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
        even = self.assay.at(np.full_like(distance, eta_p))
        if self.assay.natural == 0 and float(distance @ even.score) <= 0:
            return even.loglik, 0.0
        if self.assay.natural > 0:
            # There the likelihood may have several maxima in the slope.
            slopes = _slopes(distance, slope)
            rates = np.full(len(slopes), self.assay.natural)
            found, _ = best_of_net(self.assay, None, distance[:, None], rates, slopes, eta_p, rising=True)
            slope = float(found[0])
        loglik, slope = _rise(self.assay, eta_p, distance, slope)
        return (loglik, slope) if loglik > even.loglik else (even.loglik, 0.0)

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
        distance = self.assay.z - z
        design, slopes = distance[:, None], _slopes(distance, slope)
        starts = np.repeat(slopes, NET.size, axis=0)
        rates = np.tile(NET, len(slopes))
        start = best_of_net(self.assay, self.control, design, rates, starts, eta_p, rising=True)
        top = climb_jointly(self.assay, self.control, design, start, eta_p, rising=True)
        even = constant(self.control or (0, 0), self._everyone(), self._share(eta_p))
        return (even, 0.0) if even > top.loglik else (top.loglik, float(top.coefficients[0]))

    def flat(self, eta_p: float, side: Side) -> float:
        return flat_or_stepped(self.control or (0, 0), self._everyone(), side == "below", self._share(eta_p))

    def stepped(self, z: float, eta_p: float, side: Side) -> float:
        n, responded = self.assay.n, self.assay.responded
        if (responded < n)[self.assay.z > z].any():
            return -np.inf
        under, at = self.assay.z < z, self.assay.z == z
        n_control, r_control = self.control or (0, 0)
        low = n_control + float(n[under].sum()), r_control + float(responded[under].sum())
        own = float(n[at].sum()), float(responded[at].sum())
        return flat_or_stepped(low, own, side == "below", self._share(eta_p))

    def _everyone(self) -> Animals:
        return float(self.assay.n.sum()), float(self.assay.responded.sum())

    def _share(self, eta_p: float) -> float:
        return float(self.assay.link.probability(np.array([eta_p]))[0])


def _slopes(distance: Values, slope: float) -> Values:
    """From where to climb, ``(n_starts, 1)``: close to a dose the best line may be all but a step through it."""
    steep = STEEP / max(float(np.abs(distance).min()), 1e-9)
    return np.array([[slope], [USUAL], [steep]])


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
