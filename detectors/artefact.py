"""Jumps far beyond a signal's own, as it streams, and the trains that they are the artefact of."""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from detectors.comb import HIDDEN_S, SLOWEST_HZ, Comb, Edges, Refused, combs
from detectors.criterion import Stimulus

OUTSTANDING = 12.0
"""Times the usual largest step from sample to sample of 0.1 s."""
FRAME_S, FRAMES_OF_SECOND, SECONDS_OF_PAGE = 0.1, 10, 10
REMEMBERED_SECONDS = 120
"""From which the usual step is taken: long enough that a train of half a minute is not usual."""
MOST_STEPS = 60_000
"""Of one stretch of jumps; a longer one is judged in parts, so that memory stays bounded."""
FLAT_S = 0.003
"""The level must stay for this long, and four samples, to be taken for a rail."""

Floats = NDArray[np.float64]


class ArtefactTrains:
    """Trains found by their artefact: jumps far beyond the signal's own, of one period and one shape.

    Streaming, one channel: ``push`` uV (NaN is a lost sample), then ask for ``trains`` and ``refused``. From 0.45 to
    400 pulses a second. A lone jump, or jumps without a rhythm (movement, a bad contact), are no train. Results do not
    depend on how the signal was cut; memory is bounded.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._frame = max(2, round(FRAME_S * rate_hz))
        self._page = self._frame * FRAMES_OF_SECOND * SECONDS_OF_PAGE
        self._ahead = max(4, ceil(FLAT_S * rate_hz), ceil(HIDDEN_S * rate_hz))
        self._pieces: list[Floats] = []
        self._held = 0
        self._first = 0
        self._last: float | None = None
        self._levels = np.zeros(0)
        self._at: list[NDArray[np.int64]] = []
        self._by: list[Floats] = []
        self._flat: list[NDArray[np.int64]] = []
        self._n_steps = 0
        self._found: list[Comb | Refused] = []
        self._finished = False

    def push(self, uv: Floats) -> None:
        """The next ``(n,)`` samples. Raises ``ValueError`` after the results were asked for."""
        if self._finished:
            raise ValueError("the trains were asked for already: make a new one for another signal")
        self._pieces.append(np.array(uv, np.float64))
        self._held += uv.size
        if self._held < self._page + self._ahead:
            return
        signal = np.concatenate(self._pieces)
        while signal.size >= self._page + self._ahead:
            self._take(signal[: self._page], signal[self._page : self._page + self._ahead])
            signal = signal[self._page :]
        self._pieces, self._held = [signal.copy()], signal.size

    def trains(self) -> list[Stimulus]:
        """In order of time, each from its first pulse to one period after the last; no samples may follow."""
        self._finish()
        return [found.stimulus for found in self._found if isinstance(found, Comb)]

    def refused(self) -> list[Refused]:
        """What was like a train and could not be told for certain; no samples may follow."""
        self._finish()
        return [found for found in self._found if isinstance(found, Refused)]

    def _finish(self) -> None:
        if self._finished:
            return
        self._finished = True
        if self._held:
            signal = np.concatenate(self._pieces)
            for first in range(0, signal.size, self._page):
                self._take(signal[first : first + self._page], signal[first + self._page :][: self._ahead])
        self._pieces = []
        self._judge()

    def _take(self, page: Floats, ahead: Floats) -> None:
        """A page of 10 s, always the same whatever the blocks were, and some of what follows it."""
        before = page[0] if self._last is None else self._last
        steps = np.empty(page.size + ahead.size)
        steps[0] = page[0] - before
        np.subtract(page[1:], page[:-1], out=steps[1 : page.size])
        if ahead.size:
            steps[page.size] = ahead[0] - page[-1]
            np.subtract(ahead[1:], ahead[:-1], out=steps[page.size + 1 :])
        tops = self._tops(steps[: page.size])
        if np.isnan(tops).any():
            steps[np.isnan(steps)] = 0.0
            tops = self._tops(steps[: page.size])
        whole = tops.size // FRAMES_OF_SECOND * FRAMES_OF_SECOND
        if whole:
            seconds = np.sort(tops[:whole].reshape(-1, FRAMES_OF_SECOND), axis=1)[:, FRAMES_OF_SECOND // 2]
            self._levels = np.concatenate([self._levels, seconds])[-REMEMBERED_SECONDS:]
        usual = float(np.median(self._levels)) if self._levels.size else float(np.median(tops))
        limit = max(OUTSTANDING * usual, 1e-6)
        if tops.max() > limit:
            self._collect(np.flatnonzero(np.abs(steps[: page.size]) > limit), steps)
        self._first += page.size
        self._last = float(page[-1])
        if self._at and self._first - int(self._at[-1][-1]) > self._rate_hz / SLOWEST_HZ:
            self._judge()

    def _tops(self, steps: Floats) -> Floats:
        """The largest step of each frame, the last of them possibly short."""
        whole = steps.size // self._frame * self._frame
        frames = steps[:whole].reshape(-1, self._frame)
        tops = np.maximum(frames.max(axis=1), -frames.min(axis=1))
        return np.append(tops, np.abs(steps[whole:]).max()) if whole < steps.size else np.asarray(tops)

    def _collect(self, large: NDArray[np.int64], steps: Floats) -> None:
        parts = np.flatnonzero(np.diff(large) > self._rate_hz / SLOWEST_HZ) + 1
        flat = self._staying(large, steps)
        for at, by, stays in zip(
            np.split(large + self._first, parts), np.split(steps[large], parts), np.split(flat, parts), strict=True
        ):
            if self._at and at[0] - self._at[-1][-1] > self._rate_hz / SLOWEST_HZ:
                self._judge()
            self._at.append(at)
            self._by.append(by)
            self._flat.append(stays)
            self._n_steps += at.size
            if self._n_steps > MOST_STEPS:
                self._judge()

    def _staying(self, large: NDArray[np.int64], steps: Floats) -> NDArray[np.int64]:
        """For how long the level stays from the second sample after each jump on; 0 where that is too short."""
        moves = np.append(np.flatnonzero(steps != 0), steps.size)
        after = large + 2
        lasts = moves[np.searchsorted(moves, after)] - after
        return np.where(lasts >= max(4, FLAT_S * self._rate_hz), lasts, 0)

    def _judge(self) -> None:
        """The stretch of jumps collected so far is over."""
        if self._at:
            edges = _edges(np.concatenate(self._at), np.concatenate(self._by), np.concatenate(self._flat))
            self._found += combs(edges, self._rate_hz)
        self._at, self._by, self._flat, self._n_steps = [], [], [], 0


def _edges(at: NDArray[np.int64], by: Floats, flat: NDArray[np.int64]) -> Edges:
    """Large steps one after the other and of one sign are one jump."""
    starts = np.flatnonzero(np.concatenate([[True], (np.diff(at) > 1) | (np.sign(by[1:]) != np.sign(by[:-1]))]))
    ends = np.append(starts[1:], at.size) - 1
    # The fourth power: nearly the steepest sample, but between two that are equally steep.
    weight = by**4
    middle = np.add.reduceat(weight * (at - at[0]), starts) / np.add.reduceat(weight, starts) + at[0]
    return Edges(middle, at[starts], at[ends] - at[starts] + 1, np.add.reduceat(by, starts), flat[ends])
