"""Listeners that act at a chosen moment of a session, and the end of the process as a test has it."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest

from kindle.progress import Fired, Listener, Progress, Read, Watching
from kindle.rows import SessionInterrupted
from kindle.session_record import SessionJournal

RATE_HZ = 2000
"""Of the simulated rig."""


class Died(BaseException):
    """Stands for the end of the process at this instant."""


@dataclass
class Once:
    """Does ``act`` at the first fact for which ``when`` holds."""

    when: Callable[[Progress], bool]
    act: Callable[[], object]
    done: bool = False

    def __call__(self, fact: Progress) -> None:
        if not self.done and self.when(fact):
            self.done = True
            self.act()


def at_second(second: float) -> Callable[[Progress], bool]:
    return lambda fact: isinstance(fact, Read) and fact.first_sample >= second * RATE_HZ


def in_train(n: int, after_s: float) -> Callable[[Progress], bool]:
    """So long after the trigger of the n-th train."""
    fired: list[None] = []
    read_s: list[float] = []

    def when(fact: Progress) -> bool:
        if isinstance(fact, Fired):
            fired.append(None)
        elif isinstance(fact, Read) and len(fired) == n:
            read_s.append(fact.block.shape[1] / RATE_HZ)
        return sum(read_s) >= after_s and len(fired) == n

    return when


def watching(n: int, after_s: float) -> Callable[[Progress], bool]:
    """So long after the end of the n-th train."""
    fired: list[None] = []

    def when(fact: Progress) -> bool:
        if isinstance(fact, Fired):
            fired.append(None)
        return isinstance(fact, Watching) and len(fired) == n and fact.since_train_s >= after_s

    return when


def die() -> None:
    raise Died


def dies(second: float) -> Listener:
    """As the block is read that reaches this second."""
    return Once(
        lambda fact: isinstance(fact, Read) and fact.first_sample + fact.block.shape[1] >= second * RATE_HZ, die
    )


def dies_in_train(n: int, after_s: float) -> Listener:
    """In the n-th train, or after it, so long after its trigger."""
    return Once(in_train(n, after_s), die)


def killed(monkeypatch: pytest.MonkeyPatch, session: Callable[[], object]) -> None:
    """``session`` ends with no chance to write why: SIGKILL, or the power failed."""
    write = SessionJournal.write

    def unless_dead(journal: SessionJournal, row: msgspec.Struct) -> None:
        if not isinstance(row, SessionInterrupted):
            write(journal, row)

    with monkeypatch.context() as patched:
        patched.setattr(SessionJournal, "write", unless_dead)
        with pytest.raises(Died):
            session()
