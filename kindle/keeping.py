"""What people enter outside sessions: weights, events, stages from video, corrections. Each is a new row."""

from datetime import datetime
from typing import Any

from kindle.amended import amended_rows, value_at
from kindle.amending import named, signed
from kindle.animal_rows import AlarmAcknowledged, Amended, AnimalEvent, TrialScored, Weighed
from kindle.course_facts import without_stage
from kindle.errors import ConfigError, KindleError
from kindle.interlocks import unscored
from kindle.journal import Row
from kindle.ledger import AlarmFact, EventKind, Provocation
from kindle.ledger_view import ledger_of
from kindle.rows import decode, kind_of
from kindle.scale import load_scale
from kindle.session_view import ANIMALS
from kindle.study import Study

LIKELY_G = (5.0, 1500.0)
"""A weight outside of this was mistyped: a rat weighs more than its pup and less than two kilograms."""


def weigh(study: Study, animal: str, weight_g: float, utc: datetime) -> None:
    study.animal(animal)
    least, most = LIKELY_G
    if not least <= weight_g <= most:
        raise ConfigError(f"{weight_g:g} g is no weight of a rat or a mouse; it lies between {least:g} and {most:g} g")
    _append(study, Weighed(animal, weight_g), utc)


def note_event(study: Study, animal: str, kind: EventKind, reason: str, utc: datetime) -> None:
    study.animal(animal)
    if kind in ("excluded", "note") and not reason.strip():
        raise ConfigError(f"an event of the kind {kind!r} needs a reason; give one with --reason")
    _append(study, AnimalEvent(animal, kind, reason), utc)


def score_trial(
    study: Study, animal: str, stage: float, author: str, utc: datetime, *, trial_row: int | None = None
) -> TrialScored:
    """The stage of a train, or of a dose, that waits for one; without ``trial_row`` the only one that does."""
    study.animal(animal)
    named(author)
    waiting = _waiting(study, animal, trial_row)
    if waiting.rig:
        raise KindleError(f"journal row {waiting.seq} stands in the journal of rig {waiting.rig}: score it there")
    if waiting.stage is not None:
        raise KindleError(
            f"journal row {waiting.seq} has stage {waiting.stage:g} already; correct it with: kindle amend"
        )
    scale = load_scale(waiting.scale or study.config.scale)
    scored = TrialScored(animal, waiting.seq, scale.name, scale.stage(stage).stage, author)
    _append(study, scored, utc)
    return scored


def acknowledge(study: Study, animal: str, author: str, utc: datetime) -> AlarmFact:
    """Somebody has seen to the animal after its alarm. Raises ``KindleError`` when there is none to acknowledge."""
    study.animal(animal)
    named(author)
    alarm = ledger_of(study.journal, animal).open_alarm
    if alarm is None:
        raise KindleError(f"{animal} has no alarm that waits to be acknowledged")
    if alarm.rig:
        raise KindleError(f"the alarm of {animal} stands in the journal of rig {alarm.rig}: acknowledge it there")
    _append(study, AlarmAcknowledged(animal, author), utc)
    return alarm


def amend(
    study: Study,
    row: int,
    key: str,
    new: object,
    author: str,
    reason: str,
    utc: datetime,
    *,
    animal: str | None = None,
) -> Amended:
    """A correction of one value; the old one stays in its row. Raises ``KindleError``.

    ``animal``, where given, must be the one that the row is about.
    """
    signed(author, reason)
    rows = list(amended_rows(study.journal))
    found = next((known for known in rows if known.seq == row), None)
    if found is None:
        raise KindleError(f"the journal has no row {row}; kindle show lists the rows of a trial")
    if animal is not None and (of := _animal_of(study, found)) != animal:
        raise KindleError(f"journal row {row} is about {of}, not about {animal}; check the row")
    old = value_at(found, key)
    if isinstance(old, str) is not isinstance(new, str):
        raise ConfigError(f"{key} of row {row} is {old!r}; {new!r} is of another kind")
    checked = _checked(found.kind, found.payload, key, new)
    if checked == old:
        raise KindleError(f"{key} of row {row} is {old} already; nothing was written")
    amended = Amended(row, key, old, checked, author, reason)
    _append(study, amended, utc)
    return amended


def _animal_of(study: Study, row: Row) -> str:
    if row.session != ANIMALS:
        return study.session(row.session).started.animal
    told = decode(row.kind, row.payload, dict[str, Any])
    return str(told.get("animal", told.get("id", "nobody")))


def _checked(kind: str, payload: str, key: str, new: object) -> object:
    if key.endswith("stage") and isinstance(new, float):
        decoded = decode(kind, payload, dict[str, Any])
        scale = decoded["reply"]["scale"] if kind == "answered" else decoded["scale"]
        return load_scale(str(scale)).stage(new).stage
    if key == "weight_g" and isinstance(new, float) and not LIKELY_G[0] <= new <= LIKELY_G[1]:
        raise ConfigError(f"{new:g} g is no weight of a rat or a mouse")
    return new


def _waiting(study: Study, animal: str, trial_row: int | None) -> Provocation:
    ledger = ledger_of(study.journal, animal)
    if trial_row is not None:
        scorable: list[Provocation] = [*ledger.trains, *ledger.observations]
        for one in scorable:
            if one.seq == trial_row and not one.rig:
                return one
        raise KindleError(f"journal row {trial_row} is no train or dose of {animal}; kindle animal show lists them")
    waiting: list[Provocation] = [*unscored(ledger), *without_stage(ledger)]
    if len(waiting) != 1:
        rows = ", ".join(str(one.seq) for one in waiting)
        raise KindleError(
            f"{animal} has {len(waiting)} trains or doses without a stage"
            + (f", of journal rows {rows}; say which with --row" if waiting else "; there is nothing to score")
        )
    return waiting[0]


def _append(
    study: Study, row: Weighed | AnimalEvent | TrialScored | Amended | AlarmAcknowledged, utc: datetime
) -> None:
    study.journal.append(ANIMALS, kind_of(row), row, sample=None, utc=utc)
