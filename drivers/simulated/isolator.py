"""A voltage-controlled current source, and what may command it: a Pulse Pal, or a pin of a board."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.board import Board
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.stimulator_output import Marker, Steps


@dataclass(frozen=True, slots=True)
class Isolator:
    """``ua_per_v`` up to the current that ``compliance_v`` can drive through the load."""

    ua_per_v: float = 100.0
    compliance_v: float = 100.0
    load_kohm: float = 20.0

    def current_ua(self, volts: NDArray[np.float64]) -> NDArray[np.float64]:
        limit_ua = self.compliance_v / self.load_kohm * 1000
        return np.clip(volts * self.ua_per_v, -limit_ua, limit_ua)


class PulsePalIntoIsolator:
    """``channel`` commands the isolator, ``sync_channel`` is the marker."""

    def __init__(
        self, device: PulsePalDevice, isolator: Isolator | None = None, *, channel: int = 1, sync_channel: int = 2
    ) -> None:
        self._device = device
        self._isolator = isolator or Isolator()
        self._channel = channel
        self._sync_channel = sync_channel

    def output(self, start_us: int, end_us: int) -> Steps:
        steps = self._device.output(self._channel, start_us, end_us)
        return Steps(steps.times_us, self._isolator.current_ua(steps.volts))

    def marker(self, start_us: int, end_us: int) -> Marker:
        steps = self._device.output(self._sync_channel, start_us, end_us)
        return Marker(steps.times_us, steps.volts)


class PinIntoIsolator:
    """The analogue output ``pin`` of ``board`` commands the isolator; another of its pins is the marker."""

    def __init__(
        self, board: Board, isolator: Isolator | None = None, *, pin: str = "ao0", marker: str = "ao1"
    ) -> None:
        self._command = board.outputs.line(f"{board.name}/{pin}")
        self._marker = board.outputs.line(f"{board.name}/{marker}")
        self._isolator = isolator or Isolator()

    def output(self, start_us: int, end_us: int) -> Steps:
        steps = self._command.between(start_us, end_us)
        return Steps(steps.times_us, self._isolator.current_ua(steps.volts))

    def marker(self, start_us: int, end_us: int) -> Marker:
        return self._marker.between(start_us, end_us)
