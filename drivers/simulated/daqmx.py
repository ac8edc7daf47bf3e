"""What NI's driver is to its callers: named tasks on named devices. A front end only translates to this."""

import itertools
import re
import threading
from collections.abc import Sequence

from drivers.simulated.analogue_input import AnalogInput
from drivers.simulated.board import Board
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.products import Terminal

VERSION = (26, 5, 0)
"""Of the driver that is emulated; clients choose their way of reading by it."""


class DaqTask:
    """A task before it has channels is nobody's; the first channel decides its kind and its board."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._ai: AnalogInput | None = None

    @property
    def ai(self) -> AnalogInput:
        if self._ai is None:
            raise BoardError(DaqCode.CANNOT_PERFORM_OP_WITHOUT_CHANNELS, self.name)
        return self._ai

    @property
    def channel_names(self) -> list[str]:
        return [channel.name for channel in self._ai.channels] if self._ai else []

    @property
    def boards(self) -> list[Board]:
        return [self._ai.board] if self._ai else []

    def on(self, board: Board) -> AnalogInput:
        """The task as analogue input of ``board``; raises ``BoardError`` when it has channels of another one."""
        if self._ai is None:
            self._ai = AnalogInput(board)
        elif self._ai.board is not board:
            raise BoardError(DaqCode.MULTIPLE_DEVICES_IN_TASK, self.name)
        return self._ai

    def clear(self) -> None:
        if self._ai is not None:
            self._ai.unreserve()


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

    def task(self, name: str) -> DaqTask:
        with self._lock:
            if name not in self._tasks:
                raise BoardError(DaqCode.INVALID_TASK, name)
            return self._tasks[name]

    def clear_task(self, name: str) -> None:
        task = self.task(name)
        task.clear()
        with self._lock:
            self._tasks.pop(name, None)

    def add_voltage_inputs(
        self, task: DaqTask, physical: str, assigned: str, terminal: int, low_v: float, high_v: float
    ) -> None:
        """``physical`` and ``assigned`` are lists as NI writes them: ``Dev1/ai0:3, Dev1/ai7``."""
        inputs = expand(physical)
        board = self.board(inputs[0].partition("/")[0])
        for name in inputs:
            if self.board(name.partition("/")[0]) is not board:
                raise BoardError(DaqCode.MULTIPLE_DEVICES_IN_TASK, physical)
        pins = [board.pin(name) for name in inputs]
        try:
            asked = Terminal(terminal)
        except ValueError:
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"terminal configuration {terminal}") from None
        names = expand(assigned) if assigned else [board.pins[pin] for pin in pins]
        if len(names) == 1 < len(pins):
            names = [f"{names[0]}{number}" for number in range(len(pins))]
        if len(names) != len(pins):
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"{len(names)} names for {len(pins)} channels")
        task.on(board).add_channels(names, pins, asked, low_v, high_v)

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
