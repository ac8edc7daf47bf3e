"""When the amplifier cannot be believed: train, clipping, loss and the recovery after them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detectors.ticks import Bools, Floats, Grid, Ticks

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

    def __init__(self, n_channels: int, grid: Grid, *, drift_limit_s: float) -> None:
        self._grid = grid
        self._drift_limit = grid.ticks(drift_limit_s)
        self._blank = np.zeros(n_channels, bool)
        self._calm = np.zeros(n_channels, int)
        self._patience = np.zeros(n_channels, int)
        self._means = np.zeros((n_channels, DRIFT_TICKS + 1))
        self._clipped = np.zeros((n_channels, CLIPPED_TICKS - 1), bool)

    def triggers(self, ticks: Ticks) -> Bools:
        """Ticks at which blanking would begin by itself, ``(n_channels, n_ticks)``; does not change anything."""
        history = np.concatenate([self._clipped, ticks.clipped], axis=1)
        saturated = history[:, CLIPPED_TICKS - 1 :].copy()
        for back in range(1, CLIPPED_TICKS):
            saturated &= history[:, CLIPPED_TICKS - 1 - back : history.shape[1] - back]
        return np.asarray(saturated | ticks.lost)

    def any_blank(self) -> bool:
        return bool(self._blank.any())

    def push(self, ticks: Ticks, triggers: Bools, forced: Bools, drift_uv: Floats) -> tuple[Bools, list[Resumption]]:
        """Blank ticks and resumptions. ``forced`` ``(n_ticks,)`` is the train; a tick mean that moves by more than
        ``drift_uv`` each tick in one direction is a recovery still going on."""
        blank = np.zeros(ticks.clipped.shape, bool)
        resumptions: list[Resumption] = []
        starts = triggers | forced
        means = np.concatenate([self._means, ticks.mean_uv], axis=1)
        for channel in np.flatnonzero(self._blank | starts.any(axis=1)):
            resumptions += self._channel(int(channel), ticks, starts[channel], forced, means[channel], drift_uv, blank)
        self._means = means[:, -(DRIFT_TICKS + 1) :].copy()
        self._clipped = np.concatenate([self._clipped, ticks.clipped], axis=1)[:, -(CLIPPED_TICKS - 1) :].copy()
        return blank, resumptions

    def _channel(
        self, channel: int, ticks: Ticks, starts: Bools, forced: Bools, means: Floats, drift_uv: Floats, blank: Bools
    ) -> list[Resumption]:
        resumptions: list[Resumption] = []
        onsets = np.flatnonzero(starts)
        bad = (ticks.clipped[channel] | ticks.lost[channel]).tolist()
        held = forced.tolist()
        levels = means.tolist()
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
                if patience <= 0 or not _drifts(recent, float(drift_uv[channel])):
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


def _drifts(means: list[float], limit_uv: float) -> bool:
    steps = [after - before for before, after in pairwise(means)]
    return all(step > limit_uv for step in steps) or all(step < -limit_uv for step in steps)
