"""A source whose samples something has happened to on the way."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from drivers.interface import Block, Buffered, Channel, SampleSource
from kindle.assembly import Instruments


@dataclass
class Altered:
    """A source whose blocks something has happened to on the way; ``alter(block, first_sample)`` changes a copy."""

    source: SampleSource
    alter: Callable[[Block, int], None]
    n_samples: int = 0

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self.source.channels

    @property
    def rate_hz(self) -> float:
        return self.source.rate_hz

    def identify(self) -> str:
        return self.source.identify()

    def start(self) -> None:
        self.source.start()

    def read(self, n_samples: int) -> Block:
        block = self.source.read(n_samples).copy()
        self.alter(block, self.n_samples)
        self.n_samples += n_samples
        return block

    def n_unread(self) -> int:
        return self.source.n_unread() if isinstance(self.source, Buffered) else 0

    def close(self) -> None:
        self.source.close()


def altered(instruments: Instruments, alter: Callable[[Block, int], None]) -> Instruments:
    return replace(instruments, source=Altered(instruments.source, alter))
