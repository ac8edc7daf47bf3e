"""How a person has set up the traces; kept between sessions."""

from enum import StrEnum

import msgspec

SHORTEST_S, LONGEST_S = 5.0, 120.0
WINDOWS_S = (5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
"""What the keys step through; any length between the ends can be set."""


class Mode(StrEnum):
    SCROLL = "scroll"
    """The newest sample is at the right edge."""
    SWEEP = "sweep"
    """Time stands still on the screen, and a gap runs over it."""


class TraceSettings(msgspec.Struct, frozen=True):
    """``half_ranges`` are by channel, in its unit: what lies half a lane from the middle. Others scale themselves."""

    window_s: float = 10.0
    mode: Mode = Mode.SCROLL
    half_ranges: dict[str, float] = {}

    def __post_init__(self) -> None:
        if not SHORTEST_S <= self.window_s <= LONGEST_S:
            raise ValueError(f"traces show {SHORTEST_S:g} to {LONGEST_S:g} s, not {self.window_s:g} s")
        if wrong := [f"{name}: {half:g}" for name, half in self.half_ranges.items() if not 0 < half < 1e12]:
            raise ValueError(f"half a lane is a positive number of the channel's unit, not {wrong[0]}")


def next_window_s(window_s: float, step: int) -> float:
    """The next longer (``step`` 1) or shorter (-1) window; the end of the list stays."""
    if step > 0:
        return next((longer for longer in WINDOWS_S if longer > window_s), LONGEST_S)
    return next((shorter for shorter in reversed(WINDOWS_S) if shorter < window_s), SHORTEST_S)
