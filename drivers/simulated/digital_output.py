"""A digital output task of a board: one line, on demand or clocked by the analogue output's sample clock."""

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.board import Board, Engine
from drivers.simulated.board_outputs import LOGIC_HIGH_V
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.output_task import OutputTask


class DigitalOutput(OutputTask):
    """A line keeps its level whatever ends the playing."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self.name = ""
        self.physical = ""
        self.samples_per_channel = 1
        self._clock = None if not board.product.outputs.timed else board.output_clock(1000.0)
        self._timed = False
        self._levels: NDArray[np.bool_] = np.empty(0, np.bool_)

    @property
    def engines(self) -> tuple[Engine, ...]:
        return ("do",) if self._timed else (self.physical.partition("/")[2],)

    @property
    def channel_names(self) -> list[str]:
        return [self.name] if self.name else []

    @property
    def length_us(self) -> int:
        return self._clock.duration_us(self.samples_per_channel) if self._timed and self._clock else 0

    def add_line(self, name: str, physical: str) -> None:
        self._check_idle()
        if self.physical:
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, "one line per task")
        self.name, self.physical = name, physical

    def set_clock(self, source: str, rate_hz: float, samples_per_channel: int) -> None:
        self._check_idle()
        if not self.board.product.outputs.clocked_lines:
            raise BoardError(
                DaqCode.INVALID_ATTRIBUTE_VALUE,
                f"the digital lines of a {self.board.product.name} have no sample clock",
            )
        if self.board.outputs.terminal(source) != "ao/SampleClock":
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"digital sample clock {source!r}")
        self.start_trigger = "ao/SampleClock"
        self._clock = self.board.output_clock(rate_hz)
        self.samples_per_channel = samples_per_channel
        self._timed = True

    def write(self, levels: NDArray[np.bool_], *, auto_start: bool) -> int:
        self.check_alive()
        if (code := self.board.faults.take_write_code()) is not None:
            raise BoardError(code)
        self._levels = levels
        if self._timed:
            if auto_start:
                self.start()
        elif self.running:
            self._play(self.board.clock.now_us())
        elif auto_start:
            self.start()
        return int(levels.size)

    def verify(self) -> None:
        if not self.physical:
            raise BoardError(DaqCode.CANNOT_PERFORM_OP_WITHOUT_CHANNELS)

    def commit(self) -> None:
        """The pins keep their levels."""

    def check_written(self) -> None:
        if self._timed and self._levels.size == 0:
            raise BoardError(DaqCode.OUTPUT_BUFFER_EMPTY)

    def _play(self, at_us: int) -> None:
        if self._levels.size == 0:
            return
        if not self._timed or self._clock is None:
            self.board.outputs.line(self.physical).set(LOGIC_HIGH_V * bool(self._levels[-1]), at_us)
            return
        changes = np.concatenate(([0], np.flatnonzero(np.diff(self._levels)) + 1))
        times_us = [at_us + self._clock.duration_us(int(k)) for k in changes]
        self.board.outputs.line(self.physical).plan(times_us, (LOGIC_HIGH_V * self._levels[changes]).tolist())

    def _halt(self, at_us: int) -> None:
        self.board.outputs.line(self.physical).hold(at_us)
