"""A simulated animal at the speed of a real one, or as many times faster as a person wants to wait."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, isfinite

from drivers.interface import Block, Buffered, Channel, Reopenable, SampleSource


@dataclass
class Pace:
    """Seconds of signal for each second of the clock on the wall; infinite is as fast as it computes."""

    speed: float = 1.0
    now_s: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = field(default_factory=lambda: threading.Event().wait)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._since_s, self._signal_s = self.now_s(), 0.0

    def set_speed(self, speed: float) -> None:
        """From any thread, at any time. Raises ``ValueError`` for what is no speed."""
        if not speed > 0:
            raise ValueError(f"a signal cannot run at {speed:g} times real time; give a positive speed")
        with self._lock:
            self.speed = speed
            self._begin_anew()

    def keep(self, signal_s: float) -> None:
        """Wait until it is time for ``signal_s`` more of signal to be there; what was late is not made up for."""
        with self._lock:
            self._signal_s += signal_s
            ahead_s = self._signal_s / self.speed - (self.now_s() - self._since_s) if isfinite(self.speed) else -inf
            if ahead_s <= 0:
                self._begin_anew()
        if ahead_s > 0:
            self.wait(ahead_s)

    def _begin_anew(self) -> None:
        self._since_s, self._signal_s = self.now_s(), 0.0


class PacedSource:
    """``source`` hands over its samples no faster than ``pace`` allows."""

    def __init__(self, source: SampleSource, pace: Pace) -> None:
        self._source = source
        self._pace = pace

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self._source.channels

    @property
    def rate_hz(self) -> float:
        return self._source.rate_hz

    def identify(self) -> str:
        return self._source.identify()

    def start(self) -> None:
        self._source.start()

    def read(self, n_samples: int) -> Block:
        block = self._source.read(n_samples)
        self._pace.keep(block.shape[1] / self._source.rate_hz)
        return block

    def n_unread(self) -> int:
        """See ``Buffered``."""
        return self._source.n_unread() if isinstance(self._source, Buffered) else 0

    def reopen(self) -> None:
        """See ``Reopenable``; what cannot be had back is looked for no further."""
        if not isinstance(self._source, Reopenable):
            raise TypeError(f"{self._source.identify()} cannot be opened again")
        self._source.reopen()

    def close(self) -> None:
        self._source.close()
