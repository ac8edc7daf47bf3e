"""What an NI board can put out for a train, in the board's own terms, and the port through which it is told to."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

TTL_V = 5.0


@dataclass(frozen=True, slots=True)
class Pins:
    """The outputs that a stimulator owns: ``ao0``, ``ctr0``, ``port0/line0``. Nobody else may use them."""

    analogue: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()
    digital: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """``memory`` is how many samples of every analogue output of ``Pins`` the board itself holds."""

    identity: str
    low_v: float = 0.0
    high_v: float = 0.0
    step_v: float = 0.0
    max_rate_hz: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Waveform:
    """``volts`` has shape ``(n_pins, n_samples)``, a row for each of ``Pins.analogue``, and ends with 0 V."""

    volts: NDArray[np.float64]
    rate_hz: float
    limits_v: tuple[tuple[float, float], ...]
    """For each row, what the board is told never to leave."""


@dataclass(frozen=True, slots=True)
class Pulses:
    """``n_pulses`` at a counter's output; begins with the edge at ``starts_with``, else by itself."""

    counter: str
    high_s: float
    low_s: float
    n_pulses: int
    starts_with: str = ""


@dataclass(frozen=True, slots=True)
class Levels:
    """One digital line, sample by sample with the waveform; ends low."""

    line: str
    high: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Programme:
    """A train. The waveform starts everything else; without one, the first of ``pulses`` does."""

    waveform: Waveform | None = None
    pulses: tuple[Pulses, ...] = ()
    levels: Levels | None = None


@dataclass(frozen=True, slots=True)
class Armed:
    """What the board made of a programme: its sample rate in Hz, and high and low time in s of each of ``pulses``."""

    rate_hz: float = 0.0
    pulses_s: tuple[tuple[float, float], ...] = ()


class OutputPort(Protocol):
    """The outputs of one board, used from one thread; any call may hang."""

    def open(self) -> BoardFacts:
        """Find the board and its pins. Raises ``DeviceNotFound``, ``DeviceRefused``, ``LinkLost``."""
        ...

    def silence(self) -> None:
        """End whatever plays, then drive every pin to 0 V; returns only when the board has taken the 0 V.

        A pin can be driven on demand only when no timed task holds it any more: that it was taken is the proof.
        Raises ``LinkLost``.
        """
        ...

    def arm(self, programme: Programme) -> Armed:
        """Hand the board everything but the start. Raises ``DeviceRefused``, ``LinkLost``."""
        ...

    def start(self) -> None:
        """Start what is armed, once. Raises ``LinkLost``."""
        ...

    def done(self, timeout_s: float) -> bool:
        """Whether all was played, at the latest within ``timeout_s``. Raises ``LinkLost`` if it broke off."""
        ...

    def close(self) -> None:
        """Let go of the board. Never raises."""
        ...
