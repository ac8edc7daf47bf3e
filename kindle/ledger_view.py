"""The ledger of an animal, read from the journal: every train, score, injection, weight and event, as amended."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

import msgspec

from kindle.animal_rows import Amended, AnimalEvent, TrialScored, Weighed
from kindle.errors import KindleError
from kindle.exchange import CodedDose, Injected, Observed, Reply, Request, Scored, Stimulate, Trial, VoidTrial
from kindle.journal import Journal, Row
from kindle.ledger import EventFact, InjectionFact, Ledger, ThresholdFact, TrainFact, WeightFact
from kindle.protocols.catalogue import Plan
from kindle.protocols.drug_test import DrugTested, DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingPlan
from kindle.protocols.stimulation import told
from kindle.protocols.threshold import ThresholdOutcome
from kindle.rows import Answered, Asked, SessionEnded, SessionStarted, decode

AMENDABLE = {
    "animal_added": ("species", "strain", "sex", "note"),
    "weighed": ("weight_g",),
    "trial_scored": ("stage",),
    "answered": ("reply.stage",),
}
"""What a correction may change. Currents, verdicts and times are measured: another reading is a reanalysis."""


@dataclass(slots=True)
class _Session:
    """What was said so far in a session that is being read."""

    id: str
    started: SessionStarted
    waiting: tuple[Row, Stimulate] | None = None
    last_train: int | None = None
    """Place of the last train in the animal's list."""


@dataclass
class _Reader:
    animal: str
    zone: tzinfo | None
    trains: list[TrainFact] = field(default_factory=list)
    thresholds: list[ThresholdFact] = field(default_factory=list)
    injections: list[InjectionFact] = field(default_factory=list)
    weights: list[WeightFact] = field(default_factory=list)
    events: list[EventFact] = field(default_factory=list)
    sessions: dict[str, _Session] = field(default_factory=dict)

    def read(self, row: Row) -> None:
        match row.kind:
            case "weighed":
                weighed = decode(row.kind, row.payload, Weighed)
                if weighed.animal == self.animal:
                    self.weights.append(WeightFact(row.utc, self._day(row), weighed.weight_g))
            case "animal_event":
                event = decode(row.kind, row.payload, AnimalEvent)
                if event.animal == self.animal:
                    self.events.append(EventFact(row.utc, self._day(row), event.kind, event.reason))
            case "trial_scored":
                self._score_later(decode(row.kind, row.payload, TrialScored))
            case "session_started":
                started = decode(row.kind, row.payload, SessionStarted)
                if started.animal == self.animal:
                    self.sessions[row.session] = _Session(row.session, started)
            case "asked" | "answered" | "session_ended" if row.session in self.sessions:
                self._in_session(row, self.sessions[row.session])
            case _:
                pass

    def _in_session(self, row: Row, session: _Session) -> None:
        match row.kind:
            case "asked":
                request: Request = decode(row.kind, row.payload, Asked).request
                if isinstance(request, Stimulate):
                    session.waiting = row, request
                    # Until its reply stands here the animal may have had this train.
                    self._add(session, row, request, None)
            case "answered":
                self._answered(row, session, decode(row.kind, row.payload, Answered).reply)
            case _:
                outcome = decode(row.kind, row.payload, SessionEnded).outcome
                if isinstance(outcome, DrugTested):
                    outcome = outcome.test
                if isinstance(outcome, ThresholdOutcome) and session.started.protocol == "threshold":
                    self.thresholds.append(ThresholdFact(row.utc, self._day(row), session.id, outcome))

    def _answered(self, row: Row, session: _Session, reply: Reply) -> None:
        match reply:
            case Trial() | VoidTrial() if session.waiting is not None and session.last_train is not None:
                self._settle(row, session, reply)
                session.waiting = None
            case Scored(scale=scale, stage=stage) if session.last_train is not None:
                last = self.trains[session.last_train]
                self.trains[session.last_train] = replace(last, scale=scale, stage=stage)
            case Injected(dose=dose, drawn=drawn):
                self.injections.append(
                    InjectionFact(
                        utc=row.utc,
                        day=self._day(row),
                        session=session.id,
                        name=Injection(dose).name,
                        mg_per_kg=None if isinstance(dose, CodedDose) or drawn is None else drawn.given_mg_per_kg,
                        mmol_per_kg=None if drawn is None else drawn.given_mmol_per_kg,
                        condition=_condition(session.started.plan),
                    )
                )
            case Observed():
                pass
            case _:
                pass

    def _add(self, session: _Session, row: Row, request: Stimulate, scale: str | None) -> None:
        session.last_train = len(self.trains)
        self.trains.append(
            TrainFact(
                utc=row.utc,
                day=self._day(row),
                session=session.id,
                seq=row.seq,
                protocol=session.started.protocol,
                current_ua=request.train.current_ua,
                charge_uc=request.train.charge_uc,
                verdict=None,
                scale=scale or _scale(session.started.plan),
                condition=_condition(session.started.plan),
            )
        )

    def _settle(self, row: Row, session: _Session, reply: Trial | VoidTrial) -> None:
        assert session.last_train is not None
        asked = self.trains[session.last_train]
        if isinstance(reply, VoidTrial):
            if reply.exposed:
                self.trains[session.last_train] = replace(asked, seq=row.seq)
            else:
                del self.trains[session.last_train]
                session.last_train = None
            return
        given = told(reply, asked.scale, None)
        self.trains[session.last_train] = replace(
            asked,
            seq=row.seq,
            charge_uc=reply.delivered.charge_uc,
            verdict=given.verdict,
            discharge_s=given.discharge_s,
        )

    def _score_later(self, scored: TrialScored) -> None:
        for place, train in enumerate(self.trains):
            if train.seq == scored.trial_row:
                self.trains[place] = replace(train, scale=scored.scale, stage=scored.stage)

    def _day(self, row: Row) -> Any:
        return row.utc.astimezone(self.zone).date()


def ledger_of(journal: Journal, animal: str, zone: tzinfo | None = None, until: datetime | None = None) -> Ledger:
    """Days are those of ``zone``, by default the computer's. ``until`` leaves out what was written later."""
    reader = _Reader(animal, zone)
    for row in amended_rows(journal, until):
        reader.read(row)
    return Ledger(
        animal,
        tuple(reader.trains),
        tuple(reader.thresholds),
        tuple(reader.injections),
        tuple(reader.weights),
        tuple(reader.events),
    )


def amended_rows(journal: Journal, until: datetime | None = None) -> Iterator[Row]:
    """Every row with its corrections laid over it; the rows of the journal stay as they are."""
    rows = [row for row in journal.rows() if until is None or row.utc <= until.astimezone(UTC)]
    corrections: dict[int, list[Amended]] = {}
    for row in rows:
        if row.kind == "amended":
            amended = decode(row.kind, row.payload, Amended)
            corrections.setdefault(amended.row, []).append(amended)
    for row in rows:
        yield _corrected(row, corrections.get(row.seq, []))


def value_at(row: Row, key: str) -> Any:
    """What stands under a key of a row. Raises ``KindleError`` for what cannot be amended."""
    if key not in AMENDABLE.get(row.kind, ()):
        allowed = ", ".join(AMENDABLE.get(row.kind, ())) or "nothing"
        raise KindleError(f"journal row {row.seq} is {row.kind!r}: {allowed} of it can be amended, not {key!r}")
    value: Any = msgspec.json.decode(row.payload)
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise KindleError(f"journal row {row.seq} has no {key!r} to amend")
        value = value[part]
    return value


def _corrected(row: Row, amendments: list[Amended]) -> Row:
    if not amendments:
        return row
    payload: Any = msgspec.json.decode(row.payload)
    for amended in amendments:
        *path, last = amended.key.split(".")
        inner = payload
        for part in path:
            inner = inner[part]
        inner[last] = amended.new
    return replace(row, payload=msgspec.json.encode(payload).decode())


def _scale(plan: Plan) -> str:
    match plan:
        case KindlingPlan(scale=scale) | DrugTestPlan(test=KindlingPlan(scale=scale)):
            return scale
        case _:
            return ""


def _condition(plan: Plan) -> str:
    return plan.condition if isinstance(plan, DrugTestPlan) else ""
