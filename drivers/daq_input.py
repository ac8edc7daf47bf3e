"""One analogue input as the rig's file describes it, whoever samples it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from drivers.interface import Channel, Role

Terminal = Literal["differential", "rse", "nrse", "pseudodifferential"]


@dataclass(frozen=True, slots=True)
class Input:
    """``physical`` is the pin on the device (``ai0``); ``units_per_volt`` is 1e6 / gain for an EEG amplifier in uV.

    ``clips_at_v`` is where the amplifier in front clips, if that is inside the converter's range.
    """

    physical: str
    name: str
    role: Role
    unit: str
    units_per_volt: float
    range_v: float
    terminal: Terminal
    clips_at_v: float | None = None


def channel_of(wanted: Input, coefficients: Sequence[float], low_v: float, high_v: float) -> Channel:
    """The channel that ``wanted`` becomes on a converter with this scaling polynomial and actual range.

    Counts at the rails follow from the range that the board chose, which may be wider than what was asked.
    """
    if wanted.clips_at_v is not None:
        low_v, high_v = max(low_v, -wanted.clips_at_v), min(high_v, wanted.clips_at_v)
    offset_v, volts_per_count = coefficients[0], coefficients[1]
    low, high = (
        int(np.clip(round((rail_v - offset_v) / volts_per_count), -32768, 32767)) for rail_v in (low_v, high_v)
    )
    return Channel(wanted.name, wanted.role, wanted.unit, volts_per_count * wanted.units_per_volt, (low, high))
