"""A real keyboard at a real terminal: marks while the signal runs, answers to questions, neither for the other."""

import io
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import pytest
from rich.console import Console

from kindle.ethogram import load_ethogram
from kindle.experimenter import Answer, ItemMark, Mark, NobodyThere, StageMark, TakeBack
from kindle.marking_keys import MarkingKeys
from kindle.progress import Alarmed, Fired, Watching
from kindle.terminal import AtTerminal, Display, StopKey
from tests.test_kindling_sessions import DAILY

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is POSIX")

T = TypeVar("T")


class TypedLines(queue.Queue[str | None]):
    """The queue of the keyboard's thread, in which each line that has arrived is counted."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = threading.Semaphore(0)

    def put(self, item: str | None, block: bool = True, timeout: float | None = None) -> None:
        super().put(item, block, timeout)
        self.arrived.release()


@dataclass
class Terminal:
    """``keys`` is the end of the line at which a person types."""

    person: AtTerminal
    display: Display
    keys: int
    screen: io.StringIO
    lines: TypedLines

    def types(self, text: str) -> None:
        os.write(self.keys, text.encode())

    def arrived(self, n_lines: int) -> bool:
        """Once the keyboard's thread has handed over this many more lines."""
        return all(self.lines.arrived.acquire(timeout=30.0) for _ in range(n_lines))

    def hangs_up(self) -> None:
        if self.keys >= 0:
            os.close(self.keys)
            self.keys = -1

    def marks(self, n: int) -> list[Mark]:
        return [heard(self.person.mark) for _ in range(n)]

    def shows(self, text: str) -> bool:
        return text in self.screen.getvalue()


def heard(look: Callable[[], T | None]) -> T:
    """The first thing that a look finds; the terminal hands lines over in its own time."""
    given_up = time.monotonic() + 30.0
    while time.monotonic() < given_up:
        if (found := look()) is not None:
            return found
    raise AssertionError("nothing was heard")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    import pty

    keys, line = pty.openpty()
    with os.fdopen(line) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        screen = io.StringIO()
        console = Console(file=screen, highlight=False, soft_wrap=True)
        display = Display(DAILY, console)
        lines = TypedLines()
        person = AtTerminal(StopKey(), console, display, MarkingKeys(load_ethogram("kindling")), lines)
        there = Terminal(person, display, keys, screen, lines)
        yield there
        there.hangs_up()


def test_stages_and_items_are_marked_line_by_line_in_their_order(terminal: Terminal) -> None:
    terminal.types("1\nf2\n3.5\nF2\nW\nu\n")
    assert terminal.marks(6) == [
        StageMark(1.0),
        ItemMark("forelimb_clonus", "begins"),
        StageMark(3.5),
        ItemMark("forelimb_clonus", "ends"),
        ItemMark("wet_dog_shake"),
        TakeBack(),
    ]
    assert terminal.person.mark() is None


def test_a_line_that_is_no_mark_is_told_and_nothing_is_marked(terminal: Terminal) -> None:
    terminal.types("[bold]\n2\n")
    assert terminal.marks(1) == [StageMark(2.0)]
    assert terminal.shows("'[bold]' is no mark. Type a stage, or T ipsilateral turning")


def test_half_a_line_is_nothing_yet(terminal: Terminal) -> None:
    terminal.types("1\n5")
    assert terminal.marks(1) == [StageMark(1.0)]
    assert terminal.person.mark() is None
    terminal.types("\n")
    assert terminal.marks(1) == [StageMark(5.0)]


def test_what_was_typed_before_a_question_is_a_mark_and_no_answer(terminal: Terminal) -> None:
    terminal.types("4\n3\n")
    assert terminal.arrived(2)
    answer: Answer = terminal.person.ask("Highest stage?", ("later", "3", "4"))
    assert answer() is None
    assert terminal.person.mark() is None
    terminal.types("3\n")
    assert heard(answer) == "3"
    assert terminal.marks(2) == [StageMark(4.0), StageMark(3.0)]
    terminal.types("2\n")
    assert terminal.marks(1) == [StageMark(2.0)]


def test_of_the_lines_typed_at_once_those_not_yet_looked_at_are_marks_behind_the_question_too(
    terminal: Terminal,
) -> None:
    terminal.types("4\n3\n")
    assert terminal.arrived(2)
    assert terminal.person.mark() == StageMark(4.0)
    answer: Answer = terminal.person.ask("Highest stage?", ("later", "3", "4"))
    assert answer() is None
    terminal.types("4\n")
    assert heard(answer) == "4"
    assert terminal.person.mark() == StageMark(3.0)
    assert terminal.person.mark() is None


def test_a_question_takes_one_of_its_answers_only(terminal: Terminal) -> None:
    answer = terminal.person.ask("Was it delivered?", ("delivered", "void"))
    terminal.types("yes\ndelivered\n")
    assert heard(answer) == "delivered"
    assert terminal.shows("one of: delivered / void: ")


def test_an_alarm_wants_a_name(terminal: Terminal) -> None:
    answer = terminal.person.ask_name("STATUS EPILEPTICUS: the discharge has lasted 301 s.")
    terminal.types("\n  \nAda Lovelace\n")
    assert heard(answer) == "Ada Lovelace"
    assert terminal.shows("STATUS EPILEPTICUS: the discharge has lasted 301 s.")


def test_a_number_is_a_number(terminal: Terminal) -> None:
    answer = terminal.person.ask("What does the dial show?", ())
    terminal.types("about 200\n200.5\n")
    assert heard(answer) == "200.5"


def test_when_the_keyboard_is_gone_the_cautious_answer_is_given_and_no_alarm_is_acknowledged(
    terminal: Terminal,
) -> None:
    terminal.types("\x04")
    assert heard(terminal.person.ask("Was it delivered?", ("void", "delivered"))) == "void"
    with pytest.raises(NobodyThere, match="an alarm was to be acknowledged"):
        heard(terminal.person.ask_name("STATUS EPILEPTICUS"))
    with pytest.raises(NobodyThere, match="a number was to be typed"):
        heard(terminal.person.ask("What does the dial show?", ()))


def test_a_terminal_that_was_closed_is_a_keyboard_that_is_gone(terminal: Terminal) -> None:
    answer = terminal.person.ask("Was it delivered?", ("void", "delivered"))
    terminal.hangs_up()
    assert heard(answer) == "void"


def test_the_alarm_and_its_rescue_text_are_shown_with_a_bell_whatever_signs_are_in_it() -> None:
    screen = io.StringIO()
    with Display(DAILY, Console(file=screen, force_terminal=True, soft_wrap=True, highlight=False)) as display:
        display(Fired(DAILY.one_train, None))  # type: ignore[arg-type]
        display(Watching(301.0, 300.5))
        display(Alarmed(9, "the discharge has lasted 301 s", "Diazepam [2 mg/kg], then call"))
    shown = screen.getvalue()
    assert "\x07" in shown
    assert "STATUS EPILEPTICUS: the discharge has lasted 301 s. Diazepam [2 mg/kg], then call" in shown
