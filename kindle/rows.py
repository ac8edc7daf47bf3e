"""What the journal's rows say: one frozen struct per kind of event, written as JSON and read back as the same type."""

from typing import Any, TypeVar

import msgspec

from kindle.animal_rows import ANIMAL_KINDS
from kindle.calibration import Calibration
from kindle.electrode import ChargeReport, Electrode
from kindle.errors import JournalMismatch
from kindle.exchange import Reply, Request
from kindle.imported_rows import AlteredNote, ImportedChannel
from kindle.json_reading import from_json
from kindle.protocols.catalogue import Outcome, Plan
from kindle.safety import SafetyLimits
from kindle.sourced import Parameter

T = TypeVar("T")


class Animal(msgspec.Struct, frozen=True):
    """``id`` is also a folder name: letters, digits, dot, dash and underscore."""

    id: str
    species: str = "rat"
    strain: str = ""
    sex: str = ""
    note: str = ""
    born: str = ""
    """Date of birth, ISO 8601; empty where nobody wrote it down."""


class SessionStarted(msgspec.Struct, frozen=True):
    animal: str
    protocol: str
    plan: Plan
    parameters: tuple[Parameter, ...]
    limits: SafetyLimits
    warnings: tuple[ChargeReport, ...]
    rig: str
    software: dict[str, str]
    electrode: Electrode | None = None
    simulated: bool = False
    """Whether the animal was a simulated one: no result of such a session says anything about a rat."""
    calibration: Calibration | None = None
    """Of the isolator; ``None`` where the stimulator knows its own current."""


class WarningAcknowledged(msgspec.Struct, frozen=True):
    """A warning about charge as it was shown before the first train, and what was said to it."""

    report: ChargeReport
    answer: str


class RecordingStarted(msgspec.Struct, frozen=True):
    """A session has one recording, and one more for each time that it was resumed."""

    folder: str
    source: str
    stimulator: str
    rate_hz: float
    channels: tuple[str, ...]


class FileDigest(msgspec.Struct, frozen=True):
    """The first ``n_bytes`` of a file that lies in the recording's folder."""

    name: str
    n_bytes: int
    sha256: str


class RecordingClosed(msgspec.Struct, frozen=True):
    """``files`` are headers and markers as they stand at the end; blocks of samples have checksums of their own."""

    folder: str
    n_samples: int
    files: tuple[FileDigest, ...] = ()


class RecordingSealed(msgspec.Struct, frozen=True):
    """Headers and markers after markers were added to a closed, or a broken off, recording."""

    folder: str
    files: tuple[FileDigest, ...]


class RecordingImported(msgspec.Struct, frozen=True):
    """A closed recording made from a file of another program; it belongs to an animal and to no session.

    ``files`` are those of the source as they were read, named from ``source``; ``sealed`` are headers and markers of
    the recording. ``gaps`` are the first sample behind each, and about how many are missing there.
    """

    id: str
    animal: str
    folder: str
    source: str
    files: tuple[FileDigest, ...]
    rate_hz: float
    n_samples: int
    start_utc: str
    start_known: bool
    """Whether the start stands in the file, or was given; else it is the time of the import."""
    channels: tuple[ImportedChannel, ...]
    left_out: tuple[str, ...]
    """Channels of the file that were not asked for."""
    gaps: tuple[tuple[int, int], ...]
    altered_notes: tuple[AlteredNote, ...]
    sealed: tuple[FileDigest, ...]
    software: dict[str, str]
    note: str = ""
    remarks: tuple[str, ...] = ()
    """What was wrong with the source, such as that it was cut short."""


class SignalLost(msgspec.Struct, frozen=True):
    """Samples were lost, or the instrument was; ``sample`` would have been the next one in ``recording``."""

    recording: str
    sample: int
    reason: str
    stimulator_stop: str


class SignalBack(msgspec.Struct, frozen=True):
    """A new segment of ``recording`` begins at ``sample``: samples go on counting, ``n_lost`` is about the gap."""

    recording: str
    sample: int
    n_lost: int
    gap_s: float
    source: str


class BehaviourMarked(msgspec.Struct, frozen=True):
    """What the observer marked, as it was heard: it stands here even if its request is never answered."""

    recording: str
    sample: int
    mark: str


class StatusAlarmed(msgspec.Struct, frozen=True):
    """The alarm for status epilepticus; the animal gets no train until somebody acknowledges it."""

    recording: str
    sample: int
    cause: str


class Asked(msgspec.Struct, frozen=True):
    request: Request


class Answered(msgspec.Struct, frozen=True):
    reply: Reply


class TrainsAllowed(msgspec.Struct, frozen=True):
    """Trains may follow one that was not delivered as asked, says the experimenter; ``reason`` was wrong with it."""

    reason: str


class SessionInterrupted(msgspec.Struct, frozen=True):
    """The session stopped before its outcome, and can be resumed."""

    reason: str
    stimulator_stop: str
    stray_current: bool = False
    """Whether the animal got, or may have got, current that nobody asked for."""


class SessionEnded(msgspec.Struct, frozen=True):
    outcome: Outcome


KINDS: dict[type[msgspec.Struct], str] = {
    Animal: "animal_added",
    SessionStarted: "session_started",
    WarningAcknowledged: "warning_acknowledged",
    RecordingStarted: "recording_started",
    RecordingClosed: "recording_closed",
    RecordingSealed: "recording_sealed",
    RecordingImported: "recording_imported",
    SignalLost: "signal_lost",
    SignalBack: "signal_back",
    BehaviourMarked: "behaviour_marked",
    StatusAlarmed: "status_alarmed",
    TrainsAllowed: "trains_allowed",
    Asked: "asked",
    Answered: "answered",
    SessionInterrupted: "session_interrupted",
    SessionEnded: "session_ended",
    **ANIMAL_KINDS,
}


def kind_of(row: msgspec.Struct) -> str:
    return KINDS[type(row)]


def decode(kind: str, payload: str, type: type[T]) -> T:
    """The payload of a row as its struct, or as a plain dictionary; raises ``JournalMismatch`` when it is not one."""
    try:
        return from_json(_completed(kind, payload), type)
    except msgspec.DecodeError as error:
        raise JournalMismatch(f"a journal row of kind {kind!r} cannot be read: {error}; run kindle verify") from None


def _completed(kind: str, payload: str) -> str | bytes:
    """Rows of early journals with what was in force then, in words that were found for it later."""
    if kind != "session_started":
        return payload
    started: dict[str, Any] = from_json(payload, dict[str, Any])
    limits, plan = started.get("limits"), started.get("plan")
    if isinstance(plan, dict):
        # There was one kind of plan.
        plan.setdefault("type", "threshold_plan")
    if isinstance(limits, dict) and "max_charge_per_session_uc" in limits:
        # There were no limits per train and per day: the session's held for a train, and none for a day.
        limits.setdefault("max_charge_per_train_uc", limits["max_charge_per_session_uc"])
        limits.setdefault("max_charge_per_day_uc", 1e6)
    return msgspec.json.encode(started)
