"""When the amplifier cannot be believed: train, clipping, loss and the recovery after them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detectors.arrays import Bools, Floats
from detectors.grid import Grid
from detectors.ticks import Ticks

CALM_TICKS = 3
"""Free of clipping before the signal is believed again; slope and value at the resumption come from them."""
CLIPPED_TICKS = 4
"""In a row: a large spike touches the rail for less, a saturated amplifier for longer."""
DRIFT_TICKS = 4


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where a channel is believed again; the filter goes on from a ramp through ``value_uv`` at its first group."""

    channel: int
    tick: int
    """Index within the ticks given."""
    value_uv: float
    slope_uv: float
    """Per group."""


class Blanking:
    """Per channel: blank from a train or saturation until the signal is on its way again."""

    def __init__(self, n_channels: int, grid: Grid, *, drift_of_baseline: float, drift_limit_s: float) -> None:
        self._grid = grid
        self._drift_of_baseline = drift_of_baseline
        self._drift_limit = grid.ticks(drift_limit_s)
        self._blank = np.zeros(n_channels, bool)
        self._calm = np.zeros(n_channels, int)
        self._patience = np.zeros(n_channels, int)
        self._clipped = np.zeros((n_channels, CLIPPED_TICKS - 1), bool)

    def push(self, ticks: Ticks, forced: Bools | None, baseline_uv: Floats) -> tuple[Bools | None, list[Resumption]]:
        """Which ticks are blank, and where channels come back, in order. ``forced`` ``(n_ticks,)`` marks the train; a
        tick mean that moves by a share of the baseline each tick in one direction is a recovery still going on.

        ``None`` where nothing is blank.
        """
        triggers = self._triggers(ticks)
        if triggers is None and forced is None and not self._blank.any():
            return None, []
        starts = np.zeros((self._blank.size, ticks.n), bool) if triggers is None else triggers
        if forced is not None:
            starts = starts | forced
        held = [False] * ticks.n if forced is None else forced.tolist()
        blank = np.zeros(starts.shape, bool)
        drift_uv = self._drift_of_baseline * np.where(np.isnan(baseline_uv), np.inf, baseline_uv)
        resumptions: list[Resumption] = []
        for channel in np.flatnonzero(self._blank | starts.any(axis=1)).tolist():
            resumptions += self._channel(channel, ticks, starts[channel], held, float(drift_uv[channel]), blank)
        return blank, resumptions

    def _triggers(self, ticks: Ticks) -> Bools | None:
        """Ticks at which blanking begins by itself, ``(n_channels, n_ticks)``."""
        saturated: Bools | None = None
        if ticks.clipped is not None or self._clipped.any():
            clipped = np.zeros((self._blank.size, ticks.n), bool) if ticks.clipped is None else ticks.clipped
            history = np.concatenate([self._clipped, clipped], axis=1)
            saturated = history[:, CLIPPED_TICKS - 1 :].copy()
            for back in range(1, CLIPPED_TICKS):
                saturated &= history[:, CLIPPED_TICKS - 1 - back : history.shape[1] - back]
            self._clipped = history[:, 1 - CLIPPED_TICKS :].copy()
        if ticks.lost is None:
            return saturated
        return ticks.lost.copy() if saturated is None else np.asarray(saturated | ticks.lost)

    def _channel(
        self, channel: int, ticks: Ticks, starts: Bools, held: list[bool], drift_uv: float, blank: Bools
    ) -> list[Resumption]:
        resumptions: list[Resumption] = []
        onsets = np.flatnonzero(starts)
        bad = _disturbed(ticks, channel)
        levels = ticks.means_uv(channel, DRIFT_TICKS + 1)
        blanked, calm, patience = bool(self._blank[channel]), int(self._calm[channel]), int(self._patience[channel])
        tick, n = 0, ticks.n
        while tick < n:
            if not blanked:
                following = onsets[np.searchsorted(onsets, tick) :]
                if not following.size:
                    break
                tick, blanked, calm = int(following[0]), True, 0
            disturbed = bad[tick]
            if not (disturbed or held[tick]) and calm >= CALM_TICKS:
                recent = levels[tick : tick + DRIFT_TICKS + 1]
                if patience <= 0 or not _drifts(recent, drift_uv):
                    slope = (recent[-1] - recent[-3]) / (2 * self._grid.groups)
                    value = recent[-1] + slope * (self._grid.groups + 1) / 2
                    resumptions.append(Resumption(channel, tick, value, slope))
                    blanked = False
                    tick += 1
                    continue
            blank[channel, tick] = True
            calm = 0 if disturbed else calm + 1
            patience = self._drift_limit if disturbed or held[tick] else patience - 1
            tick += 1
        self._blank[channel], self._calm[channel], self._patience[channel] = blanked, calm, patience
        return resumptions


def _disturbed(ticks: Ticks, channel: int) -> list[bool]:
    bad = np.zeros(ticks.n, bool)
    for marks in (ticks.clipped, ticks.lost):
        if marks is not None:
            bad |= marks[channel]
    marked: list[bool] = bad.tolist()
    return marked


def _drifts(means: list[float], limit_uv: float) -> bool:
    steps = [after - before for before, after in pairwise(means)]
    return all(step > limit_uv for step in steps) or all(step < -limit_uv for step in steps)
