"""Performs what a protocol asks, on one source and one stimulator."""

from types import TracebackType
from typing import assert_never

from drivers.interface import Abort, PulseTrain, Stimulator
from kindle.attending import Attendance
from kindle.bridging import Bridge
from kindle.delivery import REST_LIMIT_UA
from kindle.doses import INJECTION_ANSWERS, injection_text
from kindle.exchange import (
    TRACE_READINGS,
    Confirm,
    Confirmed,
    Inject,
    Injected,
    Observe,
    Reply,
    Request,
    Rest,
    ScoreSeizure,
    Stimulate,
    Trial,
    VoidTrial,
    Withheld,
)
from kindle.experimenter import Experimenter
from kindle.exposing import ExposureLedger
from kindle.firing import Firing
from kindle.permitting import Permission
from kindle.progress import Arming, Listener
from kindle.releasing import Release, TwoActs
from kindle.safety import Exposure, SafetyLimits
from kindle.scorebook import choices_of, question_for, scored
from kindle.stopping import Guard, StoppedByExperimenter, StrayCurrent, UnaskedTrain
from kindle.stream import Stream
from kindle.vigilance import Vigil
from kindle.watching import Watch

__all__ = ["Rig", "StoppedByExperimenter", "StrayCurrent", "UnaskedTrain"]


class Rig:
    """Source, stimulator and limits, and what the session has put into the animal so far.

    On any exception, also one that leaves the ``with`` block, current is off before anything else happens: the rules
    are those of ``kindle.stopping``. Where samples are lost, current goes off first; with a ``bridge`` the rig then
    goes on behind the gap. With ``acts`` no train is given that a person has not armed and fired.
    """

    def __init__(
        self,
        stream: Stream,
        stimulator: Stimulator,
        limits: SafetyLimits,
        experimenter: Experimenter,
        *,
        watch_s: float,
        baseline_s: float,
        recording: str,
        listener: Listener,
        exposure: Exposure,
        bridge: Bridge | None = None,
        acts: TwoActs | None = None,
        rest_limit_ua: float = REST_LIMIT_UA,
    ) -> None:
        self.stream = stream
        self._listener = listener
        self._ledger = ledger = ExposureLedger(stream, exposure)
        self._guard = guard = Guard(stimulator, experimenter)
        vigil = Vigil(stream, guard, bridge, rest_limit_ua=rest_limit_ua)
        self._attendance = attendance = Attendance(
            stream, vigil, ledger, experimenter, recording=recording, listener=listener
        )
        self._permission = permission = Permission(
            limits, stream, stimulator, attendance, ledger, baseline_s=baseline_s
        )
        watch = Watch(stream, vigil, attendance, ledger, listener, watch_s=watch_s)
        self._firing = Firing(
            stream,
            stimulator,
            guard,
            vigil,
            attendance,
            ledger,
            watch,
            listener,
            recording=recording,
            baseline_s=baseline_s,
        )
        self._release = None if acts is None else Release(acts, stream, attendance, listener, permission, guard)

    def __enter__(self) -> "Rig":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.abort()

    def abort(self) -> Abort:
        """Current off now, and no train from this rig any more; from any thread."""
        return self._guard.abort()

    @property
    def last_abort(self) -> Abort | None:
        return self._guard.last_abort

    @property
    def exposure(self) -> Exposure:
        return self._ledger.exposure

    @property
    def stretch(self) -> str:
        """The signal since the last gap, by name."""
        return self._attendance.stretch

    @property
    def held(self) -> str:
        """What was wrong with the last train; no other is given until somebody says so. Empty where nothing was."""
        return self._guard.held

    def hold(self, reason: str) -> None:
        """No train until ``allow_trains``: the last one was not what was asked for."""
        self._guard.held = reason

    def allow_trains(self) -> None:
        """The experimenter has seen to what was wrong with the last train."""
        self._guard.held = ""

    def await_acts(self, train: PulseTrain, until: int | None = None) -> bool:
        """Where a person arms and fires: wait for both acts. The ``Stimulate`` that follows triggers the train.

        Whether it came to that before the sample ``until``; then, and only then, nothing is armed.
        """
        if self._release is None:
            return until is None or self.stream.n_samples < until
        self._listener(self._ledger.exposed_now())
        with self._guard.safe_on_error():
            return self._release.await_acts(train, until)

    def perform(self, request: Request) -> Reply:
        self._listener(self._ledger.exposed_now())
        with self._guard.safe_on_error():
            return self._perform(request)

    def ask_number(self, text: str) -> str:
        """What the experimenter types, read on meanwhile; for an instrument that a person has to set."""
        return self._attendance.ask(text, ())

    def ask_choice(self, text: str, choices: tuple[str, ...]) -> str:
        """One of ``choices``, read on meanwhile."""
        with self._guard.safe_on_error():
            return self._attendance.ask(text, choices)

    def ask_name(self, text: str) -> str:
        """The name of whoever acknowledges an alarm, read on meanwhile."""
        with self._guard.safe_on_error():
            return self._attendance.ask_name(text)

    def _perform(self, request: Request) -> Reply:
        attendance = self._attendance
        match request:
            case Stimulate(train):
                reply = self._stimulate(train)
                if isinstance(reply, VoidTrial) and reply.contradicted:
                    self.hold(reply.reason)
                return reply
            case Rest(duration_s, why):
                return attendance.rest(duration_s, why)
            case Confirm(text, choices):
                choice = attendance.ask(text, choices)
                if choices == TRACE_READINGS and choice == "none":
                    self._ledger.no_discharge()
                return Confirmed(choice)
            case ScoreSeizure(scale):
                said = attendance.ask(question_for(attendance.scoring(scale)), choices_of(scale))
                # What was marked while the question stood belongs to this seizure too.
                return scored(attendance.scoring(scale), said)
            case Inject(dose, drawn):
                if attendance.ask(injection_text(request), INJECTION_ANSWERS) == "withheld":
                    return Withheld()
                return Injected(dose, self.stream.n_samples, drawn, attendance.stretch, self.stream.rate_hz)
            case Observe(duration_s, scale):
                return attendance.observe(duration_s, scale)
            case _:
                assert_never(request)

    def _stimulate(self, train: PulseTrain) -> Trial | VoidTrial:
        self._guard.refuse_while_held()
        self._listener(Arming(train))
        if self._release is None:
            delivered = self._permission.programmed(train)
        else:
            delivered = self._release.take(train)
            self._permission.check_again(train, delivered)
        return self._firing.give(train, delivered)
