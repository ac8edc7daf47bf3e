"""A whole recording as lowest and highest of buckets: hours are seen at once, in memory that is bounded."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from kindle.loading import Signals

WINDOW_SAMPLES = 1 << 18
"""Samples of all channels that are read at once."""
MOST_BUCKETS = 1 << 23
"""Of all channels together, 8 bytes each."""
FINEST_SAMPLES = 64

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Lowest and highest of a stretch in pieces of even length, ``(n_channels, n)``; NaN where nothing is stored."""

    edges: NDArray[np.float64]
    """``n + 1`` borders, in samples."""
    low: Floats32
    high: Floats32


class Coarse:
    """Filled from the beginning on, by one thread, while others look at what is there already."""

    def __init__(self, n_channels: int, n_samples: int) -> None:
        most = max(1, MOST_BUCKETS // max(1, n_channels))
        self.bucket_samples = max(FINEST_SAMPLES, ceil(n_samples / most))
        n = ceil(n_samples / self.bucket_samples)
        self.n_samples = n_samples
        self.n_known = 0
        """Samples that have been looked at."""
        self._low = np.full((n_channels, n), np.nan, np.float32)
        self._high = np.full((n_channels, n), np.nan, np.float32)

    def push(self, block: NDArray[np.float64]) -> None:
        """The next ``(n_channels, n)``; every block but the last holds whole buckets."""
        first = self.n_known // self.bucket_samples
        edges = np.arange(0, block.shape[1], self.bucket_samples)
        low, high = (op.reduceat(block, edges, axis=1) for op in (np.fmin, np.fmax))
        self._low[:, first : first + edges.size] = low
        self._high[:, first : first + edges.size] = high
        self.n_known += block.shape[1]

    def outline(self, rows: Sequence[int], first: int, last: int, n: int) -> Outline:
        """Of ``[first, last)`` in at most ``n`` pieces, none finer than a bucket."""
        size = self.bucket_samples
        begin, end = first // size, min(self._low.shape[1], ceil(last / size))
        edges = np.unique(np.linspace(begin, max(begin + 1, end), max(1, n) + 1).astype(np.intp))
        edges[-1] = min(edges[-1], self._low.shape[1])
        low = np.fmin.reduceat(self._low[list(rows), : edges[-1]], edges[:-1], axis=1)
        high = np.fmax.reduceat(self._high[list(rows), : edges[-1]], edges[:-1], axis=1)
        return Outline((edges * size).astype(np.float64), low, high)


def fine(values: NDArray[np.float64], first: int, n: int) -> Outline:
    """The same of samples themselves, ``(n_channels, n_samples)`` from sample ``first`` on."""
    n_samples = values.shape[1]
    edges = np.unique(np.linspace(0, n_samples, min(n, n_samples) + 1).astype(np.intp))
    low = np.fmin.reduceat(values, edges[:-1], axis=1).astype(np.float32)
    high = np.fmax.reduceat(values, edges[:-1], axis=1).astype(np.float32)
    return Outline(first + edges.astype(np.float64), low, high)


def fill(coarse: Coarse, signals: Signals, wanted: Callable[[], bool]) -> None:
    """Look at the whole recording once; ends early where it is not ``wanted`` any more."""
    step = max(1, WINDOW_SAMPLES // len(signals.names) // coarse.bucket_samples) * coarse.bucket_samples
    for first in range(0, signals.n_samples, step):
        if not wanted():
            return
        coarse.push(signals.read(signals.names, first, min(signals.n_samples, first + step)))


class Filling:
    """``fill`` in a thread of its own, with signals of its own: readers of files are not made for two."""

    def __init__(self, coarse: Coarse, opened: Callable[[], Signals]) -> None:
        self.error: Exception | None = None
        self._wanted = True
        self._thread = threading.Thread(target=self._run, args=(coarse, opened), name="outline", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def wait(self) -> None:
        self._thread.join()

    def stop(self) -> None:
        """Returns once the thread has ended."""
        self._wanted = False
        self._thread.join()

    def _run(self, coarse: Coarse, opened: Callable[[], Signals]) -> None:
        try:
            fill(coarse, opened(), lambda: self._wanted)
        except Exception as error:  # told in the window: a thread has nobody else to tell
            self.error = error
