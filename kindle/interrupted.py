"""What became of a train that the program died on. The recording answers where it can, else the experimenter."""

from dataclasses import replace
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
from kindle.stream import Stream
from kindle.study import SessionView


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


def _judge_recorded(
    recording: Recording, folder: str, train: PulseTrain, view: SessionView
) -> Trial | VoidTrial | None:
    """The trial as far as it was recorded; ``None`` when neither TTL nor monitor shows a train after the request."""
    plan = view.started.plan
    asked_at = view.asked_samples[-1]
    source = ReplaySource(folder, recording.channels, recording.rate_hz, recording.counts)
    stream = Stream(source, Unrecorded(), plan.criterion, round(recording.rate_hz), unheard)
    stream.keep_monitor_from = asked_at
    while (missing := min(source.remaining, asked_at - source.position)) > 0:
        stream.advance(missing)
    n_trains_before, stream.closed_ttl = stream.n_trains, None
    while source.remaining:
        stream.advance(source.remaining)
    n_trains = stream.n_trains - n_trains_before
    if n_trains == 0:
        return _unmarked(stream, train, folder, asked_at)
    going_on = stream.open_ttl is not None
    onset, end = (stream.open_ttl, stream.n_samples) if stream.open_ttl is not None else stream.closed_ttl or (0, 0)
    delivered = DeliveredTrain.as_asked(train)
    trace = stream.monitor_since(onset, end, quiet_before=asked_at)
    measured = measure(onset, end, trace, delivered, stream.rate_hz)
    judgement = stream.judgement()
    watched_s = stream.seconds(stream.n_samples - end)
    verdict, why = judgement.verdict, judgement.reason
    if verdict is not Verdict.AFTERDISCHARGE and (n_trains > 1 or not judgement.final):
        verdict, why = Verdict.UNDETERMINED, f"the program stopped {watched_s:.1f} s after the train"
    reason = "" if going_on else discrepancy(delivered, measured, stream.rate_hz)
    if n_trains > 1:
        reason = f"the recorded TTL shows {n_trains} trains where one was asked for"
    elif going_on and view.stopped_in is view.asked_in[-1]:
        # Without a stop the instrument would have ended the train by itself, as asked.
        reason = f"the train was stopped {stream.seconds(end - onset):.2f} s after it began"
    if reason:
        exposed = n_trains > 1 or measured.current_ua != 0.0
        return VoidTrial(train, reason, exposed, measured, folder, stream.n_samples, verdict)
    judgement = replace(judgement, verdict=verdict, reason=why)
    return judged_trial(stream, train, delivered, measured, judgement, recording=folder, baseline_s=plan.baseline_s)


def _unmarked(stream: Stream, train: PulseTrain, folder: str, asked_at: int) -> VoidTrial | None:
    """Current that no TTL marks is current all the same."""
    trace = stream.monitor_since(asked_at, stream.n_samples, quiet_before=asked_at)
    if trace is None or not flowed(trace):
        return None
    reason = "the recorded TTL shows no train, yet the current monitor shows current"
    return VoidTrial(train, reason, True, None, folder, stream.n_samples, Verdict.UNDETERMINED)


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
