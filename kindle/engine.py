"""Running a protocol: who answers is a function; journalling and resuming are wrapped around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from kindle.errors import JournalMismatch
from kindle.exchange import Reply, Request, Steps

T = TypeVar("T")

Perform = Callable[[Request], Reply]


class RequestLog(Protocol):
    """Where requests are written before they are performed, and replies after."""

    def asked(self, request: Request) -> None: ...

    def answered(self, reply: Reply) -> None: ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of an earlier run and its reply; ``None`` if the program died before it was answered."""

    request: Request
    reply: Reply | None


def run(steps: Steps[T], perform: Perform) -> T:
    """Ask ``perform`` for whatever the protocol requests, until it returns its outcome."""
    reply: Reply | None = None
    try:
        while True:
            try:
                request = next(steps) if reply is None else steps.send(reply)
            except StopIteration as finished:
                outcome: T = finished.value
                return outcome
            # Outside: a StopIteration that escapes from a performer is a defect, and no end of the protocol.
            reply = perform(request)
    finally:
        steps.close()


def journalled(perform: Perform, log: RequestLog) -> Perform:
    """Write each request before it is performed and each reply before the protocol hears it."""

    def performed(request: Request) -> Reply:
        log.asked(request)
        reply = perform(request)
        log.answered(reply)
        return reply

    return performed


def resuming(perform: Perform, history: Sequence[Exchange], settle: Perform) -> Perform:
    """Answer from ``history`` until it is used up, then go on with ``perform``.

    A request that the program died on is answered by ``settle``: it finds out what became of it, never performs a
    second train, and writes the reply to the journal itself, where the request already stands. Raises
    ``JournalMismatch`` when the protocol asks something else than it did.
    """
    remaining = iter(history)

    def performed(request: Request) -> Reply:
        past = next(remaining, None)
        if past is None:
            return perform(request)
        if past.request != request:
            raise JournalMismatch(
                f"the protocol now asks {request!r} where the journal has {past.request!r}; "
                "resume with the program version and the settings that began this session"
            )
        return past.reply if past.reply is not None else settle(request)

    return performed
