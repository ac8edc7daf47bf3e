"""One output of a Pulse Pal: the sequence of levels that a programme makes, and the record of what was put out."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from drivers.pulsepal_codec import CODES_PER_V, ZERO_CODE, ChannelProgramme

Level = tuple[int, int]
"""A voltage code, and for how many cycles; 0 cycles never end, as in the device."""

Live = Callable[[], ChannelProgramme]
"""The programme as it stands now: a running train takes over what is written meanwhile at its next change."""

CustomTrain = tuple[tuple[int, int], ...]
"""Pulses as ``(cycles from the train's start, voltage code)``."""


@dataclass(frozen=True, slots=True)
class Steps:
    """A piecewise constant voltage: from ``times_us[i]`` on it is ``volts[i]``. Both have shape ``(n_steps,)``."""

    times_us: NDArray[np.int64]
    volts: NDArray[np.float64]


class Activity(Enum):
    IDLE = "idle"
    DELAYED = "delayed"
    PLAYING = "playing"


class Output:
    """A channel on the device's cycle count; what it decides reaches the converter one cycle later, by ``convert``."""

    def __init__(self, programme: ChannelProgramme) -> None:
        self.programme = programme
        self.custom_trains: Mapping[int, CustomTrain] = {}
        self.endless = False
        self.latched = False
        """A soft trigger that waits for the running train to end."""
        self.activity = Activity.IDLE
        self._decided_code = ZERO_CODE
        self._start = self._end = self._change = 0
        self._levels: Iterator[Level] = iter(())
        self._times_us: list[int] = [0]
        self._codes: list[int] = [ZERO_CODE]

    @property
    def busy(self) -> bool:
        return self.activity is not Activity.IDLE

    @property
    def undecided(self) -> bool:
        """Whether the next cycle has something to do here whatever its time is."""
        return self._decided_code != self._codes[-1] or (self.latched and not self.busy)

    @property
    def code(self) -> int:
        return self._codes[-1]

    def trigger(self, time: int) -> None:
        self.activity = Activity.DELAYED
        self._start = time + self.programme.delay_cycles

    def step(self, time: int) -> None:
        """Changes are found by equality of time, so one that is due at once is missed, for ever."""
        if self.activity is Activity.DELAYED and time == self._start:
            self.activity = Activity.PLAYING
            self._end = time + self.programme.train_cycles
            self._levels = _levels(lambda: self.programme, self.custom_trains)
            self._next_level(time)
        elif self.activity is Activity.PLAYING and time == self._change:
            self._next_level(time)
        if self.activity is Activity.PLAYING and time == self._end and not self.endless:
            self.stop()

    def next_time(self, time: int) -> float:
        """The next time after ``time`` at which ``step`` will do something; infinite if none."""
        match self.activity:
            case Activity.IDLE:
                due = []
            case Activity.DELAYED:
                due = [self._start]
            case Activity.PLAYING:
                due = [self._change] if self.endless else [self._change, self._end]
        return min((at for at in due if at > time), default=float("inf"))

    def stop(self) -> None:
        """End the train; the converter follows in the next cycle."""
        self.activity = Activity.IDLE
        self._decided_code = self.programme.resting_code

    def rest(self, now_us: int) -> None:
        """What an abort does: the converter goes to the resting voltage at once."""
        self.stop()
        self.convert(now_us)

    def fix(self, code: int, now_us: int) -> None:
        self._decided_code = code
        self.convert(now_us)

    def convert(self, now_us: int) -> None:
        if self._decided_code != self._codes[-1]:
            self._times_us.append(now_us)
            self._codes.append(self._decided_code)

    def steps(self, start_us: int, end_us: int) -> Steps:
        """What was put out in ``[start_us, end_us)``."""
        first = max(bisect_right(self._times_us, start_us) - 1, 0)
        last = max(bisect_right(self._times_us, end_us - 1), first + 1)
        times_us = np.array(self._times_us[first:last], np.int64)
        times_us[0] = start_us
        return Steps(times_us, (np.array(self._codes[first:last], np.float64) - ZERO_CODE) / CODES_PER_V)

    def _next_level(self, time: int) -> None:
        level = next(self._levels, None)
        if level is None:
            self.stop()
            return
        self._decided_code, cycles = level
        self._change = time + cycles


def _levels(live: Live, custom_trains: Mapping[int, CustomTrain]) -> Iterator[Level]:
    if live().custom_train:
        return _custom(live, custom_trains.get(live().custom_train, ()))
    return _bursts(live) if live().burst_cycles else _pulses(live)


def _pulse(live: Live, code: int | None = None) -> Iterator[Level]:
    """One pulse; a pulse of a custom train has its own voltage, and the opposite one in phase 2."""
    yield live().phase1_code if code is None else code, live().phase1_cycles
    if live().biphasic:
        if live().interphase_cycles:
            yield live().resting_code, live().interphase_cycles
        yield live().phase2_code if code is None else 2 * ZERO_CODE - max(code, 1), live().phase2_cycles


def _pulses(live: Live, code: int | None = None) -> Iterator[Level]:
    while True:
        yield from _pulse(live, code)
        if live().interpulse_cycles:
            yield live().resting_code, live().interpulse_cycles


def _burst(live: Live, code: int | None = None) -> Iterator[Level]:
    left = live().burst_cycles
    for level, cycles in _pulses(live, code):
        if cycles == 0 or cycles >= left:
            yield level, left
            return
        yield level, cycles
        left -= cycles


def _bursts(live: Live) -> Iterator[Level]:
    while True:
        yield from _burst(live)
        if live().interburst_cycles:
            yield live().resting_code, live().interburst_cycles


def _custom(live: Live, train: CustomTrain) -> Iterator[Level]:
    """Ends after the last pulse or burst unless it loops; one that comes too early follows at once."""
    repeat = True
    while train and repeat:
        elapsed = 0
        for start, code in train:
            if start > elapsed:
                yield live().resting_code, start - elapsed
                elapsed = start
            for level, cycles in _burst(live, code) if live().custom_target else _pulse(live, code):
                yield level, cycles
                elapsed += cycles
        repeat = bool(live().custom_loop)
