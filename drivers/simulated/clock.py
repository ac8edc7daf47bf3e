"""Bench time: one integer of microseconds that a board, a stimulator and a rat agree on."""

import threading
import time
from typing import Protocol


class Clock(Protocol):
    def now_us(self) -> int: ...

    def wait_until(self, t_us: int, timeout_s: float) -> bool:
        """Block until bench time reaches ``t_us``, for at most ``timeout_s`` of wall time; whether it was reached."""
        ...


class DemandClock:
    """Time passes only because somebody waits for it, and then at once: fast and deterministic."""

    def __init__(self) -> None:
        self._now_us = 0
        self._lock = threading.Lock()

    def now_us(self) -> int:
        with self._lock:
            return self._now_us

    def wait_until(self, t_us: int, timeout_s: float) -> bool:
        with self._lock:
            self._now_us = max(self._now_us, t_us)
        return True


class RealClock:
    """Wall time times ``speed``, from 0 on."""

    def __init__(self, speed: float = 1.0) -> None:
        if not 0 < speed < float("inf"):
            raise ValueError(f"a clock cannot run at {speed:g} times real time; give a positive speed")
        self._speed = speed
        self._started_s = time.monotonic()
        self._idle = threading.Condition()

    def now_us(self) -> int:
        return int((time.monotonic() - self._started_s) * self._speed * 1e6)

    def wait_until(self, t_us: int, timeout_s: float) -> bool:
        deadline_s = time.monotonic() + timeout_s
        with self._idle:
            while (left_us := t_us - self.now_us()) > 0:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return False
                # A microsecond of bench time more: rounding must not make the last wait a series of empty ones.
                self._idle.wait(min((left_us + 1) * 1e-6 / self._speed, left_s))
        return True


class SteppedClock:
    """Stands still until ``advance_to`` moves it; for tests."""

    def __init__(self) -> None:
        self._now_us = 0
        self._moved = threading.Condition()

    def now_us(self) -> int:
        with self._moved:
            return self._now_us

    def advance_to(self, t_us: int) -> None:
        """Move bench time to ``t_us`` and wake whoever waits; raises ``ValueError`` for a step back."""
        with self._moved:
            if t_us < self._now_us:
                raise ValueError(f"bench time is {self._now_us} us and cannot go back to {t_us} us")
            self._now_us = t_us
            self._moved.notify_all()

    def wait_until(self, t_us: int, timeout_s: float) -> bool:
        with self._moved:
            return self._moved.wait_for(lambda: self._now_us >= t_us, timeout_s)
