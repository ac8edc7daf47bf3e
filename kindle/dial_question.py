"""What a dial shows that only a person can read: asked through the rig, which reads on while the person turns it."""

from collections.abc import Callable
from math import isfinite

from drivers.interface import DeviceRefused, PulseTrain


class DialQuestion:
    """A stimulator asks for its dial; who asks the person is known once there is a rig."""

    def __init__(self) -> None:
        self._ask: Callable[[str], str] | None = None

    def answered_by(self, ask: Callable[[str], str]) -> None:
        """``ask`` shows a question and returns the number that was typed."""
        self._ask = ask

    def __call__(self, train: PulseTrain) -> float:
        """The current in uA that the dial shows, as typed; 0 where that was no number. Raises ``DeviceRefused``."""
        if self._ask is None:
            raise DeviceRefused("the stimulator is set by hand, and nobody is there to be asked for its dial")
        return _number(self._ask(dial_text(train)))


def dial_text(train: PulseTrain) -> str:
    phases = "one phase" if train.shape == "monophasic" else "two phases"
    return (
        f"Set the stimulator to {train.current_ua:.4g} uA, pulses of {phases} of {train.phase_us:g} us, "
        f"{train.pulse_hz:g} Hz for {train.train_s:g} s. What does its current dial show, in uA (0: not set)?"
    )


def _number(typed: str) -> float:
    try:
        value = float(typed)
    except ValueError:
        return 0.0
    return value if isfinite(value) else 0.0
