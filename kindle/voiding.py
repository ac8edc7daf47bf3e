"""The last trial called void while its session goes on: the protocol then does what it does after any void train."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kindle.amending import signed
from kindle.animal_rows import TrialVoided
from kindle.engine import Exchange, Perform
from kindle.exchange import Inject, Observe, Reply, Request, Stimulate, Trial, VoidTrial
from kindle.experimenter import VoidCalled
from kindle.progress import Listener, Progress, Resting, Voided
from kindle.session_record import SessionJournal
from kindle.session_view import SessionView
from kindle.study import Study


@dataclass(frozen=True, slots=True)
class Voiding:
    author: str
    reason: str

    def check(self) -> None:
        """Raises ``ConfigError`` for one that nobody answers for."""
        signed(self.author, self.reason)


class Voids(Protocol):
    """Who calls trials void; every method from any thread."""

    def offer_void(self, offered: bool) -> None:
        """Whether there is a train, the last one, whose trial may be called void now."""
        ...

    def wants_void(self) -> bool: ...

    def take_void(self) -> Voiding | None:
        """What was called, once."""
        ...


class NoVoids:
    """Nobody calls anything void before the session is over."""

    def offer_void(self, offered: bool) -> None:
        pass

    def wants_void(self) -> bool:
        return False

    def take_void(self) -> Voiding | None:
        return None


class Voider:
    """Writes what was called void, and finds the exchanges from which the protocol then goes on.

    A trial can be called void from its train's trigger on until the next train is armed, or an injection is asked for:
    what the animal has had since then followed from that trial.
    """

    def __init__(self, voids: Voids, study: Study, journal: SessionJournal, session: str, listener: Listener) -> None:
        self._voids = voids
        self._study = study
        self._journal = journal
        self._session = session
        self._listener = listener
        voids.offer_void(self._last_trial() is not None)

    def before(self, perform: Perform) -> Perform:
        """``perform``, between two requests. Raises ``VoidCalled`` before the next one is written."""

        def performed(request: Request) -> Reply:
            if isinstance(request, Inject | Observe):
                self._voids.offer_void(False)
            if self._voids.wants_void():
                raise VoidCalled
            return perform(request)

        return performed

    def offering(self, perform: Perform) -> Perform:
        """``perform``, whose trains may be called void as soon as they are asked for."""

        def performed(request: Request) -> Reply:
            if isinstance(request, Stimulate):
                self._voids.offer_void(True)
            return perform(request)

        return performed

    def called_at_the_end(self) -> bool:
        """Whether the last trial was called void before its outcome was known."""
        self._voids.offer_void(False)
        return self._voids.wants_void()

    def heard_anew(self) -> Sequence[Exchange]:
        """The exchanges that stand once the void is written; a trial that is void by itself stays what it is."""
        self._voids.offer_void(False)
        called, row = self._voids.take_void(), self._last_trial()
        if called is not None and row is not None:
            self._journal.write(TrialVoided(self._view.started.animal, row, called.author, called.reason))
            trial = self._view.trials[-1]
            assert isinstance(trial, VoidTrial)
            self._listener(Voided(trial))
        return self.exchanges()

    def exchanges(self) -> Sequence[Exchange]:
        """Everything that was asked and answered in the session so far."""
        return self._view.exchanges

    @property
    def _view(self) -> SessionView:
        return self._study.session(self._session)

    def _last_trial(self) -> int | None:
        """Its row in the journal; ``None`` where an act followed it, or there is none that could be called void."""
        view = self._view
        for exchange, row in reversed(list(zip(view.exchanges, view.reply_seqs, strict=False))):
            match exchange.reply:
                case Trial():
                    return row
                case VoidTrial():
                    return None
                case _ if isinstance(exchange.request, Inject | Observe):
                    return None
                case _:
                    pass
        return None


def leaving_rests(listener: Listener, voids: Voids) -> Listener:
    """``listener``; a wait that a void makes needless ends. The rig tells of waits only while no train is armed."""

    def told(progress: Progress) -> None:
        listener(progress)
        if isinstance(progress, Resting) and voids.wants_void():
            raise VoidCalled

    return told
