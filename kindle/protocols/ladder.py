"""The rising series of currents of a threshold test."""

from collections.abc import Iterator
from itertools import count, islice, takewhile
from typing import assert_never

import msgspec

from kindle.errors import ConfigError

MAX_RUNGS = 1000
"""More is a step mistyped: no animal is given a thousand trains to find one threshold."""


class Ratio(msgspec.Struct, frozen=True, tag="ratio"):
    """Each current is the exact previous one, never its rounded display, times ``value``."""

    value: float


class Add(msgspec.Struct, frozen=True, tag="add"):
    """Each current is the exact previous one plus ``value_ua``."""

    value_ua: float


class Listed(msgspec.Struct, frozen=True, tag="list"):
    """A fixed ladder."""

    values_ua: tuple[float, ...]


Step = Ratio | Add | Listed


def rungs(start_ua: float, step: Step, max_ua: float) -> tuple[float, ...]:
    """Every current of the series from ``start_ua`` that does not exceed ``max_ua``; nothing is clipped to it.

    Raises ``ConfigError`` for a series of more than ``MAX_RUNGS``.
    """
    series = takewhile(lambda current_ua: current_ua <= max_ua, _series(start_ua, step))
    currents = tuple(islice(series, MAX_RUNGS + 1))
    if len(currents) > MAX_RUNGS:
        raise ConfigError(
            f"the series from {start_ua:g} to {max_ua:g} uA has more than {MAX_RUNGS} currents; set a larger step"
        )
    return currents


def _series(start_ua: float, step: Step) -> Iterator[float]:
    # Binary noise would push a decimal current just past a decimal maximum; no instrument resolves 1e-9 uA.
    match step:
        case Listed(values_ua):
            return (value for value in values_ua if value >= start_ua)
        case Ratio(value):
            return (round(start_ua * value**n, 9) for n in count())
        case Add(value_ua):
            return (round(start_ua + value_ua * n, 9) for n in count())
        case _:
            assert_never(step)
