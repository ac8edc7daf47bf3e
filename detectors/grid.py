"""Samples become groups, groups ticks, ticks seconds and epochs: all times come from sample indices."""

from dataclasses import dataclass
from math import ceil

TARGET_HZ = 250.0
TICK_S = 0.02
EPOCH_S = 10
"""The rolling baseline changes at multiples of this; no piece crosses one."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Samples become groups of ``decimation``, and these ticks of ``groups``."""

    rate_hz: float
    decimation: int
    groups: int

    @classmethod
    def of(cls, rate_hz: float) -> "Grid":
        decimation = max(1, round(rate_hz / TARGET_HZ))
        return cls(rate_hz, decimation, max(1, round(TICK_S * rate_hz / decimation)))

    @property
    def tick_samples(self) -> int:
        return self.decimation * self.groups

    @property
    def group_hz(self) -> float:
        return self.rate_hz / self.decimation

    def second_of(self, tick: int) -> int:
        """The absolute second in which a tick begins."""
        return int(tick * self.tick_samples / self.rate_hz)

    def first_tick_of(self, second: int) -> int:
        """The first tick that begins in ``second`` or later; exact inverse of ``second_of``, rounding included."""
        tick = ceil(second * self.rate_hz / self.tick_samples)
        while self.second_of(tick) < second:
            tick += 1
        while tick > 0 and self.second_of(tick - 1) >= second:
            tick -= 1
        return tick

    def epoch_end(self, tick: int) -> int:
        """The first tick of the epoch after that of ``tick``."""
        return self.first_tick_of((self.second_of(tick) // EPOCH_S + 1) * EPOCH_S)

    def ticks(self, seconds: float) -> int:
        return max(1, round(seconds * self.rate_hz / self.tick_samples))
