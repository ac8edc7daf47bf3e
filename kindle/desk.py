"""Where a person at a window and a rig in another thread meet: acts, answers, marks and the stop."""

import threading
from collections import deque
from dataclasses import dataclass
from enum import Enum

from drivers.interface import DeliveredTrain, PulseTrain
from kindle.doses import INJECTION_ANSWERS
from kindle.errors import KindleError
from kindle.exchange import TRACE_READINGS
from kindle.experimenter import Answer, Mark, VoidCalled
from kindle.releasing import Pressed
from kindle.scorebook import LATER
from kindle.voiding import Voiding

LOOK_S = 0.02
"""How long one look for an answer takes at most: who asks without reading on must not spin."""


class Act(Enum):
    ARM = "arm"
    FIRE = "fire"


class NotAsked(KindleError):
    """An act or an answer came that nothing is waiting for: it changes nothing."""


class Wanted(Enum):
    CHOICE = "choice"
    NUMBER = "number"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Question:
    """``choices`` stand for ``Wanted.CHOICE``, the cautious one first."""

    text: str
    choices: tuple[str, ...] = ()
    wanted: Wanted = Wanted.CHOICE

    def check(self, answer: str) -> None:
        """Raises ``KindleError`` for what is no answer."""
        match self.wanted:
            case Wanted.CHOICE if answer not in self.choices:
                raise KindleError(f"{answer!r} is no answer; one of: {' / '.join(self.choices)}")
            case Wanted.NUMBER if not answer.replace(".", "", 1).isdigit():
                raise KindleError(f"{answer!r} is no number, such as 120 or 37.5")
            case Wanted.NAME if not answer.strip():
                raise KindleError("whoever acknowledges this must be named")
            case _:
                pass

    @property
    def for_stage(self) -> bool:
        return LATER in self.choices

    @property
    def for_injection(self) -> bool:
        return self.choices == INJECTION_ANSWERS

    @property
    def for_trace(self) -> bool:
        return self.choices == TRACE_READINGS


class Desk:
    """``Experimenter``, ``TwoActs`` and ``Voids`` on the rig's side; every method from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._marks: deque[Mark] = deque()
        self._offer: tuple[Act, threading.Event] | None = None
        self._question: Question | None = None
        self._answered = threading.Event()
        self._said = ""
        self._void_offered = False
        self._void: Voiding | None = None

    # What the rig sees.

    def wants_stop(self) -> bool:
        return self._stop.is_set()

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        return self._asked(Question(text, choices, Wanted.CHOICE if choices else Wanted.NUMBER))

    def ask_name(self, text: str) -> Answer:
        return self._asked(Question(text, (), Wanted.NAME))

    def mark(self) -> Mark | None:
        with self._lock:
            return self._marks.popleft() if self._marks else None

    def arm(self, train: PulseTrain) -> Pressed:
        """What it returns raises ``VoidCalled`` once the train before this one is called void."""
        armed = self._offered(Act.ARM)

        def pressed() -> bool:
            if self.wants_void():
                raise VoidCalled
            return armed()

        return pressed

    def fire(self, delivered: DeliveredTrain) -> Pressed:
        return self._offered(Act.FIRE)

    def offer_void(self, offered: bool) -> None:
        with self._lock:
            self._void_offered = offered

    def wants_void(self) -> bool:
        with self._lock:
            return self._void is not None

    def take_void(self) -> Voiding | None:
        with self._lock:
            called, self._void = self._void, None
        return called

    # What the person does.

    @property
    def question(self) -> Question | None:
        with self._lock:
            return self._question

    def press(self, act: Act) -> None:
        """Raises ``NotAsked`` where this act is not what the rig waits for: firing is no arming."""
        with self._lock:
            if self._void is not None:
                raise NotAsked("the last train is being called void: what follows now is about to be told")
            if self._offer is None or self._offer[0] is not act or self._offer[1].is_set():
                raise NotAsked(_NOT_OFFERED[act])
            self._offer[1].set()

    def say(self, answer: str) -> None:
        """Raises ``NotAsked`` without a question, ``KindleError`` for what it does not take."""
        with self._lock:
            asked = self._question
            if asked is None:
                raise NotAsked("no question is waiting for an answer")
            asked.check(answer)
            self._said, self._question = answer, None
            self._answered.set()

    def void(self, called: Voiding) -> None:
        """Call the last train void. Raises ``NotAsked`` while there is none that could be, or the next one is armed."""
        called.check()
        with self._lock:
            if not self._void_offered or (self._question is not None and self._question.for_injection):
                raise NotAsked(
                    "no train can be called void now: none was given yet, it is void already, or an injection followed "
                    "it; after the session kindle amend can do it"
                )
            if self._armed:
                raise NotAsked(
                    "a train is armed: call the one before it void when it is disarmed, or this one if fired"
                )
            self._void = called

    @property
    def _armed(self) -> bool:
        """Between the two acts."""
        if self._offer is None:
            return False
        act, pressed = self._offer
        return pressed.is_set() is (act is Act.ARM)

    def put(self, mark: Mark) -> None:
        with self._lock:
            self._marks.append(mark)

    def stop(self) -> None:
        """Nothing that was offered or asked counts any more."""
        self._stop.set()
        with self._lock:
            self._offer = self._question = None

    def _asked(self, question: Question) -> Answer:
        answered = threading.Event()
        with self._lock:
            self._question, self._answered = question, answered

        def answer() -> str | None:
            return self._said if answered.wait(LOOK_S) else None

        return answer

    def _offered(self, act: Act) -> Pressed:
        pressed = threading.Event()
        with self._lock:
            self._offer = (act, pressed)
        return pressed.is_set


_NOT_OFFERED = {
    Act.ARM: "there is no train to arm now; the reason stands beside the button",
    Act.FIRE: "no train is armed; arm it first",
}
