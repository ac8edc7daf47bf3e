"""Blocks from the thread that records to the window that shows them: bounded, and nobody ever waits."""

import threading
from collections import deque

import numpy as np

from drivers.interface import Block


class Mailbox:
    """Holds about ``capacity`` samples per channel; where the window is slower than that, the oldest go, counted."""

    def __init__(self, capacity: int) -> None:
        self.n_dropped = 0
        """Samples per channel that were never shown."""
        self._capacity = capacity
        self._blocks: deque[tuple[int, Block]] = deque()
        self._n_held = 0
        self._lock = threading.Lock()

    def put(self, first_sample: int, block: Block) -> None:
        """From any thread; the block is copied. The newest is held whatever its length."""
        copied = np.array(block, np.int16)
        with self._lock:
            self._blocks.append((first_sample, copied))
            self._n_held += copied.shape[1]
            while self._n_held > self._capacity and len(self._blocks) > 1:
                _, oldest = self._blocks.popleft()
                self._n_held -= oldest.shape[1]
                self.n_dropped += oldest.shape[1]

    def take(self) -> list[tuple[int, Block]]:
        """Everything that is there, in the order in which it came."""
        with self._lock:
            taken = list(self._blocks)
            self._blocks.clear()
            self._n_held = 0
        return taken
