"""Filtered ticks in, spikes out: local peaks of ``|signal|`` above the baseline, told from muscle by their shape."""

from dataclasses import dataclass

import numpy as np

from detectors.front_end import Filtered, FrontEnd
from detectors.ticks import Bools, Floats, Grid

REACH = 3
"""Ticks on either side that a peak must exceed, about 60 ms; a spike is known that much later."""


@dataclass(frozen=True, slots=True)
class Spike:
    """A peak at an absolute sample, filter delay removed; ``ratio`` is the height of a sharp wave that
    the filter leaves at ``|uv|``, over the baseline in force there."""

    tick: int
    sample: int
    uv: float
    ratio: float
    jagged: bool
    """Muscle or movement by its shape, not a spike."""


class SpikeFinder:
    """Carries the last ticks, so that peaks at the borders of blocks are found as elsewhere."""

    def __init__(
        self, n_channels: int, grid: Grid, delay_samples: float, spike_gain: float, settings: FrontEnd
    ) -> None:
        self._grid = grid
        self._delay = delay_samples
        self._gain = spike_gain
        self._settings = settings
        history = 2 * REACH
        self._peak = np.zeros((n_channels, history))
        self._blank = np.ones((n_channels, history), bool)
        self._rough = np.zeros((n_channels, history))
        self._base = np.full((n_channels, history), np.nan)
        self._base_rough = np.full((n_channels, history), np.nan)
        self._y = np.zeros((n_channels, history * grid.groups))

    def push(self, ticks: Filtered) -> list[list[Spike]]:
        """Per channel, in order of time, the spikes that are now certain: those before tick ``first + n - REACH``."""
        peak = np.concatenate([self._peak, ticks.peak_uv], axis=1)
        blank = np.concatenate([self._blank, ticks.blank], axis=1)
        rough = np.concatenate([self._rough, ticks.roughness_uv], axis=1)
        base = np.concatenate([self._base, ticks.baseline_uv], axis=1)
        base_rough = np.concatenate([self._base_rough, ticks.baseline_roughness_uv], axis=1)
        found: list[list[Spike]] = [[] for _ in range(peak.shape[0])]
        channels, centres = np.nonzero(self._maxima(peak, blank, base))
        groups = self._grid.groups
        kept = 2 * REACH * groups
        if channels.size:
            centres = centres + REACH
            y = np.concatenate([self._y, ticks.y_uv], axis=1)
            window = y[channels[:, None], (centres[:, None] - REACH) * groups + np.arange((2 * REACH + 1) * groups)]
            at = np.abs(window[:, REACH * groups : (REACH + 1) * groups]).argmax(axis=1)
            uv = window[np.arange(at.size), REACH * groups + at]
            first = ticks.first - 2 * REACH
            sample = ((first + centres) * groups + at) * self._grid.decimation + (self._grid.decimation - 1) / 2
            around = np.clip(centres[:, None] + np.arange(-1, 2), 0, peak.shape[1] - 1)
            muscle = self._is_muscle(window, uv, rough[channels[:, None], around], base_rough[channels, centres])
            rows = zip(
                channels.tolist(),
                (first + centres).tolist(),
                np.rint(sample - self._delay).astype(np.int64).tolist(),
                uv.tolist(),
                (np.abs(uv) / (self._gain * base[channels, centres])).tolist(),
                muscle.tolist(),
                strict=True,
            )
            for channel, *fields in rows:
                found[channel].append(Spike(*fields))
            self._y = y[:, -kept:].copy()
        else:
            self._y = np.concatenate([self._y, ticks.y_uv[:, -kept:]], axis=1)[:, -kept:].copy()
        history = slice(-2 * REACH, None)
        self._peak, self._blank, self._rough = (
            peak[:, history].copy(),
            blank[:, history].copy(),
            rough[:, history].copy(),
        )
        self._base, self._base_rough = base[:, history].copy(), base_rough[:, history].copy()
        return found

    def _maxima(self, peak: Floats, blank: Bools, base: Floats) -> Bools:
        n = peak.shape[1] - 2 * REACH
        here = peak[:, REACH : REACH + n]
        with np.errstate(invalid="ignore"):
            is_peak = here > self._settings.spike_of_baseline * self._gain * base[:, REACH : REACH + n]
        for shift in range(2 * REACH + 1):
            other = peak[:, shift : shift + n]
            if shift < REACH:
                is_peak &= here > other
            elif shift > REACH:
                is_peak &= here >= other
            is_peak &= ~blank[:, shift : shift + n]
        return np.asarray(is_peak)

    def _is_muscle(self, window: Floats, uv: Floats, rough: Floats, base_rough: Floats) -> Bools:
        """Muscle zigzags in the band or varies inside the groups; a spike goes up and down once, a wave less."""
        path = np.abs(np.diff(window, axis=1)).sum(axis=1)
        jagged = path > self._settings.jagged * np.abs(uv)
        mean_rough = (rough[:, 0] + rough[:, 1] + rough[:, 2]) / 3
        with np.errstate(invalid="ignore"):
            rough_too = mean_rough > self._settings.rough * base_rough
        rough_too &= mean_rough > self._settings.rough_of_spike * np.abs(uv)
        return np.asarray(jagged | rough_too)
