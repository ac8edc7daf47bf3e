"""Thresholds of a group of rats, each known to lie between two rungs of its series or above the highest current.

Ladders are multiplicative and thresholds log-normal: a group is summed up by its geometric mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log

import numpy as np
from numpy.typing import NDArray

from kindle import __version__
from kindle.analysis.censored_normal import Words, censored_mean
from kindle.analysis.outcome import Interval, Note, Result, headline

WORDS = Words("threshold", "too_few_animals", "only its bounds can be told")


@dataclass(frozen=True, slots=True)
class Threshold:
    """Lies in ``(above_ua, up_to_ua]``; ``above_ua`` 0 on the first rung, ``up_to_ua`` ``None`` above the maximum.

    Equal ends state a single value. Raises ``ValueError`` for anything else.
    """

    above_ua: float
    up_to_ua: float | None

    def __post_init__(self) -> None:
        high = inf if self.up_to_ua is None else self.up_to_ua
        if not (0 <= self.above_ua <= high and high > 0 and self.above_ua < inf):
            raise ValueError(
                f"a threshold lies above 0 and in order, got above {self.above_ua} up to {self.up_to_ua} µA"
            )

    @property
    def log_low(self) -> float:
        return log(self.above_ua) if self.above_ua > 0 else -inf

    @property
    def log_high(self) -> float:
        return inf if self.up_to_ua is None else log(self.up_to_ua)


@dataclass(frozen=True, slots=True)
class GroupThreshold(Result):
    """``mean_ua`` is the geometric mean, by the likelihood of interval-censored log-normal thresholds."""

    status: Note
    n: int
    n_below: int
    """Rats that answered the first current: no lower limit."""
    n_above: int
    """Rats that answered no current up to the highest: no upper limit."""
    mean_ua: float | None
    interval: Interval
    """In µA; profile likelihood, Student's where every threshold is known exactly."""
    level: float
    log_sd: float | None
    """Standard deviation of ln threshold between rats (maximum likelihood)."""
    notes: tuple[Note, ...]
    version: str = __version__


def group_threshold(thresholds: Sequence[Threshold], *, level: float = 0.95) -> GroupThreshold:
    """One threshold of each rat."""
    low, high = log_limits(thresholds)
    n_below, n_above = int(np.isneginf(low).sum()), int(np.isinf(high).sum())
    found = censored_mean(low, high, level, WORDS)
    notes = () if found.note is None else (found.note,)
    if found.mean is not None and n_below + n_above:
        told = [f"{n} {where}" for n, where in ((n_below, "below the first current"), (n_above, "above the last")) if n]
        message = f"{' and '.join(told)} of {low.size} rats: their likelihood is used, no value is put in"
        notes = (Note("warning", "censored", message),)
    return GroupThreshold(
        headline(notes),
        low.size,
        n_below,
        n_above,
        None if found.mean is None else exp(found.mean),
        exponential(found.interval),
        level,
        found.sd,
        notes,
    )


def log_limits(thresholds: Sequence[Threshold]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper natural logarithms, infinite without a limit."""
    low, high = ([getattr(one, end) for one in thresholds] for end in ("log_low", "log_high"))
    return np.array(low, np.float64), np.array(high, np.float64)


def exponential(limits: Interval) -> Interval:
    """From limits of logarithms to limits of what they are of."""
    return Interval(*(None if end is None else exp(end) for end in (limits.low, limits.high)))
