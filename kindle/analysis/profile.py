"""Profile-likelihood limits of a dose: every dose that some rising line explains well enough.

The set is an interval: doses are a projection of the convex set of good lines. It exists for every table with responses
both ways; an end may be infinite.
"""

from dataclasses import dataclass

from scipy.optimize import brentq

from kindle.analysis.heights import Heights, Side

FARTHEST = 1000.0
"""In ranges of the tested log doses; a limit beyond it is none."""


@dataclass(frozen=True, slots=True)
class Top:
    """Where the likelihood is highest: one point, or the doses between which an infinite slope may stand."""

    loglik: float
    low: float
    high: float
    steep: bool
    slope: float
    """To start from, on the standardised log dose."""


def profile_limits(heights: Heights, top: Top, eta_p: float, allowed: float) -> tuple[float | None, float | None]:
    """On the standardised log dose; ``None`` where there is no limit. ``allowed`` is the loss of twice the log
    likelihood: the squared quantile, times the heterogeneity factor."""

    def excess(loglik: float) -> float:
        return 2 * (top.loglik - loglik) - allowed

    def limit(edge: float, direction: int) -> float | None:
        # Lines whose dose lies far below respond more than p everywhere, and the other way round.
        side: Side = "above" if direction < 0 else "below"
        if excess(heights.flat(eta_p, side)) <= 0:
            return None
        at_edge = excess(heights.stepped(edge, eta_p, side) if top.steep else top.loglik)
        if at_edge >= 0:
            return edge
        slope = top.slope
        # What was found at a dose stays so, from whichever slope it is looked at again.
        known = {edge: at_edge}

        def along(z: float) -> float:
            nonlocal slope
            if z not in known:
                loglik, found = heights.through(eta_p, z, slope)
                slope = found or slope
                known[z] = excess(loglik)
            return known[z]

        inside, reach = edge, 0.125
        while reach < FARTHEST:
            outside = edge + direction * reach
            if along(outside) > 0:
                return float(brentq(along, inside, outside, xtol=1e-13, rtol=1e-13))
            inside, reach = outside, reach * 2
        return None

    return limit(top.low, -1), limit(top.high, 1)
