"""The person and the progress at a terminal: a line for each trial, a status line for now, questions by keyboard."""

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import assert_never

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from detectors.criterion import Verdict
from kindle import progress
from kindle.exchange import Trial, VoidTrial
from kindle.experimenter import Answer, Mark, NobodyThere, Unattended
from kindle.marking_keys import MarkingKeys
from kindle.protocols.catalogue import Plan, trains_of

POLL_S = 0.05
"""How long a look for an answer may take: the rig reads on at least this seldom while a person thinks."""


STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Ctrl-C, being ended by the system, the window closed; not every system has all of them."""


class StopKey:
    """A stop signal stops current first: the stimulator is told to stop from a thread of its own, at once."""

    def __init__(self) -> None:
        self.pressed = threading.Event()
        self._abort: Callable[[], object] | None = None
        self._thread = threading.Thread(target=self._abort_when_pressed, name="stop key", daemon=True)

    @contextmanager
    def aborting(self, abort: Callable[[], object]) -> Iterator[None]:
        self._abort = abort
        self._thread.start()
        numbers = [getattr(signal, name) for name in STOP_SIGNALS if hasattr(signal, name)]
        before = {number: signal.signal(number, lambda number, frame: self.pressed.set()) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _abort_when_pressed(self) -> None:
        self.pressed.wait()
        if self._abort is not None:
            self._abort()


class AtTerminal:
    """An experimenter at the keyboard. What was typed before a question is no answer to it.

    ``lines`` is the queue that the keyboard's thread fills; its own, unless somebody else looks at it too.
    """

    def __init__(
        self,
        stop: StopKey,
        console: Console,
        display: "Display",
        keys: MarkingKeys | None = None,
        lines: queue.Queue[str | None] | None = None,
    ) -> None:
        self._stop = stop
        self._keys = keys
        self._typed: list[str] = []
        self._asking = False
        self._console = console
        self._display = display
        self._lines = queue.Queue() if lines is None else lines
        self._ended = False
        threading.Thread(target=self._read_lines, name="keyboard", daemon=True).start()

    def wants_stop(self) -> bool:
        return self._stop.pressed.is_set()

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        wanted = " / ".join(choices) if choices else "a number"

        def fits(said: str) -> bool:
            return said in choices or (not choices and said.replace(".", "", 1).isdigit())

        def nobody() -> str:
            """The keyboard is gone: the cautious answer, where there is one."""
            if not choices:
                raise NobodyThere("the keyboard is gone, and a number was to be typed")
            return choices[0]

        return self._question(text, wanted, f"one of: {wanted}", fits, nobody)

    def ask_name(self, text: str) -> Answer:
        def nobody() -> str:
            raise NobodyThere("the keyboard is gone, and an alarm was to be acknowledged")

        return self._question(text, "your name", "your name", bool, nobody)

    def mark(self) -> Mark | None:
        if self._keys is None or self._asking:
            return None
        self._take_typed()
        while self._typed:
            typed = self._typed.pop(0)
            if (mark := self._keys.read(typed)) is not None:
                return mark
            if typed:
                self._console.print(escape(f"  {typed!r} is no mark. {self._keys.help()}"))
        return None

    def _take_typed(self) -> None:
        """Lines typed outside a question are marks, and no answers."""
        while not self._lines.empty():
            line = self._lines.get()
            self._ended = self._ended or line is None
            if line is not None and self._keys is not None:
                self._typed.append(line)

    def _read_lines(self) -> None:
        # Not through sys.stdin: a thread inside its buffer would stop the interpreter from ending.
        pending = b""
        while typed := _read_some(sys.stdin.fileno()):
            *lines, pending = (pending + typed).split(b"\n")
            for line in lines:
                self._lines.put(line.decode(errors="replace").strip())
        self._lines.put(None)

    def _question(
        self, text: str, wanted: str, again: str, fits: Callable[[str], bool], nobody: Callable[[], str]
    ) -> Answer:
        """Shown at once; each look takes a line that was typed since, at most."""
        self._take_typed()
        self._asking = True
        self._display.pause()
        self._console.print(f"\n[bold]{escape(text)}[/bold]")
        self._console.print(wanted, end=": ")

        def answer() -> str | None:
            try:
                said = None if self._ended else self._lines.get(timeout=POLL_S)
            except queue.Empty:
                return None
            if said is None:
                self._ended = True
            elif not fits(said):
                self._console.print(again, end=": ")
                return None
            self._asking = False
            self._display.resume()
            return nobody() if said is None else said

        return answer


def _read_some(keyboard: int) -> bytes:
    """Nothing at its end; a terminal that was closed is at its end too."""
    try:
        return os.read(keyboard, 4096)
    except OSError:
        return b""


class StoppableUnattended(Unattended):
    """Nobody answers questions, but Ctrl-C still stops."""

    def __init__(self, stop: StopKey) -> None:
        self._stop = stop

    def wants_stop(self) -> bool:
        return self._stop.pressed.is_set()


class Display:
    """Tells the progress of a session."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._console = console
        self._rungs_ua = [train.current_ua for train in trains_of(plan)]
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(24), TimeElapsedColumn(), console=console, transient=True
        )
        self._task = self._bar.add_task("connecting", total=max(1, len(self._rungs_ua)))
        self._rung = ""
        self._next = self._named(0)

    def __enter__(self) -> "Display":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def pause(self) -> None:
        """A question stands on the screen: nothing is drawn over it."""
        self._bar.stop()

    def resume(self) -> None:
        self._bar.start()

    def __call__(self, fact: progress.Progress) -> None:
        match fact:
            case progress.Read() | progress.Exposed() | progress.Ready() | progress.Armed():
                return
            case progress.Resting(remaining_s, why):
                self._status(f"{why}: {remaining_s:.0f} s left" + (f", next {self._next}" if self._next else ""))
            case progress.Observing(remaining_s):
                self._status(f"observing: {remaining_s:.0f} s left")
            case progress.Marked(mark=mark):
                self._console.print(f"  marked: {mark}")
            case progress.Arming(train):
                position = self._position(train.current_ua)
                self._bar.update(self._task, completed=position - 1)
                self._rung = self._named(position - 1)
                self._status(f"arming {self._rung}")
            case progress.Fired():
                self._status(f"train of {self._rung}")
            case progress.Watching(discharge_s=None):
                self._status(f"{self._rung}: watching, {fact.since_train_s:.0f} s after the train")
            case progress.Watching():
                self._status(f"{self._rung}: AFTERDISCHARGE, {fact.discharge_s or 0.0:.1f} s so far")
            case progress.Alarmed():
                self._console.bell()
                self._console.print(f"[bold]{escape(fact.text)}[/bold]")
            case progress.Voided(trial):
                self._console.print(escape(trial_line(trial)))
            case progress.Lost(reason=reason):
                self._console.print(f"signal lost, current off: {reason}")
            case progress.Awaiting(remaining_s, why):
                self._status(f"waiting for the signal, {remaining_s:.0f} s more: {why}")
            case progress.Back(n_lost=n_lost):
                self._console.print(
                    f"signal back in a new segment, about {n_lost} samples lost; the baseline is taken anew"
                )
            case progress.Done(trial):
                self._console.print(trial_line(trial))
                repeated = isinstance(trial, VoidTrial) or trial.verdict is not Verdict.NONE
                self._next = self._named(self._position(trial.train.current_ua) - repeated)
            case _:
                assert_never(fact)

    def _position(self, current_ua: float) -> int:
        return 1 + min(range(len(self._rungs_ua)), key=lambda i: abs(self._rungs_ua[i] - current_ua))

    def _named(self, rung: int) -> str:
        if not self._rungs_ua:
            return ""
        if len(self._rungs_ua) == 1:
            return f"{self._rungs_ua[0]:.4g} uA"
        if rung >= len(self._rungs_ua):
            return "the end of the series"
        return f"{self._rungs_ua[rung]:.4g} uA (rung {rung + 1} of {len(self._rungs_ua)})"

    def _status(self, text: str) -> None:
        self._bar.update(self._task, description=text)


def trial_line(trial: Trial | VoidTrial) -> str:
    """One trial in one line."""
    asked = f"{trial.train.current_ua:8.4g} uA"
    match trial:
        case VoidTrial():
            return f"{asked}  void            {trial.reason}"
        case Trial(verdict=Verdict.AFTERDISCHARGE):
            latency_s = (trial.afterdischarges[0].onset_sample - trial.measured.end_sample) / trial.rate_hz
            durations = trial.durations
            return (
                f"{asked}  afterdischarge  {durations.from_first_spike:.2f} s from first to last spike, "
                f"{latency_s:.2f} s after the train"
            )
        case Trial():
            return f"{asked}  {trial.verdict.value:<14}  {trial.reason}"
        case _:
            assert_never(trial)


def console() -> Console:
    """Plain where the output is not a terminal; no colour is needed to understand it."""
    return Console(highlight=False, soft_wrap=True)


def at_keyboard() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()
