"""How long the event loop of a window is away, and how much of that its threads waited for a processor.

A timer of 5 ms in the loop notes how late it comes. `python -m benchmarks.reliability.event_loop` is a loop that does
nothing else: what it is late is the computer's doing. It ends with its standard input and prints what it saw.
"""

import os
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from PySide6.QtCore import QCoreApplication, QObject, QSocketNotifier, Qt, QTimer

TICK_MS = 5
TOLD_S = 0.03
"""Absences from here on are told one by one."""
MOST_TOLD = 20_000
THREADS_LOOKED_FOR_S = 1.0


class Absence(msgspec.Struct, frozen=True):
    """The loop did not come round for ``lasted_s`` before ``until_s`` of the monotonic clock."""

    until_s: float
    lasted_s: float
    worked_s: float
    """Processor time of the loop's own thread."""
    queued_s: float
    """Its threads were ready to run, and no processor was free: the loop's own, and of the others the worst."""

    @property
    def own_s(self) -> float:
        """What is left on a computer that has nothing else to do; never less than the work itself."""
        return max(self.worked_s, self.lasted_s - self.queued_s)

    def meets(self, other: "Absence") -> bool:
        """Whether both were away at some moment."""
        return self.until_s - self.lasted_s < other.until_s and other.until_s - other.lasted_s < self.until_s


class Absences(msgspec.Struct, frozen=True):
    counts: tuple[int, ...]
    """How many lasted 0 to 1 ms, 1 to 2 ms and so on; the last holds all longer ones."""
    told: tuple[Absence, ...]

    @property
    def n(self) -> int:
        return sum(self.counts)

    def percentile_ms(self, percent: float) -> int:
        """At most so many milliseconds, in ``percent`` of all rounds."""
        wanted, seen = percent / 100 * self.n, 0
        for ms, count in enumerate(self.counts, 1):
            seen += count
            if seen >= wanted:
                return ms
        return len(self.counts)

    def longest_s(self) -> float:
        if self.told:
            return max(absence.lasted_s for absence in self.told)
        return max((ms for ms, count in enumerate(self.counts, 1) if count), default=0) * 1e-3


def of_its_own(loop: Absences, idle: Absences, least_s: float) -> list[Absence]:
    """Absences of ``loop`` of ``least_s`` or more that are not the computer's doing.

    Neither a wait for a processor makes them so long, nor was a loop that does nothing away at the same time.
    """
    return [
        absence
        for absence in loop.told
        if absence.own_s >= least_s and not any(absence.meets(other) for other in idle.told)
    ]


@dataclass
class Queues:
    """How long each thread of Python has waited for a processor so far; nothing where the system does not tell."""

    _files: dict[int, int] = field(default_factory=dict)
    _looked_s: float = 0.0

    def waited_s(self) -> dict[int, float]:
        now_s = time.monotonic()
        if now_s - self._looked_s > THREADS_LOOKED_FOR_S:
            self._looked_s = now_s
            self._look()
        return {thread: waited for thread in list(self._files) if (waited := self._read(thread)) is not None}

    def _look(self) -> None:
        alive = {thread.native_id for thread in threading.enumerate() if thread.native_id is not None}
        for gone in set(self._files) - alive:
            os.close(self._files.pop(gone))
        for new in alive - set(self._files):
            path = Path(f"/proc/self/task/{new}/schedstat")
            if path.exists():
                self._files[new] = os.open(path, os.O_RDONLY)

    def _read(self, thread: int) -> float | None:
        try:
            return int(os.pread(self._files[thread], 100, 0).split()[1]) * 1e-9
        except OSError:  # the thread has ended
            os.close(self._files.pop(thread))
            return None


class LoopWatch(QObject):
    """Begins to count with ``begin``; keeps the same amount of memory however long it runs."""

    def __init__(self) -> None:
        super().__init__()
        self._counts = [0] * 1000
        self._told: list[Absence] = []
        self._queues = Queues()
        self._own = threading.get_native_id()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def begin(self) -> None:
        self._counts, self._told = [0] * 1000, []
        self._note()
        self._timer.start(TICK_MS)

    def absences(self) -> Absences:
        return Absences(tuple(self._counts), tuple(self._told))

    def _note(self) -> None:
        self._last_s, self._worked_s, self._waited_s = time.monotonic(), time.thread_time(), self._queues.waited_s()

    def _tick(self) -> None:
        last_s, worked_s, waited_s = self._last_s, self._worked_s, self._waited_s
        self._note()
        lasted_s = self._last_s - last_s
        self._counts[min(int(lasted_s * 1e3), len(self._counts) - 1)] += 1
        if lasted_s >= TOLD_S and len(self._told) < MOST_TOLD:
            queued = {thread: now_s - waited_s.get(thread, now_s) for thread, now_s in self._waited_s.items()}
            own_s = queued.pop(self._own, 0.0)
            queued_s = own_s + max(queued.values(), default=0.0)
            self._told.append(Absence(self._last_s, lasted_s, self._worked_s - worked_s, queued_s))


def main() -> None:
    application = QCoreApplication(["idle"])
    watch = LoopWatch()
    end = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
    end.activated.connect(application.quit)
    watch.begin()
    application.exec()
    sys.stdout.buffer.write(msgspec.json.encode(watch.absences()))


if __name__ == "__main__":
    main()
