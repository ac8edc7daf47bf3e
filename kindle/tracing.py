"""From a number in a table back to the rows of the journal and to the samples that it came from."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from detectors.criterion import Verdict
from kindle.amended import called_void, correction_in, read_anew
from kindle.animal_rows import Amended, DischargesAmended, TrialScored, TrialVoided
from kindle.errors import KindleError
from kindle.exchange import Observed, Reply, Scored, Trial, VoidTrial
from kindle.journal import Row
from kindle.rows import Answered, decode
from kindle.study import Study
from kindle.tracing_observations import condition_line, observation_lines, observed_in
from kindle.typed_readings import reading_text


def trial_row(study: Study, named: str) -> int:
    """The journal row of a trial named SESSION:NUMBER, counted from 1, or by the row itself."""
    if named.isdigit():
        return int(named)
    session, _, number = named.rpartition(":")
    if not session or not number.isdigit():
        raise KindleError(f"{named!r} names no trial; give SESSION:NUMBER, counted from 1, or a row of the journal")
    rows = [row for row in study.journal.rows(study.session(session).id) if _trial_of(row) is not None]
    if not 1 <= int(number) <= len(rows):
        raise KindleError(f"session {session} has {len(rows)} trials; there is no number {number}")
    return rows[int(number) - 1].seq


def stage_row(study: Study, trial_seq: int) -> tuple[int, str]:
    """The row that holds the stage of a trial, and the key to amend there; a row that is no trial stands for itself.

    Raises ``KindleError`` for a trial without a stage.
    """
    rows = study.journal.rows()
    found = next((row for row in rows if row.seq == trial_seq and _trial_of(row) is not None), None)
    if found is None:
        return trial_seq, "stage"
    later = [row for row, _ in _scored_later(rows, trial_seq)]
    if later:
        return later[-1].seq, "stage"
    at_once = [row for row, scored in _scored_at_once(rows, found) if scored.stage is not None]
    if not at_once:
        raise KindleError(f"the trial of journal row {trial_seq} has no stage yet; enter it with: kindle score")
    return at_once[-1].seq, "reply.stage"


def trace(study: Study, seq: int) -> Iterator[str]:
    """Lines for people: the trial, where its samples lie, its stage, and every later word about it."""
    rows = study.journal.rows()
    found = next((row for row in rows if row.seq == seq), None)
    trial = None if found is None else _trial_of(found)
    seen = None if found is None else observed_in(found)
    if found is None or (trial is None and seen is None):
        raise KindleError(f"journal row {seq} is no trial; kindle animal show lists the trains with their rows")
    yield f"row {found.seq} of session {found.session}, {found.utc:%Y-%m-%d %H:%M:%S} UTC, hash {found.hash[:16]}"
    yield from condition_line(study, found.session)
    if trial is None:
        yield from _of_observation(rows, seen, seq)
        return
    yield from _told(trial)
    related = {seq}
    for row, at_once in _scored_at_once(rows, found):
        related.add(row.seq)
        stage = "none entered" if at_once.stage is None else f"{at_once.stage:g}"
        yield f"row {row.seq}: stage {stage} on {at_once.scale}, {len(at_once.stamps)} marks"
    for row, later in _scored_later(rows, seq):
        related.add(row.seq)
        yield f"row {row.seq}: stage {later.stage:g} on {later.scale}, entered later by {later.author}"
    yield from _corrections(rows, related, trial)


def _of_observation(rows: Sequence[Row], seen: Observed | None, seq: int) -> Iterator[str]:
    if seen is not None:
        yield from observation_lines(seen)
    for row, later in _scored_later(rows, seq):
        yield f"row {row.seq}: worst stage {later.stage:g} on {later.scale}, entered later by {later.author}"


def _corrections(rows: Sequence[Row], related: set[int], trial: Trial | VoidTrial) -> Iterator[str]:
    as_amended: Trial | VoidTrial = trial
    for row in rows:
        match correction_in(row):
            case Amended(row=of) as amended if of in related:
                yield (
                    f"row {row.seq}: {amended.key} of row {of} amended from {amended.old} to {amended.new} by "
                    f"{amended.author}: {amended.reason}"
                )
            case DischargesAmended(row=of) as amended if of in related and isinstance(trial, Trial):
                yield (
                    f"row {row.seq}: row {of} amended from {reading_text(trial, amended.old)} to "
                    f"{reading_text(trial, amended.new)} by {amended.author}: {amended.reason}"
                )
                as_amended = read_anew(trial, amended)
            case TrialVoided(row=of) as voided if of in related:
                yield f"row {row.seq}: called void by {voided.author}: {voided.reason}"
                as_amended = called_void(trial, voided) if isinstance(trial, Trial) else trial
            case _:
                pass
    if isinstance(as_amended, Trial) and as_amended is not trial:
        yield f"as amended: {as_amended.verdict.value}; {_durations(as_amended)}"


def _scored_at_once(rows: Sequence[Row], trial: Row) -> Iterator[tuple[Row, Scored]]:
    """Stages entered in the session itself, up to its next trial."""
    following = (row for row in rows if row.session == trial.session and row.seq > trial.seq and row.kind == "answered")
    for row in takewhile(lambda row: _trial_of(row) is None, following):
        reply = decode(row.kind, row.payload, Answered).reply
        if isinstance(reply, Scored):
            yield row, reply


def _scored_later(rows: Sequence[Row], seq: int) -> Iterator[tuple[Row, TrialScored]]:
    for row in rows:
        if row.kind == "trial_scored" and (scored := decode(row.kind, row.payload, TrialScored)).trial_row == seq:
            yield row, scored


def _trial_of(row: Row) -> Trial | VoidTrial | None:
    if row.kind != "answered":
        return None
    reply: Reply = decode(row.kind, row.payload, Answered).reply
    return reply if isinstance(reply, Trial | VoidTrial) else None


def _told(trial: Trial | VoidTrial) -> Iterator[str]:
    if isinstance(trial, VoidTrial):
        yield f"void train of {trial.train.current_ua:.4g} uA: {trial.reason}"
        yield f"recording {trial.recording}, up to sample {trial.last_sample}"
        return
    measured = "not measured" if trial.measured.current_ua is None else f"{trial.measured.current_ua:.4g} uA measured"
    yield (
        f"asked {trial.train.current_ua:.6g} uA, {trial.delivered.current_ua:.6g} uA as quantised, {measured}; "
        f"samples {trial.measured.onset_sample} to {trial.measured.end_sample}"
    )
    yield f"recording {trial.recording}, channel {trial.channel}, samples {trial.first_sample} to {trial.last_sample}"
    yield f"verdict {trial.verdict.value}" + (f": {trial.reason}" if trial.reason else "")
    for event in trial.afterdischarges:
        yield (
            f"{event.kind.value} afterdischarge, samples {event.onset_sample} to {event.end_sample}, "
            f"{event.n_spikes} spikes, end {event.end_grade.value}"
        )
    yield _durations(trial)


def _durations(trial: Trial) -> str:
    """An undetermined trial has none: missing is not zero."""
    if trial.verdict is Verdict.UNDETERMINED:
        return "durations: not known"
    durations = trial.durations
    return (
        f"durations: from train start {durations.from_train_start:.3f}, from train end {durations.from_train_end:.3f}, "
        f"from first spike {durations.from_first_spike:.3f}, total {durations.total:.3f}, span {durations.span:.3f} s"
    )
