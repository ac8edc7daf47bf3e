"""A technician at the command line: types commands, answers what the screen asks, and has a calendar of her own."""

import io
import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kindle import session
from kindle.cli import main

Answers = Callable[[str, list[str]], str]
"""What is said to a question, given its text and its choices."""


@dataclass
class Technician:
    """Each command takes her a minute, by the calendar; a simulated session takes no more."""

    folder: Path
    now: datetime
    answers: Answers
    asked: list[str] = field(default_factory=list)

    def comes_in(self, day: datetime) -> None:
        assert day >= self.now, "nobody works on a day that is over"
        self.now = day

    def types(self, line: str, *, leaves: int = 0) -> str:
        """Everything that the screen shows after a command typed in ``folder``; it leaves with this code."""
        self.now += timedelta(minutes=1)
        screen = Screen(self)
        with pytest.MonkeyPatch.context() as patch, days_of_utc():
            patch.chdir(self.folder)
            patch.setattr(session, "utc_now", lambda: self.now)
            patch.setattr(sys, "argv", shlex.split(line))
            patch.setattr(sys, "stdin", screen.keyboard)
            try:
                with redirect_stdout(screen), redirect_stderr(screen):
                    main()
                code: object = 0
            except SystemExit as left:
                code = left.code
            finally:
                screen.keyboard.close()
        assert code == leaves, f"{line}\n{screen.getvalue()}"
        return screen.getvalue()


@contextmanager
def days_of_utc() -> Iterator[None]:
    """Days are those of the computer's time zone; where it can be set, these are the same everywhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        _set_zone()
        yield
    _set_zone()


def _set_zone() -> None:
    if hasattr(time, "tzset"):
        time.tzset()


class Screen(io.StringIO):
    """What is shown, also of what is typed; a question that ends in a colon is answered at once."""

    def __init__(self, technician: Technician) -> None:
        super().__init__()
        self._technician = technician
        self.keyboard = Keyboard()

    def write(self, text: str) -> int:
        written = super().write(text)
        if text.endswith(": ") and not text.startswith("  "):
            *_, question, choices = self.getvalue().rstrip(": ").split("\n")
            self._technician.asked.append(question)
            said = self._technician.answers(question, choices.split(" / "))
            self.keyboard.types(said)
            super().write(f"{said}\n")
        return written


class Keyboard:
    """The terminal's end of a line to the program; closed, nobody is there any more."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._read

    def types(self, line: str) -> None:
        os.write(self._write, f"{line}\n".encode())

    def close(self) -> None:
        """The program's own thread sees that nobody types any more, and ends."""
        os.close(self._write)
        for thread in threading.enumerate():
            if thread.name == "keyboard":
                thread.join()
        os.close(self._read)


def morning(day: int, hour: int = 9) -> datetime:
    """``day`` counts from Monday 2 February 2026."""
    return datetime(2026, 2, 2, hour, tzinfo=UTC) + timedelta(days=day)
