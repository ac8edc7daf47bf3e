"""After a train that was not what was asked for: no other one until the experimenter says so."""

from kindle.engine import Perform
from kindle.exchange import Reply, Request, Rest, Stimulate
from kindle.rig import Rig
from kindle.rows import TrainsAllowed
from kindle.session_record import SessionJournal
from kindle.stopping import NotAsAsked

GO_ON = ("stop", "go on")
"""The cautious answer first: where nobody is at the rig, no train follows."""


def after_contradictions(perform: Perform, rig: Rig, journal: SessionJournal) -> Perform:
    """``perform``, which asks as soon as the protocol would go on to another train.

    What the train evoked is still scored, and a protocol that ends by itself is not held up. Raises ``NotAsAsked``.
    """

    def performed(request: Request) -> Reply:
        if rig.held and isinstance(request, Rest | Stimulate):
            reason = rig.held
            question = f"The last train was not delivered as asked: {reason}. May another train be given?"
            if rig.ask_choice(question, GO_ON) != "go on":
                raise NotAsAsked(
                    f"no train follows one that was not delivered as asked ({reason}): check stimulator, isolator, TTL "
                    "and current monitor, then run the same command again and say that it may go on"
                )
            journal.write(TrainsAllowed(reason))
            rig.allow_trains()
        return perform(request)

    return performed
