"""Where the lines of a time axis stand, and what is written below them."""

from math import floor, log10

from kindle.gui.traces.headline import clock

PX_PER_LABEL = 110
_PARTS = tuple(factor * 10.0**power for power in (-4, -3, -2, -1) for factor in (1, 2, 5))
STEPS_S = (*_PARTS, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600)


def spacings(first_s: float, last_s: float, size_px: float) -> list[tuple[float, float]]:
    """Of the labelled lines and of those between them, each with its offset, as pyqtgraph asks for them."""
    wanted = (last_s - first_s) * PX_PER_LABEL / max(1.0, size_px)
    place = next((place for place, step in enumerate(STEPS_S) if step >= wanted), len(STEPS_S) - 1)
    return [(STEPS_S[place], 0.0), (STEPS_S[max(0, place - 2)], 0.0)]


def times_told(seconds: list[float], scale: float, spacing: float) -> list[str]:
    """Minutes and seconds; plain seconds where fractions tell the lines apart. ``scale`` is pyqtgraph's, always 1."""
    if spacing >= 1:
        return [clock(second) if second >= 0 else "" for second in seconds]
    digits = max(1, -floor(log10(spacing)))
    return [f"{second:.{digits}f}" for second in seconds]
