"""Finding and opening a stream of the Lab Streaming Layer; the only module that imports its library."""

from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivers.interface import DeviceNotFound, DeviceRefused, LinkLost
from drivers.lsl_counts import Described
from drivers.lsl_stamps import Stamps

FIND_S = 5.0
TWINS_S = 1.5
"""After one stream was found, how long another of the same name may take to show itself."""

CLOCK_S = 3.0


@dataclass(frozen=True, slots=True)
class Sender:
    """What a stream says of itself."""

    name: str
    kind: str
    source_id: str
    host: str
    rate_hz: float
    format: str
    channels: tuple[Described, ...]


class Stream:
    """One open inlet. Raises ``DeviceNotFound`` and ``DeviceRefused``; afterwards ``LinkLost`` when the sender ends."""

    def __init__(self, name: str, source_id: str, *, buffer_s: int) -> None:
        self._lsl = library()
        self._where = f"LSL stream {name!r}"
        found = _find(self._lsl, name, source_id, self._where)
        # A stream that is looked for again in silence might come back as another one: reopening is ours.
        self._inlet = self._lsl.StreamInlet(found, max_buflen=buffer_s, recover=False)
        try:
            full = self._inlet.info(FIND_S)
        except RuntimeError as error:
            raise DeviceNotFound(
                f"{self._where} is announced but does not describe itself ({error}); restart its sender, and let "
                "its ports (TCP and UDP 16572 to 16604) through the firewall"
            ) from None
        self.sender = _sender(full, self._lsl)
        dtype = {"int16": np.int16, "float32": np.float32, "double64": np.float64}.get(self.sender.format)
        if dtype is None:
            raise DeviceRefused(
                f"{self._where} sends {self.sender.format}; int16, float32 and double64 are read: set its sender so"
            )
        self._dtype = dtype

    def open(self) -> None:
        """Samples are kept from now on."""
        try:
            self._inlet.open_stream(FIND_S)
        except RuntimeError as error:
            raise LinkLost(f"{self._where} cannot be opened: {error} Restart its sender, then open it again") from None

    def clock_offset_s(self) -> float | None:
        """What has to be added to the sender's stamps to have this computer's LSL clock; None where it is not told."""
        with suppress(RuntimeError):
            return float(self._inlet.time_correction(CLOCK_S))
        return None

    def pull(self, n_samples: int, wait_s: float) -> tuple[NDArray[np.generic], Stamps]:
        """At most ``n_samples`` as ``(n_samples, n_channels)``; waits only where none is there yet."""
        values = np.empty((n_samples, len(self.sender.channels)), self._dtype)
        stamps = self._pull_into(values, 0.0)
        if not stamps.size:
            stamps = self._pull_into(values[:1], wait_s)
        return values[: stamps.size], stamps

    def n_held(self) -> int:
        """Samples that have come and were not pulled."""
        return int(self._inlet.samples_available())

    def _pull_into(self, values: NDArray[np.generic], wait_s: float) -> Stamps:
        try:
            _, stamps = self._inlet.pull_chunk(timeout=wait_s, max_samples=values.shape[0], dest_obj=values)
        except self._lsl.util.LostError:
            # The library hands out nothing any more, not even what it holds.
            raise LinkLost(
                f"{self._where} has ended; up to {self.n_held()} samples that had come can no longer be had: "
                "start its sender again"
            ) from None
        return np.asarray(stamps, np.float64)


def library() -> ModuleType:
    """pylsl. Raises ``DeviceNotFound`` where it, or the library that it needs, is not installed."""
    try:
        import pylsl
    except (ImportError, OSError, RuntimeError) as error:
        raise DeviceNotFound(
            f"LSL streams need the extra lsl: pip install 'kindle-eeg[lsl]' ({str(error).splitlines()[0]})"
        ) from None
    module: ModuleType = pylsl
    return module


def _find(lsl: Any, name: str, source_id: str, where: str) -> Any:
    if '"' in name + source_id:
        raise DeviceRefused(f"{where}: a double quote in a name or a source_id cannot be looked for; rename the sender")
    wanted = f'name="{name}"' + (f' and source_id="{source_id}"' if source_id else "")
    found = lsl.resolve_bypred(wanted, 1, FIND_S)
    if found and not source_id:
        found = lsl.resolve_bypred(wanted, 2, TWINS_S) or found
    if not found:
        seen = sorted({repr(one.name()) for one in lsl.resolve_streams(1.0)})
        present = ", ".join(seen) or "none at all"
        from_source = f" from source {source_id!r}" if source_id else ""
        raise DeviceNotFound(
            f"there is no {where}{from_source}; present: {present}; start its sender and check the network"
        )
    if len(found) > 1:
        ids = ", ".join(sorted(f"{one.source_id()!r} on {one.hostname()}" for one in found))
        raise DeviceRefused(f"{len(found)} streams are called {name!r}: {ids}; write one of them as source_id")
    return found[0]


def _sender(full: Any, lsl: Any) -> Sender:
    described: list[Described] = []
    channel = full.desc().child("channels").child("channel")
    while not channel.empty():
        described.append(_described(channel))
        channel = channel.next_sibling("channel")
    n_channels = int(full.channel_count())
    if len(described) != n_channels:
        raise DeviceRefused(
            f"LSL stream {full.name()!r} sends {n_channels} channels and describes {len(described)}; "
            "roles go by label: let its sender describe every channel"
        )
    return Sender(
        name=str(full.name()),
        kind=str(full.type()),
        source_id=str(full.source_id()),
        host=str(full.hostname()),
        rate_hz=float(full.nominal_srate()),
        format=format_of(full, lsl),
        channels=tuple(described),
    )


def format_of(info: Any, lsl: Any) -> str:
    """Of the samples that a stream sends, in the LSL library's word."""
    names = {getattr(lsl, f"cf_{name}"): name for name in FORMATS}
    return names.get(info.channel_format(), "an unknown format")


FORMATS = ("float32", "double64", "string", "int32", "int16", "int8", "int64")


def _described(channel: Any) -> Described:
    label, unit = str(channel.child_value("label")).strip(), str(channel.child_value("unit")).strip()
    told = str(channel.child_value("scaling_factor") or channel.child_value("resolution"))
    if not told:
        return Described(label, unit)
    try:
        scaling = float(told)
    except ValueError:
        scaling = float("nan")
    if not (isfinite(scaling) and scaling):
        raise DeviceRefused(f"the channel {label!r} states {told!r} as its scaling factor; that must be a number")
    return Described(label, unit, scaling)
