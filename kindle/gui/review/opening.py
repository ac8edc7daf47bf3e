"""What there is to look at: the sessions of a study with what the journal says of them, or a recording file alone."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from detectors.criterion import Afterdischarge, Criterion, Kind, Stimulus, Verdict
from kindle.amended import amended_rows, correction_in
from kindle.animal_rows import DischargesAmended
from kindle.errors import KindleError
from kindle.exchange import Trial, VoidTrial
from kindle.gui.review.draft import Bounds
from kindle.gui.review.reading import Mark, Reading, Said, mark_of
from kindle.loading import segment_starts
from kindle.recording import open_recording
from kindle.session_view import SessionView, sessions_in
from kindle.study import CONFIG, open_study

RECORDED = "as recorded"


@dataclass(frozen=True, slots=True)
class Correction:
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReviewTrial:
    """One train of a session. Samples count from the start of the recording, gaps included, as ``load`` shows it."""

    number: int
    """In the session, counted from 1, void trains included."""
    row: int
    """Its reply in the journal."""
    train: Stimulus | None
    """``None`` where no train was recorded."""
    current_ua: float
    verdict: Verdict | None
    """As it stands now; ``None`` for a void train."""
    reason: str
    channel: str
    baseline_uv: float | None
    automatic: tuple[Bounds, ...]
    standing: tuple[Bounds, ...]
    marks: tuple[Mark, ...]
    """What stands, with what the detector measured of it."""
    corrections: tuple[Correction, ...]
    last_sample: int
    """No discharge of this trial reaches beyond: the next train, or the end of the recording."""

    @property
    def can_be_corrected(self) -> bool:
        return self.verdict is not None and self.train is not None


@dataclass(frozen=True, slots=True)
class SessionPart:
    """What the journal says of one recording of a session."""

    study: Path
    session: str
    animal: str
    protocol: str
    started_utc: datetime
    criterion: Criterion | None
    """The one in force; ``None`` where nothing was stimulated."""
    over: bool
    trials: tuple[ReviewTrial, ...]
    starts: tuple[tuple[int, int], ...]
    """Each segment's first sample as the session counts, and as the recording is shown."""

    def in_session(self, sample: int) -> int:
        """A sample that is shown, as the session counts it: what was lost in gaps does not count there."""
        here = [shown for _, shown in self.starts]
        counted, shown = self.starts[max(0, bisect_right(here, sample) - 1)]
        return counted + max(0, sample - shown)


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording that can be opened; ``title`` is how it stands in a list."""

    title: str
    path: Path
    study: Path | None = None
    session: str = ""


def entries(path: Path) -> list[Entry]:
    """The recordings of a study, the latest first, or the one that ``path`` is. Raises ``KindleError``."""
    if not path.exists():
        raise KindleError(f"{path} does not exist: check the path")
    if not (path / CONFIG).is_file():
        folder = path.parent if path.name == "signal.vhdr" else path
        home = next((parent for parent in folder.resolve().parents if (parent / CONFIG).is_file()), None)
        inside = [] if home is None else [one for one in entries(home) if one.path.resolve() == folder.resolve()]
        if inside:
            return inside
        return [Entry(path.name, path)]
    with open_study(path) as study:
        found = [
            Entry(_title(view, number), path / recording.folder, path, view.id)
            for view in sessions_in(study.journal.rows())
            for number, recording in enumerate(view.recordings, 1)
        ]
    if not found:
        raise KindleError(f"{path} has no recording yet: a session makes the first one")
    return found[::-1]


def session_part(entry: Entry) -> SessionPart | None:
    """``None`` for a file that belongs to no session. Raises ``KindleError``."""
    if entry.study is None:
        return None
    with open_study(entry.study) as study:
        written = _view(sessions_in(study.journal.rows()), entry)
        standing = _view(sessions_in(amended_rows(study.journal)), entry)
        corrections: dict[int, list[Correction]] = {}
        for row in study.journal.rows():
            correction = correction_in(row)
            if isinstance(correction, DischargesAmended):
                corrections.setdefault(correction.row, []).append(Correction(correction.author, correction.reason))
    recording = open_recording(entry.path)
    segments = zip(recording.segments, segment_starts(recording), strict=True)
    starts = tuple((segment.first_sample, start) for segment, start in segments)
    folder = entry.path.relative_to(entry.study).as_posix()
    started = written.started
    return SessionPart(
        study=entry.study,
        session=written.id,
        animal=started.animal,
        protocol=started.protocol,
        started_utc=written.started_utc,
        criterion=getattr(started.plan, "criterion", None),
        over=written.outcome is not None,
        trials=tuple(_trials(written, standing, folder, starts, recording.n_samples, corrections)),
        starts=starts,
    )


def as_recorded(part: SessionPart) -> Reading:
    """What stands in the journal now, corrections included, as one lane."""
    marks = [mark for trial in part.trials for mark in trial.marks]
    said = [
        Said(trial.channel, trial.train, trial.verdict.value, trial.reason)
        for trial in part.trials
        if trial.train is not None and trial.verdict is not None
    ]
    return Reading(RECORDED, tuple(marks), tuple(said))


def _title(view: SessionView, number: int) -> str:
    piece = f", part {number}" if len(view.recordings) > 1 else ""
    return f"{view.started.animal}  {view.started_utc:%Y-%m-%d %H:%M}  {view.started.protocol}{piece}"


def _view(views: Sequence[SessionView], entry: Entry) -> SessionView:
    return next(view for view in views if view.id == entry.session)


def _trials(
    written: SessionView,
    standing: SessionView,
    folder: str,
    starts: tuple[tuple[int, int], ...],
    n_samples: int,
    corrections: dict[int, list[Correction]],
) -> list[ReviewTrial]:
    rows = iter(written.reply_seqs)
    replies = [(next(rows), exchange.reply) for exchange in written.exchanges if exchange.reply is not None]
    trains = [(row, reply) for row, reply in replies if isinstance(reply, Trial | VoidTrial)]
    here = [(n, row, reply) for n, (row, reply) in enumerate(trains, 1) if reply.recording == folder]
    onsets = sorted(reply.measured.onset_sample for _, _, reply in here if reply.measured is not None)
    found: list[ReviewTrial] = []
    for number, row, reply in here:
        now = standing.trials[number - 1]
        span = None if reply.measured is None else (reply.measured.onset_sample, reply.measured.end_sample)
        later = [onset for onset in onsets if span is not None and onset > span[0]]
        found.append(
            ReviewTrial(
                number=number,
                row=row,
                train=None if span is None else Stimulus(_shown(span[0], starts), _shown(span[1], starts)),
                current_ua=reply.train.current_ua,
                verdict=now.verdict if isinstance(now, Trial) else None,
                reason=now.reason,
                channel=reply.channel if isinstance(reply, Trial) else "",
                baseline_uv=reply.baseline_uv if isinstance(reply, Trial) else None,
                automatic=_bounds(reply, starts),
                standing=_bounds(now, starts),
                marks=_marks(now, starts),
                corrections=tuple(corrections.get(row, ())),
                last_sample=_shown(min([*later, n_samples]), starts),
            )
        )
    return found


def _bounds(reply: Trial | VoidTrial, starts: tuple[tuple[int, int], ...]) -> tuple[Bounds, ...]:
    events: tuple[Afterdischarge, ...] = reply.afterdischarges if isinstance(reply, Trial) else ()
    return tuple(Bounds(_shown(event.onset_sample, starts), _shown(event.end_sample, starts)) for event in events)


def _marks(trial: Trial | VoidTrial, starts: tuple[tuple[int, int], ...]) -> tuple[Mark, ...]:
    if isinstance(trial, VoidTrial):
        return ()
    marks = [mark_of(event, trial.channel, secondary=event.kind is Kind.SECONDARY) for event in trial.afterdischarges]
    return tuple(
        replace(mark, onset_sample=_shown(mark.onset_sample, starts), end_sample=_shown(mark.end_sample, starts))
        for mark in marks
    )


def _shown(sample: int, starts: tuple[tuple[int, int], ...]) -> int:
    """A sample that the session counted, where it lies with what was lost in gaps."""
    counted, shown = starts[max(0, bisect_right([first for first, _ in starts], sample) - 1)]
    return shown + sample - counted
