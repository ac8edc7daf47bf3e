"""One train: its trigger, what TTL and current monitor show of it, and whether that is what was asked for.

The only code that may fire a stimulator.
"""

from math import ceil

from msgspec import structs

from detectors.criterion import Verdict
from drivers.interface import Abort, DeliveredTrain, LinkLost, PulseTrain, Stimulator
from kindle.attending import Attendance
from kindle.delivery import MonitorTrace, discrepancy, flowed, measure, self_measured
from kindle.exchange import MeasuredTrain, Trial, VoidTrial
from kindle.exposing import ExposureLedger
from kindle.judged import judged_trial
from kindle.progress import Fired, Listener
from kindle.stopping import Guard
from kindle.stream import SignalLost, Stream
from kindle.vigilance import Vigil
from kindle.watching import Watch

TTL_DEADLINE_S = 1.0
"""A train that the TTL does not show this long after the trigger did not come."""

TRAIN_BLOCK_S = 0.02
"""While current may flow, the rig looks this often whether it is to stop."""


class Firing:
    def __init__(
        self,
        stream: Stream,
        stimulator: Stimulator,
        guard: Guard,
        vigil: Vigil,
        attendance: Attendance,
        ledger: ExposureLedger,
        watch: Watch,
        listener: Listener,
        *,
        recording: str,
        baseline_s: float,
    ) -> None:
        self._stream = stream
        self._stimulator = stimulator
        self._guard = guard
        self._vigil = vigil
        self._attendance = attendance
        self._ledger = ledger
        self._watch = watch
        self._listener = listener
        self._recording = recording
        self._baseline_s = baseline_s

    def give(self, train: PulseTrain, delivered: DeliveredTrain) -> Trial | VoidTrial:
        """``delivered`` is what the stimulator is programmed to make of ``train``."""
        stream = self._stream
        armed = stream.n_samples
        stream.keep_monitor_from = armed
        stream.closed_ttl = None
        quiet = stream.monitor_since(armed, armed, quiet_before=armed)
        self._vigil.train_is_due()
        self._attendance.begin_scores()
        # A program that was held up is behind: what it reads next was sampled before the trigger.
        triggered = stream.present_sample()
        # The last look before the trigger: nothing is read between here and it.
        self._guard.refuse_after_stop()
        self._ledger.train_fired(delivered, armed)
        self._stimulator.fire()
        self._listener(Fired(train, delivered))
        self._listener(self._ledger.exposed_now())
        try:
            span = self._await_train(delivered, triggered)
        except SignalLost as lost:
            return self._stopped_unseen(train, delivered, quiet, lost)
        if span is None:
            self._vigil.train_is_over(stream.n_samples, quiet, delivered)
            return self._nothing_seen(train, delivered, armed)
        self._stimulator.rest()
        onset, end = span
        self._vigil.train_is_over(end, quiet, delivered)
        trace = stream.monitor_since(onset, end, quiet_before=armed)
        stream.keep_monitor_from = None
        measured = measure(onset, end, trace, delivered, stream.rate_hz)
        measured = structs.replace(measured, reported=self_measured(self._stimulator))
        self._ledger.train_seen(onset)
        reason = discrepancy(delivered, measured, stream.rate_hz)
        judgement = self._watch.judged(end)
        if reason:
            exposed = measured.current_ua != 0.0
            return VoidTrial(
                train,
                reason,
                exposed,
                measured,
                self._recording,
                stream.n_samples,
                judgement.verdict,
                delivered,
                contradicted=True,
            )
        return judged_trial(
            stream, train, delivered, measured, judgement, recording=self._recording, baseline_s=self._baseline_s
        )

    def _await_train(self, delivered: DeliveredTrain, triggered: int) -> tuple[int, int] | None:
        """Onset and end of the train as the TTL shows it; ``None`` when it never comes, abort when it never ends."""
        stream = self._stream
        fine = ceil(TRAIN_BLOCK_S * stream.rate_hz)
        onset_due = triggered + ceil(TTL_DEADLINE_S * stream.rate_hz)
        while stream.open_ttl is None and stream.closed_ttl is None:
            if stream.n_samples >= onset_due:
                return None
            self._attendance.read_in_train(min(fine, onset_due - stream.n_samples))
        end_due = stream.n_samples + ceil((delivered.train_s + TTL_DEADLINE_S) * stream.rate_hz)
        while stream.closed_ttl is None:
            if stream.n_samples >= end_due:
                abort = self._guard.abort()
                raise LinkLost(
                    f"the TTL is still high {TTL_DEADLINE_S:g} s after the train should have ended; the stimulator's "
                    f"stop is {abort.value}: check its output before going on"
                )
            self._attendance.read_in_train(min(fine, end_due - stream.n_samples))
        self._vigil.account_for_train()
        return stream.closed_ttl

    def _nothing_seen(self, train: PulseTrain, delivered: DeliveredTrain, armed: int) -> VoidTrial:
        stream = self._stream
        self._ledger.train_unseen()
        reason = f"the TTL shows no train within {TTL_DEADLINE_S:g} s of the trigger"
        # Not rest(): a train that the TTL does not show may still be playing.
        if self._guard.stop_output() is Abort.UNCONFIRMED:
            raise LinkLost(reason)
        trace = stream.monitor_since(armed, stream.n_samples, quiet_before=armed)
        stream.keep_monitor_from = None
        exposed = trace is None or flowed(trace)
        if trace is not None:
            reason += (
                ", yet the current monitor shows current" if exposed else " and the current monitor shows no current"
            )
        if exposed:
            self._ledger.perhaps_discharged()
        verdict = Verdict.UNDETERMINED if exposed else Verdict.NONE
        return VoidTrial(
            train, reason, exposed, None, self._recording, stream.n_samples, verdict, delivered, contradicted=True
        )

    def _stopped_unseen(
        self, train: PulseTrain, delivered: DeliveredTrain, quiet: MonitorTrace | None, lost: SignalLost
    ) -> VoidTrial:
        """The signal was lost while the train was due: it is stopped, and nobody can say what it evoked."""
        stream = self._stream
        when = "before the train was seen" if stream.closed_ttl is None else "as the train ended"
        if stream.open_ttl is not None:
            when = f"{stream.seconds(stream.n_samples - stream.open_ttl):.2f} s after the train began"
        self._vigil.cross(lost)
        self._vigil.see_a_stopped_train_end(TTL_DEADLINE_S)
        self._vigil.train_is_over(stream.n_samples, quiet, delivered)
        if stream.closed_ttl is None:
            self._ledger.train_unseen()
        else:
            self._ledger.train_seen(stream.closed_ttl[0])
        seen = None if stream.closed_ttl is None else MeasuredTrain(*stream.closed_ttl, None, None)
        self._ledger.perhaps_discharged()
        reason = f"the signal was lost {when}, and the train was stopped: {lost}"
        return VoidTrial(train, reason, True, seen, self._recording, stream.n_samples, Verdict.UNDETERMINED, delivered)
