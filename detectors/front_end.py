"""Samples in, filtered ticks out: decimated, blanked, high-passed and with the baseline in force in each piece."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from detectors import kernels
from detectors.arrays import Bools, Floats, Indices
from detectors.baseline import REMEMBERED_S, SecondPeaks
from detectors.blanking import Blanking, Resumption
from detectors.grid import Grid
from detectors.response import Response
from detectors.ticks import HISTORY_TICKS, Ticks

Kind = TypeVar("Kind", bound=np.generic)

ROUGHNESS_TICKS = 50
"""Of so many ticks one is looked at for the roughness of the baseline."""
QUIET = 1.5
"""Roughness is sampled from ticks with a peak below this many baselines."""


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
    """Ticks ready for spikes; every array begins with ``HISTORY_TICKS`` before the ticks, ``first`` is behind them."""

    ticks: Ticks
    y_uv: Floats
    """``(n_channels, (HISTORY_TICKS + n) * groups)``, 0 where blank."""
    peak_uv: Floats
    """Largest ``|y|`` of each tick, ``(n_channels, HISTORY_TICKS + n)``."""
    blank: Bools
    any_blank: bool
    """Behind the history."""
    base_uv: Floats
    """The baseline in force at each tick; one number per channel for all ticks behind the history."""
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

    def push(self, groups_uv: Floats, blank: Bools | None, resumptions: Sequence[Resumption], y: Floats) -> None:
        """Fill ``y`` behind the history; ``blank`` and ``resumptions`` count ticks from there."""
        kept = HISTORY_TICKS * self._groups
        if not self._started:
            self._state = self._step * groups_uv[:, kept : kept + 1]
            self._started = True
        if blank is None and not resumptions:
            self._filter(groups_uv, kept, y.shape[1], np.arange(y.shape[0]), y)
            return
        dirty: Bools = np.zeros(y.shape[0], bool) if blank is None else np.asarray(blank.any(axis=1))
        for resumption in resumptions:
            dirty[resumption.channel] = True
        self._filter(groups_uv, kept, y.shape[1], np.flatnonzero(~dirty), y)
        y[dirty, kept:] = 0.0
        for channel in np.flatnonzero(dirty).tolist():
            held = np.zeros((y.shape[1] - kept) // self._groups, bool) if blank is None else blank[channel]
            resumed = {resumption.tick: resumption for resumption in resumptions if resumption.channel == channel}
            self._channel(channel, groups_uv, held, resumed, y)

    def _channel(
        self, channel: int, groups_uv: Floats, blank: Bools, resumed: dict[int, Resumption], y: Floats
    ) -> None:
        edges = np.flatnonzero(np.diff(np.concatenate([[True], blank, [True]]).astype(np.int8)))
        for start, stop in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
            # A span may also begin anew without a blank tick before it: the state then simply goes on.
            if resumption := resumed.get(start):
                before = resumption.value_uv - resumption.slope_uv
                self._state[channel] = self._step * before + self._ramp * resumption.slope_uv
            first, last = ((HISTORY_TICKS + tick) * self._groups for tick in (start, stop))
            self._filter(groups_uv, first, last, np.array([channel]), y)

    def _filter(self, x: Floats, first: int, last: int, channels: Indices, y: Floats) -> None:
        b, a = self.coefficients
        kernels.high_pass(x, first, last, channels, b, a, self._state, y)


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
        self._blanking = Blanking(
            n_channels, grid, drift_of_baseline=settings.drift_of_baseline, drift_limit_s=settings.drift_limit_s
        )
        self._high_pass = HighPass(n_channels, grid, settings.low_hz)
        self.seconds = SecondPeaks(n_channels, grid, baseline_s, remembered_s)
        self.seconds.frozen_uv = fixed_uv
        self.response = Response(grid, self._high_pass.coefficients)
        self._y = np.zeros((n_channels, HISTORY_TICKS * grid.groups))
        self._peak = np.zeros((n_channels, HISTORY_TICKS))
        self._blank = np.ones((n_channels, HISTORY_TICKS), bool)
        self._base = np.full((n_channels, HISTORY_TICKS), np.nan)

    def push(self, ticks: Ticks, forced: Bools | None) -> Filtered:
        """``forced`` ``(n_ticks,)`` marks the train and the time after it that is never believed."""
        completed = self.seconds.turn_to(ticks.first)
        in_force = self.seconds.in_force_uv
        blanked, resumptions = self._blanking.push(ticks, forced, in_force)
        y, peak = _behind(self._y, ticks.n * self._grid.groups), _behind(self._peak, ticks.n)
        blank, base = _behind(self._blank, ticks.n), _behind(self._base, ticks.n)
        blank[:, HISTORY_TICKS:] = False if blanked is None else blanked
        base[:, HISTORY_TICKS:] = in_force[:, None]
        self._high_pass.push(ticks.groups_uv, blanked, resumptions, y)
        kernels.largest_of_ticks(y, self._grid.groups, HISTORY_TICKS, peak)
        rough = self.seconds.roughness_uv
        self._sample_roughness(ticks, peak, blank, in_force)
        completed += self.seconds.push(ticks.first, peak, blank, HISTORY_TICKS)
        self._y, self._peak = y[:, -self._y.shape[1] :].copy(), peak[:, -HISTORY_TICKS:].copy()
        self._blank, self._base = blank[:, -HISTORY_TICKS:].copy(), base[:, -HISTORY_TICKS:].copy()
        return Filtered(ticks, y, peak, blank, blanked is not None, base, rough, completed)

    def _sample_roughness(self, ticks: Ticks, peak: Floats, blank: Bools, in_force_uv: Floats) -> None:
        chosen = np.arange(-ticks.first % ROUGHNESS_TICKS, ticks.n, ROUGHNESS_TICKS)
        if chosen.size:
            rough = np.empty((peak.shape[0], chosen.size))
            kernels.roughness_where_quiet(
                ticks.raw, HISTORY_TICKS + chosen, self._grid.groups, self._grid.decimation, ticks.uv_per_count,
                peak, blank, QUIET * in_force_uv, rough,
            )  # fmt: skip
            self.seconds.note_roughness(rough)


def _behind(history: NDArray[Kind], n: int) -> NDArray[Kind]:
    """``history`` with room for ``n`` more behind it."""
    whole: NDArray[Kind] = np.empty((history.shape[0], history.shape[1] + n), history.dtype)
    whole[:, : history.shape[1]] = history
    return whole


def _ramp_state(coefficients: tuple[Floats, Floats], step: Floats, n: int) -> Floats:
    """State just after a unit ramp from long ago reaches 0: finite, the high-pass having a double zero at DC."""
    ramp = np.arange(1 - n, 1, dtype=np.float64)
    _, state = signal.lfilter(*coefficients, ramp, zi=step * ramp[0])
    return np.asarray(state)
