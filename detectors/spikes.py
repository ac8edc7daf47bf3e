"""Filtered ticks in, spikes out: local peaks of ``|signal|`` above the baseline, told from muscle by their shape."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.front_end import Filtered, FrontEnd, roughness
from detectors.response import Response
from detectors.ticks import HISTORY_TICKS, Bools, Floats, Grid

REACH = 3
"""Ticks on either side that a peak must exceed, about 60 ms; a spike is known that much later."""
BACK = HISTORY_TICKS - REACH - 1
"""Ticks before a peak that are searched for the opposite half of its rhythm."""
WORST_GAIN = 0.7
"""A smaller peak of which the front end leaves less than this may be missed."""
PARTED = (0.5, 0.65)
"""Of the height of a peak: where the signal falls below one of these between two tops, they are two spikes,"""
NARROW_S = 0.032
"""if the highest is no wider at half its height: others have ripples."""
BESIDE_S = 0.06
"""How far on either side of a peak the signal is looked at for its sharpness."""

Indices = NDArray[np.intp]


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
    """Carries the last ticks, so that peaks at the borders of pieces are found as elsewhere."""

    def __init__(self, n_channels: int, grid: Grid, response: Response, settings: FrontEnd, least_ratio: float) -> None:
        self._grid = grid
        self._response = response
        self._settings = settings
        self._least_ratio = least_ratio
        """Smaller peaks are of no use to anybody."""
        self._peak = np.zeros((n_channels, HISTORY_TICKS))
        self._blank = np.ones((n_channels, HISTORY_TICKS), bool)
        self._base = np.full((n_channels, HISTORY_TICKS), np.nan)
        self._y = np.zeros((n_channels, HISTORY_TICKS * grid.groups))
        self.undecided = np.zeros(n_channels, int)
        """Ticks at the end, at most ``REACH``, that may still turn out to hold a spike."""

    def push(self, ticks: Filtered) -> list[tuple[int, Spike]]:
        """Channel and spike, in order of channels and time; those that are now certain, before tick
        ``first + n - REACH``."""
        n = ticks.n
        peak = np.concatenate([self._peak, ticks.peak_uv], axis=1)
        base = np.concatenate([self._base, np.repeat(ticks.baseline_uv[:, None], n, axis=1)], axis=1)
        y = np.concatenate([self._y, ticks.y_uv], axis=1)
        if ticks.blank is None:
            blank = np.concatenate([self._blank, np.zeros((peak.shape[0], n), bool)], axis=1)
        else:
            blank = np.concatenate([self._blank, ticks.blank], axis=1)
        hot = peak[:, HISTORY_TICKS - REACH :] > self._least_ratio * WORST_GAIN * base[:, HISTORY_TICKS - REACH :]
        self.undecided = REACH - np.argmax(np.column_stack([hot[:, n:], np.ones(hot.shape[0], bool)]), axis=1)
        found: list[tuple[int, Spike]] = []
        channels, centres = np.nonzero(hot[:, :n])
        if channels.size:
            centres += HISTORY_TICKS - REACH
            chosen = self._maxima(peak, blank, channels, centres)
            if chosen.any():
                found = self._spikes(ticks, y, base, channels[chosen], centres[chosen])
        self._peak, self._base = peak[:, -HISTORY_TICKS:].copy(), base[:, -HISTORY_TICKS:].copy()
        self._blank, self._y = blank[:, -HISTORY_TICKS:].copy(), y[:, -HISTORY_TICKS * self._grid.groups :].copy()
        return found

    def _maxima(self, peak: Floats, blank: Bools, channels: Indices, centres: Indices) -> Bools:
        around = centres[:, None] + np.arange(-REACH, REACH + 1)
        heights = peak[channels[:, None], around]
        here = heights[:, REACH]
        highest = (here > heights[:, :REACH].max(axis=1)) & (here >= heights[:, REACH + 1 :].max(axis=1))
        return np.asarray(highest & ~blank[channels[:, None], around].any(axis=1))

    def _spikes(
        self, ticks: Filtered, y: Floats, base: Floats, channels: Indices, centres: Indices
    ) -> list[tuple[int, Spike]]:
        groups, grid = self._grid.groups, self._grid
        row = np.arange(channels.size)
        window = y[channels[:, None], (centres[:, None] - BACK) * groups + np.arange((BACK + REACH + 1) * groups)]
        inner = window[:, BACK * groups : (BACK + 1) * groups]
        at = BACK * groups + np.abs(inner).argmax(axis=1)
        filtered_uv = window[row, at]
        upright = window * (np.sign(filtered_uv) / np.abs(filtered_uv))[:, None]
        width = _half_widths(upright, at)
        gain, lead = self._response.correction(width, np.clip(-upright.min(axis=1), 0.0, 1.0))
        uv = filtered_uv / gain
        ratio = np.abs(uv) / base[channels, centres]
        keep = np.flatnonzero(ratio >= self._least_ratio)
        if not keep.size:
            return []
        channels, centres, at, uv, ratio = channels[keep], centres[keep], at[keep], uv[keep], ratio[keep]
        group = (centres - BACK) * groups + at
        exact = group + lead[keep]
        first = ticks.first - HISTORY_TICKS
        sample = np.rint((first * groups + exact) * grid.decimation - 1).astype(np.int64)
        jagged = self._is_muscle(ticks, upright[keep], channels, centres, np.abs(filtered_uv[keep]))
        n_peaks = _n_tops(upright[keep, (BACK - REACH) * groups :])
        n_peaks[width[keep] > NARROW_S * grid.group_hz] = 1
        sharpness = self._sharpness(ticks, channels, group, uv, width[keep])
        rows = zip(
            channels.tolist(), (first + centres).tolist(), sample.tolist(), uv.tolist(), ratio.tolist(),
            jagged.tolist(), n_peaks.tolist(), sharpness.tolist(), strict=True,
        )  # fmt: skip
        return [(channel, Spike(*fields)) for channel, *fields in rows]

    def _sharpness(self, ticks: Filtered, channels: Indices, group: Indices, uv: Floats, width: Floats) -> Floats:
        u, n = ticks.ticks.groups_uv, ticks.ticks.groups_uv.shape[1]
        beside = min(round(BESIDE_S * self._grid.group_hz), REACH * self._grid.groups)
        before, after = np.maximum(group - beside, 0), np.minimum(group + beside, n - 1)
        stands_out = u[channels, group] - (u[channels, before] + u[channels, after]) / 2
        # A cosine, three of whose half-height widths make a period.
        expected = 1 - np.cos(np.minimum(2 * np.pi * beside / (3 * width), np.pi / 2))
        return np.asarray(stands_out / (uv * expected))

    def _is_muscle(
        self, ticks: Filtered, upright: Floats, channels: Indices, centres: Indices, height_uv: Floats
    ) -> Bools:
        """Muscle zigzags in the band or varies inside the groups; a spike goes up and down once, a wave less."""
        groups, samples = self._grid.groups, self._grid.tick_samples
        path = np.abs(np.diff(upright[:, (BACK - REACH) * groups :], axis=1)).sum(axis=1)
        raw = ticks.ticks.raw[channels[:, None], (centres[:, None] - 1) * samples + np.arange(3 * samples)]
        scale = np.abs(ticks.ticks.uv_per_count[:, 0])[channels]
        rough_uv = roughness(raw.reshape(-1, 3, samples), self._grid).mean(axis=1) * scale
        rough = rough_uv > self._settings.rough * ticks.baseline_roughness_uv[channels]
        rough &= rough_uv > self._settings.rough_of_spike * height_uv
        return np.asarray((path > self._settings.jagged) | rough)


def _half_widths(upright: Floats, at: Indices) -> Floats:
    """Width at half height of the peak of 1 at ``at`` of each row, in groups; to the edge where it does not fall."""
    n = upright.shape[1]
    position = np.arange(n)
    low = upright <= 0.5
    row = np.arange(at.size)
    left = np.where(low & (position < at[:, None]), position, -1).max(axis=1)
    right = np.where(low & (position > at[:, None]), position, n).min(axis=1)
    inside_left, inside_right = np.minimum(left + 1, n - 1), np.maximum(right - 1, 0)
    rise = upright[row, inside_left] - upright[row, np.maximum(left, 0)]
    fall = upright[row, inside_right] - upright[row, np.minimum(right, n - 1)]
    into_rise = np.where(left >= 0, (upright[row, inside_left] - 0.5) / np.where(rise > 0, rise, 1.0), 0.0)
    into_fall = np.where(right < n, (upright[row, inside_right] - 0.5) / np.where(fall > 0, fall, 1.0), 0.0)
    return np.asarray((inside_right + into_fall) - (inside_left - into_rise))


def _n_tops(upright: Floats) -> Indices:
    """Tops of each row that a dip parts, whatever the depth of the dip is."""
    counts = []
    for level in PARTED:
        high = upright > level
        counts.append((high[:, 1:] & ~high[:, :-1]).sum(axis=1) + high[:, 0])
    return np.asarray(np.maximum.reduce(counts))
