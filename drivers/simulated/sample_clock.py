"""A board's sample clock: a timebase divided by a whole number, counted in integers so that nothing drifts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampleClock:
    timebase_hz: int
    divisor: int

    @classmethod
    def nearest(cls, timebase_hz: int, rate_hz: float) -> "SampleClock":
        """As near to ``rate_hz`` as the timebase allows."""
        return cls(timebase_hz, max(1, round(timebase_hz / rate_hz)))

    @property
    def rate_hz(self) -> float:
        return self.timebase_hz / self.divisor

    def n_periods(self, elapsed_us: int) -> int:
        """Whole sample periods in ``elapsed_us``."""
        return elapsed_us * self.timebase_hz // (self.divisor * 10**6)

    def duration_us(self, n_periods: int) -> int:
        """The first whole microsecond by which ``n_periods`` are over."""
        return -(-n_periods * self.divisor * 10**6 // self.timebase_hz)


def default_buffer_size(rate_hz: float) -> int:
    """Samples per channel that NI-DAQmx allots to a continuous task when nobody asks for a size."""
    for limit_hz, size in ((100, 1_000), (10_000, 10_000), (1_000_000, 100_000)):
        if rate_hz <= limit_hz:
            return size
    return 1_000_000
