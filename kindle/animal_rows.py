"""What the journal says about animals outside sessions: weights, events, later scores, corrections, codes."""

from typing import Any

import msgspec

from detectors.criterion import Verdict
from kindle.behaviour import Stamp
from kindle.design import Bottle, Design
from kindle.ledger import EventKind


class Weighed(msgspec.Struct, frozen=True):
    animal: str
    weight_g: float


class AnimalEvent(msgspec.Struct, frozen=True):
    animal: str
    kind: EventKind
    reason: str = ""


class TrialScored(msgspec.Struct, frozen=True):
    """The stage of a trial entered after its session, from video or by another observer; ``trial_row`` is its reply."""

    animal: str
    trial_row: int
    scale: str
    stage: float
    author: str
    stamps: tuple[Stamp, ...] = ()


class Amended(msgspec.Struct, frozen=True):
    """A correction: views show ``new`` for the ``key`` of row ``row``, which itself stays as it was written."""

    row: int
    key: str
    old: Any
    new: Any
    author: str
    reason: str


class MarkedDischarge(msgspec.Struct, frozen=True):
    """A discharge as a person sees it, first to last spike; samples are absolute in the recording of the trial."""

    onset_sample: int
    end_sample: int


class TrialReading(msgspec.Struct, frozen=True):
    """What a trace shows: discharges in the order of time, the first of them primary, or why there are none."""

    verdict: Verdict
    discharges: tuple[MarkedDischarge, ...] = ()


class DischargesAmended(msgspec.Struct, frozen=True):
    """Another reading of the trial whose reply is row ``row``; that row, and its signal, stay as they were written."""

    animal: str
    row: int
    old: TrialReading
    new: TrialReading
    author: str
    reason: str


class TrialVoided(msgspec.Struct, frozen=True):
    """A person calls the trial whose reply is row ``row`` void; that row, and its signal, stay as they were written.

    In the session itself its protocol goes on from there as after any void train.
    """

    animal: str
    row: int
    author: str
    reason: str


class AlarmAcknowledged(msgspec.Struct, frozen=True):
    """Somebody has seen to the animal after every alarm up to here: trains may be given again."""

    animal: str
    author: str


class LateTestAllowed(msgspec.Struct, frozen=True):
    """The experimenter tests the animal although its pretreatment time is over; ``reason`` says by how much."""

    animal: str
    reason: str


class Designed(msgspec.Struct, frozen=True):
    """Who gets what in which order from here on; of a blinded design only the codes."""

    design: Design


class CodesSealed(msgspec.Struct, frozen=True):
    """The key of a blinded design exists, elsewhere; its digest is written down before the first coded injection."""

    codes: tuple[str, ...]
    sha256: str


class CodesOpened(msgspec.Struct, frozen=True):
    """Somebody opened the codes: from here on the study is not blind any more."""

    sha256: str
    treatments: dict[str, str]
    """Name of the treatment of each code."""
    author: str
    reason: str
    contents: dict[str, tuple[Bottle, ...]] = {}
    """What each treatment was, from the key; early journals have it in study.toml only."""


ANIMAL_KINDS: dict[type[msgspec.Struct], str] = {
    Weighed: "weighed",
    AnimalEvent: "animal_event",
    TrialScored: "trial_scored",
    Amended: "amended",
    DischargesAmended: "discharges_amended",
    TrialVoided: "trial_voided",
    AlarmAcknowledged: "alarm_acknowledged",
    LateTestAllowed: "late_test_allowed",
    Designed: "designed",
    CodesSealed: "codes_sealed",
    CodesOpened: "codes_opened",
}
