"""What a rig tells whoever watches: small frozen facts, never commands."""

from collections.abc import Callable
from dataclasses import dataclass

from drivers.interface import Abort, Block, DeliveredTrain, PulseTrain
from kindle.exchange import Trial, VoidTrial
from kindle.experimenter import Mark
from kindle.safety import Exposure


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
class Exposed:
    """What the session has put into the animal up to ``now_s``: what the interlocks go by."""

    exposure: Exposure
    now_s: float


@dataclass(frozen=True, slots=True)
class Ready:
    """Nothing forbids ``train`` any more; a person is to arm it."""

    train: PulseTrain
    waiting_s: float
    left_s: float | None = None
    """Until it is too late for this train; ``None`` where nothing presses."""


@dataclass(frozen=True, slots=True)
class Armed:
    """The stimulator is programmed; a person is to fire within ``remaining_s``."""

    train: PulseTrain
    delivered: DeliveredTrain
    remaining_s: float


@dataclass(frozen=True, slots=True)
class Arming:
    train: PulseTrain


@dataclass(frozen=True, slots=True)
class Fired:
    train: PulseTrain
    delivered: DeliveredTrain


@dataclass(frozen=True, slots=True)
class Watching:
    """After a train: ``discharge_s`` is the running length of a discharge going on, else ``None``; so its rate."""

    since_train_s: float
    discharge_s: float | None
    spike_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    trial: Trial | VoidTrial


@dataclass(frozen=True, slots=True)
class Voided:
    """A person has called the last trial void: it counts as ``trial`` from now on."""

    trial: VoidTrial


@dataclass(frozen=True, slots=True)
class Lost:
    """The signal is gone, and the stimulator was stopped; ``sample`` would have been the next one."""

    sample: int
    reason: str
    stop: Abort


@dataclass(frozen=True, slots=True)
class Awaiting:
    """The instrument is looked for; it is given up when nothing remains."""

    remaining_s: float
    why: str


@dataclass(frozen=True, slots=True)
class Back:
    """The signal is there again: a new segment begins at ``sample``, after about ``n_lost`` samples were lost."""

    sample: int
    n_lost: int
    source: str


@dataclass(frozen=True, slots=True)
class Marked:
    """The observer marked something, heard at ``sample``."""

    sample: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class Observing:
    remaining_s: float


@dataclass(frozen=True, slots=True)
class Alarmed:
    """Status epilepticus: no train follows until a person has acknowledged it. ``rescue_text`` is to be shown."""

    sample: int
    cause: str
    rescue_text: str

    @property
    def text(self) -> str:
        return f"STATUS EPILEPTICUS: {self.cause}. {self.rescue_text}"


Progress = (
    Read
    | Resting
    | Exposed
    | Ready
    | Armed
    | Arming
    | Fired
    | Watching
    | Done
    | Voided
    | Lost
    | Awaiting
    | Back
    | Marked
    | Observing
    | Alarmed
)
Listener = Callable[[Progress], None]


def unheard(progress: Progress) -> None:
    """For whoever does not want to be told."""
