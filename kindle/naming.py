"""Names that nobody has taken yet."""

from collections.abc import Callable
from itertools import count


def first_free(name: str, taken: Callable[[str], bool]) -> str:
    """``name``, or the first of ``name-2``, ``name-3``, ... that is not taken.

    Two sessions may begin within one second of the wall clock, or the clock may be set back.
    """
    return name if not taken(name) else next(n for k in count(2) if not taken(n := f"{name}-{k}"))
