"""Ports of this process that keep what is written, and that fail in the ways in which real ones do."""

from collections.abc import Callable
from threading import Event, Thread, current_thread

import serial

from drivers.simulated.endpoints import MemoryWire, SerialDevice


class ScriptedWire(MemoryWire):
    """Keeps every write; ``change`` is what happens to the next ones on their way."""

    def __init__(self, device: SerialDevice, now_us: Callable[[], int]) -> None:
        super().__init__(device, now_us)
        self.written: list[bytes] = []
        self.on_write = Event()
        self.change: Callable[[bytes], bytes] = bytes
        self.takes: int | None = None
        """How many bytes of a write are taken; ``None``: all."""
        self.times_out = False
        self.stray = b""
        """What is received before the next answer."""
        self.stuck: Thread | None = None
        """Whose reads hang until ``let_go``."""
        self.is_stuck, self.let_go = Event(), Event()

    def write(self, data: bytes) -> int:
        if self.times_out:
            raise serial.SerialTimeoutException("Write timeout")
        if self.takes is not None:
            super().write(data[: self.takes])
            return self.takes
        self._received += self.stray
        self.stray = b""
        super().write(self.change(data))
        self.written.append(data)
        self.on_write.set()
        return len(data)

    def read(self, size: int = 1) -> bytes:
        # Only a read that waits for an answer: what is here already is thrown away without waiting.
        if current_thread() is self.stuck and self.timeout:
            self.is_stuck.set()
            assert self.let_go.wait(5)
        return super().read(size)
