"""What goes wrong with a board on purpose, switched at run time by a test or a demonstration."""

import threading
from collections.abc import Callable

from drivers.simulated.clock import Clock
from drivers.simulated.daq_errors import BoardError, DaqCode


class Faults:
    """Switches of one board; thread-safe. Whatever is armed for "the next read", write or start is used up by it."""

    def __init__(self, clock: Clock, power_lost: Callable[[], None]) -> None:
        self._clock = clock
        self._power_lost = power_lost
        self._lock = threading.Lock()
        self._answering = threading.Event()
        self._answering.set()
        self._plugged = True
        self._plug_count = 0
        self._held_at_us: int | None = None
        self._next_code: int | None = None
        self._next_partial: int | None = None
        self._overrun = False
        self._nonsense = False
        self._next_start_code: int | None = None
        self._next_write_code: int | None = None
        self._next_partial_write: int | None = None

    def unplug(self) -> None:
        """The device disappears, its outputs without power, and every task on it is dead, also after ``replug``."""
        with self._lock:
            self._plugged = False
            self._plug_count += 1
        self._power_lost()

    def replug(self) -> None:
        with self._lock:
            self._plugged = True

    def hang(self) -> None:
        """No request about this board is answered until ``release``."""
        self._answering.clear()

    def release(self) -> None:
        self._answering.set()

    def stop_delivering(self) -> None:
        """The board goes on sampling, but nothing more arrives in its buffer until ``deliver_again``."""
        with self._lock:
            self._held_at_us = self._clock.now_us()

    def deliver_again(self) -> None:
        with self._lock:
            self._held_at_us = None

    def fail_next_read(self, code: int) -> None:
        with self._lock:
            self._next_code = code

    def partial_next_read(self, n_samples: int) -> None:
        """The next read ends with -200284 after at most ``n_samples`` per channel, as if its timeout were over."""
        with self._lock:
            self._next_partial = n_samples

    def overrun_now(self) -> None:
        """The running task finds its buffer overwritten at the next read."""
        with self._lock:
            self._overrun = True

    def answer_nonsense(self) -> None:
        """Every request about this board ends with an error of the bus, as on a bad cable."""
        with self._lock:
            self._nonsense = True

    def answer_again(self) -> None:
        with self._lock:
            self._nonsense = False

    def fail_next_start(self, code: int) -> None:
        """The next output task to be started is refused."""
        with self._lock:
            self._next_start_code = code

    def fail_next_write(self, code: int) -> None:
        with self._lock:
            self._next_write_code = code

    def partial_next_write(self, n_samples: int) -> None:
        """Of the next waveform only ``n_samples`` per channel are taken, without an error."""
        with self._lock:
            self._next_partial_write = n_samples

    @property
    def plugged(self) -> bool:
        with self._lock:
            return self._plugged

    @property
    def plug_count(self) -> int:
        """How often the board was unplugged; a task that began under another count is dead."""
        with self._lock:
            return self._plug_count

    @property
    def held_at_us(self) -> int | None:
        """Bench time since when nothing arrives any more."""
        with self._lock:
            return self._held_at_us

    def wait_while_hung(self) -> None:
        self._answering.wait()

    def check_sense(self) -> None:
        """Raises ``BoardError`` while only nonsense comes."""
        with self._lock:
            if self._nonsense:
                raise BoardError(DaqCode.PAL_TRANSFER_ABORTED)

    def take_code(self) -> int | None:
        with self._lock:
            code, self._next_code = self._next_code, None
            return code

    def take_partial(self) -> int | None:
        with self._lock:
            n_samples, self._next_partial = self._next_partial, None
            return n_samples

    def take_overrun(self) -> bool:
        with self._lock:
            overrun, self._overrun = self._overrun, False
            return overrun

    def take_start_code(self) -> int | None:
        with self._lock:
            code, self._next_start_code = self._next_start_code, None
            return code

    def take_write_code(self) -> int | None:
        with self._lock:
            code, self._next_write_code = self._next_write_code, None
            return code

    def take_partial_write(self) -> int | None:
        with self._lock:
            n_samples, self._next_partial_write = self._next_partial_write, None
            return n_samples
