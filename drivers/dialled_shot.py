"""A one-shot stimulator whose current a person sets: the person is asked before every train."""

from drivers.dial import Dial
from drivers.interface import DeliveredTrain, PulseTrain
from drivers.one_shot import Dialogue, OneShot
from drivers.stimulator_state import State, require


class DialledShot(OneShot):
    """``OneShot`` that asks ``dial`` first; a stop from another thread goes through while the person thinks."""

    def __init__(self, dialogue: Dialogue, dial: Dial) -> None:
        super().__init__(dialogue)
        self._address = dialogue.address
        self._dial = dial

    def prepare(self, train: PulseTrain) -> DeliveredTrain:
        """As ``Stimulator.prepare``; where the question breaks off, whatever was prepared before is gone too."""
        require(self.state, State.IDLE, State.ARMED, State.DONE, verb="prepare", address=self._address)
        try:
            self._dial.ask(train)
        except BaseException:
            self.abort()
            raise
        return super().prepare(train)
