"""BrainVision files of other programs, mapped into memory: what is not asked for is never read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from drivers.interface import Channel, Role
from kindle.channel_roles import microvolts_per, role_by_name
from kindle.errors import RecordingError
from kindle.json_reading import from_json
from kindle.loading import Floats, Note, Track
from kindle.window_map import window

_FORMATS: dict[str, np.dtype[Any]] = {
    "INT_16": np.dtype("<i2"),
    "IEEE_FLOAT_32": np.dtype("<f4"),
    "INT_32": np.dtype("<i4"),
}
_FIRST_DATE = re.compile(rb"Mk1=New Segment,[^,]*,\d+,\d+,\d+,(\d{20})")
_COUNT = re.compile(r"[0-9]{1,18}")
_TITLE = ("brain vision data exchange header file", "brainvision data exchange header file")


@dataclass(frozen=True, slots=True)
class Layout:
    """What a header says of its signal file; ``scale`` turns stored numbers into the channel's unit."""

    signal: Path
    markers: Path | None
    names: tuple[str, ...]
    units: tuple[str, ...]
    scale: tuple[float, ...]
    rate_hz: float
    dtype: np.dtype[Any]
    multiplexed: bool
    roles: tuple[Role | None, ...]
    """As kindle writes them into its own headers; a copy elsewhere keeps them."""


def layout(path: Path) -> Layout | None:
    """``None`` for a header that says something else than plain binary samples: that is for MNE to read.

    Raises ``RecordingError`` where the header contradicts itself.
    """
    sections = _sections(path)
    if sections is None:
        return None
    common, binary = sections.get("common infos", {}), sections.get("binary infos", {})
    dtype = _FORMATS.get(binary.get("binaryformat", "").upper())
    orientation = common.get("dataorientation", "MULTIPLEXED").upper()
    plain = common.get("dataformat", "BINARY").upper() == "BINARY" and common.get("datatype", "TIMEDOMAIN").upper()
    if dtype is None or plain != "TIMEDOMAIN" or orientation not in ("MULTIPLEXED", "VECTORIZED"):
        return None
    if binary.get("usebigendianorder", "NO").upper() == "YES":
        dtype = dtype.newbyteorder(">")
    try:
        n_channels, interval_us = int(common["numberofchannels"]), float(common["samplinginterval"])
        channels = [_channel(sections["channel infos"][f"ch{n}"]) for n in range(1, n_channels + 1)]
        signal = _beside(path, common["datafile"])
        markers = _beside(path, common["markerfile"]) if common.get("markerfile") else None
    except (KeyError, ValueError) as error:
        raise RecordingError(f"{path} is no whole BrainVision header ({error}): copy the file again") from error
    if not channels or not 0 < interval_us < 1e12:
        raise RecordingError(f"{path} names no channel, or no sampling interval: copy the file again")
    names, scale, units = zip(*channels, strict=True)
    own = sections.get("kindle", {})
    roles = tuple(_role(own.get(f"ch{n}", "")) for n in range(1, n_channels + 1))
    multiplexed = orientation == "MULTIPLEXED"
    return Layout(signal, markers, names, units, scale, 1e6 / interval_us, dtype, multiplexed, roles)


class MappedSignals:
    """Channels in volts, or in no unit, count as EEG-like, as in other readers of the format."""

    remarks: tuple[str, ...] = ()

    def __init__(self, found: Layout) -> None:
        self.rate_hz, self.names = found.rate_hz, found.names
        self.stimulus = tuple(
            name for name, role in zip(found.names, found.roles, strict=True) if role == "stimulus_ttl"
        )
        self.gaps: tuple[tuple[int, int], ...] = ()
        self.brain = tuple(
            name
            for name, unit, role in zip(found.names, found.units, found.roles, strict=True)
            if microvolts_per(unit) is not None and role in (None, "eeg")
        )
        self._scale = np.array(
            [scale * (microvolts_per(unit) or 1.0) for scale, unit in zip(found.scale, found.units, strict=True)]
        )
        self.tracks = tuple(
            Track(
                name,
                role or role_by_name(name, unit),
                "µV" if microvolts_per(unit) is not None else unit,
                float(step) if found.dtype.str == "<i2" else None,
            )
            for name, unit, role, step in zip(found.names, found.units, found.roles, self._scale, strict=True)
        )
        self._layout = found
        n = len(found.names)
        try:
            # A last row that is not whole was being written.
            self.n_samples = found.signal.stat().st_size // (n * found.dtype.itemsize)
        except OSError as error:
            raise RecordingError(
                f"{found.signal} cannot be read ({error}): copy the recording again, all of its files"
            ) from error
        if not self.n_samples:
            raise RecordingError(f"{found.signal} holds no samples: check that it was recorded and copied to its end")
        self.notes = _notes(found.markers, self.rate_hz)
        self.start_utc = _start(found.markers)

    def read(self, names: Sequence[str], first: int, last: int) -> Floats:
        rows = [self.names.index(name) for name in names]
        try:
            stored = self._window(rows, first, max(first, min(last, self.n_samples)))
        except (OSError, ValueError) as error:
            raise RecordingError(f"{self._layout.signal} was changed while it was read ({error}): try again") from error
        return np.asarray(np.multiply(stored, self._scale[rows, None], dtype=np.float64))

    def _window(self, rows: list[int], first: int, last: int) -> NDArray[Any]:
        signal, dtype, n = self._layout.signal, self._layout.dtype, len(self.names)
        if self._layout.multiplexed:
            return np.asarray(window(signal, dtype, n, first, last)[rows])
        starts = [row * self.n_samples for row in rows]
        return np.concatenate([window(signal, dtype, 1, start + first, start + last) for start in starts])


def _sections(path: Path) -> dict[str, dict[str, str]] | None:
    content = path.read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    lines = text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}").splitlines()
    if not lines or not lines[0].strip().lower().startswith(_TITLE):
        return None
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in map(str.strip, lines[1:]):
        if line.startswith("[") and line.endswith("]"):
            # From the comment on anything may follow.
            if line.lower() == "[comment]":
                break
            current = sections.setdefault(line[1:-1].lower(), {})
        elif "=" in line and not line.startswith(";"):
            key, _, value = line.partition("=")
            current[key.strip().lower()] = value.strip()
    return sections


def _channel(fields: str) -> tuple[str, float, str]:
    """Name, resolution and unit; microvolts where no unit is given."""
    name, _, resolution, unit = ([field.replace("\\1", ",").strip() for field in fields.split(",")] + [""] * 4)[:4]
    return name, float(resolution or 1.0), unit or "uV"


def _role(channel: str) -> Role | None:
    try:
        return from_json(channel, Channel).role
    except msgspec.DecodeError:
        return None


def _beside(path: Path, name: str) -> Path:
    """A file of the recording lies in its folder. Raises ``ValueError`` for a name that leads anywhere else."""
    name = name.replace("$b", path.stem)
    if name in (".", "..") or not name or set(name) & set("/\\\0"):
        raise ValueError(f"{name!r} is no name of a file beside it")
    return path.parent / name


def _notes(markers: Path | None, rate_hz: float) -> tuple[Note, ...]:
    if markers is None or not markers.exists():
        return ()
    notes: list[Note] = []
    for line in markers.read_bytes().decode("utf-8", "replace").splitlines():
        number, equals, value = line.strip().partition("=")
        fields = value.split(",")
        # The first marker only holds the date.
        if equals and number.startswith("Mk") and number[2:].isdigit() and number != "Mk1" and len(fields) >= 4:
            kind, text, sample, length = (field.replace("\\1", ",") for field in fields[:4])
            if _COUNT.fullmatch(sample) and int(sample) > 0:
                n_samples = int(length) if _COUNT.fullmatch(length) else 1
                notes.append(Note((int(sample) - 1) / rate_hz, n_samples / rate_hz, f"{kind}/{text}"))
    return tuple(notes)


def _start(markers: Path | None) -> datetime | None:
    """The date of the first marker, which other readers take for UTC too."""
    if markers is None or not markers.exists():
        return None
    date = _FIRST_DATE.search(markers.read_bytes())
    try:
        return None if date is None else datetime.strptime(date[1].decode(), "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None
