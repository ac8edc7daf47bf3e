"""Where the trains are: the edges of a TTL as it streams, or the artefact that they leave in the brain signal."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.artefact import ArtefactTrains
from detectors.criterion import Stimulus

__all__ = ["ArtefactTrains", "Edge", "TtlEdges", "trains_of"]

JOIN_S = 0.5
"""Pulses, of a TTL that marks each of them, closer together than this belong to one train."""


@dataclass(frozen=True, slots=True)
class Edge:
    """``sample``, absolute, is the first one on the new side."""

    sample: int
    rising: bool


class TtlEdges:
    """Edges of a TTL row in counts: high from ``threshold_high`` on, low again at ``threshold_low`` or below.

    Before the first sample the line counts as low, so a row that begins high has an edge at its first sample.
    """

    def __init__(self, threshold_low: float, threshold_high: float) -> None:
        if not threshold_low < threshold_high:
            raise ValueError(f"expected a low threshold below the high one, got {threshold_low} and {threshold_high}")
        self._low, self._high = threshold_low, threshold_high
        self._is_high = False
        self.n_samples = 0

    def push(self, row: NDArray[Any]) -> list[Edge]:
        """The edges in the next samples, ``(n,)``, whatever the sizes of the pieces."""
        first, self.n_samples = self.n_samples, self.n_samples + row.size
        decided = np.flatnonzero((row >= self._high) | (row <= self._low))
        if not decided.size:
            return []
        high = row[decided] >= self._high
        changed = high != np.concatenate([[self._is_high], high[:-1]])
        self._is_high = bool(high[-1])
        return [
            Edge(first + sample, rising)
            for sample, rising in zip(decided[changed].tolist(), high[changed].tolist(), strict=True)
        ]

    def skip(self, n_lost: int) -> None:
        """Samples that are missing: time passes, the level is taken to have stayed."""
        self.n_samples += n_lost


def trains_of(edges: Iterable[Edge], rate_hz: float, n_samples: int) -> list[Stimulus]:
    """Trains from the edges of a TTL that gates each train or marks each pulse; one still high ends with the signal."""
    trains: list[Stimulus] = []
    onset: int | None = None
    for edge in edges:
        if edge.rising:
            onset = edge.sample
        elif onset is not None:
            _join(trains, Stimulus(onset, edge.sample), rate_hz)
            onset = None
    if onset is not None:
        _join(trains, Stimulus(onset, n_samples), rate_hz)
    return trains


def _join(trains: list[Stimulus], train: Stimulus, rate_hz: float) -> None:
    if trains and train.onset_sample - trains[-1].end_sample <= JOIN_S * rate_hz:
        trains[-1] = Stimulus(trains[-1].onset_sample, train.end_sample)
    else:
        trains.append(train)
