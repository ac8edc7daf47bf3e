"""Up-and-down: the ED50 from doses that step down after a response and up after none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, log10, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri

from kindle import __version__
from kindle.analysis.links import LINKS
from kindle.analysis.outcome import Note, Result, headline

Values = NDArray[np.float64]
Scale = Literal["auto", "linear", "log10"]
SAME_STEP = 0.02
"""Relative: doses are weighed and rounded."""
ENOUGH_SPREAD = 0.3
"""Dixon and Mood's sigma is valid from here on; below, 0.53 steps are taken (Dixon & Mood 1948)."""


@dataclass(frozen=True, slots=True)
class UpAndDown(Result):
    """``value`` is a dose; ``mean``, ``sigma`` and ``step`` are on ``scale``, with the standard error ``se`` of the
    mean at that sigma."""

    status: Note
    value: float | None = None
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    sigma: float | None = None
    se: float | None = None
    k: float | None = None
    """Dixon's: (mean - last dose) / step."""
    step: float | None = None
    scale: str | None = None
    method: str = "ml"
    n: int = 0
    level: float = 0.95
    notes: tuple[Note, ...] = ()
    version: str = __version__


def up_and_down(
    doses: Sequence[float],
    responses: Sequence[bool | int],
    sigma: float | None = None,
    method: Literal["ml", "dixon-mood"] = "ml",
    *,
    scale: Scale = "auto",
    level: float = 0.95,
) -> UpAndDown:
    """Doses in the order of the animals, with their responses.

    "ml": the normal tolerance mean of greatest likelihood with ``sigma`` known, one step unless given (Dixon 1965).
    "dixon-mood": mean and sigma by their formulas of 1948. ``scale="auto"``: linear where the doses move by equal
    distances, log10 where by equal ratios; two doses alone are taken as log10 when both are positive. Raises
    ``ValueError`` for a method, scale or sigma that is not there.
    """
    if method not in ("ml", "dixon-mood") or scale not in ("auto", "linear", "log10"):
        raise ValueError(f"method {method!r}, scale {scale!r}; there are ml and dixon-mood, and auto, linear and log10")
    if sigma is not None and not (isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma = {sigma:g}; it must be a positive number, on the scale of the steps")
    fault = _fault(doses, responses)
    found = None if fault else _scaled(doses, scale)
    if fault is None and found is None:
        fault = Note("error", "uneven_steps", "the doses move neither by equal distances nor by equal ratios")
    if fault is not None or found is None:
        assert fault is not None
        return UpAndDown(fault, method=method, n=len(doses), level=level, notes=(fault,))
    x, step, on = found
    y = np.array([bool(response) for response in responses])
    notes: tuple[Note, ...] = ()
    if method == "ml":
        sigma = step if sigma is None else sigma
        mean = _most_likely(x, y, sigma)
    else:
        mean, of_formula = _dixon_mood(x, y, step)
        if of_formula is None:
            notes = (Note("warning", "sigma_assumed", "the doses spread too little for sigma: 0.53 steps are assumed"),)
        sigma = of_formula or 0.53 * step
    se = _standard_error(x, y, mean, sigma)
    half = float(ndtri(0.5 + level / 2)) * se
    value, low, high = (_dose(at, on) for at in (mean, mean - half, mean + half))
    if value is None:
        notes = (Note("status", "no_dose", "the mean lies far beyond any dose"), *notes)
    k = (mean - float(x[-1])) / step
    return UpAndDown(headline(notes), value, low, high, mean, sigma, se, k, step, on, method, len(doses), level, notes)


def _fault(doses: Sequence[float], responses: Sequence[bool | int]) -> Note | None:
    if len(doses) != len(responses):
        return Note("error", "bad_input", f"{len(doses)} doses and {len(responses)} responses: one each is needed")
    for row, (dose, response) in enumerate(zip(doses, responses, strict=True), 1):
        if not isfinite(dose):
            return Note("error", "bad_input", f"row {row}: the dose is no finite number")
        if response not in (0, 1):
            return Note("error", "bad_input", f"row {row}, dose {dose:g}: the response is {response!r}, not 0 or 1")
    if len(set(doses)) < 2:
        return Note("error", "one_dose", "at least two distinct doses needed")
    if len({bool(response) for response in responses}) < 2:
        which = "all animals protected" if responses[0] else "no animal protected"
        code = "all_responded" if responses[0] else "none_responded"
        return Note("error", code, f"{which}: the series has not turned yet")
    return None


def _scaled(doses: Sequence[float], scale: Scale) -> tuple[Values, float, str] | None:
    """Doses on the scale on which each is one step from the one before, the step, and the name of the scale."""
    scales: list[tuple[str, Callable[[float], float]]] = []
    ambiguous = len(set(doses)) == 2
    if min(doses) > 0 and scale != "linear":
        scales.append(("log10", log10))
    if scale != "log10":
        scales.insert(len(scales) if ambiguous else 0, ("linear", float))
    for name, of in scales:
        x = np.array([of(dose) for dose in doses])
        moves = np.abs(np.diff(x))
        moves = moves[moves > 0]
        step = float(moves.mean())
        if (np.abs(moves - step) <= SAME_STEP * step).all():
            return x, step, name
    return None


def _most_likely(x: Values, y: NDArray[np.bool_], sigma: float) -> float:
    def score(mean: float) -> float:
        tails = LINKS["probit"].tails((x - mean) / sigma)
        return float(np.where(y, -tails.hit, tails.miss).sum())

    # Falling responses widen the search; the score falls through 0 once, for both tails are log-concave.
    reach = 10 * sigma + float(np.ptp(x))
    low, high = float(x.min()) - reach, float(x.max()) + reach
    while score(low) <= 0 or score(high) >= 0:
        low, high = low - reach, high + reach
        reach *= 2
    return float(brentq(score, low, high, xtol=1e-12 * max(sigma, 1e-300), rtol=1e-14))


def _standard_error(x: Values, y: NDArray[np.bool_], mean: float, sigma: float) -> float:
    tails = LINKS["probit"].tails((x - mean) / sigma)
    return sigma / sqrt(float(np.where(y, -tails.d_hit, tails.d_miss).sum()))


def _dixon_mood(x: Values, y: NDArray[np.bool_], step: float) -> tuple[float, float | None]:
    """Mean, and sigma where the formula holds."""
    responses_rarer = int(y.sum()) * 2 <= y.size
    counted = x[y] if responses_rarer else x[~y]
    i = np.round((counted - counted.min()) / step)
    n, a, b = i.size, float(i.sum()), float((i**2).sum())
    mean = float(counted.min()) + step * (a / n + (-0.5 if responses_rarer else 0.5))
    spread = (n * b - a**2) / n**2
    return mean, 1.62 * step * (spread + 0.029) if spread > ENOUGH_SPREAD else None


def _dose(at: float, scale: str) -> float | None:
    if scale == "linear":
        return at
    return float(10**at) if abs(at) < 300 else None
