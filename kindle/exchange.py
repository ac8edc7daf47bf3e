"""What a protocol may ask, what it hears back, and the verbs it asks with.

A protocol is a generator: it yields requests and is sent replies. It touches no hardware, clock, disk or screen.
"""

from collections.abc import Generator
from typing import TypeVar

import msgspec

from detectors.criterion import Afterdischarge, Stimulus, Verdict
from detectors.durations import Durations, durations_s
from drivers.delivery_report import DeliveryReport
from drivers.interface import DeliveredTrain, PulseTrain
from kindle.behaviour import Scoring, Stamp


class Dose(msgspec.Struct, frozen=True, tag="dose"):
    """A substance as it is to be injected; ``basis`` says of what the milligrams are (the salt, the acid, the ion)."""

    substance: str
    basis: str
    mg_per_kg: float
    route: str
    pretreatment_s: float


class CodedDose(msgspec.Struct, frozen=True, tag="coded_dose"):
    """A blinded dose: whoever injects knows the code on the bottle and the volume, and no more."""

    code: str
    ml_per_kg: float
    route: str
    pretreatment_s: float


class Drawn(msgspec.Struct, frozen=True, tag="drawn"):
    """What is in the syringe: the volume after rounding to its marks, and the dose that this volume really is."""

    weight_g: float
    exact_volume_ml: float
    volume_ml: float
    given_mg_per_kg: float | None
    """On the basis of the dose; ``None`` while it is blinded."""
    given_mmol_per_kg: float | None
    """Of the active part; ``None`` while it is blinded."""


class Stimulate(msgspec.Struct, frozen=True, tag="stimulate"):
    train: PulseTrain


class Rest(msgspec.Struct, frozen=True, tag="rest"):
    duration_s: float
    why: str


class ScoreSeizure(msgspec.Struct, frozen=True, tag="score_seizure"):
    scale: str


class Inject(msgspec.Struct, frozen=True, tag="inject"):
    dose: Dose | CodedDose
    drawn: Drawn | None = None


class Observe(msgspec.Struct, frozen=True, tag="observe"):
    duration_s: float
    scale: str


TRACE_READINGS = ("stop", "repeat", "none", "afterdischarge")
"""What an experimenter may say of an undetermined trial; ``none`` lifts the lock-out that it began."""


class Confirm(msgspec.Struct, frozen=True, tag="confirm"):
    """A question to the experimenter with the answers that it takes; the first is the cautious one."""

    text: str
    choices: tuple[str, ...]


Request = Stimulate | Rest | ScoreSeizure | Inject | Observe | Confirm


class MeasuredTrain(msgspec.Struct, frozen=True, tag="measured_train"):
    """What the recorded channels say was delivered; samples are absolute, ``[onset_sample, end_sample)``."""

    onset_sample: int
    end_sample: int
    current_ua: float | None
    """Median plateau of the current monitor; ``None`` where no monitor is wired."""
    n_pulses: int | None
    """Phases of the sign that comes first; ``None`` where the samples are too far apart to tell phases."""
    lowest_ua: float | None = None
    """Median plateau of the weakest of these phases: far below the others, the isolator ran out of voltage."""
    n_opposite: int | None = None
    """Phases of the other sign."""
    opposite_ua: float | None = None
    """Median plateau of the phases of the other sign."""
    reported: DeliveryReport | None = None
    """What a stimulator that measures its own output says of this train."""


class Trial(msgspec.Struct, frozen=True, tag="trial"):
    """A train that was delivered as asked, and what the signal says about it."""

    train: PulseTrain
    delivered: DeliveredTrain
    measured: MeasuredTrain
    verdict: Verdict
    reason: str
    afterdischarges: tuple[Afterdischarge, ...]
    baseline_uv: float | None
    blind: tuple[tuple[int, int], ...]
    channel: str
    rate_hz: float
    recording: str
    """Folder of the signal, relative to the study."""
    first_sample: int
    last_sample: int

    @property
    def stimulus(self) -> Stimulus:
        return Stimulus(self.measured.onset_sample, self.measured.end_sample)

    @property
    def durations(self) -> Durations:
        return durations_s(self.stimulus, self.afterdischarges, self.rate_hz)

    @property
    def since_onset_s(self) -> float:
        """From train onset to the last sample read for this trial."""
        return (self.last_sample - self.measured.onset_sample) / self.rate_hz


class VoidTrial(msgspec.Struct, frozen=True, tag="void_trial"):
    """A train that was not delivered as asked, or that a person calls void; it says nothing about the brain.

    ``exposed`` is false only where the current monitor proves that nothing flowed.
    """

    train: PulseTrain
    reason: str
    exposed: bool
    measured: MeasuredTrain | None
    recording: str
    last_sample: int
    verdict: Verdict = Verdict.NONE
    """What the signal shows all the same: a discharge after a train that came wrong is still a discharge."""
    delivered: DeliveredTrain | None = None
    """What the stimulator was to put out; ``None`` where nobody knows any more."""
    contradicted: bool = False
    """Whether TTL or current monitor spoke against the command: no train may follow until somebody says so."""


class Rested(msgspec.Struct, frozen=True, tag="rested"):
    """``recording`` names a stretch of signal without a gap: across two of them samples tell no time."""

    last_sample: int
    recording: str = ""


class Scored(msgspec.Struct, frozen=True, tag="scored"):
    """``stage`` is ``None`` while the trial is still to be scored, from video or by another observer: not stage 0."""

    scale: str
    stage: float | None
    stamps: tuple[Stamp, ...] = ()


class Injected(msgspec.Struct, frozen=True, tag="injected"):
    """``sample`` counts in ``recording``, a stretch of signal without a gap."""

    dose: Dose | CodedDose
    sample: int
    drawn: Drawn | None = None
    recording: str = ""
    rate_hz: float = 0.0


class Withheld(msgspec.Struct, frozen=True, tag="withheld"):
    """The experimenter did not inject."""


class Observed(msgspec.Struct, frozen=True, tag="observed"):
    """Everything that was seen from ``first_sample`` to ``last_sample`` of ``recording``."""

    scoring: Scoring
    first_sample: int
    last_sample: int
    rate_hz: float
    recording: str


class Confirmed(msgspec.Struct, frozen=True, tag="confirmed"):
    choice: str


Reply = Trial | VoidTrial | Rested | Scored | Injected | Withheld | Observed | Confirmed

T = TypeVar("T")
R = TypeVar("R")

Steps = Generator[Request, Reply, T]


class UnexpectedReply(TypeError):
    """Whoever answers a protocol gave a reply of the wrong kind: a defect of the performer, never of the person."""


def _narrow(reply: Reply, *kinds: type[R]) -> R:
    if not isinstance(reply, kinds):
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise UnexpectedReply(f"expected {expected}, heard {type(reply).__name__}")
    return reply


def stimulate(train: PulseTrain) -> Steps[Trial | VoidTrial]:
    reply = yield Stimulate(train)
    if isinstance(reply, VoidTrial):
        return reply
    return _narrow(reply, Trial)


def rest(duration_s: float, why: str) -> Steps[Rested]:
    return _narrow((yield Rest(duration_s, why)), Rested)


def score(scale: str) -> Steps[Scored]:
    return _narrow((yield ScoreSeizure(scale)), Scored)


def inject(dose: Dose | CodedDose, drawn: Drawn | None = None) -> Steps[Injected | Withheld]:
    reply = yield Inject(dose, drawn)
    if isinstance(reply, Withheld):
        return reply
    return _narrow(reply, Injected)


def observe(duration_s: float, scale: str) -> Steps[Observed]:
    return _narrow((yield Observe(duration_s, scale)), Observed)


def confirm(text: str, choices: tuple[str, ...]) -> Steps[str]:
    confirmed = _narrow((yield Confirm(text, choices)), Confirmed)
    if confirmed.choice not in choices:
        raise UnexpectedReply(f"{confirmed.choice!r} is none of the answers to {text!r}: {', '.join(choices)}")
    return confirmed.choice
