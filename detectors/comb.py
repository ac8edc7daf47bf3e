"""Trains among jumps of a signal: pulses that follow each other with one period and one shape. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray

from detectors.criterion import Stimulus

FEWEST_PULSES = 5
FEWEST_OF_SLOW = 8
"""Pulses slower than ``SLOW_HZ`` must be more, and steadier: spikes can be as regular as a few of them."""
FEWEST_OF_COARSE, COARSE_SAMPLES = 16, 10.0
"""Of pulses with fewer samples than this from one to the next, whose rhythm could be chance."""
FEWEST_OF_UNLIKE, LIKE, STEEP_S = 16, 0.1, 0.0025
"""Of pulses whose heights vary by more than this part (standard deviation), or whose edges take longer than this."""
SLOW_HZ, SLOWEST_HZ, FASTEST_HZ = 15.0, 0.45, 400.0
FEWEST_SAMPLES = 3.0
"""From pulse to pulse: with fewer an even rhythm cannot be told from noise."""
LEAST_ALIKE = 0.4
"""An edge this much smaller than those of the train belongs to something else."""
TOLERANCE_SAMPLES = 1.3
"""Edges of pulses between two samples are seen at the later one, so that they stray by one."""
LEADING = 0.6
"""An edge this high beside the highest of a pulse is part of its shape; lesser ones are the amplifier's own."""
LEAST_PURE = 0.7
"""Share of the large edges within a train that have their place in the shape of its pulses."""
MOST_MISSING = 0.05
RESIDUE_S = 0.5
"""Weaker pulses of a train's period that begin this soon after it are what leaks of it."""
HIDDEN_S = 0.5
"""A train of few pulses that ends in a longer saturation than this may have gone on inside it."""
ROUND_S = 0.002
MAINS_HZ = (50.0, 60.0)


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Jumps in order of time, one array entry each; ``amp_uv`` is signed, ``at`` where the jump is steepest."""

    at: NDArray[np.float64]
    first: NDArray[np.int64]
    """The first sample after the level before the jump."""
    width: NDArray[np.int64]
    """Samples that the jump takes."""
    amp_uv: NDArray[np.float64]
    flat: NDArray[np.int64]
    """Samples for which the level stays the same after the jump, up to ``HIDDEN_S``; 0 for a few."""

    def __len__(self) -> int:
        return int(self.at.size)


@dataclass(frozen=True, slots=True)
class Refused:
    """Something like a train, from ``first_sample`` to ``last_sample``, that may not be one, and why."""

    first_sample: int
    last_sample: int
    reason: str


@dataclass(frozen=True, slots=True)
class Comb:
    """Pulses ``0`` to ``n - 1`` at ``start + k * period``, in samples, the first seen at ``onset``."""

    start: float
    period: float
    n: int
    onset: int
    leading_uv: float
    """Height of the edge with which a pulse begins."""
    last_at: float

    @property
    def stimulus(self) -> Stimulus:
        """To one period after the last pulse, as a gate for that many pulses is open."""
        return Stimulus(self.onset, max(self.onset + 1, round(self.onset + self.n * self.period)))


def combs(edges: Edges, rate_hz: float) -> Iterator[Comb | Refused]:
    """Every train in ``edges``, in order of time, and what could not be told from one."""
    search = _Search(edges, rate_hz)
    seed = 0
    train: Comb | None = None
    while seed < len(edges):
        found = search.from_seed(seed)
        if found is None:
            seed += 1
            continue
        members, outcome = found
        if isinstance(outcome, Refused):
            yield outcome
        elif train is None or not _residue(outcome, train, rate_hz):
            yield outcome
            train = outcome
        seed = max(members) + 1


def _residue(later: Comb, train: Comb, rate_hz: float) -> bool:
    if later.onset > train.stimulus.end_sample + RESIDUE_S * rate_hz or abs(later.leading_uv) > LEAST_ALIKE * abs(
        train.leading_uv
    ):
        return False
    return abs(later.period - train.period) <= 0.01 * train.period


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Offset within the period and height, in uV, of every edge that at least half of the pulses have."""

    leading_uv: float
    repeated: tuple[tuple[float, float], ...]

    @property
    def shape(self) -> list[tuple[float, float]]:
        """The edges that make up a pulse, in order; the leading one, at 0, is always one of them."""
        top = max([abs(self.leading_uv), *(abs(amp) for _, amp in self.repeated)])
        later = [
            (at, amp)
            for at, amp in self.repeated
            if (at > 2 * TOLERANCE_SAMPLES or amp * self.leading_uv < 0) and abs(amp) >= LEADING * top
        ]
        return [(0.0, self.leading_uv), *sorted(later)]


class _Search:
    def __init__(self, edges: Edges, rate_hz: float) -> None:
        self._edges, self._rate_hz = edges, rate_hz
        self._at: list[float] = edges.at.tolist()
        self._amp: list[float] = edges.amp_uv.tolist()
        self._shortest = max(FEWEST_SAMPLES, rate_hz / FASTEST_HZ - 1)
        self._longest = rate_hz / SLOWEST_HZ

    def from_seed(self, seed: int) -> tuple[list[int], Comb | Refused] | None:
        """The train whose first pulse begins with the edge ``seed``, and its edges; the shortest period wins."""
        tried = 0
        for second in range(seed + 1, len(self._at)):
            period = self._at[second] - self._at[seed]
            if period > self._longest or tried >= 12:
                return None
            if period < self._shortest or not self._alike(second, self._amp[seed]):
                continue
            tried += 1
            chain = self._chain(seed, second)
            if len(chain) >= self._fewest(period) and (found := self._judged(chain)):
                return list(chain.values()), found
        return None

    def _fewest(self, period: float) -> int:
        if period < COARSE_SAMPLES:
            return FEWEST_OF_COARSE
        return FEWEST_OF_SLOW if period > self._rate_hz / SLOW_HZ else FEWEST_PULSES

    def _fewest_like(self, members: NDArray[np.int64]) -> int:
        """A few spikes, or waves of muscle, may follow each other evenly, but they are neither equal nor steep."""
        # The first pulse alone begins at rest.
        heights = self._edges.amp_uv[members[1:]]
        steep = float(np.median(self._edges.width[members])) <= max(2.0, STEEP_S * self._rate_hz)
        equal = float(heights.std()) <= LIKE * abs(float(heights.mean()))
        return FEWEST_PULSES if steep and equal else FEWEST_OF_UNLIKE

    def _alike(self, edge: int, amp: float) -> bool:
        return self._amp[edge] * amp > 0 and LEAST_ALIKE <= self._amp[edge] / amp <= 1 / LEAST_ALIKE

    def _near(self, at: float, amp: float, tolerance: float = TOLERANCE_SAMPLES) -> int | None:
        first, last = bisect_left(self._at, at - tolerance), bisect_right(self._at, at + tolerance)
        alike = [edge for edge in range(first, last) if self._alike(edge, amp)]
        return min(alike, key=lambda edge: abs(self._at[edge] - at), default=None)

    def _chain(self, seed: int, second: int) -> dict[int, int]:
        """Number of the pulse to its edge. Up to two pulses in a row may be missing if two follow."""
        chain = {0: seed, 1: second}
        last, amp = 1, self._amp[second]
        # The first of the edges may be half as wide as the others, and its middle earlier or later by as much.
        tolerance = TOLERANCE_SAMPLES + 0.25 * max(0.0, float(self._edges.width[second]) - 4)
        while True:
            period = (self._at[chain[last]] - self._at[seed]) / last
            at = self._at[chain[last]]
            places = [self._near(at + ahead * period, amp, tolerance) for ahead in (1, 2, 3, 4)]
            if places[0] is not None:
                step = 1
            elif last >= FEWEST_PULSES and (step := next((s for s in (2, 3) if None not in places[s - 1 : s + 1]), 0)):
                pass
            else:
                return chain
            last += step
            edge = places[step - 1]
            assert edge is not None
            chain[last] = edge

    def _judged(self, chain: dict[int, int]) -> Comb | Refused | None:
        numbers, members = np.array(list(chain)), np.array(list(chain.values()))
        period, start = np.polyfit(numbers, self._edges.at[members], 1)
        strays = self._edges.at[members] - (start + period * numbers)
        slow = bool(period > self._rate_hz / SLOW_HZ)
        if np.sqrt((strays**2).mean()) > max(0.6, (0.001 if slow else 0.005) * period):
            return None
        if not max(FEWEST_SAMPLES, self._rate_hz / FASTEST_HZ * 0.98) <= period <= self._rate_hz / SLOWEST_HZ:
            return None
        pattern = self._pattern(start, period, numbers.size, self._edges.amp_uv[members])
        last = int(numbers[-1])
        matched = [k for k in numbers.tolist() if self._is_pulse(start + k * period, pattern)]
        # A train begins and ends with whole pulses; a lone jump that happens to fall on the beat is none.
        if not matched:
            return None
        if last == matched[-1]:
            last += 1
        if last == matched[-1] + 1 and self._last_is_pulse(start, period, last, matched[0], last in numbers):
            matched.append(last)
        first, n = matched[0], matched[-1] - matched[0] + 1
        if len(matched) < max(self._fewest(period), self._fewest_like(members)):
            return None
        if self._purity(start, period, matched, pattern) < LEAST_PURE:
            return None
        edge = members[np.searchsorted(numbers, first)]
        comb = Comb(
            start + first * period,
            float(period),
            n,
            int(self._edges.first[edge]),
            pattern.leading_uv,
            start + matched[-1] * period,
        )
        if reason := self._doubt(comb, members, n_seen=len(matched)):
            return Refused(comb.onset, comb.stimulus.end_sample, reason)
        return self._of_waves(comb) if self._is_rounded(comb, members) else comb

    def _is_rounded(self, comb: Comb, members: NDArray[np.int64]) -> bool:
        return float(np.median(self._edges.width[members])) > max(4.0, 0.15 * comb.period)

    def _of_waves(self, comb: Comb) -> Comb:
        """Sine waves begin in the middle of an edge, that may be one of the other sign."""
        inside = self._inside(comb.onset - comb.period, comb.last_at + comb.period)
        large = inside[np.abs(self._edges.amp_uv[inside]) >= 0.3 * abs(comb.leading_uv)]
        onset = int(self._edges.first[large[0]])
        over = int(self._edges.first[large[-1]] + self._edges.width[large[-1]])
        return replace(comb, onset=onset, n=max(1, round((over - onset) / comb.period)))

    def _pattern(self, start: float, period: float, n: int, leading_uv: NDArray[np.float64]) -> "_Pattern":
        inside = self._inside(start, start + n * period)
        offsets = (self._edges.at[inside] - start + TOLERANCE_SAMPLES) % period - TOLERANCE_SAMPLES
        amps = self._edges.amp_uv[inside]
        repeated: list[tuple[float, float]] = []
        for sign in (1.0, -1.0):
            left = np.sort(offsets[np.sign(amps) == sign])
            while left.size:
                counts = np.searchsorted(left, left + 2 * TOLERANCE_SAMPLES, "right") - np.arange(left.size)
                begin = left[np.argmax(counts)]
                group = (left >= begin) & (left <= begin + 2 * TOLERANCE_SAMPLES)
                if group.sum() < 0.5 * n:
                    break
                middle = float(np.median(left[group]))
                same = (np.sign(amps) == sign) & (np.abs(offsets - middle) <= 2 * TOLERANCE_SAMPLES)
                repeated.append((middle, float(np.median(amps[same]))))
                left = left[~group]
        return _Pattern(float(np.median(leading_uv)), tuple(repeated))

    def _is_pulse(self, at: float, pattern: "_Pattern") -> bool:
        """Whether all edges of a pulse that begins ``at`` are there."""
        return all(self._near(at + offset, amp, 1.7 * TOLERANCE_SAMPLES) is not None for offset, amp in pattern.shape)

    def _last_is_pulse(self, start: float, period: float, number: int, first: int, jumps: bool) -> bool:
        """Whether a saturation on the beat, that hides the rest of a pulse, began with a pulse.

        It may be the amplifier that is switched at the end of the gate as well. Trains last some tenths of a second: if
        just one of the two is such a length, it is that one; if not, it is a pulse if it ``jumps`` as the others do.
        """
        at = start + number * period
        inside = self._inside(at, at + 0.5 * period)
        if not (self._edges.flat[inside] > 0.5 * period).any():
            return False
        with_it, without = (self._is_round((n - first) * period) for n in (number + 1, number))
        return with_it if with_it != without else jumps

    def _is_round(self, samples: float) -> bool:
        tenths = 10 * samples / self._rate_hz
        return abs(tenths - round(tenths)) <= 10 * ROUND_S + 10 / self._rate_hz

    def _purity(self, start: float, period: float, matched: list[int], pattern: "_Pattern") -> float:
        inside = self._inside(start + matched[0] * period, start + matched[-1] * period)
        amps = self._edges.amp_uv[inside]
        large = np.abs(amps) >= 0.5 * abs(pattern.leading_uv)
        offsets, signs = (self._edges.at[inside] - start)[large] % period, np.sign(amps[large])
        explained = np.zeros(offsets.size, bool)
        for offset, amp in pattern.repeated:
            away = np.abs(offsets - offset % period)
            explained |= (np.minimum(away, period - away) <= 2 * TOLERANCE_SAMPLES) & (signs == np.sign(amp))
        return float(explained.mean()) if explained.size else 0.0

    def _doubt(self, comb: Comb, members: NDArray[np.int64], *, n_seen: int) -> str | None:
        pulse_hz = self._rate_hz / comb.period
        if comb.n - n_seen > MOST_MISSING * comb.n or self._goes_on(comb):
            return f"pulses at {pulse_hz:.1f} Hz of which some cannot be seen, the first or the last perhaps among them"
        inside = self._inside(comb.start, comb.last_at + comb.period)
        clipped = bool((self._edges.flat[inside] > 0).any())
        width = float(np.median(self._edges.width[members]))
        if comb.period > self._rate_hz / SLOW_HZ and width > max(2, ceil(0.003 * self._rate_hz)):
            return f"a rhythm of {pulse_hz:.1f} Hz without the steep edges of pulses"
        mains = any(abs(pulse_hz - mains_hz) <= 0.01 * mains_hz for mains_hz in MAINS_HZ)
        if mains and not clipped and self._is_rounded(comb, members):
            return f"{pulse_hz:.1f} Hz without steep edges: mains as well as a train of sine waves"
        after = self._edges.flat[inside[self._edges.at[inside] >= comb.last_at - TOLERANCE_SAMPLES]]
        if comb.n < FEWEST_OF_SLOW and after.size and after.max() >= HIDDEN_S * self._rate_hz:
            return "few pulses, then a saturation in which others may be hidden: the end of the train cannot be told"
        return None

    def _goes_on(self, comb: Comb) -> bool:
        """Whether edges like those of the train follow it, or come before it, at once."""
        reach, near = 6 * comb.period, 0.5 * comb.period
        end = comb.start + comb.n * comb.period
        for first, last in ((comb.start - reach, comb.start - near), (end + near, end + reach)):
            amps = self._edges.amp_uv[self._inside(first, last)] / comb.leading_uv
            if ((amps > 0.7) & (amps < 1 / 0.7)).sum() >= 3:
                return True
        return False

    def _inside(self, first: float, last: float) -> NDArray[np.int64]:
        begin = np.searchsorted(self._edges.at, first - TOLERANCE_SAMPLES)
        return np.arange(begin, np.searchsorted(self._edges.at, last - TOLERANCE_SAMPLES), dtype=np.int64)
