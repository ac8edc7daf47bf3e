"""Samples in, filtered ticks out: decimated, blanked, band-passed and with the baseline in force at each tick."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import signal

from detectors.baseline import REMEMBERED_S, SecondPeaks
from detectors.blanking import Blanking, Resumption
from detectors.ticks import Bools, Floats, Grid, Ticks, fold

SPIKE_WIDTH_S = 0.015
"""Standard deviation of a typical sharp wave in time."""


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """Settings before the criterion; each is a property of amplifiers and spikes, not of a laboratory's rule."""

    low_hz: float = 3.0
    high_hz: float = 70.0
    """Lowered to 0.4 of the decimated rate where that is below."""
    blank_after_train_s: float = 0.1
    drift_of_baseline: float = 0.75
    """A tick mean that moves by this much of the baseline each tick, one way, is an amplifier recovering."""
    drift_limit_s: float = 1.5
    spike_of_baseline: float = 1.2
    jagged: float = 7.0
    """Path of the filtered signal around a spike over its height, above which it is muscle."""
    rough: float = 4.0
    """Roughness around a spike over that of the baseline, above which it is muscle,"""
    rough_of_spike: float = 0.3
    """if it is this much of the spike as well."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """Ticks ready for spikes; shapes as in ``Ticks``, ``y_uv`` like ``groups_uv``, 0 where blank."""

    first: int
    y_uv: Floats
    peak_uv: Floats
    roughness_uv: Floats
    blank: Bools
    lost: Bools
    baseline_uv: Floats
    baseline_roughness_uv: Floats
    disconnected: list[tuple[int, Bools]]
    """Absolute seconds completed in these ticks, and the channels that were disconnected in them."""

    @property
    def n(self) -> int:
        return int(self.peak_uv.shape[1])


class BandPass:
    """Causal Butterworth with carried state; its time runs on each channel's live spans only."""

    def __init__(self, n_channels: int, grid: Grid, settings: FrontEnd) -> None:
        self._groups = grid.groups
        high_hz = min(settings.high_hz, 0.4 * grid.group_hz)
        self.sos = signal.butter(2, [settings.low_hz, high_hz], "bandpass", fs=grid.group_hz, output="sos")
        self._step = signal.sosfilt_zi(self.sos)
        self._ramp = _ramp_state(self.sos, self._step, round(20 * grid.group_hz))
        self._state = np.zeros((self.sos.shape[0], n_channels, 2))
        self._started = False
        self.delay_samples = _group_delay(self.sos, grid.group_hz) * grid.decimation
        self.spike_gain = _spike_gain(self.sos, grid.group_hz)

    def push(self, groups_uv: Floats, blank: Bools, resumptions: Sequence[Resumption]) -> Floats:
        if not self._started:
            self._state = self._step[:, None, :] * groups_uv[None, :, :1]
            self._started = True
        dirty: Bools = np.asarray(blank.any(axis=1))
        for resumption in resumptions:
            dirty[resumption.channel] = True
        if not dirty.any():
            y, self._state = signal.sosfilt(self.sos, groups_uv, axis=1, zi=self._state)
            return np.asarray(y)
        y = np.zeros_like(groups_uv)
        clean = np.flatnonzero(~dirty)
        if clean.size:
            y[clean], self._state[:, clean] = signal.sosfilt(
                self.sos, groups_uv[clean], axis=1, zi=self._state[:, clean]
            )
        for channel in np.flatnonzero(dirty).tolist():
            self._channel(channel, groups_uv, blank[channel], resumptions, y)
        return y

    def _channel(
        self, channel: int, groups_uv: Floats, blank: Bools, resumptions: Sequence[Resumption], y: Floats
    ) -> None:
        resumed = {resumption.tick: resumption for resumption in resumptions if resumption.channel == channel}
        edges = np.flatnonzero(np.diff(np.concatenate([[True], blank, [True]]).astype(np.int8)))
        for start, stop in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
            # A span may also begin anew without a blank tick before it: the state then simply goes on.
            if resumption := resumed.get(start):
                before = resumption.value_uv - resumption.slope_uv
                self._state[:, channel] = self._step * before + self._ramp * resumption.slope_uv
            span = slice(start * self._groups, stop * self._groups)
            y[channel, span], self._state[:, channel] = signal.sosfilt(
                self.sos, groups_uv[channel, span], zi=self._state[:, channel]
            )


class Conditioner:
    """The front end proper; ``push`` gives what ``TickMaker`` gave, filtered."""

    def __init__(
        self,
        n_channels: int,
        grid: Grid,
        *,
        baseline_s: float,
        settings: FrontEnd,
        fixed_uv: Floats | None = None,
        remembered_s: float = REMEMBERED_S,
    ) -> None:
        self._grid = grid
        self._settings = settings
        self._blanking = Blanking(n_channels, grid, drift_limit_s=settings.drift_limit_s)
        self._band_pass = BandPass(n_channels, grid, settings)
        self.seconds = SecondPeaks(n_channels, grid, baseline_s, remembered_s)
        self.seconds.frozen_uv = fixed_uv
        self.delay_samples = self._band_pass.delay_samples
        self.spike_gain = self._band_pass.spike_gain

    def push(self, ticks: Ticks, forced: Bools) -> list[Filtered]:
        """``forced`` ``(n_ticks,)`` marks the train and the time after it that is never believed."""
        triggers = self._blanking.triggers(ticks)
        if not (self._blanking.any_blank() or forced.any() or triggers.any()):
            return [self._part(ticks, triggers, forced)]
        # Blanking asks for the baseline, which changes with the seconds: no part may cross a second.
        seconds = np.array([self._grid.second_of(ticks.first + tick) for tick in range(ticks.n)])
        cuts = [0, *(np.flatnonzero(np.diff(seconds)) + 1).tolist(), ticks.n]
        return [
            self._part(ticks.part(start, stop), triggers[:, start:stop], forced[start:stop])
            for start, stop in pairwise(cuts)
        ]

    def _part(self, ticks: Ticks, triggers: Bools, forced: Bools) -> Filtered:
        completed = self.seconds.turn_to(ticks.first)
        drift_uv = self._settings.drift_of_baseline * np.nan_to_num(self.seconds.in_force_uv, nan=np.inf)
        blank, resumptions = self._blanking.push(ticks, triggers, forced, drift_uv)
        y = self._band_pass.push(ticks.groups_uv, blank, resumptions)
        peak = fold(np.maximum, np.abs(y), self._grid.groups)
        dirty = blank | ticks.clipped | ticks.lost
        baseline, rough, later = self.seconds.push(ticks.first, peak, ticks.roughness_uv, dirty)
        completed += later
        return Filtered(ticks.first, y, peak, ticks.roughness_uv, blank, ticks.lost, baseline, rough, completed)


def _ramp_state(sos: Floats, step: Floats, n: int) -> Floats:
    """State just after a unit ramp from long ago reaches 0: finite, the band-pass having a double zero at DC."""
    ramp = np.arange(1 - n, 1, dtype=np.float64)
    _, state = signal.sosfilt(sos, ramp, zi=step * ramp[0])
    return np.asarray(state)


def _group_delay(sos: Floats, rate_hz: float) -> float:
    """In groups, from the phase slope between 12 and 20 Hz, where most of a spike lies."""
    upper = min(20.0, 0.3 * rate_hz)
    lower = min(12.0, 0.6 * upper)
    _, response = signal.sosfreqz(sos, worN=np.array([lower, upper]), fs=rate_hz)
    phase = np.unwrap(np.angle(response))
    return float(-(phase[1] - phase[0]) / (2 * np.pi * (upper - lower)) * rate_hz)


def _spike_gain(sos: Floats, rate_hz: float) -> float:
    """Half way between what the filter leaves of a sharp wave, whose peak its high-pass lowers, and of a smooth one.

    So a sharp wave is rated a little too low, and a smooth rhythm up to a quarter too high.
    """
    time_s = np.arange(-round(5 * SPIKE_WIDTH_S * rate_hz), 1) / rate_hz
    rise = np.exp(-0.5 * (time_s / SPIKE_WIDTH_S) ** 2)
    return (1 + float(signal.sosfilt(sos, np.concatenate([rise, rise[-2::-1]])).max())) / 2
