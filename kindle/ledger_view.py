"""The ledger of an animal, read from the journal: every train, score, injection, weight and event, as amended."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from kindle.amended import amended_rows
from kindle.animal_rows import AlarmAcknowledged, AnimalEvent, CodesOpened, TrialScored, Weighed
from kindle.behaviour import DEATH, Scoring
from kindle.exchange import (
    CodedDose,
    Injected,
    Observed,
    Reply,
    Request,
    Scored,
    Stimulate,
    Trial,
    VoidTrial,
)
from kindle.journal import Journal, Row
from kindle.ledger import (
    AlarmFact,
    EventFact,
    InjectionFact,
    Ledger,
    ThresholdFact,
    TrainFact,
    WeightFact,
    together,
)
from kindle.observation_reading import ObservationReading
from kindle.opened_codes import with_codes_opened
from kindle.protocols.catalogue import Plan
from kindle.protocols.drug_test import DrugTested, DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingPlan
from kindle.protocols.stimulation import told
from kindle.protocols.threshold import ThresholdOutcome
from kindle.rows import Animal, Answered, Asked, SessionEnded, SessionStarted, StatusAlarmed, decode

_OF_AN_ANIMAL = ("weighed", "animal_event", "trial_scored", "alarm_acknowledged", "session_started")


class _OfAnimal(msgspec.Struct):
    """The one field that all of these rows have."""

    animal: str


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
    rig: str = ""
    trains: list[TrainFact] = field(default_factory=list)
    thresholds: list[ThresholdFact] = field(default_factory=list)
    injections: list[InjectionFact] = field(default_factory=list)
    weights: list[WeightFact] = field(default_factory=list)
    events: list[EventFact] = field(default_factory=list)
    observations: ObservationReading = field(init=False)
    alarms: list[AlarmFact] = field(default_factory=list)
    opened: CodesOpened | None = None
    sessions: dict[str, _Session] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.observations = ObservationReading(self.rig)

    def read(self, row: Row) -> None:
        match row.kind:
            case "weighed":
                weighed = decode(row.kind, row.payload, Weighed)
                if weighed.animal == self.animal:
                    self.weights.append(WeightFact(row.utc, self._day(row), weighed.weight_g))
            case "animal_event":
                event = decode(row.kind, row.payload, AnimalEvent)
                if event.animal == self.animal:
                    self.events.append(EventFact(row.utc, self._day(row), event.kind, event.reason, row.seq))
            case "trial_scored":
                self._score_later(row, decode(row.kind, row.payload, TrialScored))
            case "alarm_acknowledged":
                self._acknowledge(row, decode(row.kind, row.payload, AlarmAcknowledged))
            case "status_alarmed" if row.session in self.sessions:
                cause = decode(row.kind, row.payload, StatusAlarmed).cause
                self.alarms.append(AlarmFact(row.utc, self._day(row), row.session, row.seq, cause, self.rig))
            case "codes_opened":
                self.opened = decode(row.kind, row.payload, CodesOpened)
            case "session_started":
                started = decode(row.kind, row.payload, SessionStarted)
                if started.animal == self.animal:
                    self.sessions[row.session] = _Session(row.session, started)
            case "asked" | "answered" | "session_ended" if row.session in self.sessions:
                self._in_session(row, self.sessions[row.session])
            case _:
                pass

    def _acknowledge(self, row: Row, act: AlarmAcknowledged) -> None:
        if act.animal == self.animal:
            self.alarms = [
                alarm
                if alarm.acknowledged_utc
                else replace(alarm, acknowledged_utc=row.utc, acknowledged_by=act.author)
                for alarm in self.alarms
            ]

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
                self.observations.ended(session.id, outcome)
                if isinstance(outcome, DrugTested):
                    outcome = outcome.test
                if isinstance(outcome, ThresholdOutcome) and session.started.protocol == "threshold":
                    self.thresholds.append(ThresholdFact(row.utc, self._day(row), session.id, outcome, row.seq))

    def _answered(self, row: Row, session: _Session, reply: Reply) -> None:
        self.observations.answered(row, self._day(row), session.started.plan, reply)
        match reply:
            case Trial() | VoidTrial() if session.waiting is not None and session.last_train is not None:
                self._settle(row, session, reply)
                session.waiting = None
            case Scored(scale=scale, stage=stage, stamps=stamps) if session.last_train is not None:
                last = self.trains[session.last_train]
                self.trains[session.last_train] = replace(last, scale=scale, stage=stage, stage_seq=row.seq)
                self._died(row, session, Scoring(scale, stamps))
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
                        given=reply,
                    )
                )
            case Observed(scoring=scoring):
                self._died(row, session, scoring)
            case _:
                pass

    def _died(self, row: Row, session: _Session, scoring: Scoring) -> None:
        """An animal that was seen to die is out of the study, whether or not somebody enters it once more."""
        if scoring.first_of(DEATH) is not None:
            self.events.append(EventFact(row.utc, self._day(row), "died", f"in session {session.id}", row.seq))

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
                rig=self.rig,
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

    def _score_later(self, row: Row, scored: TrialScored) -> None:
        for place, train in enumerate(self.trains):
            if train.seq == scored.trial_row:
                self.trains[place] = replace(train, scale=scored.scale, stage=scored.stage, stage_seq=row.seq)
        self.observations.scored_later(scored)

    def _day(self, row: Row) -> Any:
        return row.utc.astimezone(self.zone).date()

    def ledger(self) -> Ledger:
        return Ledger(
            self.animal,
            tuple(self.trains),
            tuple(self.thresholds),
            tuple(self.injections),
            tuple(self.weights),
            tuple(self.events),
            tuple(self.observations.facts),
            tuple(self.alarms),
        )


def ledger_of(journal: Journal, animal: str, zone: tzinfo | None = None, until: datetime | None = None) -> Ledger:
    """From this journal and what it knows of the other rigs'; ``until`` leaves out what was written later.

    What was injected behind a code that is open by then stands under its treatment. Days are those of ``zone``, by
    default the computer's.
    """
    readers = []
    for rig, one in {"": journal, **journal.others}.items():
        reader = _Reader(animal, zone, rig)
        for row in amended_rows(one, until):
            reader.read(row)
        readers.append(reader)
    opened = next((reader.opened for reader in readers if reader.opened is not None), None)
    return with_codes_opened(together([reader.ledger() for reader in readers]), opened)


def ledgers_of(rows: Iterable[Row], zone: tzinfo | None = None) -> dict[str, Ledger]:
    """The ledgers of all animals in one reading, codes as codes; ``rows`` as ``amended_rows`` gives them."""
    readers: dict[str, _Reader] = {}
    in_session: dict[str, str] = {}
    for row in rows:
        if row.kind in _OF_AN_ANIMAL:
            animal = decode(row.kind, row.payload, _OfAnimal).animal
            if row.kind == "session_started":
                in_session[row.session] = animal
        elif row.kind == "animal_added":
            animal = decode(row.kind, row.payload, Animal).id
        elif row.session in in_session:
            animal = in_session[row.session]
        else:
            continue
        readers.setdefault(animal, _Reader(animal, zone)).read(row)
    return {animal: reader.ledger() for animal, reader in readers.items()}


def _scale(plan: Plan) -> str:
    match plan:
        case KindlingPlan(scale=scale) | DrugTestPlan(test=KindlingPlan(scale=scale)):
            return scale
        case _:
            return ""


def _condition(plan: Plan) -> str:
    return plan.condition if isinstance(plan, DrugTestPlan) else ""
