"""What a session comes to when some of its trials are read in another way: the protocol hears them anew."""

from collections import deque
from collections.abc import Sequence

from kindle.engine import Exchange, run
from kindle.exchange import TRACE_READINGS, Confirm, Confirmed, Reply, Request, Rest, Rested, Scored, ScoreSeizure
from kindle.protocols.catalogue import Outcome, Plan, ended_early, protocol

NEVER_GIVEN = "as amended, the readings ask for a train that was never given"


class _NeverAsked(Exception):
    """The protocol, hearing the new readings, asks for something that nobody did."""


def reread(plan: Plan, exchanges: Sequence[Exchange], early: str = NEVER_GIVEN) -> Outcome:
    """The outcome that these replies lead to: no train is made up, and one that is not needed any more is left out.

    ``early`` is the reason of an outcome for which trains are missing.
    """
    heard = _Heard(exchanges)
    try:
        return run(protocol(plan), heard.perform)
    except _NeverAsked:
        return ended_early(plan, heard.replies, early)


class _Heard:
    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self._left = deque((past.request, past.reply) for past in exchanges if past.reply is not None)
        self._now = Rested(0)
        self.replies: list[Reply] = []

    def perform(self, request: Request) -> Reply:
        reply = self._past(request)
        if reply is None:
            reply = self._without_an_act(request)
        if isinstance(reply, Rested):
            self._now = reply
        self.replies.append(reply)
        return reply

    def _past(self, request: Request) -> Reply | None:
        """Waits and questions that the new readings make needless are passed over; trains and injections never."""
        while self._left:
            asked, reply = self._left[0]
            if asked == request or (isinstance(asked, Rest) and isinstance(request, Rest)):
                self._left.popleft()
                return reply
            if isinstance(request, Rest) or not isinstance(asked, Rest | Confirm | ScoreSeizure):
                return None
            self._left.popleft()
        return None

    def _without_an_act(self, request: Request) -> Reply:
        """Only what changes nothing about the animal can be answered without having been done."""
        match request:
            case Rest():
                return self._now
            case ScoreSeizure(scale):
                return Scored(scale, None)
            case Confirm(choices=choices) if choices != TRACE_READINGS:
                return Confirmed(choices[0])
            case _:
                raise _NeverAsked
