"""Performs what a protocol asks; the only code that may fire a stimulator."""

from dataclasses import replace
from math import ceil
from types import TracebackType
from typing import assert_never

from msgspec import structs

from detectors.criterion import Judgement, Verdict
from drivers.interface import Abort, DeliveredTrain, DriverError, LinkLost, PulseTrain, Stimulator
from kindle.delivery import Silence, discrepancy, flowed, measure
from kindle.errors import KindleError, UnsafeStimulus
from kindle.exchange import (
    TRACE_READINGS,
    Confirm,
    Confirmed,
    Inject,
    Injected,
    Observe,
    Observed,
    Reply,
    Request,
    Rest,
    Rested,
    Scored,
    ScoreSeizure,
    Stimulate,
    Trial,
    VoidTrial,
)
from kindle.experimenter import Experimenter
from kindle.judged import judged_trial
from kindle.progress import Arming, Fired, Listener, Resting, Watching
from kindle.safety import Exposure, SafetyLimits, check_delivered, check_interlocks, check_train
from kindle.stream import Stream

TTL_DEADLINE_S = 1.0
"""A train that the TTL does not show this long after the trigger did not come."""

TRAIN_BLOCK_S = 0.02
"""While current may flow, the rig looks this often whether it is to stop."""

LONGEST_WATCH_S = 900.0
"""A discharge may go on for longer; unless the plan watches longer, the trial is closed as it stands then."""

UNPROVEN_STOP = (
    "The stimulator did not confirm that it stopped: switch its output off by hand before anything else is done."
)


class StoppedByExperimenter(KindleError):
    """The experimenter asked to stop; ``abort`` says whether the stimulator confirmed that it did."""

    def __init__(self, abort: Abort) -> None:
        super().__init__(f"stopped by the experimenter; the stimulator's stop is {abort.value}")
        self.abort = abort


class StrayCurrent(KindleError):
    """The current monitor shows current while no train is going on."""


class UnaskedTrain(KindleError):
    """The TTL shows a train that nobody asked for."""


class Rig:
    """Source, stimulator and limits, and what the session has put into the animal so far.

    On any exception, and on leaving the ``with`` block, current is off before anything else happens.
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
    ) -> None:
        self.stream = stream
        self.exposure = exposure
        self._stimulator = stimulator
        self._limits = limits
        self._experimenter = experimenter
        self._watch_s = watch_s
        self._baseline_s = baseline_s
        self._recording = recording
        self._listener = listener
        self.last_abort: Abort | None = None
        self._trains_accounted = stream.n_trains
        self._stopped = False
        self._silence: Silence | None = None

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

    def _stop_output(self) -> Abort:
        self.last_abort = self._stimulator.abort()
        return self.last_abort

    def perform(self, request: Request) -> Reply:
        try:
            return self._perform(request)
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
        match request:
            case Stimulate(train):
                return self._stimulate(train)
            case Rest(duration_s, why):
                return self._rest(duration_s, why)
            case Confirm(text, choices):
                choice = self._ask(text, choices)
                if choices == TRACE_READINGS and choice == "none":
                    self.exposure = structs.replace(self.exposure, last_afterdischarge_end_s=None)
                return Confirmed(choice)
            case ScoreSeizure(scale):
                return Scored(scale, float(self._ask(f"Highest stage on {scale}?", ())))
            case Inject(dose):
                self._ask(f"Inject {dose.mg_per_kg:g} mg/kg {dose.substance} ({dose.basis}) {dose.route}", ("given",))
                return Injected(dose, self.stream.n_samples)
            case Observe(duration_s, scale):
                return self._observe(duration_s, scale)
            case _:
                assert_never(request)

    def _rest(self, duration_s: float, why: str) -> Rested:
        end = self.stream.n_samples + ceil(duration_s * self.stream.rate_hz)
        while self.stream.n_samples < end:
            self._listener(Resting((end - self.stream.n_samples) / self.stream.rate_hz, why))
            self._advance(end - self.stream.n_samples)
        return Rested(self.stream.n_samples)

    def _observe(self, duration_s: float, scale: str) -> Observed:
        stages: list[tuple[int, float]] = []
        end = self.stream.n_samples + ceil(duration_s * self.stream.rate_hz)
        while self.stream.n_samples < end:
            self._advance(end - self.stream.n_samples)
            stage = self._experimenter.stage_now(scale)
            if stage is not None:
                stages.append((self.stream.n_samples, stage))
        return Observed(scale, tuple(stages))

    def _ask(self, text: str, choices: tuple[str, ...]) -> str:
        """Read on while the person thinks."""
        answer = self._experimenter.ask(text, choices)
        while (said := answer()) is None:
            self._advance(ceil(self.stream.rate_hz))
        return said

    def _stimulate(self, train: PulseTrain) -> Trial | VoidTrial:
        self._listener(Arming(train))
        check_train(train, self._limits)
        missing_s = self._baseline_s + 1.0 - self.stream.seconds(self.stream.n_samples)
        if missing_s > 0:
            self._rest(missing_s, "baseline")
        self._note_late_end()
        check_interlocks(train, self.exposure, self.stream.seconds(self.stream.n_samples), self._limits)
        delivered = self._stimulator.prepare(train)
        check_delivered(train, delivered, self._limits)
        armed = self.stream.n_samples
        self.stream.keep_monitor_from = armed
        self.stream.closed_ttl = None
        quiet = self.stream.monitor_since(armed, armed, quiet_before=armed)
        self._silence = None
        self._refuse_after_stop()
        self._expose(train, armed)
        self._stimulator.fire()
        self._listener(Fired(train, delivered))
        span = self._await_train(delivered, armed)
        if span is None:
            self._silence = Silence.after(self.stream.n_samples, quiet, delivered, self.stream.rate_hz)
            return self._nothing_seen(train, armed)
        self._stimulator.rest()
        onset, end = span
        self._silence = Silence.after(end, quiet, delivered, self.stream.rate_hz)
        trace = self.stream.monitor_since(onset, end, quiet_before=armed)
        self.stream.keep_monitor_from = None
        measured = measure(onset, end, trace, delivered, self.stream.rate_hz)
        self._expose_at(onset)
        reason = discrepancy(delivered, measured, self.stream.rate_hz)
        judgement = self._watch(end)
        if reason:
            exposed = measured.current_ua != 0.0
            return VoidTrial(
                train, reason, exposed, measured, self._recording, self.stream.n_samples, judgement.verdict
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

    def _await_train(self, delivered: DeliveredTrain, armed: int) -> tuple[int, int] | None:
        """Onset and end of the train as the TTL shows it; ``None`` when it never comes, abort when it never ends."""
        stream = self.stream
        fine = ceil(TRAIN_BLOCK_S * stream.rate_hz)
        onset_due = armed + ceil(TTL_DEADLINE_S * stream.rate_hz)
        while stream.open_ttl is None and stream.closed_ttl is None:
            if stream.n_samples >= onset_due:
                return None
            self._advance_quietly(min(fine, onset_due - stream.n_samples))
        end_due = stream.n_samples + ceil((delivered.train_s + TTL_DEADLINE_S) * stream.rate_hz)
        while stream.closed_ttl is None:
            if stream.n_samples >= end_due:
                abort = self.abort()
                raise LinkLost(
                    f"the TTL is still high {TTL_DEADLINE_S:g} s after the train should have ended; the stimulator's "
                    f"stop is {abort.value}: check its output before going on"
                )
            self._advance_quietly(min(fine, end_due - stream.n_samples))
        self._trains_accounted += 1
        return stream.closed_ttl

    def _nothing_seen(self, train: PulseTrain, armed: int) -> VoidTrial:
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
            self._count_lockout_from(self.stream.n_samples, in_discharge=False)
        return VoidTrial(train, reason, exposed, None, self._recording, self.stream.n_samples, verdict)

    def _watch(self, train_end: int) -> Judgement:
        """Read on until nothing can change the verdict and the watch time is over."""
        stream = self.stream
        least = train_end + ceil(self._watch_s * stream.rate_hz)
        most = max(least, train_end + ceil(LONGEST_WATCH_S * stream.rate_hz))
        judgement = stream.judgement()
        while (stream.n_samples < least or not judgement.final) and stream.n_samples < most:
            self._advance(most - stream.n_samples)
            judgement = stream.judgement()
            self._listener(Watching((stream.n_samples - train_end) / stream.rate_hz, stream.discharge_s()))
        if judgement.verdict is Verdict.NONE and not judgement.final:
            judgement = replace(judgement, verdict=Verdict.UNDETERMINED)
        self._note_discharge(judgement)
        return judgement

    def _advance(self, n_samples: int) -> None:
        """Read on while no train is expected."""
        self._advance_quietly(n_samples)
        if self._silence is not None and (stray_ua := self.stream.stray_current_ua(self._silence)) is not None:
            abort = self.abort()
            raise StrayCurrent(
                f"the current monitor shows {stray_ua:.4g} uA while no train is going on; the stimulator's stop is "
                f"{abort.value}: check its output before going on"
            )
        if self.stream.n_trains != self._trains_accounted:
            abort = self.abort()
            raise UnaskedTrain(
                "the TTL shows a train that was not asked for; the stimulator's stop is "
                f"{abort.value}: check what else can trigger it before going on"
            )

    def _advance_quietly(self, n_samples: int) -> None:
        if self._experimenter.wants_stop():
            raise StoppedByExperimenter(self.abort())
        self.stream.advance(n_samples)

    def _refuse_after_stop(self) -> None:
        """The last look before the trigger: nothing is read between here and it."""
        if self._experimenter.wants_stop():
            raise StoppedByExperimenter(self.abort())
        if self._stopped:
            raise UnsafeStimulus("this rig was told to stop: begin or resume a session before the next train")

    def _expose(self, train: PulseTrain, armed: int) -> None:
        """From the trigger on the animal counts as stimulated, whatever becomes of the train."""
        self.exposure = Exposure(
            n_trains=self.exposure.n_trains + 1,
            charge_uc=self.exposure.charge_uc + train.charge_uc,
            last_onset_s=self.stream.seconds(armed),
            last_afterdischarge_end_s=self.exposure.last_afterdischarge_end_s,
        )

    def _expose_at(self, onset: int) -> None:
        self.exposure = structs.replace(self.exposure, last_onset_s=self.stream.seconds(onset))

    def _note_discharge(self, judgement: Judgement) -> None:
        """Lock-out counts from the last discharge's end; a trial that may hide one counts as one up to now."""
        match judgement.verdict:
            case Verdict.AFTERDISCHARGE:
                ended = judgement.afterdischarges[-1].end_sample
            case Verdict.UNDETERMINED:
                ended = self.stream.n_samples
            case Verdict.NONE:
                return
        going_on = not judgement.final and self.stream.discharge_s() is not None
        self._count_lockout_from(ended, in_discharge=going_on)

    def _note_late_end(self) -> None:
        """A discharge that outlasted its watch may have ended since."""
        if not self.exposure.in_discharge:
            return
        judgement = self.stream.judgement()
        if judgement.verdict is Verdict.AFTERDISCHARGE:
            self._note_discharge(judgement)
        else:
            going_on = self.stream.discharge_s() is not None
            self.exposure = structs.replace(self.exposure, in_discharge=going_on)

    def _count_lockout_from(self, ended: int, *, in_discharge: bool) -> None:
        self.exposure = structs.replace(
            self.exposure, last_afterdischarge_end_s=self.stream.seconds(ended), in_discharge=in_discharge
        )
