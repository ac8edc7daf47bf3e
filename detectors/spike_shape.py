"""The shape of one peak, measured on the filtered signal of its channel: compiled, one peak at a time."""

from math import cos, pi

from detectors.arrays import Floats
from detectors.kernels import compiled


@compiled
def half_width(y: Floats, first: int, last: int, at: int) -> float:
    """Width of the peak at index ``at`` of ``y`` at half its height, in steps; from ``first`` or up to ``last`` where
    the signal does not fall to that."""
    scale = 1.0 / y[at]
    left = at - 1
    while left >= first and y[left] * scale > 0.5:
        left -= 1
    right = at + 1
    while right < last and y[right] * scale > 0.5:
        right += 1
    # Whole steps and parts of them apart: what rounding leaves must not depend on where in ``y`` the peak lies.
    parts = 0.0
    if left >= first:
        inside, outside = y[left + 1] * scale, y[left] * scale
        parts += (inside - 0.5) / (inside - outside)
    if right < last:
        inside, outside = y[right - 1] * scale, y[right] * scale
        parts += (inside - 0.5) / (inside - outside)
    return right - left - 2 + parts


@compiled
def opposite(y: Floats, first: int, last: int, at: int) -> float:
    """The deepest deflection of the other sign from ``first`` to ``last``, as a share of the peak; 0 to 1."""
    scale = 1.0 / y[at]
    lowest = 0.0
    for k in range(first, last):
        lowest = min(lowest, y[k] * scale)
    return min(1.0, -lowest)


@compiled
def path(y: Floats, first: int, last: int, at: int) -> float:
    """The way up and down from ``first`` to ``last``, in heights of the peak."""
    total = 0.0
    for k in range(first + 1, last):
        total += abs(y[k] - y[k - 1])
    return float(total / abs(y[at]))


@compiled
def n_tops(y: Floats, first: int, last: int, at: int, level: float) -> int:
    """How often the signal comes above ``level`` of the peak from ``first`` to ``last``."""
    scale = 1.0 / y[at]
    n, above = 0, False
    for k in range(first, last):
        high = y[k] * scale > level
        n += high and not above
        above = high
    return n


@compiled
def sharpness(u: Floats, at: int, beside: int, peak_uv: float, width: float) -> float:
    """How far the unfiltered ``u`` stands out at ``at`` from ``beside`` before and after, over what a cosine would
    whose period is three times ``width``; negative against the direction of the peak."""
    before, after = max(at - beside, 0), min(at + beside, u.size - 1)
    stands_out = u[at] - (u[before] + u[after]) / 2
    expected: float = peak_uv * (1 - cos(min(2 * pi * beside / (3 * width), pi / 2)))
    return float(stands_out / expected)
