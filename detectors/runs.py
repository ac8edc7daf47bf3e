"""Spikes into runs: trains of spikes without a silence, with their sparse ends trimmed."""

from dataclasses import dataclass
from typing import NamedTuple

from detectors.criterion import Criterion
from detectors.spikes import Spike
from detectors.tally import Tally

LOOSE_ENDS_S = 0.6
"""Below the criterion's amplitude a spike belongs to a run only this close to the others."""
ALONE_S = 0.6
"""A first spike this long before a faster rhythm is none of it."""
AFTERGLOW_S = 1.2
"""Signs of life so soon after a run do not shorten the pause that follows it."""
KEPT = 0.88
UNEVEN = 1.25
"""Single intervals may be this much longer than those of the lowest rate."""
LONGEST_HEAD = 24
POLYSPIKES = 2
"""Spikes so close that they are one peak with several tops make a run by themselves."""
LESSER_FIRST, LESSER, TINY = 0.42, 0.5, 0.4
"""Of its neighbours' height: after a pause, or before one, so small a spike is not one of theirs; or anywhere."""
PRECEDING, PRECEDING_HEIGHT = (0.5, 1.9), 0.3
"""Of the mean interval, and of the present height: so long before the first comes another of its rhythm, so large."""
STRAY_BLUNT, STRAY_AHEAD = 0.7, 1.2
"""Of the sharpness and of the interval of the spikes that follow it."""
SMALL, BLUNT = 0.55, 0.6
"""Of its neighbours' height, and of the sharpness of a wave of its own: the last swings of the filter, and bumps of the
background, are both; they are part of a discharge only where it goes on behind them."""
SLOWING, SLOWING_HEIGHT = 1.6, 0.6
"""A rhythm slows down towards its end: an interval up to this many times the last one, and a spike of this share of the
present height, go on with it however slow it has become."""
SLOWEST_S = 3.5
UNHURRIED = 1.5
"""Of the neighbours' intervals: a pause."""


@dataclass(frozen=True, slots=True)
class Rules:
    """A criterion in samples, and what follows from it."""

    criterion: Criterion
    rate_hz: float

    @property
    def kept_ratio(self) -> float:
        """Spikes a little below the amplitude still belong to a discharge, but do not make one."""
        return KEPT * self.criterion.amplitude_ratio

    @property
    def max_gap(self) -> float:
        return self.criterion.max_gap_s * self.rate_hz

    @property
    def merge_gap(self) -> float:
        return self.criterion.merge_gap_s * self.rate_hz

    @property
    def sparse(self) -> float:
        """Three spikes of a run lie within this many samples."""
        return 3 * self.slow

    @property
    def slow(self) -> float:
        """Interval of spikes at the lowest rate."""
        return self.rate_hz / self.criterion.min_spike_hz

    @property
    def alone(self) -> float:
        return ALONE_S * self.rate_hz

    @property
    def afterglow(self) -> float:
        return AFTERGLOW_S * self.rate_hz

    @property
    def loose(self) -> float:
        return LOOSE_ENDS_S * self.rate_hz


class Timed(NamedTuple):
    """A spike and its time on the clean clock: samples, those in which nothing could be seen left out."""

    spike: Spike
    clean: float
    high: bool
    unsettled: bool = False
    """So soon after blindness that an amplifier coming back may have bent the background into it."""


class Run:
    """Spikes without a silence longer than the criterion's. ``first`` and ``last`` stand among spikes of their kind."""

    def __init__(self, rules: Rules, least_uv: float = 0.0) -> None:
        self._rules = rules
        self._least_uv = least_uv
        """Polyspikes must be as large as this to make a run of their own."""
        self._head: list[Timed] = []
        self._pending = Tally()
        self._before = 0.0
        self._pace = 0.0
        self._slowest = 0.0
        """The longer of the last two intervals: a slow wave taken for a spike does not make a rhythm faster."""
        self._sign = 0.0
        self.tally = Tally()
        self.first: Timed | None = None
        """``None`` until three spikes have established the run."""
        self.last: Timed | None = None
        """Last spike that belongs to the run so far."""
        self.latest_clean = 0.0
        """Of the latest spike, whether or not it belongs."""
        self.latest_sample = 0
        self.level_uv = 0.0
        """Moving mean of ``|uv|``: the present size of the spikes."""

    @property
    def begun_clean(self) -> float:
        return self.first.clean if self.first else self._head[0].clean if self._head else self.latest_clean

    @property
    def spiking(self) -> float:
        """Samples from first to last spike on the clean clock."""
        return self.last.clean - self.first.clean if self.first and self.last else 0.0

    @property
    def longest_silence(self) -> float:
        """The criterion's gap, or what the last interval lets expect."""
        return max(self._rules.max_gap, min(SLOWING * self._slowest, SLOWEST_S * self._rules.rate_hz))

    @property
    def credible(self) -> bool:
        return self.tally.n_tops >= 3 and self.tally.n_high >= (self.tally.n + 1) // 2

    def add(self, timed: Timed) -> None:
        interval = timed.clean - self.latest_clean
        if self.first is None:
            self._head.append(timed)
            self._establish()
        else:
            self._pending.add(timed.spike, timed.high)
            if self._belongs(timed, interval):
                since = self._since_last(timed)
                self._slowest, self._pace = max(self._pace, since), since
                self._take(timed)
        self._before = interval
        self.latest_clean, self.latest_sample = timed.clean, timed.spike.sample

    def precede(self, timed: Timed) -> bool:
        """Whether ``timed``, which did not count, comes one interval before the first and so is the first itself."""
        if self.first is None:
            return False
        interval, pace = self.first.clean - timed.clean, self.spiking / max(1, self.tally.n - 1)
        if abs(timed.spike.uv) < PRECEDING_HEIGHT * self.level_uv:
            return False
        if not PRECEDING[0] * pace <= interval <= PRECEDING[1] * pace:
            return False
        self.first = timed
        self.tally.add(timed.spike, False)
        return True

    def expects(self, uv: float, clean: float) -> bool:
        """Whether a spike of this height and sign, at this time, continues the rhythm."""
        if self.last is None or uv * self._sign <= 0 or abs(uv) < SLOWING_HEIGHT * self.level_uv:
            return False
        return clean - self.last.clean <= UNHURRIED * self._pace

    def accompany(self, timed: Timed) -> None:
        """The other half of the last spike's cycle, as large as it: the run ends with it, but it does not count."""
        if self.last is not None and self.latest_clean == self.last.clean:
            self.last = timed
            self.latest_clean, self.latest_sample = timed.clean, timed.spike.sample

    def pass_by(self) -> None:
        """A deflection too small to be kept: a typical one must not be."""
        self._pending.n_small += 1

    def _belongs(self, timed: Timed, interval: float) -> bool:
        """An end may slow down, but a lone spike after a longer silence is not part of it."""
        rules, pace = self._rules, self._pace
        if abs(timed.spike.uv) < (LESSER if interval > UNHURRIED * pace else TINY) * self.level_uv:
            # If they go on like this, the size was wrong and not they.
            self.level_uv += 0.1 * (abs(timed.spike.uv) - self.level_uv)
            return False
        if abs(timed.spike.uv) < SMALL * self.level_uv and timed.spike.sharpness < BLUNT:
            return False
        if abs(timed.spike.uv) >= SLOWING_HEIGHT * self.level_uv:
            burst = timed.high and timed.spike.n_peaks >= POLYSPIKES
            if burst or self._since_last(timed) <= SLOWING * self._slowest:
                return True
        longest = max(UNEVEN * rules.slow, 2.5 * pace) if timed.high else max(rules.loose, 1.5 * pace)
        # After a pause one large spike and its slow wave do not go on with the run; two large ones do.
        resumed = self._pending.n == 1 or self._pending.n_high >= 2
        return resumed and interval <= longest and interval + self._before <= rules.sparse

    def _since_last(self, timed: Timed) -> float:
        return timed.clean - self.last.clean if self.last else 0.0

    def _take(self, timed: Timed) -> None:
        self.tally.merge(self._pending)
        self._pending = Tally()
        self.last = timed
        self._sign = timed.spike.uv
        self.level_uv += 0.2 * (abs(timed.spike.uv) - self.level_uv)

    def _establish(self) -> None:
        """Three spikes close together begin a run, the first of them large or shortly before a large one."""
        rules = self._rules
        while (start := self._start_of_head()) is not None:
            del self._head[:start]
            first = self._head[0].spike
            if first.n_peaks >= POLYSPIKES and abs(first.uv) >= self._least_uv:
                self._begin()
                return
            if len(self._head) < 3:
                return
            earliest, second, third = self._head[:3]
            pace = third.clean - second.clean
            even = second.clean - earliest.clean <= max(rules.alone, 2.5 * pace)
            close = third.clean - second.clean <= 1.5 * rules.slow
            lesser = abs(earliest.spike.uv) < LESSER_FIRST * max(abs(second.spike.uv), abs(third.spike.uv))
            hurried = second.clean - earliest.clean <= UNHURRIED * pace
            stray = earliest.unsettled and _is_stray(earliest, second, third)
            dense = third.clean - earliest.clean <= rules.sparse
            if even and close and dense and not stray and (hurried or not lesser):
                self._begin()
                return
            del self._head[0]
        del self._head[:-LONGEST_HEAD]

    def _start_of_head(self) -> int | None:
        high = next((i for i, timed in enumerate(self._head) if timed.high), None)
        if high is None:
            return None
        start = high
        while start and self._interval(start) <= self._loose_before(start):
            start -= 1
        return start

    def _interval(self, i: int) -> float:
        return self._head[i].clean - self._head[i - 1].clean

    def _loose_before(self, i: int) -> float:
        """The longest interval to a small spike before the ``i``-th of the head: its own rhythm decides."""
        pace = max((self._interval(j) for j in (i - 1, i + 1) if 0 < j < len(self._head)), default=0.0)
        return max(self._rules.loose, min(1.5 * pace, self._rules.slow))

    def _begin(self) -> None:
        self.first, self.last = self._head[0], self._head[-1]
        self._sign = self.last.spike.uv
        for timed in self._head:
            self.tally.add(timed.spike, timed.high)
        self._pace = self._interval(len(self._head) - 1) if len(self._head) > 1 else 0.0
        self._slowest = self._pace
        self.level_uv = sum(abs(timed.spike.uv) for timed in self._head) / len(self._head)
        self._head = []


def _is_stray(first: Timed, second: Timed, third: Timed) -> bool:
    """Ahead of the rhythm that follows, and against its sign or much blunter than it."""
    interval, pace = second.clean - first.clean, third.clean - second.clean
    sign = first.spike.uv
    against = sign * second.spike.uv < 0 and sign * third.spike.uv < 0
    blunt = first.spike.sharpness < STRAY_BLUNT * (second.spike.sharpness + third.spike.sharpness) / 2
    return (against and interval > pace) or (blunt and interval > STRAY_AHEAD * pace)
