"""One output pin of a board, in volts: what it has put out, and what it will if nobody intervenes."""

from bisect import bisect_right
from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.stimulator_output import Marker


class OutputLine:
    """Piecewise constant; 0 V at power-on. A pin keeps its last level until something changes it."""

    def __init__(self) -> None:
        self._times_us = [0]
        self._volts = [0.0]
        self._lock = Lock()

    def set(self, volts: float, at_us: int) -> None:
        """From ``at_us`` on; whatever was planned beyond is dropped."""
        self.plan([at_us], [volts])

    def plan(self, times_us: Sequence[int], volts: Sequence[float]) -> None:
        """From ``times_us[i]`` on it will be ``volts[i]``; replaces what was planned from ``times_us[0]`` on."""
        with self._lock:
            self._drop_from(times_us[0])
            self._times_us += times_us
            self._volts += volts

    def hold(self, at_us: int) -> None:
        """The level of ``at_us`` stays; what was planned beyond does not happen."""
        with self._lock:
            self._drop_from(at_us + 1)

    def volts_at(self, at_us: int) -> float:
        with self._lock:
            return self._volts[max(bisect_right(self._times_us, at_us) - 1, 0)]

    def between(self, start_us: int, end_us: int) -> Marker:
        """What stands at the pin in ``[start_us, end_us)``; begins at ``start_us`` exactly."""
        with self._lock:
            first = max(bisect_right(self._times_us, start_us) - 1, 0)
            last = max(bisect_right(self._times_us, end_us - 1), first + 1)
            times_us = np.array(self._times_us[first:last], np.int64)
            volts = np.array(self._volts[first:last], np.float64)
        times_us[0] = start_us
        return Marker(times_us, volts)

    def signal(self, start_us: int, rate_hz: float, first: int, n: int) -> NDArray[np.float64]:
        """The pin as an input sees it that is wired to it: sample k at ``start_us + k / rate_hz``."""
        times_us = start_us + np.arange(first, first + n) * (1e6 / rate_hz)
        if n == 0:
            return np.empty(0)
        steps = self.between(int(times_us[0]), int(times_us[-1]) + 1)
        return np.asarray(steps.volts[np.searchsorted(steps.times_us, times_us, side="right") - 1])

    def _drop_from(self, at_us: int) -> None:
        """Forget changes at or after ``at_us``; the first entry, power-on, stays."""
        keep = max(bisect_right(self._times_us, at_us - 1), 1)
        del self._times_us[keep:], self._volts[keep:]
