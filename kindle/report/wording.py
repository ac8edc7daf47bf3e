"""Numbers and program messages as they are printed."""

import re
from datetime import UTC, datetime

MISSING = "–"
"""Not zero: nothing was or could be measured."""

_ASCII_UNIT = re.compile(r"\bu([AVCs])\b")


def typeset(message: str) -> str:
    """A message of the program with the micro sign in its units."""
    return _ASCII_UNIT.sub(r"µ\1", message)


def number(value: float | None, digits: int = 4) -> str:
    """To ``digits`` significant digits."""
    return MISSING if value is None else f"{value:.{digits}g}"


def seconds(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}"


def utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
