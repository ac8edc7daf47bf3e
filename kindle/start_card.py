"""The card beside the cage: what a person wants to know of an animal before its session, and what is due for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never, get_args

from kindle.course import standing
from kindle.course_facts import last_threshold_ua
from kindle.course_in_force import course_of
from kindle.course_plan import Due, NeedsPerson, Next, Over, Standing, Wait
from kindle.errors import KindleError
from kindle.interlocks import check_alarm, weight_loss
from kindle.ledger import TrainFact
from kindle.ledger_view import ledger_of
from kindle.ordering import Order, ProtocolName, prepare
from kindle.prepared import check_between, read_either_way
from kindle.previewing import preview
from kindle.rig_config import RigConfig
from kindle.study import Study
from kindle.telling import told


@dataclass(frozen=True, slots=True)
class StartCard:
    """Of one animal now; ``None`` and empty where nothing is known yet."""

    animal: str
    described: str
    """Species, strain, sex and note."""
    standing: Standing
    weight_g: float | None
    weight_day: date | None
    weight_change_g: float | None
    """Since the weight before."""
    weight_loss: float | None
    """As a fraction of the highest weight."""
    last: TrainFact | None
    threshold_ua: float | None
    days_since: int | None
    """Since the last train."""
    unfinished: str
    """The protocol of a session that waits to be resumed."""

    @property
    def suggested(self) -> Order | None:
        """The order that is due; an interrupted session comes first."""
        due = self.standing.next
        if self.unfinished in get_args(ProtocolName):
            return _order(self.unfinished, self.animal, due.condition if isinstance(due, Due) else "")
        if isinstance(due, Due) and due.protocol in get_args(ProtocolName):
            return _order(due.protocol, self.animal, due.condition)
        return None


def start_card(study: Study, animal: str, now: datetime) -> StartCard:
    """``now`` carries the time zone in which days are counted."""
    known = study.animal(animal)
    ledger = ledger_of(study.journal, animal, now.tzinfo)
    open_ = study.unfinished(animal)
    last = ledger.trains[-1] if ledger.trains else None
    weights = ledger.weights
    return StartCard(
        animal=animal,
        described=", ".join(part for part in (known.species, known.strain, known.sex, known.note) if part),
        standing=standing(ledger, course_of(study, animal), now, study.config.animals),
        weight_g=weights[-1].weight_g if weights else None,
        weight_day=weights[-1].day if weights else None,
        weight_change_g=weights[-1].weight_g - weights[-2].weight_g if len(weights) > 1 else None,
        weight_loss=weight_loss(weights),
        last=last,
        threshold_ua=last_threshold_ua(ledger),
        days_since=None if last is None else (now.date() - last.day).days,
        unfinished="" if open_ is None else open_.started.protocol,
    )


def card_lines(card: StartCard) -> Iterator[tuple[str, str]]:
    """Label and value, in the order in which a person asks."""
    yield "animal", f"{card.animal}  {card.described}".rstrip()
    yield "state", str(card.standing.state)
    yield "weight", _weight(card)
    yield "last train", "none" if card.last is None else _last(card.last)
    if card.days_since is not None:
        yield "days since", f"{card.days_since}"
    yield "threshold", "not known" if card.threshold_ua is None else f"{card.threshold_ua:.4g} µA"
    if isinstance(card.standing.next, Due) and card.standing.next.condition:
        yield "dose", card.standing.next.condition


def next_text(following: Next) -> str:
    match following:
        case Due(protocol, reason, condition):
            return f"DUE: {protocol}{f' ({condition})' if condition else ''}. {_sentence(reason)}"
        case Wait(until, reason):
            return f"Not before {until:%a %d %b, %H:%M}. {_sentence(reason)}"
        case NeedsPerson(reason):
            return f"TO DECIDE: {reason}"
        case Over(reason):
            return _sentence(reason)
        case _:
            assert_never(following)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What an order comes to before anything is connected: ``refusal`` is empty where nothing forbids it."""

    refusal: str
    worst_case: tuple[str, ...]


def outlook(study: Study, order: Order, rig: RigConfig, now: datetime) -> Outlook:
    """The same checks that the session itself begins with."""
    try:
        prepared = prepare(study, order, rig, now)
        check_alarm(ledger_of(study.journal, order.animal))
        if not prepared.simulated and study.unfinished(order.animal) is None:
            check_between(read_either_way(study, order.animal), prepared.plan, prepared.limits, now)
    except KindleError as refused:
        return Outlook(told(refused) or "", ())
    return Outlook("", tuple(preview(prepared)))


def animal_read(text: str, animals: Iterator[str]) -> str | None:
    """The animal whose mark or barcode was read; ``None`` when it is none of the study's."""
    read = text.strip().casefold()
    return next((animal for animal in animals if animal.casefold() == read), None)


def _order(protocol: str, animal: str, condition: str) -> Order:
    name = next(name for name in get_args(ProtocolName) if name == protocol)
    return Order(name, animal, condition) if condition else Order(name, animal)


def _weight(card: StartCard) -> str:
    if card.weight_g is None:
        return "not known"
    change = "" if card.weight_change_g is None else f" ({card.weight_change_g:+.0f} g since the last)"
    loss = "" if not card.weight_loss or card.weight_loss < 0.005 else f", {card.weight_loss:.0%} below its highest"
    return f"{card.weight_g:g} g{change}{loss}, of {card.weight_day}"


def _last(train: TrainFact) -> str:
    stage = "" if not train.scale else "not scored, " if train.stage is None else f"stage {train.stage:g}, "
    length = ""
    if train.verdict is None:
        length = "void"
    elif train.discharge_s:
        length = f"afterdischarge {train.discharge_s:.1f} s"
    else:
        length = {"none": "no afterdischarge"}.get(train.verdict.value, train.verdict.value)
    return f"{train.current_ua:.4g} µA, {stage}{length} ({train.protocol}, {train.day})"


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]
