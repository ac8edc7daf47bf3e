"""One analogue input as the rig's file describes it, whoever samples it."""

from dataclasses import dataclass
from typing import Literal

from drivers.interface import Role

Terminal = Literal["differential", "rse", "nrse", "pseudodifferential"]


@dataclass(frozen=True, slots=True)
class Input:
    """``physical`` is the pin on the device (``ai0``); ``units_per_volt`` is 1e6 / gain for an EEG amplifier in uV."""

    physical: str
    name: str
    role: Role
    unit: str
    units_per_volt: float
    range_v: float
    terminal: Terminal
