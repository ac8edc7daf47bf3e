"""The end of the process at any chosen point of a session: at every journal row, and within every request."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from drivers.interface import Abort
from kindle.exchange import TRACE_READINGS
from kindle.experimenter import Answer, Unattended
from kindle.interrupted_acts import BEFORE, NOT_YET
from kindle.progress import Arming, Fired, Observing, Progress, Read, Resting, Watching
from kindle.session_record import SessionJournal
from tests.moments import Died

LOOKS = (1, 12, 45)
"""At which blocks within one phase of a request the process may end; in a train they are 20 ms long."""


@dataclass
class Life:
    """A process. ``points`` are those that it came by; at number ``ends_at`` it is no more."""

    ends_at: int | None = None
    points: list[str] = field(default_factory=list)
    dead: bool = False
    _phase: str = ""
    _blocks: int = 0

    def come_by(self, point: str) -> None:
        if self.dead:
            return
        self.points.append(point)
        if len(self.points) - 1 == self.ends_at:
            self.dead = True
            raise Died

    def __call__(self, fact: Progress) -> None:
        match fact:
            case Read():
                self._blocks += 1
                if self._phase and self._blocks in LOOKS:
                    self.come_by(f"{self._phase}, block {self._blocks}")
            case Arming() | Fired() | Watching() | Resting() | Observing():
                phase = type(fact).__name__.lower()
                if phase != self._phase:
                    self._phase, self._blocks = phase, 0
            case _:
                pass

    @contextmanager
    def writing(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """Each row is a point; a dead process writes none."""
        write = SessionJournal.write

        def unless_dead(journal: SessionJournal, row: msgspec.Struct) -> None:
            if not self.dead:
                write(journal, row)
                self._phase = ""
                self.come_by(f"{type(row).__name__} written")

        with monkeypatch.context() as patched:
            patched.setattr(SessionJournal, "write", unless_dead)
            yield


@dataclass
class PlaysOn:
    """A stimulator that a dead process cannot stop any more: it ends its train by itself."""

    stimulator: Any
    life: Life

    def abort(self) -> Abort:
        return Abort.CONFIRMED if self.life.dead else self.stimulator.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stimulator, name)


@dataclass
class Witness(Unattended):
    """Was there all the time, and tells the truth; ``discharged`` says what the last train did."""

    life: Life
    discharged: Callable[[], bool]
    n_injected: int = 0
    in_doubt: bool = False
    """Whether an injection was given whose answer the program did not live to write."""

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        self.life.come_by(f"asked {choices}")
        said = self._truth(choices)
        if said == "given":
            self.n_injected += 1
        self.life.come_by(f"answered {choices}")
        return lambda: said

    def _truth(self, choices: tuple[str, ...]) -> str:
        if choices == TRACE_READINGS:
            return "afterdischarge" if self.discharged() else "none"
        if BEFORE in choices:
            return BEFORE if self.in_doubt else NOT_YET
        return next(answer for answer in ("4", "given", "yes", choices[0]) if answer in choices)
