"""What forbids a session with an animal before anything is connected: its weight, its name, its last trial."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from kindle.errors import UnsafeStimulus
from kindle.ledger import AlarmFact, Ledger, TrainFact, WeightFact


class AnimalLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the animal, beside those of the rig."""

    max_weight_loss: Annotated[float, Meta(gt=0, lt=1)] = 0.15
    """As a fraction of its highest weight."""
    weight_age_days: Annotated[int, Meta(ge=0, le=60)] = 7
    """A weight older than this is not known any more."""
    max_trains_per_day: Annotated[int, Meta(ge=1, le=1000)] = 40
    score_before_next: bool = True
    """No further train while a discharge of the animal is not scored."""


def weight_loss(weights: Sequence[WeightFact]) -> float | None:
    """Fraction lost since the highest weight; ``None`` without a weight."""
    if not weights:
        return None
    highest = max(weight.weight_g for weight in weights)
    return 1 - weights[-1].weight_g / highest


def check_animal(ledger: Ledger, limits: AnimalLimits) -> None:
    """Raises ``UnsafeStimulus`` for an animal that is out of the study, has lost too much weight, or had an alarm."""
    ended = ledger.event("died", "excluded", "electrode_lost")
    if ended is not None:
        raise UnsafeStimulus(f"{ledger.animal} is out of the study since {ended.day}: {ended.kind.replace('_', ' ')}")
    check_weight(ledger, limits)
    check_alarm(ledger)


def check_alarm(ledger: Ledger) -> None:
    """Raises ``UnsafeStimulus`` after an alarm for status epilepticus that nobody has acknowledged."""
    alarm = ledger.open_alarm
    if alarm is not None:
        raise UnsafeStimulus(f"{ledger.animal} had an alarm for {alarm_text(alarm)}")


def alarm_text(alarm: AlarmFact) -> str:
    where = f" at rig {alarm.rig}" if alarm.rig else ""
    return (
        f"status epilepticus in session {alarm.session} ({alarm.cause}) that nobody has acknowledged: see to the "
        f"animal, then: kindle acknowledge{where}"
    )


def check_weight(ledger: Ledger, limits: AnimalLimits) -> None:
    """Raises ``UnsafeStimulus`` for an animal that has lost more than is allowed."""
    loss = weight_loss(ledger.weights)
    if loss is not None and loss > limits.max_weight_loss + 1e-9:
        raise UnsafeStimulus(
            f"{ledger.animal} has lost {loss:.0%} of its highest weight; max_weight_loss allows "
            f"{limits.max_weight_loss:.0%}: consult the veterinarian, then record its weight or exclude it"
        )


def check_identity(expected: str, read: str) -> None:
    """The mark or barcode that was read must be the animal's. Raises ``UnsafeStimulus``."""
    if read.strip().casefold() != expected.casefold():
        raise UnsafeStimulus(
            f"the animal on the rig reads {read.strip() or 'nothing'!r}; {expected} is to be tested: check the cage "
            "and the mark"
        )


def check_day(trains: Sequence[TrainFact], planned: int, ledger: Ledger, limits: AnimalLimits) -> None:
    """``trains`` are those of today. Raises ``UnsafeStimulus``."""
    if len(trains) + planned > limits.max_trains_per_day:
        raise UnsafeStimulus(
            f"{ledger.animal} has had {len(trains)} trains today and the plan has up to {planned} more; "
            f"max_trains_per_day allows {limits.max_trains_per_day}"
        )


def check_scored(ledger: Ledger, limits: AnimalLimits) -> None:
    """Raises ``UnsafeStimulus`` while the last discharge has no stage."""
    waiting = unscored(ledger)
    if waiting and limits.score_before_next:
        raise UnsafeStimulus(
            f"{ledger.animal} has {len(waiting)} train{'' if len(waiting) == 1 else 's'} without a stage, the last in "
            f"session {waiting[-1].session}; enter it first with: kindle score"
        )


def unscored(ledger: Ledger) -> list[TrainFact]:
    """Trains of kindling and of drug tests that still wait for their stage."""
    return [
        train
        for train in ledger.trains
        if train.protocol in ("kindling", "drug-test") and train.scale and train.stage is None
    ]
