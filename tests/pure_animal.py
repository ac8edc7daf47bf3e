"""An animal and an experimenter without instruments: a performer for the tests of the pure core."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from detectors.criterion import Afterdischarge, EndGrade, Kind, Verdict
from drivers.interface import DeliveredTrain, PulseTrain
from kindle.exchange import (
    Confirm,
    Confirmed,
    MeasuredTrain,
    Reply,
    Request,
    Rest,
    Rested,
    Stimulate,
    Trial,
    VoidTrial,
)

RATE_HZ = 1000.0
WATCH_S = 45.0

Fate = Literal["clear", "void", "undetermined"]


@dataclass
class Animal:
    """Discharges at and above ``threshold_ua``; ``fates`` says what becomes of each train, then all are clear.

    ``answers`` are indices into the choices of each question; when they are used up the experimenter reads the
    trace of the last train truly.
    """

    threshold_ua: float
    fates: Sequence[Fate] = ()
    answers: Sequence[int] = ()
    now: int = 0
    trains: list[tuple[int, PulseTrain]] = field(default_factory=list)
    """Every train that the animal received: first sample and train."""
    n_answers: int = 0

    def perform(self, request: Request) -> Reply:
        match request:
            case Stimulate(train):
                return self._stimulate(train)
            case Rest(duration_s):
                self.now += round(duration_s * RATE_HZ)
                return Rested(self.now, "r")
            case Confirm(_, choices):
                return Confirmed(self._answer(choices))
            case _:
                raise AssertionError(f"a threshold test does not ask {request!r}")

    def discharges_at(self, current_ua: float) -> bool:
        return current_ua >= self.threshold_ua

    def _stimulate(self, train: PulseTrain) -> Trial | VoidTrial:
        n = len(self.trains)
        fate = self.fates[n] if n < len(self.fates) else "clear"
        onset = self.now
        self.trains.append((onset, train))
        self.now += round((train.train_s + WATCH_S) * RATE_HZ)
        if fate == "void":
            return VoidTrial(train, "wrong number of pulses", True, None, "r", self.now)
        if fate == "undetermined":
            return trial(train, Verdict.UNDETERMINED, onset, self.now)
        verdict = Verdict.AFTERDISCHARGE if self.discharges_at(train.current_ua) else Verdict.NONE
        return trial(train, verdict, onset, self.now)

    def _answer(self, choices: tuple[str, ...]) -> str:
        self.n_answers += 1
        if self.n_answers <= len(self.answers):
            return choices[self.answers[self.n_answers - 1] % len(choices)]
        if "afterdischarge" not in choices:
            return choices[0]
        return "afterdischarge" if self.discharges_at(self.trains[-1][1].current_ua) else "none"


def trial(train: PulseTrain, verdict: Verdict, onset: int, last: int) -> Trial:
    end = onset + round(train.train_s * RATE_HZ)
    events: tuple[Afterdischarge, ...] = ()
    if verdict is Verdict.AFTERDISCHARGE:
        events = (Afterdischarge(end + 200, last - 5000, Kind.PRIMARY, 90, 800.0, 6.0, 3.0, EndGrade.CLEAR, 0.99),)
    return Trial(
        train=train,
        delivered=DeliveredTrain.as_asked(train),
        measured=MeasuredTrain(onset, end, train.current_ua, train.n_pulses),
        verdict=verdict,
        reason="the amplifier was blind for 5 s" if verdict is Verdict.UNDETERMINED else "",
        afterdischarges=events,
        baseline_uv=100.0,
        blind=(),
        channel="BLA",
        rate_hz=RATE_HZ,
        recording="r",
        first_sample=max(0, onset - 30_000),
        last_sample=last,
    )
