"""A stored session, or a lone recording, through the whole rig again: same protocol, same detector, same journal."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path

import msgspec

from drivers.replay import ReplaySource, ReplayStimulator
from kindle.assembly import Instruments
from kindle.errors import ConfigError, KindleError
from kindle.exchange import Trial, VoidTrial
from kindle.prepared import Prepared
from kindle.progress import Done, Listener, Progress, Voided
from kindle.protocols.catalogue import Outcome
from kindle.recorded_person import RecordedPerson
from kindle.recording import open_recording
from kindle.rows import Animal
from kindle.session import run_session
from kindle.session_view import SessionView
from kindle.study import CONFIG, Study, create_study, open_study


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was recorded, and what comes out now."""

    session: str
    recorded: Outcome
    now: Outcome
    recorded_trials: tuple[Trial | VoidTrial, ...]
    trials_now: tuple[Trial | VoidTrial, ...]
    jumps: int
    """How often the recording had to jump because the protocol reached its trigger at another moment."""

    @property
    def same(self) -> bool:
        """The same outcome from the same events, to the sample."""
        return self.recorded == self.now and _events(self.recorded_trials) == _events(self.trials_now)


def replay_session(folder: Path, listener: Listener) -> Replayed:
    """Replay the session whose recording lies in ``folder`` (``STUDY/recordings/ANIMAL/SESSION``)."""
    study_folder = _study_of(folder)
    with open_study(study_folder) as study:
        view = _session_in(study, folder.resolve().relative_to(study.folder.resolve()).as_posix())
        rows = [row for row in study.journal.rows() if row.session == view.id]
    if view.outcome is None:
        raise KindleError(f"session {view.id} has no outcome yet: resume it before replaying it")
    if len(view.recordings) != 1:
        raise KindleError(
            f"session {view.id} was interrupted and has {len(view.recordings)} recordings; only a session in one piece "
            "can be replayed"
        )
    recording = open_recording(folder)
    source = ReplaySource(folder.name, recording.channels, recording.rate_hz, recording.joined, gaps=recording.gaps)
    unseen = [n for n, trial in enumerate(view.trials) if isinstance(trial, VoidTrial) and trial.measured is None]
    stimulator = ReplayStimulator(source, unseen=unseen)
    trials: list[Trial | VoidTrial] = []

    def told(progress: Progress) -> None:
        if isinstance(progress, Done):
            trials.append(progress.trial)
        elif isinstance(progress, Voided):
            trials[-1] = progress.trial
        listener(progress)

    with tempfile.TemporaryDirectory(prefix="kindle-replay-") as scratch:
        copy = Path(scratch) / "study"
        create_study(copy, (study_folder / CONFIG).read_text(encoding="utf-8-sig"))
        with open_study(copy) as again:
            again.add_animal(Animal(view.started.animal), datetime.now(UTC))
            started = view.started
            prepared = Prepared(started.animal, started.plan, started.parameters, started.limits, "replay")
            # Decisions fall between blocks: the blocks must be those of the recording.
            block = max(int(segment.index["n_samples"].max(initial=1)) for segment in recording.segments)
            # What the monitor may show at rest was decided when it was recorded.
            instruments = Instruments(source, stimulator, block, rest_limit_ua=inf)
            person = RecordedPerson(rows, lambda: source.position, recording.rate_hz)
            finished = run_session(again, prepared, instruments, person, told, acts=person, voids=person)
            copied = again.session(finished.session).recordings[0].folder
    now = _naming(finished.outcome, copied, view.recordings[0].folder)
    return Replayed(view.id, view.outcome, now, tuple(view.trials), tuple(trials), stimulator.jumps)


def _events(trials: tuple[Trial | VoidTrial, ...]) -> list[tuple[object, ...]]:
    return [
        (trial.verdict, trial.measured.onset_sample, trial.measured.end_sample, trial.afterdischarges)
        if isinstance(trial, Trial)
        else ("void", trial.train)
        for trial in trials
    ]


def _naming(outcome: Outcome, copied: str, recorded: str) -> Outcome:
    """``outcome`` with the recording that it came from by its own name, not by that of the copy."""
    named = msgspec.json.encode(outcome).replace(copied.encode(), recorded.encode())
    renamed: Outcome = msgspec.json.decode(named, type=Outcome)
    return renamed


def _study_of(folder: Path) -> Path:
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; give the recording folder of a session in a study")
    for parent in folder.resolve().parents:
        if (parent / CONFIG).is_file():
            return parent
    raise ConfigError(f"{folder} lies in no study: no folder above it holds a {CONFIG}")


def _session_in(study: Study, folder: str) -> SessionView:
    for view in study.sessions():
        if any(started.folder == folder for started in view.recordings):
            return view
    raise KindleError(f"the journal of {study.folder} names no session with the recording {folder}")
