"""The signal of an open recording at any magnification, as fast as a person turns the wheel."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kindle.gui.review.coarse import Coarse, Filling, Outline, fine
from kindle.loading import load

READ_AT_ONCE = 3_000_000
"""Samples of all channels together that are read while a person waits."""


class Source:
    """Raises ``RecordingError`` for what cannot be read. ``close`` it: a thread looks through the file meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.signals = load(path)
        self.rate_hz = self.signals.rate_hz
        self.names = self.signals.names
        self.n_samples = self.signals.n_samples
        self.coarse = Coarse(len(self.names), self.n_samples)
        self._filling = Filling(self.coarse, lambda: load(path))

    @property
    def duration_s(self) -> float:
        return self.n_samples / self.rate_hz

    @property
    def filling(self) -> bool:
        """Whether the outline of the whole is still being made."""
        return self._filling.running

    @property
    def error(self) -> str:
        return "" if self._filling.error is None else str(self._filling.error)

    def wait(self) -> None:
        """Until the outline of the whole is there."""
        self._filling.wait()

    def close(self) -> None:
        self._filling.stop()

    def outline(self, names: Sequence[str], first: int, last: int, n: int) -> Outline:
        """At most ``n`` pieces of ``[first, last)``, from the samples themselves as long as that is quick."""
        first, last = max(0, first), min(self.n_samples, last)
        if last <= first:
            nothing = np.empty((len(names), 0), np.float32)
            return Outline(np.array([float(first)]), nothing, nothing)
        known = last <= self.coarse.n_known and (last - first) >= n * self.coarse.bucket_samples
        if known or (last - first) * len(names) > READ_AT_ONCE:
            return self.coarse.outline([self.names.index(name) for name in names], first, last, n)
        return fine(self.signals.read(names, first, last), first, n)
