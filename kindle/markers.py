"""What a session writes beside its signal, in plain words, for every program that reads BrainVision."""

from collections.abc import Iterator

from detectors.criterion import Verdict
from kindle.exchange import Trial, VoidTrial
from kindle.progress import Back, Done, Listener, Progress, Voided
from kindle.recording import Marker, RecordingWriter


def marking(recording: RecordingWriter, name: str, listener: Listener) -> Listener:
    """Write a marker for each finished trial of the recording ``name``, and behind gaps, then tell ``listener``.

    What was written stays: a trial that was called void later has markers of both.
    """

    def told(progress: Progress) -> None:
        if isinstance(progress, Back):
            recording.mark("Comment", f"gap/about {progress.n_lost} samples lost", progress.sample)
        if isinstance(progress, Done | Voided) and progress.trial.recording == name:
            mark(recording, progress.trial)
        listener(progress)

    return told


def mark(recording: RecordingWriter, trial: Trial | VoidTrial) -> None:
    for marker in markers_of(trial):
        recording.mark(marker.type, marker.description, marker.sample, marker.n_samples)


def markers_of(trial: Trial | VoidTrial) -> Iterator[Marker]:
    """Samples count in the recording of the trial."""
    match trial:
        case VoidTrial():
            sample = trial.measured.onset_sample if trial.measured else max(0, trial.last_sample - 1)
            yield Marker("Comment", f"void/{trial.train.current_ua:.4g} uA", sample, 1)
        case Trial():
            train = trial.measured
            length = train.end_sample - train.onset_sample
            yield Marker("Stimulus", f"train/{trial.train.current_ua:.4g} uA", train.onset_sample, length)
            for event in trial.afterdischarges:
                span = event.end_sample - event.onset_sample
                yield Marker("Comment", f"afterdischarge/{event.kind.value}", event.onset_sample, span)
            if trial.verdict is not Verdict.AFTERDISCHARGE:
                yield Marker("Comment", f"verdict/{trial.verdict.value}", train.end_sample, 1)
