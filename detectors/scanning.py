"""The baseline of a whole recording, for scanning it for seizures when it has no quiet stretch before them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.arrays import Floats
from detectors.baseline import FEWEST_SECONDS, LEAST_UV
from detectors.front_end import Conditioner, FrontEnd
from detectors.grid import Grid
from detectors.ticks import TickMaker

CONTRAST = 2.5
"""Two levels are told apart when their medians differ by this factor; less is one level with fluctuations."""
FEWEST_SHARE = 0.08
"""Of the seconds, that the lower level must make up to be the baseline."""


class BaselineScan:
    """First of two passes: push the whole recording, then ask. For recordings up to ``longest_s``."""

    def __init__(
        self,
        n_channels: int,
        rate_hz: float,
        resolution_uv: Sequence[float],
        *,
        rails: Sequence[tuple[float, float] | None] | None = None,
        settings: FrontEnd | None = None,
        longest_s: float = 600.0,
    ) -> None:
        grid = Grid.of(rate_hz)
        self._maker = TickMaker(n_channels, grid, resolution_uv, list(rails or [None] * n_channels))
        self._conditioner = Conditioner(
            n_channels, grid, baseline_s=30.0, settings=settings or FrontEnd(), remembered_s=longest_s
        )

    def push(self, block: NDArray[Any]) -> None:
        for ticks in self._maker.take(block):
            self._conditioner.push(ticks, None)

    def baseline_uv(self) -> list[float]:
        """Per channel, NaN where fewer than 5 seconds were clean."""
        return [quiet_level(peaks[np.isfinite(peaks)]) for peaks in self._conditioner.seconds.remembered()]


def quiet_level(peaks_uv: Floats) -> float:
    """The median of the lower of two levels of the peaks of seconds, if there are two; the median of all if not.

    The levels are split where the logarithms differ most between the two and least within (Otsu 1979).
    """
    ascending = np.sort(peaks_uv[peaks_uv >= LEAST_UV])
    if ascending.size < FEWEST_SECONDS:
        return float("nan")
    logs = np.log(ascending)
    n = np.arange(1, logs.size)
    sums = np.cumsum(logs)[:-1]
    lower, upper = sums / n, (logs.sum() - sums) / (logs.size - n)
    split = int(np.argmax(n * (logs.size - n) * (upper - lower) ** 2)) + 1
    quiet, loud = ascending[:split], ascending[split:]
    enough = quiet.size >= max(FEWEST_SECONDS, FEWEST_SHARE * ascending.size)
    if enough and np.median(loud) >= CONTRAST * np.median(quiet):
        return float(np.median(quiet))
    return float(np.median(ascending))
