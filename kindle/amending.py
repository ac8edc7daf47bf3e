"""Another reading of a trial by a person: its discharges marked anew, or called none or undetermined."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from detectors.criterion import Afterdischarge, Criterion, Verdict
from kindle.amended import amended_rows
from kindle.animal_rows import DischargesAmended, MarkedDischarge, TrialReading, TrialVoided
from kindle.errors import ConfigError, KindleError
from kindle.exchange import Trial, VoidTrial
from kindle.journal import Row
from kindle.recording import open_recording
from kindle.rows import Answered, decode, kind_of
from kindle.session_view import ANIMALS, SessionView, sessions_in
from kindle.study import Study


def amend_afterdischarges(
    study: Study,
    trial: int,
    events: Sequence[MarkedDischarge],
    author: str,
    reason: str,
    *,
    utc: datetime,
    verdict: Verdict | None = None,
    animal: str | None = None,
) -> DischargesAmended:
    """Write another reading of the trial of journal row ``trial``: what the detector said stays in that row.

    ``events`` are in the order of time, the first of them the primary discharge; without any the verdict is ``none``,
    unless ``verdict`` says undetermined. ``animal``, where given, must be the one that had the trial. Raises
    ``KindleError`` for a reading that contradicts the trial, the recording or the criterion of the session.
    """
    signed(author, reason)
    rows = list(amended_rows(study.journal))
    view, as_it_stands = _trial(rows, trial)
    had_it = _had(view, trial, animal)
    implied = Verdict.AFTERDISCHARGE if events else Verdict.NONE
    new = TrialReading(verdict or implied, tuple(events))
    old = reading_of(as_it_stands)
    _check_verdict(new)
    _check_places(as_it_stands, new, _end_of_trial(study, view, as_it_stands))
    _check_criterion(as_it_stands, new, view.started.plan.criterion)
    if new == old:
        raise KindleError(f"the trial of journal row {trial} is read so already; nothing was written")
    amended = DischargesAmended(had_it, trial, old, new, author, reason)
    study.journal.append(ANIMALS, kind_of(amended), amended, sample=None, utc=utc)
    return amended


def void_trial(
    study: Study, trial: int, author: str, reason: str, *, utc: datetime, animal: str | None = None
) -> TrialVoided:
    """Call the trial of journal row ``trial`` void: it counts as a train whose effect nobody knows.

    Raises ``KindleError`` for one that is void already, that is of another animal, or whose session is not over.
    """
    signed(author, reason)
    view, _ = _trial(list(amended_rows(study.journal)), trial)
    had_it = _had(view, trial, animal)
    voided = TrialVoided(had_it, trial, author, reason)
    study.journal.append(ANIMALS, kind_of(voided), voided, sample=None, utc=utc)
    return voided


def _had(view: SessionView, trial: int, animal: str | None) -> str:
    """The animal that had the trial. Raises ``KindleError`` where it is not ``animal``, or may still have more."""
    had_it = view.started.animal
    if animal is not None and animal != had_it:
        raise KindleError(f"the trial of journal row {trial} is one of {had_it}, not of {animal}; check the row")
    if view.outcome is None:
        raise KindleError(
            f"session {view.id} is not over, and its protocol decides by this trial: go on with it, or end it with "
            "kindle study end, then amend"
        )
    return had_it


def signed(author: str, reason: str) -> None:
    """Raises ``ConfigError`` for a correction that nobody answers for."""
    named(author)
    if not reason.strip():
        raise ConfigError("a correction needs a reason; give one with --reason")


def named(author: str) -> None:
    """Raises ``ConfigError``."""
    if not author.strip():
        raise ConfigError("who enters this must be named; give --by NAME")


def reading_of(trial: Trial) -> TrialReading:
    return TrialReading(trial.verdict, tuple(_bounds(event) for event in trial.afterdischarges))


def _bounds(event: Afterdischarge) -> MarkedDischarge:
    return MarkedDischarge(event.onset_sample, event.end_sample)


def trial_at(study: Study, seq: int) -> Trial:
    """The trial of a journal row as it stands now, with all corrections. Raises ``KindleError``."""
    return _trial(list(amended_rows(study.journal)), seq)[1]


def _trial(rows: Sequence[Row], seq: int) -> tuple[SessionView, Trial]:
    row = next((row for row in rows if row.seq == seq), None)
    reply = decode(row.kind, row.payload, Answered).reply if row is not None and row.kind == "answered" else None
    match reply:
        case Trial() if row is not None:
            view = next(view for view in sessions_in(rows) if view.id == row.session)
            return view, reply
        case VoidTrial(reason=why):
            raise KindleError(
                f"the train of journal row {seq} is void ({why}): it says nothing about the brain that could be read "
                "in another way"
            )
        case _:
            raise KindleError(f"journal row {seq} is no trial; kindle animal show lists the trains with their rows")


def _check_verdict(reading: TrialReading) -> None:
    if reading.verdict is Verdict.AFTERDISCHARGE and not reading.discharges:
        raise KindleError("an afterdischarge needs an onset and an end; mark it, or call the trial undetermined")
    if reading.verdict is not Verdict.AFTERDISCHARGE and reading.discharges:
        raise KindleError(f"a trial with {_counted(reading)} marked in it is not {reading.verdict.value}")


def _check_places(trial: Trial, reading: TrialReading, last_sample: int) -> None:
    """Seconds in the messages are from the end of the train."""
    train_end = trial.measured.end_sample

    def at(sample: int) -> str:
        return f"{(sample - train_end) / trial.rate_hz:.3f} s"

    for marked in reading.discharges:
        if marked.end_sample <= marked.onset_sample:
            raise KindleError(
                f"the discharge ends at {at(marked.end_sample)}, not after its onset {at(marked.onset_sample)}"
            )
        if marked.onset_sample < train_end:
            raise KindleError(f"the discharge begins at {at(marked.onset_sample)}, before the train has ended")
        if marked.end_sample > last_sample:
            raise KindleError(
                f"the discharge ends at {at(marked.end_sample)}, where there is no signal of this trial any more: it "
                f"ends at {at(last_sample)}"
            )
    for before, after in pairwise(reading.discharges):
        if after.onset_sample <= before.end_sample:
            raise KindleError(
                f"the discharge from {at(after.onset_sample)} begins before the one ahead of it has ended, at "
                f"{at(before.end_sample)}: give them in the order of time, or as one"
            )


def _check_criterion(trial: Trial, reading: TrialReading, criterion: Criterion) -> None:
    """What is marked must be what the study calls an afterdischarge, else it is ``none`` however real it looks."""
    if not reading.discharges:
        return
    first = reading.discharges[0]
    latency_s = (first.onset_sample - trial.measured.end_sample) / trial.rate_hz
    if latency_s > criterion.onset_window_s:
        raise KindleError(
            f"the discharge begins {latency_s:.3f} s after the train; the criterion of this session takes one that "
            f"begins within {criterion.onset_window_s:g} s, so the trial is none"
        )
    length_s = (first.end_sample - first.onset_sample) / trial.rate_hz
    if length_s < criterion.min_duration_s - 0.5 / trial.rate_hz:
        raise KindleError(
            f"the first discharge is {length_s:.3f} s long; the criterion of this session takes "
            f"{criterion.min_duration_s:g} s or more, so the trial is none"
        )


def _end_of_trial(study: Study, view: SessionView, trial: Trial) -> int:
    """One past the last sample that a discharge of this trial may reach: the next train, or the recording's end."""
    if trial.recording in view.closed:
        end = view.closed[trial.recording]
    else:
        end = open_recording(study.folder / trial.recording).n_samples
    later = [
        other.measured.onset_sample
        for other in view.trials
        if other.measured is not None
        and other.recording == trial.recording
        and other.measured.onset_sample > trial.measured.onset_sample
    ]
    return min([end, *later])


def _counted(reading: TrialReading) -> str:
    n = len(reading.discharges)
    return "a discharge" if n == 1 else f"{n} discharges"
