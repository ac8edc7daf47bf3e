"""Performs what a protocol asks; the only code that may fire a stimulator."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import ceil
from types import TracebackType
from typing import assert_never

from msgspec import structs

from detectors.criterion import Judgement, Verdict
from drivers.interface import Abort, DeliveredTrain, DriverError, LinkLost, PulseTrain, Stimulator
from kindle.attending import Attendance
from kindle.bridging import Bridge
from kindle.delivery import REST_LIMIT_UA, MonitorTrace, discrepancy, flowed, measure, self_measured
from kindle.doses import INJECTION_ANSWERS, injection_text
from kindle.errors import UnsafeStimulus
from kindle.exchange import (
    TRACE_READINGS,
    Confirm,
    Confirmed,
    Inject,
    Injected,
    MeasuredTrain,
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
from kindle.experimenter import Experimenter, VoidCalled
from kindle.exposing import ExposureLedger
from kindle.judged import judged_trial
from kindle.progress import Arming, Exposed, Fired, Listener, Watching
from kindle.releasing import Release, TwoActs
from kindle.safety import Exposure, SafetyLimits, check_budgets, check_delivered, check_interlocks, check_train
from kindle.scorebook import choices_of, question_for, scored
from kindle.stream import SignalLost, Stream
from kindle.vigilance import StoppedByExperimenter, StrayCurrent, UnaskedTrain, Vigil

__all__ = ["Rig", "StoppedByExperimenter", "StrayCurrent", "UnaskedTrain"]

TTL_DEADLINE_S = 1.0
"""A train that the TTL does not show this long after the trigger did not come."""

TRAIN_BLOCK_S = 0.02
"""While current may flow, the rig looks this often whether it is to stop."""

LONGEST_WATCH_S = 900.0
"""A discharge may go on for longer; unless the plan watches longer, the trial is closed as it stands then."""

UNPROVEN_STOP = (
    "The stimulator did not confirm that it stopped: switch its output off by hand before anything else is done."
)


class Rig:
    """Source, stimulator and limits, and what the session has put into the animal so far.

    On any exception, and on leaving the ``with`` block, current is off before anything else happens. Where samples
    are lost, current goes off first; with a ``bridge`` the rig then goes on behind the gap. With ``acts`` no train is
    given that a person has not armed and fired.
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
        self._ledger = ExposureLedger(stream, exposure)
        self._stimulator = stimulator
        self._limits = limits
        self._experimenter = experimenter
        self._watch_s = watch_s
        self._baseline_s = baseline_s
        self._recording = recording
        self._listener = listener
        self.last_abort: Abort | None = None
        self._stopped = False
        self._held = ""
        self._vigil = Vigil(
            stream,
            experimenter,
            bridge,
            rest_limit_ua=rest_limit_ua,
            abort=self.abort,
            stop_output=self._stop_output,
        )
        self._attendance = Attendance(
            stream, self._vigil, self._ledger, experimenter, recording=recording, listener=listener
        )
        self._release = None
        if acts is not None:
            self._release = Release(
                acts,
                stream,
                self._attendance,
                listener,
                permit=self._permit,
                prepare=self._programmed,
                stop=self._stop_output,
            )

    @property
    def exposure(self) -> Exposure:
        return self._ledger.exposure

    def __enter__(self) -> "Rig":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.abort()

    def abort(self) -> Abort:
        """Current off now, and no train from this rig any more; from any thread."""
        self._stopped = True
        return self._stop_output()

    @property
    def held(self) -> str:
        """What was wrong with the last train; no other is given until somebody says so. Empty where nothing was."""
        return self._held

    def hold(self, reason: str) -> None:
        """No train until ``allow_trains``: the last one was not what was asked for."""
        self._held = reason

    def allow_trains(self) -> None:
        """The experimenter has seen to what was wrong with the last train."""
        self._held = ""

    def _stop_output(self) -> Abort:
        self.last_abort = self._stimulator.abort()
        return self.last_abort

    def await_acts(self, train: PulseTrain, until: int | None = None) -> bool:
        """Where a person arms and fires: wait for both acts. The ``Stimulate`` that follows triggers the train.

        Whether it came to that before the sample ``until``; then, and only then, nothing is armed.
        """
        if self._release is None:
            return until is None or self.stream.n_samples < until
        self._tell_exposure()
        with self._safe_on_error():
            return self._release.await_acts(train, until)

    @property
    def stretch(self) -> str:
        """The signal since the last gap, by name."""
        return self._attendance.stretch

    def perform(self, request: Request) -> Reply:
        self._tell_exposure()
        with self._safe_on_error():
            return self._perform(request)

    @contextmanager
    def _safe_on_error(self) -> Iterator[None]:
        try:
            yield
        except VoidCalled:
            # The session goes on with this rig: current is off, and the next train may follow.
            if self._stop_output() is Abort.UNCONFIRMED:
                raise LinkLost("the stimulator did not confirm that it is disarmed") from None
            raise
        except BaseException as error:
            stop = self.abort()
            if stop is Abort.UNCONFIRMED:
                error.add_note(UNPROVEN_STOP)
            if isinstance(error, DriverError) and self._experimenter.wants_stop():
                # A stop that cuts into an exchange makes the instrument look as if it had failed.
                stopped = StoppedByExperimenter(stop)
                for note in getattr(error, "__notes__", ()):
                    stopped.add_note(note)
                raise stopped from error
            raise

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

    def ask_number(self, text: str) -> str:
        """What the experimenter types, read on meanwhile; for an instrument that a person has to set."""
        return self._attendance.ask(text, ())

    def ask_choice(self, text: str, choices: tuple[str, ...]) -> str:
        """One of ``choices``, read on meanwhile."""
        with self._safe_on_error():
            return self._attendance.ask(text, choices)

    def ask_name(self, text: str) -> str:
        """The name of whoever acknowledges an alarm, read on meanwhile."""
        with self._safe_on_error():
            return self._attendance.ask_name(text)

    def _stimulate(self, train: PulseTrain) -> Trial | VoidTrial:
        self._refuse_while_held()
        self._listener(Arming(train))
        if self._release is None:
            delivered = self._programmed(train)
        else:
            delivered = self._release.take(train)
            check_interlocks(train, self.exposure, self.stream.seconds(self.stream.n_samples), self._limits)
            check_budgets(delivered.charge_uc, self.exposure, self._limits)
        armed = self.stream.n_samples
        self.stream.keep_monitor_from = armed
        self.stream.closed_ttl = None
        quiet = self.stream.monitor_since(armed, armed, quiet_before=armed)
        self._vigil.train_is_due()
        self._attendance.begin_scores()
        self._refuse_after_stop()
        self._ledger.train_fired(delivered, armed)
        self._stimulator.fire()
        self._listener(Fired(train, delivered))
        self._tell_exposure()
        try:
            span = self._await_train(delivered, armed)
        except SignalLost as lost:
            return self._stopped_unseen(train, delivered, quiet, lost)
        if span is None:
            self._vigil.train_is_over(self.stream.n_samples, quiet, delivered)
            return self._nothing_seen(train, delivered, armed)
        self._stimulator.rest()
        onset, end = span
        self._vigil.train_is_over(end, quiet, delivered)
        trace = self.stream.monitor_since(onset, end, quiet_before=armed)
        self.stream.keep_monitor_from = None
        measured = measure(onset, end, trace, delivered, self.stream.rate_hz)
        measured = structs.replace(measured, reported=self_measured(self._stimulator))
        self._ledger.train_seen(onset)
        reason = discrepancy(delivered, measured, self.stream.rate_hz)
        try:
            judgement = self._watch(end)
        except SignalLost as lost:
            judgement = self._judge_before(lost)
        if reason:
            exposed = measured.current_ua != 0.0
            return VoidTrial(
                train,
                reason,
                exposed,
                measured,
                self._recording,
                self.stream.n_samples,
                judgement.verdict,
                delivered,
                contradicted=True,
            )
        return judged_trial(
            self.stream,
            train,
            delivered,
            measured,
            judgement,
            recording=self._recording,
            baseline_s=self._baseline_s,
        )

    def _programmed(self, train: PulseTrain) -> DeliveredTrain:
        """What the stimulator will deliver, programmed after a whole baseline without a gap.

        While a stimulator asks a person, samples may be lost: it is stopped then, and all begins again.
        """
        while True:
            self._permit(train)
            segment = self.stream.segment_start
            delivered = self._stimulator.prepare(train)
            if self.stream.segment_start == segment:
                break
        check_delivered(train, delivered, self._limits)
        check_budgets(delivered.charge_uc, self.exposure, self._limits)
        return delivered

    def _permit(self, train: PulseTrain) -> None:
        """Wait for the baseline. Raises ``UnsafeStimulus`` for a train that a limit or an interlock forbids."""
        check_train(train, self._limits)
        while (missing_s := self._baseline_s + 1.0 - self._attendance.since_gap_s) > 0:
            self._attendance.rest(missing_s, "baseline")
        self._ledger.note_late_end()
        check_interlocks(train, self.exposure, self.stream.seconds(self.stream.n_samples), self._limits)

    def _await_train(self, delivered: DeliveredTrain, armed: int) -> tuple[int, int] | None:
        """Onset and end of the train as the TTL shows it; ``None`` when it never comes, abort when it never ends."""
        stream = self.stream
        fine = ceil(TRAIN_BLOCK_S * stream.rate_hz)
        onset_due = armed + ceil(TTL_DEADLINE_S * stream.rate_hz)
        while stream.open_ttl is None and stream.closed_ttl is None:
            if stream.n_samples >= onset_due:
                return None
            self._attendance.read_in_train(min(fine, onset_due - stream.n_samples))
        end_due = stream.n_samples + ceil((delivered.train_s + TTL_DEADLINE_S) * stream.rate_hz)
        while stream.closed_ttl is None:
            if stream.n_samples >= end_due:
                abort = self.abort()
                raise LinkLost(
                    f"the TTL is still high {TTL_DEADLINE_S:g} s after the train should have ended; the stimulator's "
                    f"stop is {abort.value}: check its output before going on"
                )
            self._attendance.read_in_train(min(fine, end_due - stream.n_samples))
        self._vigil.account_for_train()
        return stream.closed_ttl

    def _nothing_seen(self, train: PulseTrain, delivered: DeliveredTrain, armed: int) -> VoidTrial:
        # Not rest(): a train that the TTL does not show may still be playing.
        if self._stop_output() is Abort.UNCONFIRMED:
            raise LinkLost(f"the TTL shows no train within {TTL_DEADLINE_S:g} s of the trigger")
        trace = self.stream.monitor_since(armed, self.stream.n_samples, quiet_before=armed)
        self.stream.keep_monitor_from = None
        exposed = trace is None or flowed(trace)
        reason = f"the TTL shows no train within {TTL_DEADLINE_S:g} s of the trigger"
        if trace is not None:
            reason += (
                ", yet the current monitor shows current" if exposed else " and the current monitor shows no current"
            )
        verdict = Verdict.UNDETERMINED if exposed else Verdict.NONE
        if exposed:
            self._ledger.perhaps_discharged()
        return VoidTrial(
            train,
            reason,
            exposed,
            None,
            self._recording,
            self.stream.n_samples,
            verdict,
            delivered,
            contradicted=True,
        )

    def _stopped_unseen(
        self, train: PulseTrain, delivered: DeliveredTrain, quiet: MonitorTrace | None, lost: SignalLost
    ) -> VoidTrial:
        """The signal was lost while the train was due: it is stopped, and nobody can say what it evoked."""
        stream = self.stream
        when = "before the train was seen" if stream.closed_ttl is None else "as the train ended"
        if stream.open_ttl is not None:
            when = f"{stream.seconds(stream.n_samples - stream.open_ttl):.2f} s after the train began"
        self._vigil.cross(lost)
        self._vigil.see_a_stopped_train_end(TTL_DEADLINE_S)
        self._vigil.train_is_over(stream.n_samples, quiet, delivered)
        seen = None if stream.closed_ttl is None else MeasuredTrain(*stream.closed_ttl, None, None)
        self._ledger.perhaps_discharged()
        reason = f"the signal was lost {when}, and the train was stopped: {lost}"
        return VoidTrial(train, reason, True, seen, self._recording, stream.n_samples, Verdict.UNDETERMINED, delivered)

    def _judge_before(self, lost: SignalLost) -> Judgement:
        """The trial ends where the signal was lost; a discharge may have gone on unseen up to the new segment."""
        judgement = self.stream.closing_judgement()
        self._vigil.cross(lost)
        if judgement.verdict is not Verdict.NONE:
            self._ledger.perhaps_discharged()
        return replace(judgement, reason=f"{judgement.reason}; the signal was lost there: {lost}")

    def _watch(self, train_end: int) -> Judgement:
        """Read on until nothing can change the verdict and the watch time is over."""
        stream = self.stream
        least = train_end + ceil(self._watch_s * stream.rate_hz)
        most = max(least, train_end + ceil(LONGEST_WATCH_S * stream.rate_hz))
        judgement = stream.judgement()
        while (stream.n_samples < least or not judgement.final) and stream.n_samples < most:
            self._attendance.read(most - stream.n_samples)
            judgement = stream.judgement()
            since_s = (stream.n_samples - train_end) / stream.rate_hz
            self._listener(Watching(since_s, stream.discharge_s(), stream.spike_hz()))
        if judgement.verdict is Verdict.NONE and not judgement.final:
            judgement = replace(judgement, verdict=Verdict.UNDETERMINED)
        self._ledger.judged(judgement)
        return judgement

    def _tell_exposure(self) -> None:
        self._listener(Exposed(self.exposure, self.stream.seconds(self.stream.n_samples)))

    def _refuse_while_held(self) -> None:
        if self._held:
            raise UnsafeStimulus(f"nobody has said that a train may follow one that was not as asked: {self._held}")

    def _refuse_after_stop(self) -> None:
        """The last look before the trigger: nothing is read between here and it."""
        self._vigil.refuse_after_stop()
        if self._stopped:
            raise UnsafeStimulus("this rig was told to stop: begin or resume a session before the next train")
