"""The rows of a journal with their corrections laid over them: what every view is computed from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, assert_never

import msgspec
from msgspec import structs

from detectors.criterion import Afterdischarge, EndGrade, Kind
from kindle.animal_rows import Amended, DischargesAmended, MarkedDischarge, TrialScored, TrialVoided
from kindle.engine import Exchange
from kindle.errors import JournalMismatch, KindleError
from kindle.exchange import Reply, Request, Scored, Trial, VoidTrial
from kindle.journal import Journal, Row
from kindle.rereading import NEVER_GIVEN, reread
from kindle.rows import Answered, Asked, SessionEnded, SessionStarted, decode

AMENDABLE = {
    "animal_added": ("species", "strain", "sex", "note"),
    "weighed": ("weight_g",),
    "trial_scored": ("stage",),
    "answered": ("reply.stage",),
}
"""What a correction may change by its key. Currents and times are measured; discharges are marked anew."""

Correction = Amended | DischargesAmended | TrialVoided


def amended_rows(journal: Journal, until: datetime | None = None) -> Iterator[Row]:
    """Every row with its corrections laid over it, stages entered later in their place, and outcomes that follow.

    The rows of the journal stay as they are.
    """
    rows = [row for row in journal.rows() if until is None or row.utc <= until.astimezone(UTC)]
    corrections: dict[int, list[Correction]] = {}
    for row in rows:
        correction = correction_in(row)
        if correction is not None:
            corrections.setdefault(correction.row, []).append(correction)
    corrected = [_corrected(row, corrections.get(row.seq, ())) for row in rows]
    later = [decode(row.kind, row.payload, TrialScored) for row in corrected if row.kind == "trial_scored"]
    stages = {scored.trial_row: scored.stage for scored in later}
    changed = {row.session for row in rows if row.kind == "answered" and (row.seq in corrections or row.seq in stages)}
    sessions = {session: _Changed(stages) for session in changed}
    for row, now in zip(rows, corrected, strict=True):
        yield sessions[row.session].taken(row, now) if row.session in changed else now


class _Changed:
    """A session of which something was corrected, or scored later, as it is read."""

    def __init__(self, stages: Mapping[int, float]) -> None:
        self._stages = stages
        self._trial = 0
        self._written: list[Row] = []
        self._now: list[Row] = []

    def taken(self, row: Row, now: Row) -> Row:
        match row.kind:
            case "answered":
                now = self._with_stage(now)
            case "session_ended":
                now = _reread(row, self._written, self._now)
            case _:
                pass
        self._written.append(row)
        self._now.append(now)
        return now

    def _with_stage(self, row: Row) -> Row:
        match _reply(row):
            case Trial() | VoidTrial():
                self._trial = row.seq
            case Scored(stage=None) as scored if self._trial in self._stages:
                return _with(row, Answered(structs.replace(scored, stage=self._stages[self._trial])))
            case _:
                pass
        return row


def correction_in(row: Row) -> Correction | None:
    match row.kind:
        case "amended":
            return decode(row.kind, row.payload, Amended)
        case "discharges_amended":
            return decode(row.kind, row.payload, DischargesAmended)
        case "trial_voided":
            return decode(row.kind, row.payload, TrialVoided)
        case _:
            return None


def value_at(row: Row, key: str) -> Any:
    """What stands under a key of a row. Raises ``KindleError`` for what cannot be amended."""
    if key not in AMENDABLE.get(row.kind, ()):
        allowed = ", ".join(AMENDABLE.get(row.kind, ())) or "nothing"
        raise KindleError(f"journal row {row.seq} is {row.kind!r}: {allowed} of it can be amended, not {key!r}")
    value: Any = decode(row.kind, row.payload, dict[str, Any])
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise KindleError(f"journal row {row.seq} has no {key!r} to amend")
        value = value[part]
    return value


def read_anew(trial: Trial, correction: DischargesAmended) -> Trial:
    """The trial of the detector with the discharges as a person marked them."""
    by_hand = correction.new
    return structs.replace(
        trial,
        verdict=by_hand.verdict,
        reason=f"amended by {correction.author}: {correction.reason}",
        afterdischarges=tuple(
            _discharge(marked, Kind.SECONDARY if n else Kind.PRIMARY, trial.afterdischarges)
            for n, marked in enumerate(by_hand.discharges)
        ),
    )


def called_void(trial: Trial, correction: TrialVoided) -> VoidTrial:
    """The animal has had the train, and perhaps the discharge that was seen after it, all the same."""
    return VoidTrial(
        train=trial.train,
        reason=f"called void by {correction.author}: {correction.reason}",
        exposed=True,
        measured=trial.measured,
        recording=trial.recording,
        last_sample=trial.last_sample,
        verdict=trial.verdict,
        delivered=trial.delivered,
    )


def _discharge(marked: MarkedDischarge, kind: Kind, detected: Sequence[Afterdischarge]) -> Afterdischarge:
    """What the detector measured of the spikes stays with the discharge; where it saw none, nobody counted any."""
    nearest = max(detected, key=lambda event: _overlap(marked, event), default=None)
    if nearest is None or _overlap(marked, nearest) <= 0:
        return Afterdischarge(marked.onset_sample, marked.end_sample, kind, 0, 0.0, 0.0, 0.0, EndGrade.CLEAR, 1.0)
    same_onset, same_end = marked.onset_sample == nearest.onset_sample, marked.end_sample == nearest.end_sample
    return replace(
        nearest,
        onset_sample=marked.onset_sample,
        end_sample=marked.end_sample,
        kind=kind,
        end_grade=nearest.end_grade if same_end else EndGrade.CLEAR,
        earliest_onset_sample=nearest.earliest_onset_sample if same_onset else None,
        latest_end_sample=nearest.latest_end_sample if same_end else None,
    )


def _overlap(marked: MarkedDischarge, event: Afterdischarge) -> int:
    """In samples; negative where they do not touch."""
    return min(marked.end_sample, event.end_sample) - max(marked.onset_sample, event.onset_sample)


def _corrected(row: Row, corrections: Sequence[Correction]) -> Row:
    """The last word of each kind stands; discharges that are marked again are compared with the detector's own."""
    written = row
    for correction in corrections:
        match correction:
            case Amended(key=key, new=new):
                row = _with_value(row, key, new)
            case DischargesAmended():
                row = _with(row, Answered(read_anew(_trial_in(written), correction)))
            case TrialVoided():
                row = _with(row, Answered(called_void(_trial_in(row), correction)))
            case _:
                assert_never(correction)
    return row


def _trial_in(row: Row) -> Trial:
    """Raises ``JournalMismatch`` for a row that kindle would never have let anybody correct so."""
    reply = _reply(row) if row.kind == "answered" else None
    if not isinstance(reply, Trial):
        raise JournalMismatch(f"journal row {row.seq} is corrected as a trial, and is none; run kindle verify")
    return reply


def _with_value(row: Row, key: str, new: object) -> Row:
    value_at(row, key)  # it can be there only where kindle wrote it
    payload: Any = decode(row.kind, row.payload, dict[str, Any])
    *path, last = key.split(".")
    inner = payload
    for part in path:
        inner = inner[part]
    inner[last] = new
    return replace(row, payload=msgspec.json.encode(payload).decode())


def _with(row: Row, payload: msgspec.Struct) -> Row:
    return replace(row, payload=msgspec.json.encode(payload).decode())


def _reread(ended: Row, written: Sequence[Row], corrected: Sequence[Row]) -> Row:
    """The end of a session whose trials were corrected.

    Where the rows as written do not lead to their own outcome, another version of the protocol made it: it stays.
    """
    begun = next((row for row in written if row.kind == "session_started"), None)
    if begun is None:
        raise JournalMismatch(f"journal row {ended.seq} ends a session that never started; run kindle verify")
    started = decode(begun.kind, begun.payload, SessionStarted)
    outcome = decode(ended.kind, ended.payload, SessionEnded).outcome
    early: str = getattr(outcome, "reason", "") or NEVER_GIVEN
    if reread(started.plan, _exchanges(written), early) != outcome:
        return ended
    return _with(ended, SessionEnded(reread(started.plan, _exchanges(corrected), early)))


def _exchanges(rows: Sequence[Row]) -> list[Exchange]:
    """What the protocol has heard; from a trial that was called void in the session it heard everything anew."""
    heard: list[tuple[int, Exchange]] = []
    asked: Row | None = None
    for row in rows:
        match row.kind:
            case "asked":
                asked = row
            case "answered" if asked is not None:
                heard.append((row.seq, Exchange(_request(asked), _reply(row))))
                asked = None
            case "trial_voided":
                voided = decode(row.kind, row.payload, TrialVoided)
                heard = [(seq, past) for seq, past in heard if seq <= voided.row]
                seq, past = heard[-1]
                if isinstance(past.reply, Trial):
                    heard[-1] = seq, Exchange(past.request, called_void(past.reply, voided))
                asked = None
            case _:
                pass
    return [exchange for _, exchange in heard]


def _request(row: Row) -> Request:
    return decode(row.kind, row.payload, Asked).request


def _reply(row: Row) -> Reply:
    return decode(row.kind, row.payload, Answered).reply
