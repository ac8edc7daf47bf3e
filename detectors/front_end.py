"""Samples in, filtered ticks out: decimated, blanked, high-passed and with the baseline in force in each piece."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import signal

from detectors.baseline import QUIET, REMEMBERED_S, SecondPeaks
from detectors.blanking import Blanking, Resumption
from detectors.response import Response
from detectors.ticks import HISTORY_TICKS, Bools, Floats, Grid, Raw, Ticks, fold

ROUGHNESS_TICKS = 50
"""Of so many ticks one is looked at for the roughness of the baseline."""


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """Settings before the criterion; each is a property of amplifiers and spikes, not of a laboratory's rule."""

    low_hz: float = 2.0
    """Corner of the high-pass; the low-pass is that of the decimation, -3 dB near 80 Hz."""
    blank_after_train_s: float = 0.1
    drift_of_baseline: float = 0.5
    """A tick mean that moves by this much of the baseline each tick, one way, is an amplifier recovering."""
    drift_limit_s: float = 1.5
    jagged: float = 9.0
    """Path of the filtered signal around a spike over its height, above which it is muscle."""
    rough: float = 4.0
    """Roughness around a spike over that of the baseline, above which it is muscle,"""
    rough_of_spike: float = 0.3
    """if it is this much of the spike as well."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """Ticks ready for spikes; shapes as in ``Ticks``, ``y_uv`` without history, 0 where blank."""

    ticks: Ticks
    y_uv: Floats
    """``(n_channels, n * groups)``."""
    peak_uv: Floats
    """Largest ``|y|`` of each tick, ``(n_channels, n)``."""
    blank: Bools | None
    baseline_uv: Floats
    """In force in all of these ticks, ``(n_channels,)``."""
    baseline_roughness_uv: Floats
    disconnected: list[tuple[int, Bools]]
    """Absolute seconds completed in these ticks in which a channel was disconnected, and which."""

    @property
    def first(self) -> int:
        return self.ticks.first

    @property
    def n(self) -> int:
        return self.ticks.n


class HighPass:
    """Causal Butterworth of second order with carried state; its time runs on each channel's live spans only."""

    def __init__(self, n_channels: int, grid: Grid, low_hz: float) -> None:
        self._groups = grid.groups
        self.coefficients = signal.butter(2, low_hz, "highpass", fs=grid.group_hz)
        self._step = signal.lfilter_zi(*self.coefficients)
        self._ramp = _ramp_state(self.coefficients, self._step, round(20 * grid.group_hz))
        self._state = np.zeros((n_channels, 2))
        self._started = False

    def push(self, groups_uv: Floats, blank: Bools | None, resumptions: Sequence[Resumption]) -> Floats:
        if not self._started:
            self._state = self._step * groups_uv[:, :1]
            self._started = True
        if blank is None and not resumptions:
            y, self._state = signal.lfilter(*self.coefficients, groups_uv, axis=1, zi=self._state)
            return np.asarray(y)
        dirty = np.zeros(groups_uv.shape[0], bool)
        if blank is not None:
            dirty |= blank.any(axis=1)
        for resumption in resumptions:
            dirty[resumption.channel] = True
        y = np.zeros(groups_uv.shape)
        clean = np.flatnonzero(~dirty)
        if clean.size:
            y[clean], self._state[clean] = signal.lfilter(
                *self.coefficients, groups_uv[clean], axis=1, zi=self._state[clean]
            )
        for channel in np.flatnonzero(dirty).tolist():
            held = np.zeros(groups_uv.shape[1] // self._groups, bool) if blank is None else blank[channel]
            self._channel(channel, groups_uv, held, resumptions, y)
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
                self._state[channel] = self._step * before + self._ramp * resumption.slope_uv
            span = slice(start * self._groups, stop * self._groups)
            y[channel, span], self._state[channel] = signal.lfilter(
                *self.coefficients, groups_uv[channel, span], zi=self._state[channel]
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
        self._high_pass = HighPass(n_channels, grid, settings.low_hz)
        self.seconds = SecondPeaks(n_channels, grid, baseline_s, remembered_s)
        self.seconds.frozen_uv = fixed_uv
        self.response = Response(grid, self._high_pass.coefficients)

    def push(self, ticks: Ticks, forced: Bools | None) -> Filtered:
        """``forced`` ``(n_ticks,)`` marks the train and the time after it that is never believed."""
        completed = self.seconds.turn_to(ticks.first)
        in_force = self.seconds.in_force_uv
        drift_uv = self._settings.drift_of_baseline * np.nan_to_num(in_force, nan=np.inf)
        blank, resumptions = self._blanking.push(ticks, forced, drift_uv)
        y = self._high_pass.push(ticks.groups_uv[:, HISTORY_TICKS * self._grid.groups :], blank, resumptions)
        peak = fold(np.maximum, np.abs(y), self._grid.groups)
        rough = self.seconds.roughness_uv
        self._sample_roughness(ticks, peak, blank, in_force)
        completed += self.seconds.push(ticks.first, peak, blank)
        return Filtered(ticks, y, peak, blank, in_force, rough, completed)

    def _sample_roughness(self, ticks: Ticks, peak: Floats, blank: Bools | None, in_force_uv: Floats) -> None:
        chosen = np.arange(-ticks.first % ROUGHNESS_TICKS, ticks.n, ROUGHNESS_TICKS)
        if not chosen.size:
            return
        samples = self._grid.tick_samples
        raw = ticks.raw.reshape(ticks.raw.shape[0], -1, samples)[:, HISTORY_TICKS + chosen]
        loud = peak[:, chosen] > QUIET * in_force_uv[:, None]
        if blank is not None:
            loud |= blank[:, chosen]
        self.seconds.note_roughness(np.where(loud, np.nan, roughness(raw, self._grid) * np.abs(ticks.uv_per_count)))


def roughness(raw: Raw, grid: Grid) -> Floats:
    """Variation inside the groups of ticks, ``(..., tick_samples)``, that the slow signal does not explain: muscle and
    movement; 0 where there is no decimation."""
    if grid.decimation == 1:
        return np.zeros(raw.shape[:-1])
    grouped = raw.reshape(*raw.shape[:-1], grid.groups, grid.decimation)
    inside = grouped.max(axis=-1) - grouped.min(axis=-1)
    means = grouped.sum(axis=-1, dtype=np.float64) / grid.decimation
    slope = np.zeros(means.shape)
    steps = np.abs(np.diff(means, axis=-1))
    slope[..., 1:] += steps
    slope[..., :-1] += steps
    slope[..., 1:-1] /= 2
    return np.asarray(np.maximum(inside - slope, 0.0).sum(axis=-1))


def _ramp_state(coefficients: tuple[Floats, Floats], step: Floats, n: int) -> Floats:
    """State just after a unit ramp from long ago reaches 0: finite, the high-pass having a double zero at DC."""
    ramp = np.arange(1 - n, 1, dtype=np.float64)
    _, state = signal.lfilter(*coefficients, ramp, zi=step * ramp[0])
    return np.asarray(state)
