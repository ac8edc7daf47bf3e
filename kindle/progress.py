"""What a rig tells whoever watches: small frozen facts, never commands."""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.interface import Block, DeliveredTrain, PulseTrain
from kindle.exchange import Trial, VoidTrial


@dataclass(frozen=True, slots=True)
class Read:
    """A block has been recorded; ``block`` is ``(n_channels, n_samples)`` and must not be kept or changed."""

    first_sample: int
    block: Block


@dataclass(frozen=True, slots=True)
class Resting:
    remaining_s: float
    why: str


@dataclass(frozen=True, slots=True)
class Arming:
    train: PulseTrain


@dataclass(frozen=True, slots=True)
class Fired:
    train: PulseTrain
    delivered: DeliveredTrain


@dataclass(frozen=True, slots=True)
class Watching:
    """After a train: ``discharge_s`` is the running length of a discharge going on, else ``None``."""

    since_train_s: float
    discharge_s: float | None


@dataclass(frozen=True, slots=True)
class Done:
    trial: Trial | VoidTrial


Progress = Read | Resting | Arming | Fired | Watching | Done
Listener = Callable[[Progress], None]


def unheard(progress: Progress) -> None:
    """For whoever does not want to be told."""
