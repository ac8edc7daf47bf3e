"""Where responders and non-responders do not overlap along the dose, the likelihood has no finite maximum."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Pattern = Literal["overlap", "complete", "quasi", "falling"]


@dataclass(frozen=True, slots=True)
class Separation:
    """``lower`` is the highest dose with a non-responder, ``upper`` the lowest dose with a responder.

    A line that rises without bound fits best when ``lower`` <= ``upper``: strictly between them, or through the one
    partial dose. ``falling`` is the same the other way round.
    """

    pattern: Pattern
    lower: float
    upper: float


def separation(doses: Sequence[float], n: Sequence[float], responded: Sequence[float]) -> Separation:
    """Doses ascending, with responders and non-responders (Albert & Anderson 1984, for one ordered covariate)."""
    missed = [dose for dose, animals, r in zip(doses, n, responded, strict=True) if r < animals]
    hit = [dose for dose, r in zip(doses, responded, strict=True) if r > 0]
    lower, upper = missed[-1], hit[0]
    if lower < upper:
        return Separation("complete", lower, upper)
    if lower == upper:
        return Separation("quasi", lower, upper)
    if hit[-1] <= missed[0]:
        return Separation("falling", missed[0], hit[-1])
    return Separation("overlap", lower, upper)
