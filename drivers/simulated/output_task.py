"""What an output task of a board does whatever it puts out: reserve, wait for its trigger, play, end or be ended."""

import time
from abc import ABC, abstractmethod

from drivers.simulated.board import Board, Engine
from drivers.simulated.daq_errors import BoardError, DaqCode

WAKE_S = 0.05
"""A wait looks this often whether its board was unplugged or its task stopped."""


class OutputTask(ABC):
    """One task on one board. Whatever it plays is put on the board's lines as soon as it begins."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.running = False
        self.start_trigger = ""
        """Terminal whose edge begins the playing, such as ``ao/StartTrigger``; empty for the start itself."""
        self._plug_count = board.faults.plug_count
        self._reserved = False
        self._began_us: int | None = None
        self._failure: DaqCode | None = None

    @property
    @abstractmethod
    def engines(self) -> tuple[Engine, ...]:
        """What no other task may have at the same time."""

    @property
    @abstractmethod
    def channel_names(self) -> list[str]: ...

    @property
    @abstractmethod
    def length_us(self) -> int:
        """From beginning to end."""

    @abstractmethod
    def verify(self) -> None:
        """Whether the board can do all this; raises ``BoardError``."""

    @abstractmethod
    def _play(self, at_us: int) -> None: ...

    @abstractmethod
    def _halt(self, at_us: int) -> None: ...

    @abstractmethod
    def commit(self) -> None:
        """What reserving does to the pins themselves."""

    @abstractmethod
    def check_written(self) -> None:
        """Whether there is something to play; raises ``BoardError``."""

    def set_start_trigger(self, terminal: str) -> None:
        self._check_idle()
        self.start_trigger = self.board.outputs.terminal(terminal)

    def reserve(self) -> None:
        self.check_alive()
        self.verify()
        self.board.reserve_all(self.engines, self)
        self._reserved = True
        self.commit()

    def unreserve(self) -> None:
        self._end()
        self._reserved = False
        self.board.release_all(self)

    def start(self) -> None:
        self.check_alive()
        if self.running:
            return
        if (code := self.board.faults.take_start_code()) is not None:
            raise BoardError(code)
        self.verify()
        self.check_written()
        self.board.reserve_all(self.engines, self)
        self.commit()
        self.running, self._began_us, self._failure = True, None, None
        if self.start_trigger:
            self.board.outputs.await_edge(self.start_trigger, self)
        else:
            self.begin(self.board.clock.now_us())

    def begin(self, at_us: int) -> None:
        """The start, or the trigger that it waited for."""
        if self.running and self._began_us is None:
            self._began_us = at_us
            self._play(at_us)

    def stop(self) -> None:
        """Raises ``BoardError`` when the playing had broken off; it is stopped all the same."""
        failure = self._failure
        self._end()
        if not self._reserved:
            self.board.release_all(self)
        if failure is not None:
            raise BoardError(failure)

    @property
    def done(self) -> bool:
        self.check_alive()
        if self._failure is not None:
            raise BoardError(self._failure)
        if not self.running:
            return True
        return self._began_us is not None and self.board.clock.now_us() >= self._began_us + self.length_us

    def wait_until_done(self, timeout_s: float) -> None:
        clock = self.board.clock
        wall_deadline_s = time.monotonic() + (timeout_s if timeout_s >= 0 else 3600.0)
        deadline_us = clock.now_us() + int(max(timeout_s, 0.0) * 1e6)
        while not self.done:
            left_s = wall_deadline_s - time.monotonic()
            if left_s <= 0 or clock.now_us() >= deadline_us:
                raise BoardError(DaqCode.WAIT_UNTIL_DONE_DOES_NOT_INDICATE_DONE)
            due_us = deadline_us if self._began_us is None else min(deadline_us, self._began_us + self.length_us)
            clock.wait_until(due_us, min(WAKE_S, left_s))

    def break_off(self, at_us: int, code: DaqCode) -> None:
        """The playing ends at ``at_us`` without anybody having asked for it."""
        if self.running and self._began_us is not None and at_us < self._began_us + self.length_us:
            self._halt(at_us)
            self._failure = code

    def check_alive(self) -> None:
        if self._plug_count != self.board.faults.plug_count:
            raise BoardError(DaqCode.DEV_CANNOT_BE_ACCESSED, self.board.name)

    def _end(self) -> None:
        if self.running:
            self.running = False
            self.board.outputs.forget_edge(self)
            if self._began_us is not None and self._plug_count == self.board.faults.plug_count:
                self._halt(self.board.clock.now_us())

    def _check_idle(self) -> None:
        if self.running:
            raise BoardError(DaqCode.CANNOT_PERFORM_OP_WHILE_TASK_RUNNING)
