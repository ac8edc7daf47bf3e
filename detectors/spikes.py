"""Filtered ticks in, spikes out: local peaks of ``|signal|`` above the baseline, told from muscle by their shape."""

from typing import NamedTuple

import numpy as np

from detectors.arrays import Bools, Floats, Indices, Raw
from detectors.front_end import Filtered, FrontEnd
from detectors.grid import Grid
from detectors.kernels import compiled, roughness
from detectors.response import Response, correction
from detectors.spike_shape import half_width, n_tops, opposite, path, sharpness
from detectors.ticks import HISTORY_TICKS

REACH = 3
"""Ticks on either side that a peak must exceed, about 60 ms; a spike is known that much later."""
BACK = HISTORY_TICKS - REACH - 1
"""Ticks before a peak that are searched for the opposite half of its rhythm."""
WORST_GAIN = 0.7
"""A smaller peak of which the front end leaves less than this may be missed."""
PARTED, PARTED_HIGH = 0.5, 0.65
"""Of the height of a peak: where the signal falls below one of these between two tops, they are two spikes,"""
NARROW_S = 0.032
"""if the highest is no wider at half its height: others have ripples."""
BESIDE_S = 0.06
"""How far on either side of a peak the signal is looked at for its sharpness."""


class Spike(NamedTuple):
    """A peak at an absolute sample; ``uv`` and ``ratio`` are corrected for what the front end took away."""

    tick: int
    sample: int
    uv: float
    ratio: float
    """``|uv|`` over the baseline in force there."""
    jagged: bool
    """Muscle or movement by its shape, not a spike."""
    n_peaks: int = 1
    """Of the same sign and similar height within 60 ms: 1, or more for polyspikes."""
    sharpness: float = 1.0
    """How far the unfiltered signal stands out from 60 ms before and after, over what a wave of this height and width
    would; negative against its own direction."""


class SpikeFinder:
    """Finds what is certain: a spike in the last ticks of one piece is found with the next."""

    def __init__(self, n_channels: int, grid: Grid, response: Response, settings: FrontEnd, least_ratio: float) -> None:
        self._response = response
        self._least_ratio = least_ratio
        """Smaller peaks are of no use to anybody."""
        self._muscle = (settings.jagged, settings.rough, settings.rough_of_spike)
        self._narrow = NARROW_S * grid.group_hz
        beside = min(round(BESIDE_S * grid.group_hz), REACH * grid.groups)
        self._sizes = (grid.groups, grid.decimation, beside)
        self.undecided = np.zeros(n_channels, int)
        """Ticks at the end, at most ``REACH``, that may still turn out to hold a spike."""

    def push(self, ticks: Filtered) -> list[tuple[int, Spike]]:
        """Channel and spike, in order of channels and time; those that are now certain, before tick
        ``first + n - REACH``."""
        channels, centres = _peaks(ticks.peak_uv, ticks.blank, ticks.base_uv, self._least_ratio, self.undecided)
        if not channels.size:
            return []
        kept, *columns = _measure(
            ticks.y_uv, ticks.ticks.groups_uv, ticks.ticks.raw, ticks.base_uv, channels, centres,
            ticks.first - HISTORY_TICKS, self._sizes, self._narrow, self._least_ratio, self._response.sharp,
            self._response.smooth, self._muscle, ticks.baseline_roughness_uv, ticks.ticks.uv_per_count,
        )  # fmt: skip
        spikes = map(Spike._make, zip(*(column.tolist() for column in columns), strict=True))
        return list(zip(kept.tolist(), spikes, strict=True))


@compiled
def _peaks(peak: Floats, blank: Bools, base: Floats, least_ratio: float, undecided: Indices) -> tuple[Indices, Indices]:
    """Channels and ticks (counted from the history's first) that are larger than those around them."""
    n_channels, n = peak.shape
    most = n_channels * (n // (REACH + 1) + 1)
    channels, centres = np.empty(most, np.intp), np.empty(most, np.intp)
    found = 0
    for channel in range(n_channels):
        undecided[channel] = 0
        for tick in range(HISTORY_TICKS - REACH, n):
            here = peak[channel, tick]
            if not here > least_ratio * WORST_GAIN * base[channel, tick]:
                continue
            if tick >= n - REACH:
                undecided[channel] = n - tick
                break
            highest = True
            for k in range(1, REACH + 1):
                highest = highest and here > peak[channel, tick - k] and here >= peak[channel, tick + k]
            for k in range(-REACH, REACH + 1):
                highest = highest and not blank[channel, tick + k]
            if highest:
                channels[found], centres[found] = channel, tick
                found += 1
    return channels[:found], centres[:found]


@compiled
def _measure(
    y: Floats, u: Floats, raw: Raw, base: Floats, channels: Indices, centres: Indices,
    first: int, sizes: tuple[int, int, int], narrow: float, least_ratio: float, sharp: Floats, smooth: Floats,
    muscle: tuple[float, float, float], rough_uv: Floats, uv_per_count: Floats,
) -> tuple[Indices, Indices, Indices, Floats, Floats, Bools, Indices, Floats]:  # fmt: skip
    """Of the peaks that are large enough, channels and the fields of ``Spike``; the arrays given begin with the
    absolute tick ``first``."""
    groups, decimation, beside = sizes
    jagged, rough, rough_of_spike = muscle
    most = channels.size
    kept, ticks, samples, tops = (
        np.empty(most, np.intp),
        np.empty(most, np.intp),
        np.empty(most, np.intp),
        np.empty(most, np.intp),
    )
    uvs, ratios, sharpnesses, are_jagged = np.empty(most), np.empty(most), np.empty(most), np.empty(most, np.bool_)
    n = 0
    for k in range(most):
        channel, tick = channels[k], centres[k]
        row = y[channel]
        at = tick * groups
        for group in range(at, (tick + 1) * groups):
            if abs(row[group]) > abs(row[at]):
                at = group
        start, near, end = (tick - BACK) * groups, (tick - REACH) * groups, (tick + REACH + 1) * groups
        width = half_width(row, start, end, at)
        gain, lead = correction(sharp, smooth, width, opposite(row, start, end, at))
        uv = row[at] / gain
        ratio = abs(uv) / base[channel, tick]
        if ratio < least_ratio:
            continue
        counts = 0.0
        for beside_tick in range(tick - 1, tick + 2):
            counts += roughness(raw, channel, beside_tick * groups * decimation, groups, decimation)
        roughness_uv = counts / 3 * abs(uv_per_count[channel])
        is_rough = roughness_uv > rough * rough_uv[channel] and roughness_uv > rough_of_spike * abs(row[at])
        kept[n], ticks[n], uvs[n], ratios[n] = channel, first + tick, uv, ratio
        samples[n] = (first * groups + at) * decimation + round(lead * decimation) - 1
        are_jagged[n] = is_rough or path(row, near, end, at) > jagged
        tops[n] = 1
        if width <= narrow:
            tops[n] = max(n_tops(row, near, end, at, PARTED), n_tops(row, near, end, at, PARTED_HIGH))
        sharpnesses[n] = sharpness(u[channel], at, beside, uv, width)
        n += 1
    return kept[:n], ticks[:n], samples[:n], uvs[:n], ratios[:n], are_jagged[:n], tops[:n], sharpnesses[:n]
