"""Where the trains are: edges of a TTL as it streams, and trains found by the shape of their artefact."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.criterion import Stimulus

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


class ArtefactTrains:
    """Trains found by their artefact: jumps far beyond the signal's own that repeat evenly, 5 to 400 a second.

    Streaming, one channel, ``push`` in uV; ``trains`` after the last sample. A lone jump, or jumps without a rhythm
    (movement, a bad contact), are not taken for a train.
    """

    FEWEST_PULSES = 8
    FEWEST_SAMPLES = 5
    """From pulse to pulse: with fewer an even rhythm cannot be told from noise."""
    OUTSTANDING = 12.0
    """Times the median of the largest sample-to-sample step of each 0.1 s."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._frame = max(2, round(0.1 * rate_hz))
        self._rest = np.zeros(0)
        self._last: float | None = None
        self._n = 0
        self._steps: list[float] = []
        self._large: list[tuple[int, float]] = []

    def push(self, uv: NDArray[np.float64]) -> None:
        whole = np.concatenate([self._rest, uv])
        for start in range(0, whole.size - self._frame + 1, self._frame):
            frame = whole[start : start + self._frame]
            before = frame[0] if self._last is None else self._last
            steps = np.abs(np.diff(frame, prepend=before))
            top = float(steps.max())
            self._steps.append(top)
            if top > 0:
                for at in np.flatnonzero(steps >= 0.3 * top)[:64].tolist():
                    self._large.append((self._n + at, float(steps[at])))
            self._last = float(frame[-1])
            self._n += self._frame
        self._rest = whole[whole.size // self._frame * self._frame :]
        self._prune()

    def trains(self) -> list[Stimulus]:
        """Those with an even rhythm, each from its first pulse to one period after the last."""
        limit = self._limit()
        pulses: list[int] = []
        for sample, step in self._large:
            if step > limit and (not pulses or sample - pulses[-1] > 0.002 * self._rate_hz):
                pulses.append(sample)
        groups: list[list[int]] = []
        for sample in pulses:
            if groups and sample - groups[-1][-1] <= 0.25 * self._rate_hz:
                groups[-1].append(sample)
            else:
                groups.append([sample])
        return [train for group in groups if (train := self._as_train(group))]

    def _limit(self) -> float:
        return self.OUTSTANDING * float(np.median(self._steps)) if self._steps else np.inf

    def _prune(self) -> None:
        """Forget steps that are ordinary by now, so that memory follows the number of artefacts."""
        if len(self._large) > 20_000:
            limit = 0.5 * self._limit()
            self._large = [large for large in self._large if large[1] > limit]

    def _as_train(self, pulses: Sequence[int]) -> Stimulus | None:
        if len(pulses) < self.FEWEST_PULSES:
            return None
        intervals = np.diff(pulses)
        period = float(np.median(intervals))
        multiples = np.maximum(1, np.round(intervals / period))
        uneven = np.abs(intervals - multiples * period) > max(1.0, 0.1 * period)
        if uneven.mean() > 0.2 or not max(self._rate_hz / 400, self.FEWEST_SAMPLES) <= period <= self._rate_hz / 5:
            return None
        return Stimulus(int(pulses[0]), int(pulses[-1] + max(1, round(period))))
