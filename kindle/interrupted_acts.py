"""What became of an injection or an observation that the program died on: neither is done a second time unasked."""

from kindle.engine import Perform
from kindle.errors import KindleError
from kindle.exchange import Confirm, Confirmed, Inject, Injected, Observe, Reply, Request, Withheld

WITHHELD, BEFORE, NOT_YET = "withheld", "given before the interruption", "not given yet"


def settle_other(request: Request, perform: Perform) -> Reply:
    """The reply to an unanswered request that is no train. Raises ``KindleError`` for an observation that was cut."""
    match request:
        case Inject():
            return _settle_injection(request, perform)
        case Observe():
            raise KindleError(
                "the observation was interrupted, and what happened meanwhile was not seen: its marks stand in the "
                "journal; end the session with: kindle study end"
            )
        case _:
            return perform(request)


def _settle_injection(request: Inject, perform: Perform) -> Reply:
    name = getattr(request.dose, "substance", None) or f"code {getattr(request.dose, 'code', '')}"
    asked = Confirm(
        f"The program stopped when {name} was due to be injected. What became of it?", (WITHHELD, BEFORE, NOT_YET)
    )
    answer = perform(asked)
    said = answer.choice if isinstance(answer, Confirmed) else WITHHELD
    if said == NOT_YET:
        return perform(request)
    # At which moment it was given is not known: the protocol will ask whether to test all the same.
    return Injected(request.dose, 0, request.drawn, "before the interruption") if said == BEFORE else Withheld()
