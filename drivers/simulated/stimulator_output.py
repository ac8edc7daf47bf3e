"""What an emulated stimulator does to the world: its current, its marker, and how both are told to a bench."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Steps:
    """A piecewise constant current: from ``times_us[i]`` on it is ``ua[i]``. Both have shape ``(n_steps,)``."""

    times_us: NDArray[np.int64]
    ua: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Marker:
    """A piecewise constant TTL: from ``times_us[i]`` on it is ``volts[i]``. Both have shape ``(n_steps,)``."""

    times_us: NDArray[np.int64]
    volts: NDArray[np.float64]


class StimulatorOutput(Protocol):
    """A current source and its marker on the bench clock; asking lets time pass to ``end_us``.

    Both answers begin at ``start_us`` exactly, and what was answered once does not change any more.
    """

    def output(self, start_us: int, end_us: int) -> Steps:
        """The current that flowed in ``[start_us, end_us)``, compliance included; positive as the device counts."""
        ...

    def marker(self, start_us: int, end_us: int) -> Marker:
        """The TTL that is high for the length of every train, in ``[start_us, end_us)``."""
        ...


class LevelRecord:
    """The levels of one line, written as time goes on and read for any stretch of it; 0 before the first."""

    def __init__(self) -> None:
        self._times_us = [0]
        self._levels = [0.0]

    @property
    def level(self) -> float:
        return self._levels[-1]

    def set(self, level: float, at_us: int) -> None:
        """From ``at_us`` on, which is never before the last change."""
        if at_us < self._times_us[-1]:
            raise ValueError(f"the line changed at {self._times_us[-1]} us and cannot be changed at {at_us} us")
        if level == self._levels[-1]:
            return
        if at_us > self._times_us[-1]:
            self._times_us.append(at_us)
            self._levels.append(level)
        else:
            self._levels[-1] = level
            if len(self._levels) > 1 and self._levels[-2] == level:
                del self._times_us[-1], self._levels[-1]

    def cut(self, at_us: int) -> None:
        """Forget every change after ``at_us`` and be 0 from there on: the power is gone."""
        kept = max(bisect_right(self._times_us, at_us), 1)
        del self._times_us[kept:], self._levels[kept:]
        self.set(0.0, max(at_us, self._times_us[-1]))

    def between(self, start_us: int, end_us: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        first = max(bisect_right(self._times_us, start_us) - 1, 0)
        last = max(bisect_right(self._times_us, end_us - 1), first + 1)
        times_us = np.array(self._times_us[first:last], np.int64)
        times_us[0] = start_us
        return times_us, np.array(self._levels[first:last], np.float64)
