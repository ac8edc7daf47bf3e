"""What became of a train that the program died on. The recording answers where it can, else the experimenter."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from detectors.criterion import Verdict
from drivers.interface import Block, DeliveredTrain, PulseTrain
from drivers.replay import ReplaySource
from kindle.delivery import discrepancy, flowed, measure
from kindle.errors import JournalMismatch, KindleError
from kindle.exchange import MeasuredTrain, Stimulate, Trial, VoidTrial
from kindle.experimenter import Experimenter, Unattended
from kindle.judged import judged_trial
from kindle.progress import unheard
from kindle.recording import Recording, open_recording
from kindle.session_view import SessionView
from kindle.stream import Moment, SignalLost, Stream


def settle_train(
    study: Path, view: SessionView, experimenter: Experimenter, last_train: Literal["ask", "delivered", "void"]
) -> Trial | VoidTrial:
    """The reply to the last, unanswered ``Stimulate``; never a second train.

    Seen on the recorded TTL: delivered, and judged on what was recorded after it. Not seen: the experimenter says,
    because the end of the signal may be missing.
    """
    request = view.exchanges[-1].request
    if not isinstance(request, Stimulate):
        raise TypeError(f"{request!r} is no train")
    asked_in = view.asked_in[-1]
    if asked_in is None:
        raise JournalMismatch(f"session {view.id} asked for a train before any recording; run kindle verify")
    folder = asked_in.folder
    recording = open_recording(study / folder)
    trial = _judge_recorded(recording, folder, request.train, view)
    if trial is not None:
        return trial
    return _ask(recording, folder, request.train, experimenter, last_train)


class Unrecorded:
    """Takes blocks of a recording that is only looked at again."""

    def append(self, block: Block, *, monotonic_ns: int, utc_ns: int) -> None:
        pass

    def new_segment(self, start_utc: datetime, n_lost: int) -> None:
        pass


def _judge_recorded(
    recording: Recording, folder: str, train: PulseTrain, view: SessionView
) -> Trial | VoidTrial | None:
    """The trial as far as it was recorded; ``None`` when neither TTL nor monitor shows a train after the request."""
    plan = view.started.plan
    asked = _AskedTrain(train, folder, view.asked_samples[-1], plan.baseline_s)
    source = ReplaySource(folder, recording.channels, recording.rate_hz, recording.joined, gaps=recording.gaps)
    stream = Stream(source, Unrecorded(), plan.criterion, round(recording.rate_hz), unheard)
    stream.keep_monitor_from = asked.sample
    while (missing := min(source.remaining, asked.sample - source.position)) > 0:
        try:
            stream.advance(missing)
        except SignalLost as lost:
            stream.begin_segment(lost, Moment.now())
            stream.keep_monitor_from = asked.sample
    n_trains_before, stream.closed_ttl = stream.n_trains, None
    before_gap: Trial | VoidTrial | None = None
    while source.remaining:
        try:
            stream.advance(source.remaining)
        except SignalLost as lost:
            n_trains = stream.n_trains - n_trains_before
            if n_trains and before_gap is None:
                # The rig stops the stimulator before anything else when the signal is lost.
                before_gap = _seen(stream, asked, n_trains, "the signal was lost", stopped=True)
            stream.begin_segment(lost, Moment.now())
            stream.keep_monitor_from = asked.sample
    n_trains = stream.n_trains - n_trains_before
    if isinstance(before_gap, Trial) and n_trains > 1:
        reason = _too_many(n_trains)
        return VoidTrial(
            train,
            reason,
            True,
            before_gap.measured,
            folder,
            stream.n_samples,
            _at_most_unclear(before_gap.verdict),
            contradicted=True,
        )
    if before_gap is not None:
        return before_gap
    if n_trains == 0:
        return _unmarked(stream, train, folder, asked.sample)
    stopped = view.stopped_in is view.asked_in[-1]
    return _seen(stream, asked, n_trains, "the program stopped", stopped=stopped)


@dataclass(frozen=True, slots=True)
class _AskedTrain:
    """``sample`` is where the request stands in the journal."""

    train: PulseTrain
    folder: str
    sample: int
    baseline_s: float


def _seen(stream: Stream, asked: _AskedTrain, n_trains: int, ended: str, *, stopped: bool) -> Trial | VoidTrial:
    """What the TTL shows of the train, and what is known where the record of it ``ended``.

    Without a stop the instrument would have ended a train that was going on by itself, as asked.
    """
    judgement = stream.closing_judgement()
    train, going_on = asked.train, stream.open_ttl is not None
    onset, end = (stream.open_ttl, stream.n_samples) if stream.open_ttl is not None else stream.closed_ttl or (0, 0)
    delivered = DeliveredTrain.as_asked(train)
    trace = stream.monitor_since(onset, end, quiet_before=asked.sample)
    measured = measure(onset, end, trace, delivered, stream.rate_hz)
    verdict, why = judgement.verdict, judgement.reason
    if verdict is not Verdict.AFTERDISCHARGE and n_trains > 1:
        verdict = Verdict.UNDETERMINED
    if verdict is Verdict.UNDETERMINED:
        why = f"{ended} {stream.seconds(stream.n_samples - end):.1f} s after the train: {why}"
    reason = "" if going_on else discrepancy(delivered, measured, stream.rate_hz)
    cut_short = stopped and stream.seconds(end - onset) < train.train_s - delivered.period_us * 1e-6
    contradicted = bool(reason) and not cut_short
    if n_trains > 1:
        reason, contradicted = _too_many(n_trains), True
    elif going_on and stopped:
        reason = f"the train was stopped {stream.seconds(end - onset):.2f} s after it began"
    if reason:
        exposed = n_trains > 1 or measured.current_ua != 0.0
        return VoidTrial(
            train,
            reason,
            exposed,
            measured,
            asked.folder,
            stream.n_samples,
            verdict,
            contradicted=contradicted,
        )
    judgement = replace(judgement, verdict=verdict, reason=why)
    return judged_trial(
        stream, train, delivered, measured, judgement, recording=asked.folder, baseline_s=asked.baseline_s
    )


def _too_many(n_trains: int) -> str:
    return f"the recorded TTL shows {n_trains} trains where one was asked for"


def _at_most_unclear(verdict: Verdict) -> Verdict:
    """A second train makes nothing of a verdict that there was no discharge."""
    return verdict if verdict is Verdict.AFTERDISCHARGE else Verdict.UNDETERMINED


def _unmarked(stream: Stream, train: PulseTrain, folder: str, asked_at: int) -> VoidTrial | None:
    """Current that no TTL marks is current all the same."""
    trace = stream.monitor_since(asked_at, stream.n_samples, quiet_before=asked_at)
    if trace is None or not flowed(trace):
        return None
    reason = "the recorded TTL shows no train, yet the current monitor shows current"
    return VoidTrial(train, reason, True, None, folder, stream.n_samples, Verdict.UNDETERMINED, contradicted=True)


def _ask(
    recording: Recording,
    folder: str,
    train: PulseTrain,
    experimenter: Experimenter,
    last_train: Literal["ask", "delivered", "void"],
) -> Trial | VoidTrial:
    answer = last_train
    question = (
        f"The program stopped when the train of {train.current_ua:.4g} uA was due, and the recording ends before it "
        "shows whether it came"
    )
    if answer == "ask":
        if isinstance(experimenter, Unattended):
            raise KindleError(f"{question}; resume with --last-train delivered or --last-train void")
        pending = experimenter.ask(f"{question}. Was it delivered?", ("delivered", "void"))
        while (said := pending()) is None:
            if experimenter.wants_stop():
                raise KindleError(f"stopped before this was answered: {question}")
        answer = "void" if said == "void" else "delivered"
    if answer == "void":
        return VoidTrial(
            train,
            "not delivered, says the experimenter: the program stopped before it",
            False,
            None,
            folder,
            recording.n_samples,
        )
    n_samples = recording.n_samples
    return Trial(
        train=train,
        delivered=DeliveredTrain.as_asked(train),
        measured=MeasuredTrain(n_samples, n_samples + round(train.train_s * recording.rate_hz), None, None),
        verdict=Verdict.UNDETERMINED,
        reason="delivered, says the experimenter, but the program stopped before its signal was recorded",
        afterdischarges=(),
        baseline_uv=None,
        blind=(),
        channel=next(channel.name for channel in recording.channels if channel.role == "eeg"),
        rate_hz=recording.rate_hz,
        recording=folder,
        first_sample=max(0, n_samples - round(recording.rate_hz)),
        last_sample=n_samples,
    )
