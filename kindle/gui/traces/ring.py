"""The last two minutes of every channel as lowest and highest of short buckets, in memory that never grows."""

from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from drivers.interface import Block
from kindle.gui.traces.settings import LONGEST_S, SHORTEST_S

FINEST_COLUMNS = 4096
"""Of the widest screen in the shortest window: what lies closer together is one bucket."""
NOTHING_LOW, NOTHING_HIGH = 32767, -32768
"""A bucket without a sample: any sample is lower, and higher."""

Ints = NDArray[np.int16]


def samples_per_bucket(rate_hz: float) -> int:
    return max(1, floor(rate_hz * SHORTEST_S / FINEST_COLUMNS))


class EnvelopeRing:
    """Buckets are counted from sample 0 of the recording; each holds the lowest and the highest of its samples."""

    def __init__(self, n_channels: int, rate_hz: float, kept_s: float = LONGEST_S) -> None:
        self.bucket_samples = samples_per_bucket(rate_hz)
        # One more, because the newest bucket may hold a single sample; and one window's last column looks back.
        self.n_buckets = ceil(kept_s * rate_hz / self.bucket_samples) + 2
        self.n_samples = 0
        """One past the newest sample taken in."""
        self.first_bucket = 0
        """The oldest that is still kept."""
        self._low = np.full((n_channels, self.n_buckets), NOTHING_LOW, np.int16)
        self._high = np.full((n_channels, self.n_buckets), NOTHING_HIGH, np.int16)

    @property
    def end_bucket(self) -> int:
        """One past the last bucket that no later sample can change."""
        return self.n_samples // self.bucket_samples

    def push(self, first_sample: int, block: Block) -> None:
        """Samples that were passed over leave empty buckets; earlier ones than expected begin the ring anew."""
        if first_sample < self.n_samples:
            self.clear()
        if block.shape[1] == 0:
            return
        kept = self.n_buckets * self.bucket_samples
        if block.shape[1] > kept:
            first_sample, block = first_sample + block.shape[1] - kept, block[:, -kept:]
        size = self.bucket_samples
        begun = ceil(self.n_samples / size)
        end_sample = first_sample + block.shape[1]
        first, last = first_sample // size, (end_sample - 1) // size
        self._empty(begun, last + 1)
        self._take(block, first_sample, first, last)
        self.n_samples = end_sample
        self.first_bucket = max(self.first_bucket, last + 1 - self.n_buckets)

    def read(self, first: int, last: int) -> tuple[Ints, Ints]:
        """Lowest and highest, ``(n_channels, last - first)``; empty where nothing is kept, or nothing came."""
        shape = (self._low.shape[0], max(0, last - first))
        low, high = np.full(shape, NOTHING_LOW, np.int16), np.full(shape, NOTHING_HIGH, np.int16)
        begin, end = max(first, self.first_bucket), min(last, -(-self.n_samples // self.bucket_samples))
        if begin < end:
            slots = np.arange(begin, end) % self.n_buckets
            low[:, begin - first : end - first] = self._low[:, slots]
            high[:, begin - first : end - first] = self._high[:, slots]
        return low, high

    def clear(self) -> None:
        self._low[:], self._high[:] = NOTHING_LOW, NOTHING_HIGH
        self.n_samples = self.first_bucket = 0

    def _empty(self, first: int, last: int) -> None:
        first = max(first, last - self.n_buckets)
        if first < last:
            slots = np.arange(first, last) % self.n_buckets
            self._low[:, slots], self._high[:, slots] = NOTHING_LOW, NOTHING_HIGH

    def _take(self, block: Block, first_sample: int, first: int, last: int) -> None:
        edges = np.arange(first, last + 1) * self.bucket_samples - first_sample
        edges[0] = 0
        slots = np.arange(first, last + 1) % self.n_buckets
        # The first bucket may hold samples already: reading and writing it with the others keeps them.
        self._low[:, slots] = np.minimum(self._low[:, slots], np.minimum.reduceat(block, edges, axis=1))
        self._high[:, slots] = np.maximum(self._high[:, slots], np.maximum.reduceat(block, edges, axis=1))


def columns(low: Ints, high: Ints, edges: NDArray[np.intp]) -> tuple[Ints, Ints]:
    """Lowest and highest between ``edges`` (indices into the buckets, rising); empty where two edges are the same."""
    n = edges.size - 1
    shape = (low.shape[0], n)
    lowest, highest = np.full(shape, NOTHING_LOW, np.int16), np.full(shape, NOTHING_HIGH, np.int16)
    filled = np.flatnonzero(edges[1:] > edges[:-1])
    if filled.size:
        # Empty columns begin where the next filled one does, so the filled ones alone cut the whole without overlap.
        starts, stop = edges[filled], edges[filled[-1] + 1]
        lowest[:, filled] = np.minimum.reduceat(low[:, :stop], starts, axis=1)
        highest[:, filled] = np.maximum.reduceat(high[:, :stop], starts, axis=1)
    return lowest, highest
