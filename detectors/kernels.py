"""The loops over samples, compiled: each passes over memory once where numpy's operations would pass a dozen times.

No fast mathematics and no threads: a result is the same, bit for bit, in whatever block it is computed.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from detectors.arrays import Bools, Floats, Indices, Raw

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compiled at its first call for the types it is given; lets other threads run.

    What was compiled is kept beside the source or in the user's cache; where neither can be written, it is made anew
    in each process.
    """
    try:
        return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:
        return cast(F, njit(nogil=True, error_model="numpy")(function))


@compiled
def decimate(
    raw: Raw, first: int, rise: tuple[int, ...], carried: NDArray[Any], uv_per_count: Floats, out: Floats, at: int
) -> None:
    """Triangular low-pass (zeros at multiples of the decimated rate) and decimation in one step.

    Samples of ``raw`` ``(n_channels, n_samples)`` from ``first`` on become groups of ``out`` from ``at`` on. ``rise``
    is ``1, 2 ... decimation``: the compiler knows how long it is and unrolls the inner loop. ``carried``
    ``(n_channels,)`` holds the rising half of the group before, in the type in which the sums are exact.
    """
    kind = carried.dtype.type
    decimation = len(rise)
    for channel in range(raw.shape[0]):
        scale = uv_per_count[channel] / decimation**2
        before = carried[channel]
        samples, groups = raw[channel, first:], out[channel, at:]
        for group in range(groups.size):
            rising, level = kind(0), kind(0)
            for k in range(decimation):
                sample = kind(samples[group * decimation + k])
                rising = kind(rising + sample * kind(k + 1))
                level = kind(level + sample)
            groups[group] = (before + kind(decimation) * level - rising) * scale
            before = rising
        carried[channel] = before


@compiled
def touch_rails(raw: Raw, first: int, tick_samples: int, low: Floats, high: Floats, touched: Bools) -> bool:
    """Mark the ticks of ``touched`` ``(n_channels, n_ticks)``, which begin at sample ``first``, that reach a rail."""
    found = False
    for channel in range(raw.shape[0]):
        samples = raw[channel, first:]
        smallest = largest = samples[0]
        for at in range(samples.size):
            smallest = min(smallest, samples[at])
            largest = max(largest, samples[at])
        if smallest > low[channel] and largest < high[channel]:
            continue
        found = True
        for tick in range(touched.shape[1]):
            smallest = largest = samples[tick * tick_samples]
            for at in range(tick * tick_samples, (tick + 1) * tick_samples):
                smallest = min(smallest, samples[at])
                largest = max(largest, samples[at])
            touched[channel, tick] = smallest <= low[channel] or largest >= high[channel]
    return found


@compiled
def high_pass(
    x: Floats, first: int, last: int, channels: Indices, b: Floats, a: Floats, state: Floats, y: Floats
) -> None:
    """Second-order section (transposed direct form II) of ``channels`` from ``first`` up to ``last``, into ``y``.

    Four channels at a time: each step waits for the one before, and the waiting of four goes on at once.
    """
    b0, b1, b2, a1, a2 = b[0], b[1], b[2], a[1], a[2]
    n = channels.size
    fours = n - n % 4
    for four in range(0, fours, 4):
        i, j, k, m = channels[four], channels[four + 1], channels[four + 2], channels[four + 3]
        i0, i1, j0, j1 = state[i, 0], state[i, 1], state[j, 0], state[j, 1]
        k0, k1, m0, m1 = state[k, 0], state[k, 1], state[m, 0], state[m, 1]
        for at in range(first, last):
            xi, xj, xk, xm = x[i, at], x[j, at], x[k, at], x[m, at]
            yi, yj, yk, ym = i0 + b0 * xi, j0 + b0 * xj, k0 + b0 * xk, m0 + b0 * xm
            i0, j0 = i1 + b1 * xi - a1 * yi, j1 + b1 * xj - a1 * yj
            k0, m0 = k1 + b1 * xk - a1 * yk, m1 + b1 * xm - a1 * ym
            i1, j1, k1, m1 = b2 * xi - a2 * yi, b2 * xj - a2 * yj, b2 * xk - a2 * yk, b2 * xm - a2 * ym
            y[i, at], y[j, at], y[k, at], y[m, at] = yi, yj, yk, ym
        state[i, 0], state[i, 1], state[j, 0], state[j, 1] = i0, i1, j0, j1
        state[k, 0], state[k, 1], state[m, 0], state[m, 1] = k0, k1, m0, m1
    for rest in range(fours, n):
        i = channels[rest]
        i0, i1 = state[i, 0], state[i, 1]
        for at in range(first, last):
            xi = x[i, at]
            yi = i0 + b0 * xi
            i0 = i1 + b1 * xi - a1 * yi
            i1 = b2 * xi - a2 * yi
            y[i, at] = yi
        state[i, 0], state[i, 1] = i0, i1


@compiled
def largest_of_ticks(y: Floats, groups: int, first: int, peak: Floats) -> None:
    """Of each tick from ``first`` on the largest ``|y|``."""
    for channel in range(y.shape[0]):
        for tick in range(first, peak.shape[1]):
            largest = 0.0
            for at in range(tick * groups, (tick + 1) * groups):
                largest = max(largest, abs(y[channel, at]))
            peak[channel, tick] = largest


@compiled
def roughness(raw: Raw, channel: int, first: int, groups: int, decimation: int) -> float:
    """Variation inside the groups of one tick that the slow signal does not explain: muscle and movement, in counts;
    0 where there is no decimation."""
    if decimation == 1:
        return 0.0
    total, inside, step, mean = 0.0, 0.0, 0.0, 0.0
    for group in range(groups):
        smallest = largest = raw[channel, first]
        level = 0.0
        for at in range(first + group * decimation, first + (group + 1) * decimation):
            sample = raw[channel, at]
            smallest = sample if at == first + group * decimation else min(smallest, sample)
            largest = sample if at == first + group * decimation else max(largest, sample)
            level += sample
        level /= decimation
        if group:
            # The slope of the group before lies between the steps on both its sides.
            after = abs(level - mean)
            slope = after if group == 1 else (step + after) / 2
            total += max(0.0, inside - slope)
            step = after
        inside, mean = float(largest) - float(smallest), level
    return total + max(0.0, inside - step)


@compiled
def roughness_where_quiet(
    raw: Raw, ticks: Indices, groups: int, decimation: int, uv_per_count: Floats,
    peak: Floats, blank: Bools, loud_uv: Floats, out: Floats,
) -> None:  # fmt: skip
    """``out`` ``(n_channels, n_ticks)``: the roughness of ``ticks`` in uV, NaN where one is blank or loud."""
    for channel in range(out.shape[0]):
        for k in range(ticks.size):
            tick = ticks[k]
            if blank[channel, tick] or peak[channel, tick] > loud_uv[channel]:
                out[channel, k] = np.nan
            else:
                counts = roughness(raw, channel, tick * groups * decimation, groups, decimation)
                out[channel, k] = counts * abs(uv_per_count[channel])
