"""The person at the rig, as the rig sees them: polled between reads, never waited for by the sample clock."""

from collections.abc import Callable
from typing import Protocol

from kindle.errors import KindleError

Answer = Callable[[], str | None]
"""The answer to a question, or ``None`` as long as there is none."""


class Experimenter(Protocol):
    def wants_stop(self) -> bool:
        """Whether the person asked to stop; looked at between any two blocks."""
        ...

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        """Show a question at once; the rig reads on and polls what is returned. No choices: a number is wanted."""
        ...

    def stage_now(self, scale: str) -> float | None:
        """A stage that the person stamped since the last call."""
        ...


class Unattended:
    """Nobody is there: a question gets its first, cautious answer; nothing can be scored."""

    def wants_stop(self) -> bool:
        return False

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        if not choices:
            raise NobodyThere(f"nobody is at the rig to answer: {text}")
        return lambda: choices[0]

    def stage_now(self, scale: str) -> float | None:
        return None


class NobodyThere(KindleError):
    """An act was asked for that only a person can do."""
