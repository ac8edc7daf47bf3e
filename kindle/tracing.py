"""From a number in a table back to the rows of the journal and to the samples that it came from."""

from collections.abc import Iterator

from kindle.animal_rows import Amended, TrialScored
from kindle.errors import KindleError
from kindle.exchange import Reply, Scored, Trial, VoidTrial
from kindle.journal import Row
from kindle.rows import Answered, decode
from kindle.study import Study


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


def trace(study: Study, seq: int) -> Iterator[str]:
    """Lines for people: the trial, where its samples lie, its stage, and every later word about it."""
    rows = list(study.journal.rows())
    found = next((row for row in rows if row.seq == seq), None)
    trial = None if found is None else _trial_of(found)
    if found is None or trial is None:
        raise KindleError(f"journal row {seq} is no trial; kindle study show lists the sessions")
    yield f"row {found.seq} of session {found.session}, {found.utc:%Y-%m-%d %H:%M:%S} UTC, hash {found.hash[:16]}"
    yield from _told(trial)
    related = {seq}
    for row in rows:
        if row.session == found.session and row.seq > seq and row.kind == "answered":
            reply = decode(row.kind, row.payload, Answered).reply
            if isinstance(reply, Trial | VoidTrial):
                break
            if isinstance(reply, Scored):
                related.add(row.seq)
                stage = "none entered" if reply.stage is None else f"{reply.stage:g}"
                yield f"row {row.seq}: stage {stage} on {reply.scale}, {len(reply.stamps)} marks"
    for row in rows:
        if row.kind == "trial_scored" and (scored := decode(row.kind, row.payload, TrialScored)).trial_row == seq:
            related.add(row.seq)
            yield f"row {row.seq}: stage {scored.stage:g} on {scored.scale}, entered later by {scored.author}"
    for row in rows:
        if row.kind == "amended" and (amended := decode(row.kind, row.payload, Amended)).row in related:
            yield (
                f"row {row.seq}: {amended.key} of row {amended.row} amended from {amended.old} to {amended.new} by "
                f"{amended.author}: {amended.reason}"
            )


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
    durations = trial.durations
    yield (
        f"durations: from train start {durations.from_train_start:.3f}, from train end {durations.from_train_end:.3f}, "
        f"from first spike {durations.from_first_spike:.3f}, total {durations.total:.3f}, span {durations.span:.3f} s"
    )
