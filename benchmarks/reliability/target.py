"""What the hostile part of the campaign tries: a reader, and sound inputs to begin from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HANG_S = 2.0
"""What reading may take of the processor."""

Seeds = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Target:
    """``read`` takes one input; ``folder`` is all that it may write to, and holds sound files besides."""

    name: str
    seeds: Seeds | Callable[[], Seeds]
    """What has to be heard from an emulated instrument is heard in the process that goes on to lie."""
    read: Callable[[bytes, Path], object]
    share: float = 1.0
    """Of the time, against the others."""
    well_formed: float = 0.0
    """Share of the inputs in which only numbers, texts and lines change places, to get behind the parser."""
    most_s: float = HANG_S
    """Longer for what has work to do besides reading, such as figures to draw."""

    def sound(self) -> Seeds:
        return self.seeds() if callable(self.seeds) else self.seeds


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
