"""An analogue input task of a board: channels, sample clock, ring and reading; no server in sight.

Sample k is taken at ``start + k / rate`` and lies in the ring one period later. Nothing is computed until it is read.
"""

import threading
import time
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.board import Board
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.products import Terminal
from drivers.simulated.sample_clock import default_buffer_size

WAKE_S = 0.05
"""A blocked read looks this often whether its board was unplugged or its task stopped."""

FOR_EVER_S = 3600.0
NEVER = 2**62


class SampleMode(IntEnum):
    FINITE = 10178
    CONTINUOUS = 10123


@dataclass(frozen=True, slots=True)
class AiChannel:
    name: str
    pin: int
    terminal: Terminal
    low_v: float
    high_v: float
    range_v: float


@dataclass(frozen=True, slots=True)
class Reading:
    """``counts`` of shape ``(n_channels, n_read)``; ``code`` is 0, or -200284 when fewer than asked came in time."""

    counts: NDArray[np.int16]
    code: int = 0


class AnalogInput:
    """One task. Reads exclude each other; everything else may be called while a read waits."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.channels: tuple[AiChannel, ...] = ()
        self.mode = SampleMode.FINITE
        self.samples_per_channel = 1000
        self.running = False
        self._clock = board.sample_clock(1000.0)
        self._buffer_size: int | None = None
        self._plug_count = board.faults.plug_count
        self._reserved = False
        self._start_us = 0
        self._position = 0
        self._overrun = False
        self._run = 0
        self._state = threading.RLock()
        self._reading = threading.Lock()

    @property
    def channel_names(self) -> list[str]:
        return [channel.name for channel in self.channels]

    @property
    def rate_hz(self) -> float:
        """As the timebase allows it; checked against what the board can do with so many channels."""
        self.verify()
        return self._clock.rate_hz

    @property
    def buffer_size(self) -> int:
        """Per channel: as set, or NI's default, which grows with the rate and with ``samples_per_channel``."""
        if self._buffer_size is not None:
            return self._buffer_size
        if self.mode is SampleMode.FINITE:
            return self.samples_per_channel
        return max(default_buffer_size(self._clock.rate_hz), self.samples_per_channel)

    @property
    def position(self) -> int:
        return self._position

    @property
    def acquired(self) -> int:
        """Samples per channel that have arrived since the start."""
        with self._state:
            return self._acquired()

    @property
    def available(self) -> int:
        with self._state:
            if not self.running:
                raise BoardError(DaqCode.CANNOT_GET_PROPERTY_OF_IDLE_TASK)
            self._check_alive()
            return self._acquired() - self._position

    @property
    def default_read_size(self) -> int:
        """What "all available" means: the rest of a finite task, or what lies in the ring."""
        return self.samples_per_channel if self.mode is SampleMode.FINITE else self.available

    @property
    def done(self) -> bool:
        with self._state:
            if not self.running:
                return True
            self._check_alive()
            return self.mode is SampleMode.FINITE and self._acquired() >= self.samples_per_channel

    def add_channels(self, names: list[str], pins: list[int], terminal: Terminal, low_v: float, high_v: float) -> None:
        with self._state:
            self._check_idle()
            for name, pin in zip(names, pins, strict=True):
                if name.casefold() in (channel.name.casefold() for channel in self.channels):
                    raise BoardError(DaqCode.CHANNEL_ALREADY_IN_TASK, name)
                actual = self.board.terminal(pin, terminal)
                range_v = self.board.range_v(low_v, high_v)
                self.channels += (AiChannel(name, pin, actual, low_v, high_v, range_v),)

    def channel(self, name: str) -> AiChannel:
        for channel in self.channels:
            if channel.name.casefold() == name.casefold():
                return channel
        raise BoardError(DaqCode.PHYSICAL_CHAN_DOES_NOT_EXIST, name)

    def set_clock(self, rate_hz: float, mode: SampleMode, samples_per_channel: int) -> None:
        with self._state:
            self._check_idle()
            self._clock = self.board.sample_clock(rate_hz)
            self.mode = mode
            self.samples_per_channel = samples_per_channel

    def set_buffer_size(self, n_samples: int) -> None:
        with self._state:
            self._check_idle()
            self._buffer_size = n_samples

    def reserve(self) -> None:
        with self._state:
            self.verify()
            self.board.reserve("ai", self)
            self._reserved = True

    def unreserve(self) -> None:
        with self._state:
            self.stop()
            self._reserved = False
            self.board.release("ai", self)

    def start(self) -> None:
        with self._state:
            if self.running:
                return
            self.verify()
            self.board.reserve("ai", self)
            self.running = True
            self._run += 1
            self._start_us = self.board.clock.now_us()
            self._position = 0
            self._overrun = False
            self.board.outputs.edge("ai/StartTrigger", self._start_us)

    def stop(self) -> None:
        with self._state:
            self.running = False
            if not self._reserved:
                self.board.release("ai", self)

    def wait_until_done(self, timeout_s: float) -> None:
        n_samples = self.samples_per_channel if self.mode is SampleMode.FINITE else NEVER
        if self.running and not self._wait_for(n_samples, timeout_s):
            raise BoardError(DaqCode.WAIT_UNTIL_DONE_DOES_NOT_INDICATE_DONE)

    def read(self, n_samples: int, timeout_s: float) -> Reading:
        """The next samples in order, waited for; ``n_samples`` -1 is all there are. Raises ``BoardError``.

        A finite task hands out what is left when more is asked for.
        """
        with self._reading:
            self.start()
            if (code := self.board.faults.take_code()) is not None:
                raise BoardError(code)
            self._check_overrun()
            wanted = self.default_read_size if n_samples < 0 else n_samples
            if self.mode is SampleMode.FINITE and wanted:
                wanted = min(wanted, self.samples_per_channel - self._position)
                if wanted == 0:
                    raise BoardError(DaqCode.SAMPLES_WILL_NEVER_BE_AVAILABLE)
            partial = self.board.faults.take_partial()
            n = wanted if partial is None else min(wanted, partial)
            self._wait_for(self._position + n, timeout_s)
            counts = self._take(n)
            return Reading(counts, 0 if counts.shape[1] == wanted else DaqCode.SAMPLES_NOT_YET_AVAILABLE)

    def _take(self, at_most: int) -> NDArray[np.int16]:
        """What has arrived of the next samples; from here on it counts as read."""
        with self._state:
            first, start_us = self._position, self._start_us
            n = max(0, min(at_most, self._acquired() - first))
            self._position += n
        counts = np.empty((len(self.channels), n), np.int16)
        if n:
            rate_hz = self._clock.rate_hz
            for row, channel in zip(counts, self.channels, strict=True):
                volts = self.board.volts(channel.pin, channel.terminal, start_us, rate_hz, first, n)
                row[:] = self.board.counts(volts, channel.range_v)
        return counts

    def _wait_for(self, n_acquired: int, timeout_s: float) -> bool:
        """Wait until so many samples have arrived or the timeout is over; whether they have."""
        clock = self.board.clock
        run = self._run
        timeout_s = FOR_EVER_S if timeout_s < 0 else timeout_s
        wall_deadline_s = time.monotonic() + timeout_s
        deadline_us = clock.now_us() + int(timeout_s * 1e6)
        while True:
            with self._state:
                self._check_alive()
                if not self.running or self._run != run:
                    raise BoardError(DaqCode.RUNTIME_ABORTED)
                if self._acquired() >= n_acquired:
                    return True
                due_us = self._start_us + self._clock.duration_us(n_acquired)
            left_s = wall_deadline_s - time.monotonic()
            if left_s <= 0 or clock.now_us() >= deadline_us:
                return False
            until_us = min(due_us, deadline_us) if self.board.faults.held_at_us is None else deadline_us
            clock.wait_until(until_us, min(WAKE_S, left_s))

    def _acquired(self) -> int:
        """Whole sample periods since the start, but not past the moment since which the board holds samples back."""
        if not self.running:
            return self._position
        held_at_us = self.board.faults.held_at_us
        until_us = self.board.clock.now_us() if held_at_us is None else held_at_us
        arrived = self._clock.n_periods(max(0, until_us - self._start_us))
        return min(arrived, self.samples_per_channel) if self.mode is SampleMode.FINITE else arrived

    def _check_overrun(self) -> None:
        with self._state:
            self._check_alive()
            unread = self._acquired() - self._position
            if self.board.faults.take_overrun() or (self.mode is SampleMode.CONTINUOUS and unread > self.buffer_size):
                self._overrun = True
            if self._overrun:
                raise BoardError(DaqCode.SAMPLES_NO_LONGER_AVAILABLE)

    def _check_alive(self) -> None:
        if self._plug_count != self.board.faults.plug_count:
            raise BoardError(DaqCode.DEV_CANNOT_BE_ACCESSED, self.board.name)

    def _check_idle(self) -> None:
        if self.running:
            raise BoardError(DaqCode.CANNOT_PERFORM_OP_WHILE_TASK_RUNNING)

    def verify(self) -> None:
        """Whether the board can do all this at all; raises ``BoardError``."""
        self._check_alive()
        if not self.channels:
            raise BoardError(DaqCode.CANNOT_PERFORM_OP_WITHOUT_CHANNELS)
        rate_hz = self._clock.rate_hz
        max_hz = self.board.product.max_rate_hz(len(self.channels))
        if rate_hz > max_hz:
            raise BoardError(
                DaqCode.INVALID_ATTRIBUTE_VALUE,
                f"sample clock rate {rate_hz:g} Hz for {len(self.channels)} channels; at most {max_hz:g} Hz",
            )
