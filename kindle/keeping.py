"""What people enter outside sessions: weights, events, stages from video, corrections. Each is a new row."""

from datetime import datetime

import msgspec

from kindle.animal_rows import Amended, AnimalEvent, TrialScored, Weighed
from kindle.errors import ConfigError, KindleError
from kindle.interlocks import unscored
from kindle.ledger import EventKind, TrainFact
from kindle.ledger_view import amended_rows, ledger_of, value_at
from kindle.rows import kind_of
from kindle.scale import load_scale
from kindle.study import ANIMALS, Study

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
    """The stage of a trial that waits for one; without ``trial_row`` the only one that does."""
    study.animal(animal)
    _named(author)
    train = _train(study, animal, trial_row)
    if train.stage is not None:
        raise KindleError(
            f"the train of journal row {train.seq} has stage {train.stage:g} already; correct it with: kindle amend"
        )
    scale = load_scale(train.scale or study.config.scale)
    scored = TrialScored(animal, train.seq, scale.name, scale.stage(stage).stage, author)
    _append(study, scored, utc)
    return scored


def amend(study: Study, row: int, key: str, new: object, author: str, reason: str, utc: datetime) -> Amended:
    """A correction of one value; the old one stays in its row. Raises ``KindleError``."""
    _named(author)
    if not reason.strip():
        raise ConfigError("a correction needs a reason; give one with --reason")
    found = next((known for known in amended_rows(study.journal) if known.seq == row), None)
    if found is None:
        raise KindleError(f"the journal has no row {row}; kindle show lists the rows of a trial")
    old = value_at(found, key)
    if isinstance(old, str) is not isinstance(new, str):
        raise ConfigError(f"{key} of row {row} is {old!r}; {new!r} is of another kind")
    amended = Amended(row, key, old, _checked(found.kind, found.payload, key, new), author, reason)
    _append(study, amended, utc)
    return amended


def _checked(kind: str, payload: str, key: str, new: object) -> object:
    if key.endswith("stage") and isinstance(new, float):
        decoded = msgspec.json.decode(payload)
        scale = decoded["reply"]["scale"] if kind == "answered" else decoded["scale"]
        return load_scale(str(scale)).stage(new).stage
    if key == "weight_g" and isinstance(new, float) and not LIKELY_G[0] <= new <= LIKELY_G[1]:
        raise ConfigError(f"{new:g} g is no weight of a rat or a mouse")
    return new


def _train(study: Study, animal: str, trial_row: int | None) -> TrainFact:
    ledger = ledger_of(study.journal, animal)
    if trial_row is not None:
        for train in ledger.trains:
            if train.seq == trial_row:
                return train
        raise KindleError(f"journal row {trial_row} is no train of {animal}; kindle animal show lists them")
    waiting = unscored(ledger)
    if len(waiting) != 1:
        rows = ", ".join(str(train.seq) for train in waiting)
        raise KindleError(
            f"{animal} has {len(waiting)} trains without a stage"
            + (f", of journal rows {rows}; say which with --row" if waiting else "; there is nothing to score")
        )
    return waiting[0]


def _named(author: str) -> None:
    if not author.strip():
        raise ConfigError("who enters this must be named; give --by NAME")


def _append(study: Study, row: Weighed | AnimalEvent | TrialScored | Amended, utc: datetime) -> None:
    study.journal.append(ANIMALS, kind_of(row), row, sample=None, utc=utc)
