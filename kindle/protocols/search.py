"""How a threshold is looked for along the currents of a plan; every way asks only for currents of its ladder."""

from math import ceil, log, log2

import msgspec


class Rising(msgspec.Struct, frozen=True, tag="rising"):
    """From the lowest current upwards until the first afterdischarge."""


class UpDown(msgspec.Struct, frozen=True, tag="up_down"):
    """Dixon: one step up after none, one down after an afterdischarge, until ``reversals`` changes of direction."""

    first_ua: float
    """The current to begin with, one of the ladder."""
    reversals: int = 4
    max_trains: int = 40


class Bracket(msgspec.Struct, frozen=True, tag="bracket"):
    """Halve the logarithm of the interval between two bounds until it is no wider than ``tolerance`` as a ratio."""

    tolerance: float


class Alternating(msgspec.Struct, frozen=True, tag="alternating"):
    """Descending and ascending series in turn; a level counts when ``positive`` of its ``trains`` evoke a discharge."""

    series: int = 4
    trains: int = 5
    positive: int = 3
    max_trains: int = 200


Search = Rising | UpDown | Bracket | Alternating


def bracket_ladder(low_ua: float, high_ua: float, tolerance: float) -> tuple[float, ...]:
    """Both bounds, and between them equal ratios no larger than ``tolerance``."""
    n_steps = max(1, ceil(round(log(high_ua / low_ua) / log(tolerance), 9)))
    return tuple(round(low_ua * (high_ua / low_ua) ** (n / n_steps), 9) for n in range(n_steps + 1))


def most_trains(search: Search, n_currents: int) -> int:
    """How many trains a search takes at most, when each is delivered as asked and has a clear answer."""
    match search:
        case Rising():
            return n_currents
        case Bracket():
            return ceil(log2(n_currents + 1))
        case UpDown(max_trains=most) | Alternating(max_trains=most):
            return most
