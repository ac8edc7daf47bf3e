"""What a check of stored files found wrong."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding; ``samples`` is ``[first, last)`` in the whole recording, ``seq`` a row of the journal."""

    path: Path
    message: str
    samples: tuple[int, int] | None = None
    seq: int | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"
