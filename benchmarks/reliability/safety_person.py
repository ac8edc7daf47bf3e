"""The person at the rig of the safety model: answers, acknowledges, arms, fires and stops when the model says so."""

from benchmarks.reliability.safety_turns import Program
from drivers.interface import DeliveredTrain, PulseTrain
from drivers.simulated.clock import Clock
from kindle.experimenter import Answer, Mark
from kindle.releasing import Pressed

POLL_US = 1000
"""How long one look for an answer takes: who asks without reading on lets time pass all the same."""


class Person:
    """``Experimenter`` and ``TwoActs``."""

    def __init__(self, clock: Clock) -> None:
        self.program: Program | None = None
        self.stop = False
        self.question: tuple[str, ...] | None = None
        """The choices of the question that waits."""
        self.asked_for_name = False
        self.may_arm = False
        self.may_fire = False
        self._clock = clock
        self._said: str | None = None
        self._armed = False
        self._fired = False

    @property
    def is_asked(self) -> bool:
        """Whether the program waits for an answer, or for a name."""
        return self.question is not None or self.asked_for_name

    # What the rig sees.

    def wants_stop(self) -> bool:
        return self.stop

    def ask(self, text: str, choices: tuple[str, ...]) -> Answer:
        self.question, self._said = choices, None
        return self._answer

    def ask_name(self, text: str) -> Answer:
        self.asked_for_name, self._said = True, None
        return self._answer

    def mark(self) -> Mark | None:
        return None

    def arm(self, train: PulseTrain) -> Pressed:
        self.may_arm, self.may_fire, self._armed = True, False, False
        return lambda: self._armed

    def fire(self, delivered: DeliveredTrain) -> Pressed:
        self.may_arm, self.may_fire, self._fired = False, True, False
        return lambda: self._fired

    # What the model does.

    def answers(self, said: str) -> None:
        self.question, self.asked_for_name, self._said = None, False, said

    def arms(self) -> None:
        self._armed, self.may_arm = True, False

    def fires(self) -> None:
        self._fired, self.may_fire = True, False

    def _answer(self) -> str | None:
        if self._said is None and self.program is not None:
            self.program.wait_until(self._clock.now_us() + POLL_US)
        return self._said
