"""The trains of a session in order, each with what was asked, what came back and what the experimenter made of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from drivers.interface import PulseTrain
from kindle.exchange import Confirmed, Stimulate, Trial, VoidTrial
from kindle.session_view import SessionView


class State(StrEnum):
    AFTERDISCHARGE = "afterdischarge"
    NONE = "none"
    UNDETERMINED = "undetermined"
    VOID = "void"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Train:
    """``number`` counts from 1; ``reply`` is ``None`` where the program stopped before the outcome was known."""

    number: int
    asked: PulseTrain
    asked_sample: int
    reply: Trial | VoidTrial | None
    read_as: str
    """The experimenter's answer about an undetermined trial; empty where nobody was asked."""

    @property
    def state(self) -> State:
        match self.reply:
            case None:
                return State.UNANSWERED
            case VoidTrial():
                return State.VOID
            case Trial(verdict=verdict):
                return State(verdict.value)
            case _:
                assert_never(self.reply)

    @property
    def state_in_words(self) -> str:
        match self.reply:
            case None:
                return "not answered: the program stopped before the outcome was known"
            case VoidTrial(exposed=exposed):
                return f"void, {'counted as a stimulation' if exposed else 'no current flowed'}"
            case Trial():
                return f"{self.state}, read by the experimenter as: {self.read_as}" if self.read_as else self.state
            case _:
                assert_never(self.reply)


def trains(view: SessionView) -> list[Train]:
    found: list[Train] = []
    following = [*(exchange.reply for exchange in view.exchanges), None][1:]
    for exchange, asked_sample, next_reply in zip(view.exchanges, view.asked_samples, following, strict=True):
        if not isinstance(exchange.request, Stimulate):
            continue
        reply = exchange.reply if isinstance(exchange.reply, Trial | VoidTrial) else None
        read_as = next_reply.choice if isinstance(next_reply, Confirmed) else ""
        found.append(Train(len(found) + 1, exchange.request.train, asked_sample, reply, read_as))
    return found
