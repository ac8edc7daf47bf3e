"""The dial of a stimulator that no program can turn: the experimenter sets it and says what it shows."""

from collections.abc import Callable
from math import isfinite

from drivers.interface import DeviceRefused, PulseTrain
from drivers.train_grid import TOLERANCE

ReadDial = Callable[[PulseTrain], float]
"""Shows the experimenter the train that is wanted; returns the current in uA that the dial now shows, as typed.

May take as long as a person takes: whoever asks goes on reading the board meanwhile. 0 is "not set".
"""


class Dial:
    """What the experimenter said last; ``fixed_ua`` where there is no dial at all."""

    def __init__(self, where: str, max_current_ua: float, read: ReadDial | None, fixed_ua: float | None = None) -> None:
        if not (isfinite(max_current_ua) and max_current_ua > 0):
            raise DeviceRefused(f"{where}: max_current_ua is {max_current_ua:g}; give a positive number of uA")
        if (read is None) == (fixed_ua is None):
            raise DeviceRefused(f"{where}: give either the one current of this stimulator or a way to read its dial")
        self._where = where
        self._max_current_ua = max_current_ua
        self._read = read
        self._shown_ua = fixed_ua

    def ask(self, train: PulseTrain) -> None:
        """Ask the experimenter, unless the current is fixed or ``train`` is refused anyway."""
        if self._read is not None:
            self._shown_ua = None
            if 0 < train.current_ua <= self._max_current_ua:
                self._shown_ua = self._read(train)

    def current_for(self, train: PulseTrain) -> float:
        """What flows, as far as anybody knows. Raises ``DeviceRefused`` where that is not what ``train`` asks."""
        if not 0 < train.current_ua <= self._max_current_ua:
            raise DeviceRefused(
                f"train asks {train.current_ua:g} uA; this stimulator's max_current_ua allows up to "
                f"{self._max_current_ua:g} uA"
            )
        shown_ua = self._shown_ua
        if not shown_ua or not isfinite(shown_ua):
            raise DeviceRefused(
                f"{self._where}: the dial was not confirmed for {train.current_ua:g} uA; nothing is armed"
            )
        if abs(shown_ua - train.current_ua) > TOLERANCE * train.current_ua or shown_ua > self._max_current_ua:
            raise DeviceRefused(
                f"{self._where}: train asks {train.current_ua:g} uA and the stimulator stands at {shown_ua:g} uA: set "
                f"it, or ask for {shown_ua:g} uA"
            )
        return shown_ua
