"""What a board puts out: its pins, and the edges by which one output starts another."""

import threading
from typing import Protocol

from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.output_line import OutputLine
from drivers.simulated.products import Outputs

LOGIC_HIGH_V = 5.0


class Playing(Protocol):
    """An output task as those see it that start and stop it."""

    def begin(self, at_us: int) -> None: ...

    def break_off(self, at_us: int, code: DaqCode) -> None: ...


class BoardOutputs:
    def __init__(self, device: str, outputs: Outputs) -> None:
        self.analogue = tuple(f"{device}/ao{pin}" for pin in range(outputs.n_analogue))
        self.counters = tuple(f"{device}/ctr{counter}" for counter in range(outputs.n_counters))
        self.digital = tuple(f"{device}/port0/line{line}" for line in range(outputs.n_lines))
        self._device = device
        self._lines = {pin: OutputLine() for pin in (*self.analogue, *self.counters, *self.digital)}
        self._waiting: list[tuple[str, Playing]] = []
        self._following: list[tuple[str, Playing]] = []
        self._lock = threading.Lock()

    def line(self, physical: str) -> OutputLine:
        """The output pin of this name, whatever its case. Raises ``BoardError`` -200170."""
        return self._lines[named(physical, tuple(self._lines))]

    def terminal(self, name: str) -> str:
        """``/Dev1/ao/StartTrigger`` as ``ao/StartTrigger``. Raises ``BoardError`` -200040 for what is not modelled."""
        known = ["ai/StartTrigger", "ao/StartTrigger", "ao/SampleClock"]
        known += [f"Ctr{number}InternalOutput" for number in range(len(self.counters))]
        for terminal in known:
            if name.casefold() == f"/{self._device}/{terminal}".casefold():
                return terminal
        raise BoardError(DaqCode.INVALID_ROUTING_SOURCE, name)

    def await_edge(self, terminal: str, task: Playing) -> None:
        """``task`` begins with the next edge at ``terminal``."""
        with self._lock:
            self._waiting.append((terminal, task))

    def forget_edge(self, task: Playing) -> None:
        with self._lock:
            self._waiting = [entry for entry in self._waiting if entry[1] is not task]
            self._following = [entry for entry in self._following if entry[1] is not task]

    def edge(self, terminal: str, at_us: int) -> None:
        """Whoever waited for ``terminal`` begins."""
        with self._lock:
            due = [entry for entry in self._waiting if entry[0] == terminal]
            self._waiting = [entry for entry in self._waiting if entry[0] != terminal]
            self._following += due
        for _, task in due:
            task.begin(at_us)

    def clock_stops(self, terminal: str, at_us: int) -> None:
        """Whoever is clocked by ``terminal`` stands still from ``at_us`` on."""
        with self._lock:
            following = [task for source, task in self._following if source == terminal]
        for task in following:
            task.break_off(at_us, DaqCode.DAC_UNDERFLOW)

    def lose_power(self, at_us: int) -> None:
        """A board that is fed by its bus: no output has a level any more. An assumption."""
        for line in self._lines.values():
            line.set(0.0, at_us)
        with self._lock:
            self._waiting.clear()
            self._following.clear()


def named(physical: str, among: tuple[str, ...]) -> str:
    """The one of these outputs that is meant, as the board writes it. Raises ``BoardError`` -200170."""
    for name in among:
        if name.casefold() == physical.casefold():
            return name
    raise BoardError(DaqCode.PHYSICAL_CHAN_DOES_NOT_EXIST, physical)
