"""What NI's driver is to its callers: named tasks on named devices. A front end only translates to this."""

import itertools
import re
import threading
from collections.abc import Sequence
from typing import TypeVar

from drivers.simulated.analogue_input import AnalogInput
from drivers.simulated.analogue_output import AnalogOutput
from drivers.simulated.board import Board
from drivers.simulated.board_outputs import named
from drivers.simulated.counter_output import CounterOutput
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.digital_output import DigitalOutput
from drivers.simulated.products import Terminal

VERSION = (26, 5, 0)
"""Of the driver that is emulated; clients choose their way of reading by it."""


Work = AnalogInput | AnalogOutput | CounterOutput | DigitalOutput
"""What a task does; its first channel decides."""

W = TypeVar("W", AnalogInput, AnalogOutput, CounterOutput, DigitalOutput)


class DaqTask:
    """A task before it has channels is nobody's; the first channel decides its kind and its board."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._work: Work | None = None

    @property
    def work(self) -> Work:
        if self._work is None:
            raise BoardError(DaqCode.CANNOT_PERFORM_OP_WITHOUT_CHANNELS, self.name)
        return self._work

    @property
    def ai(self) -> AnalogInput:
        return self._only(AnalogInput)

    @property
    def ao(self) -> AnalogOutput:
        return self._only(AnalogOutput)

    @property
    def co(self) -> CounterOutput:
        return self._only(CounterOutput)

    @property
    def do(self) -> DigitalOutput:
        return self._only(DigitalOutput)

    @property
    def channel_names(self) -> list[str]:
        return self._work.channel_names if self._work else []

    @property
    def boards(self) -> list[Board]:
        return [self._work.board] if self._work else []

    def on(self, board: Board, kind: type[W]) -> W:
        """The task as ``kind`` on ``board``; raises ``BoardError`` when it is of another kind or on another board."""
        if self._work is None:
            self._work = kind(board)
        elif self._work.board is not board:
            raise BoardError(DaqCode.MULTIPLE_DEVICES_IN_TASK, self.name)
        elif not isinstance(self._work, kind):
            raise BoardError(DaqCode.MULTIPLE_CHANNEL_TYPES_IN_TASK, self.name)
        return self._only(kind)

    def clear(self) -> None:
        if self._work is not None:
            self._work.unreserve()

    def _only(self, kind: type[W]) -> W:
        if not isinstance(self.work, kind):
            raise BoardError(DaqCode.NOT_SUPPORTED_IN_TASK_CONTEXT, self.name)
        return self.work


class Daqmx:
    def __init__(self, boards: Sequence[Board]) -> None:
        self._boards = {board.name.casefold(): board for board in boards}
        self._tasks: dict[str, DaqTask] = {}
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    @property
    def device_names(self) -> list[str]:
        return [board.name for board in self._boards.values() if board.faults.plugged]

    def board(self, name: str) -> Board:
        board = self._boards.get(name.casefold())
        if board is None or not board.faults.plugged:
            raise BoardError(DaqCode.INVALID_DEVICE_ID, name)
        board.faults.check_sense()
        return board

    def create_task(self, name: str, *, new_only: bool = True) -> tuple[DaqTask, bool]:
        """The task of this name and whether it is new; ``new_only`` refuses one that exists (-200089)."""
        with self._lock:
            name = name or f"_unnamedTask<{next(self._numbers)}>"
            if name not in self._tasks:
                self._tasks[name] = DaqTask(name)
                return self._tasks[name], True
            if new_only:
                raise BoardError(DaqCode.DUPLICATE_TASK, name)
            return self._tasks[name], False

    def has_task(self, name: str) -> bool:
        with self._lock:
            return name in self._tasks

    def task(self, name: str) -> DaqTask:
        with self._lock:
            if name not in self._tasks:
                raise BoardError(DaqCode.INVALID_TASK, name)
            task = self._tasks[name]
        for board in task.boards:
            board.faults.check_sense()
        return task

    def clear_task(self, name: str) -> None:
        task = self.task(name)
        task.clear()
        with self._lock:
            self._tasks.pop(name, None)

    def add_voltage_inputs(
        self, task: DaqTask, physical: str, assigned: str, terminal: int, low_v: float, high_v: float
    ) -> None:
        """``physical`` and ``assigned`` are lists as NI writes them: ``Dev1/ai0:3, Dev1/ai7``."""
        board, inputs = self._on_one_board(physical)
        pins = [board.pin(name) for name in inputs]
        try:
            asked = Terminal(terminal)
        except ValueError:
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"terminal configuration {terminal}") from None
        names = _channel_names(assigned, [board.pins[pin] for pin in pins])
        task.on(board, AnalogInput).add_channels(names, pins, asked, low_v, high_v)

    def add_voltage_outputs(self, task: DaqTask, physical: str, assigned: str, low_v: float, high_v: float) -> None:
        board, outputs = self._on_one_board(physical)
        pins = [named(name, board.outputs.analogue) for name in outputs]
        task.on(board, AnalogOutput).add_channels(_channel_names(assigned, pins), pins, low_v, high_v)

    def add_pulse_output(
        self, task: DaqTask, counter: str, assigned: str, delay_s: float, low_s: float, high_s: float
    ) -> None:
        board, (name,) = self._on_one_board(counter)
        pin = named(name, board.outputs.counters)
        task.on(board, CounterOutput).add_channel(assigned or pin, pin, delay_s, low_s, high_s)

    def add_digital_output(self, task: DaqTask, line: str, assigned: str) -> None:
        board, (name,) = self._on_one_board(line)
        pin = named(name, board.outputs.digital)
        task.on(board, DigitalOutput).add_line(assigned or pin, pin)

    def _on_one_board(self, physical: str) -> tuple[Board, list[str]]:
        names = expand(physical)
        board = self.board(names[0].partition("/")[0])
        for name in names:
            if self.board(name.partition("/")[0]) is not board:
                raise BoardError(DaqCode.MULTIPLE_DEVICES_IN_TASK, physical)
        return board, names

    def wait_while_hung(self) -> None:
        for board in self._boards.values():
            board.faults.wait_while_hung()

    def shut_down(self) -> None:
        """Let go of whoever waits, and clear every task."""
        for board in self._boards.values():
            board.faults.release()
        with self._lock:
            tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.clear()


def expand(names: str) -> list[str]:
    """``"Dev1/ai0:2, Dev1/ai7"`` as the four names that it stands for. Raises ``BoardError`` -200498."""
    expanded: list[str] = []
    for part in (part.strip() for part in names.split(",")):
        first, colon, last = part.partition(":")
        if not colon:
            expanded.append(part)
            continue
        head, tail = re.fullmatch(r"(.*?)(\d+)", first), re.fullmatch(r"(.*?)(\d+)", last)
        if not head or not tail or tail[1].casefold() not in ("", head[1].casefold()):
            raise BoardError(DaqCode.INVALID_RANGE_SYNTAX, part)
        begin, end = int(head[2]), int(tail[2])
        step = 1 if begin <= end else -1
        expanded += [f"{head[1]}{number}" for number in range(begin, end + step, step)]
    return expanded


def _channel_names(assigned: str, pins: list[str]) -> list[str]:
    """Names of the channels on ``pins``: those that were assigned, numbered where one name stands for several."""
    names = expand(assigned) if assigned else pins
    if len(names) == 1 < len(pins):
        names = [f"{names[0]}{number}" for number in range(len(pins))]
    if len(names) != len(pins):
        raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"{len(names)} names for {len(pins)} channels")
    return names
