"""What a session writes beside its signal, in plain words, for every program that reads BrainVision."""

from detectors.criterion import Verdict
from kindle.exchange import Trial, VoidTrial
from kindle.progress import Done, Listener, Progress
from kindle.recording import RecordingWriter


def marking(recording: RecordingWriter, listener: Listener) -> Listener:
    """Write a marker for each finished trial, then tell ``listener``."""

    def told(progress: Progress) -> None:
        if isinstance(progress, Done):
            mark(recording, progress.trial)
        listener(progress)

    return told


def mark(recording: RecordingWriter, trial: Trial | VoidTrial) -> None:
    match trial:
        case VoidTrial():
            sample = trial.measured.onset_sample if trial.measured else max(0, trial.last_sample - 1)
            recording.mark("Comment", f"void/{trial.train.current_ua:.4g} uA", sample)
        case Trial():
            train = trial.measured
            length = train.end_sample - train.onset_sample
            recording.mark("Stimulus", f"train/{trial.train.current_ua:.4g} uA", train.onset_sample, length)
            for event in trial.afterdischarges:
                recording.mark(
                    "Comment",
                    f"afterdischarge/{event.kind.value}",
                    event.onset_sample,
                    event.end_sample - event.onset_sample,
                )
            if trial.verdict is not Verdict.AFTERDISCHARGE:
                recording.mark("Comment", f"verdict/{trial.verdict.value}", train.end_sample)
