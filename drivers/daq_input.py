"""One analogue input as the rig's file describes it, whoever samples it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite
from typing import Literal

import numpy as np

from drivers.interface import Channel, DeviceRefused, Role

SETTLING_S = 10e-6
"""What a multiplexed converter needs on top of a conversion to forget the channel before."""

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

    Counts at the rails follow from the range that the board chose, which may be wider than what was asked. Raises
    ``DeviceRefused`` where the board tells no scaling.
    """
    if wanted.clips_at_v is not None:
        low_v, high_v = max(low_v, -wanted.clips_at_v), min(high_v, wanted.clips_at_v)
    if len(coefficients) < 2 or not all(map(isfinite, (*coefficients, low_v, high_v))) or not coefficients[1]:
        raise DeviceRefused(
            f"the board tells no scaling for {wanted.name} (coefficients {list(coefficients)}, range {low_v:g} to "
            f"{high_v:g} V): no sample of it would mean anything; check the board in its vendor's program"
        )
    offset_v, volts_per_count = coefficients[0], coefficients[1]
    low, high = (
        int(np.clip(round((rail_v - offset_v) / volts_per_count), -32768, 32767)) for rail_v in (low_v, high_v)
    )
    return Channel(wanted.name, wanted.role, wanted.unit, volts_per_count * wanted.units_per_volt, (low, high))


def highest_safe_rate_hz(n_channels: int, single_hz: float, aggregate_hz: float, *, simultaneous: bool) -> float:
    """Per channel: a multiplexed converter must settle at every channel. SpikeGLX's rule."""
    if simultaneous or n_channels == 1:
        return single_hz
    return 1 / (1 / aggregate_hz + SETTLING_S) / n_channels


def refuse_unsettled(where: str, n_channels: int, rate_hz: float, safe_hz: float) -> None:
    """Raises ``DeviceRefused`` for a rate at which each channel would carry a part of the one before it."""
    if rate_hz > safe_hz:
        raise DeviceRefused(
            f"{where} was asked for {n_channels} channels at {rate_hz:g} Hz; the highest rate at which its inputs "
            f"settle is {floor(safe_hz)} Hz: sample more slowly or use fewer channels"
        )
