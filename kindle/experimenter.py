"""The person at the rig, as the rig sees them: polled between reads, never waited for by the sample clock."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kindle.behaviour import Edge
from kindle.errors import KindleError

Answer = Callable[[], str | None]
"""The answer to a question, or ``None`` as long as there is none."""


@dataclass(frozen=True, slots=True)
class StageMark:
    """The animal is at this stage now."""

    stage: float


@dataclass(frozen=True, slots=True)
class ItemMark:
    """This item happens, begins or ends now."""

    item: str
    edge: Edge = "event"


@dataclass(frozen=True, slots=True)
class TakeBack:
    """The last mark was a mistake."""


Mark = StageMark | ItemMark | TakeBack


class Experimenter(Protocol):
    def wants_stop(self) -> bool:
        """Whether the person asked to stop; looked at between any two blocks."""
        ...

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        """Show a question at once; the rig reads on and polls what is returned. No choices: a number is wanted."""
        ...

    def ask_name(self, text: str) -> Answer:
        """Show an alarm that only a person can acknowledge; the answer is the name of whoever does, never empty."""
        ...

    def mark(self) -> Mark | None:
        """The next thing that the person marked since the last call; ``None`` when there is nothing more."""
        ...


class Unattended:
    """Nobody is there: a question gets its first, cautious answer; nothing can be scored."""

    def wants_stop(self) -> bool:
        return False

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        if not choices:
            raise NobodyThere(f"nobody is at the rig to answer: {text}")
        return lambda: choices[0]

    def ask_name(self, text: str) -> Answer:
        raise NobodyThere(f"nobody is at the rig to acknowledge: {text}")

    def mark(self) -> Mark | None:
        return None


class VoidCalled(KindleError):
    """The last train is called void while nothing but waiting goes on: the protocol is to hear its trials anew."""


class NobodyThere(KindleError):
    """An act was asked for that only a person can do."""
