"""One channel of an LSL stream as the rig's file wants it and as the stream's own description has it."""

from dataclasses import dataclass
from math import isclose

import numpy as np
from numpy.typing import NDArray

from drivers.interface import Block, Channel, DeviceRefused, Role

VOLT, AMPERE = "volt", "ampere"

_PREFIXES = {"": 1.0, "m": 1e-3, "milli": 1e-3, "u": 1e-6, "micro": 1e-6, "n": 1e-9, "nano": 1e-9}
_KINDS = {"v": VOLT, "volt": VOLT, "volts": VOLT}
_KINDS |= {"a": AMPERE, "amp": AMPERE, "amps": AMPERE, "ampere": AMPERE, "amperes": AMPERE}
UNITS = {prefix + unit: (kind, size) for prefix, size in _PREFIXES.items() for unit, kind in _KINDS.items()}
"""Spelling without case to the kind of quantity, and its size in volts or amperes."""


@dataclass(frozen=True, slots=True)
class LslInput:
    """``resolution`` is what one recorded count means, in ``unit``; an int16 stream may say so itself.

    ``stream_unit`` is the unit of a stream that states none.
    """

    label: str
    name: str
    role: Role
    unit: str
    resolution: float | None = None
    stream_unit: str = ""
    clips_at: float | None = None
    """In ``unit``: where the amplifier clips, if inside the range of the counts."""


@dataclass(frozen=True, slots=True)
class Described:
    """A channel in the stream's XML; what is empty or None was not stated."""

    label: str
    unit: str = ""
    scaling: float | None = None
    """Units for each number that is sent."""


@dataclass(frozen=True, slots=True)
class Picked:
    """``row`` of the stream becomes ``channel``; ``counts_per_value`` is None where the stream sends counts."""

    row: int
    channel: Channel
    counts_per_value: float | None


def pick(wanted: LslInput, described: tuple[Described, ...], *, sends_counts: bool, where: str) -> Picked:
    """Raises ``DeviceRefused`` where label, unit or resolution leave a doubt."""
    rows = [row for row, channel in enumerate(described) if channel.label == wanted.label]
    if len(rows) != 1:
        labels = ", ".join(repr(channel.label) for channel in described)
        found = f"{len(rows)} channels" if rows else "no channel"
        raise DeviceRefused(f"{where} has {found} with the label {wanted.label!r} for {wanted.name}; it has {labels}")
    stated = described[rows[0]]
    factor = _units_per_stream_unit(wanted, stated, where)
    if sends_counts:
        resolution = _resolution_of_counts(wanted, stated, factor, where)
        counts_per_value = None
    else:
        if stated.scaling not in (None, 1.0):
            raise DeviceRefused(
                f"{where}: {wanted.label!r} sends fractions and yet states a scaling factor of {stated.scaling:g}; "
                "whether it was applied cannot be told: set the sender to send the unit itself"
            )
        if wanted.resolution is None:
            raise DeviceRefused(
                f"{where} sends fractions: give {wanted.name} a resolution, the step in {wanted.unit or 'its unit'} "
                "in which it is recorded; 32767 steps must be more than its signal ever reaches"
            )
        resolution = wanted.resolution
        counts_per_value = factor / resolution
    rail = 32767 if wanted.clips_at is None else min(32767, round(wanted.clips_at / abs(resolution)))
    rails = (-32768 if wanted.clips_at is None else -rail, rail)
    return Picked(rows[0], Channel(wanted.name, wanted.role, wanted.unit, resolution, rails), counts_per_value)


def counts_of(values: NDArray[np.generic], picked: tuple[Picked, ...]) -> Block:
    """``values`` is ``(n_samples, n_stream_channels)`` and finite. Beyond the range a count is at its rail.

    There it is seen as clipped, which is what a converter of this range would have made of it.
    """
    counts: Block = np.empty((len(picked), values.shape[0]), np.int16)
    for row, one in enumerate(picked):
        sent = values[:, one.row]
        if one.counts_per_value is None:
            counts[row] = sent
        else:
            counts[row] = np.clip(np.rint(sent.astype(np.float64) * one.counts_per_value), -32768, 32767)
    return counts


def _units_per_stream_unit(wanted: LslInput, stated: Described, where: str) -> float:
    if stated.unit and wanted.stream_unit and _known(stated.unit) != _known(wanted.stream_unit):
        raise DeviceRefused(
            f"{where} states {stated.unit!r} for {wanted.label!r}, the rig file {wanted.stream_unit!r}; "
            "leave out stream_unit, or set the sender right"
        )
    unit = stated.unit or wanted.stream_unit
    if not unit and wanted.role in ("eeg", "current_monitor"):
        raise DeviceRefused(f"{where} states no unit for {wanted.label!r}; give its stream_unit, such as microvolts")
    if not unit:
        return 1.0
    (kind, size), (wanted_kind, wanted_size) = _known(unit), _known(wanted.unit)
    if kind != wanted_kind:
        raise DeviceRefused(
            f"{where}: {wanted.label!r} is in {unit!r}, which {wanted.unit!r} of {wanted.name} cannot be had from; "
            "write the unit that the stream has"
        )
    return size / wanted_size


def _known(unit: str) -> tuple[str, float]:
    """A unit that is not a voltage or a current is only equal to itself."""
    spelled = unit.strip().casefold().replace("\u03bc", "u").replace("\u00b5", "u")
    return UNITS.get(spelled, (spelled, 1.0))


def _resolution_of_counts(wanted: LslInput, stated: Described, factor: float, where: str) -> float:
    from_stream = None if stated.scaling is None else stated.scaling * factor
    resolution = wanted.resolution if from_stream is None else from_stream
    if resolution is None:
        raise DeviceRefused(
            f"{where} sends counts and does not say what one is: give {wanted.name} a resolution, the "
            f"{wanted.unit or 'value'} of one count"
        )
    if wanted.resolution is not None and not isclose(wanted.resolution, resolution, rel_tol=1e-3):
        raise DeviceRefused(
            f"{where} says that one count of {wanted.label!r} is {resolution:g} {wanted.unit}, the rig file "
            f"{wanted.resolution:g}; leave out resolution, or set the sender right"
        )
    return resolution
