"""What the journal's rows say: one frozen struct per kind of event, written as JSON and read back as the same type."""

from typing import TypeVar

import msgspec

from kindle.errors import JournalMismatch
from kindle.exchange import Reply, Request
from kindle.presets import Parameter
from kindle.protocols.threshold import ThresholdOutcome, ThresholdPlan
from kindle.safety import ChargeReport, Electrode, SafetyLimits

T = TypeVar("T", bound=msgspec.Struct)


class Animal(msgspec.Struct, frozen=True):
    """``id`` is also a folder name: letters, digits, dot, dash and underscore."""

    id: str
    species: str = "rat"
    strain: str = ""
    sex: str = ""
    note: str = ""


class SessionStarted(msgspec.Struct, frozen=True):
    animal: str
    protocol: str
    plan: ThresholdPlan
    parameters: tuple[Parameter, ...]
    limits: SafetyLimits
    warnings: tuple[ChargeReport, ...]
    rig: str
    software: dict[str, str]
    electrode: Electrode | None = None
    simulated: bool = False
    """Whether the animal was a simulated one: no result of such a session says anything about a rat."""


class RecordingStarted(msgspec.Struct, frozen=True):
    """A session has one recording, and one more for each time that it was resumed."""

    folder: str
    source: str
    stimulator: str
    rate_hz: float
    channels: tuple[str, ...]


class RecordingClosed(msgspec.Struct, frozen=True):
    folder: str
    n_samples: int


class Asked(msgspec.Struct, frozen=True):
    request: Request


class Answered(msgspec.Struct, frozen=True):
    reply: Reply


class SessionInterrupted(msgspec.Struct, frozen=True):
    """The session stopped before its outcome, and can be resumed."""

    reason: str
    stimulator_stop: str
    stray_current: bool = False
    """Whether the animal got, or may have got, current that nobody asked for."""


class SessionEnded(msgspec.Struct, frozen=True):
    outcome: ThresholdOutcome


KINDS: dict[type[msgspec.Struct], str] = {
    Animal: "animal_added",
    SessionStarted: "session_started",
    RecordingStarted: "recording_started",
    RecordingClosed: "recording_closed",
    Asked: "asked",
    Answered: "answered",
    SessionInterrupted: "session_interrupted",
    SessionEnded: "session_ended",
}


def kind_of(row: msgspec.Struct) -> str:
    return KINDS[type(row)]


def decode(kind: str, payload: str, type: type[T]) -> T:
    """The payload of a row as its struct; raises ``JournalMismatch`` when it is not one."""
    try:
        return msgspec.json.decode(payload, type=type)
    except msgspec.DecodeError as error:
        raise JournalMismatch(f"a journal row of kind {kind!r} cannot be read: {error}; run kindle verify") from None
