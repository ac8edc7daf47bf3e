"""BrainVision Core Data Format 1.0 as text: header and markers, within what every reader of the format bears."""

import configparser
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite

import msgspec
import numpy as np

from drivers.interface import Channel
from kindle.errors import RecordingError
from kindle.json_reading import from_json

_HEADER_TITLE = "Brain Vision Data Exchange Header File Version 1.0"
_MARKER_TITLE = "Brain Vision Data Exchange Marker File, Version 1.0"
_MARKER_LIST = re.compile(rb"\[Marker Infos\]\r?\n")
_MARKER_LINE = re.compile(rb"Mk[1-9]\d*=([ -+\--<>-~]+),([ -+\--<>-~]*),([1-9]\d{0,17}),(\d{1,18}),0(?:,\d{20})?\r?")
_NEW_SEGMENT = "New Segment"
_ASCII = str.maketrans(
    {"–": "-", "—": "-", "−": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "×": "x", "±": "+/-"}
    | {"\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u", "Ω": "Ohm", "\N{OHM SIGN}": "Ohm", "ß": "ss"}
)


class Marker(msgspec.Struct, frozen=True):
    """A span of the signal with a name; ``sample`` counts from 0 at the start of the recording."""

    type: str
    description: str
    sample: int
    n_samples: int = 1


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says; ``first_sample`` is where its segment begins in the whole recording."""

    channels: tuple[Channel, ...]
    rate_hz: float
    start_utc: datetime
    first_sample: int = 0
    n_lost: int | None = None
    """About how many samples are missing before this segment; unknown in early recordings."""


def header_text(header: Header, *, signal_name: str, marker_name: str) -> bytes:
    """The whole ``.vhdr`` file. Raises ``RecordingError`` for what some reader of the format would get wrong."""
    _check(header)
    lines = [
        _HEADER_TITLE,
        "",
        "[Common Infos]",
        "Codepage=UTF-8",
        f"DataFile={signal_name}",
        f"MarkerFile={marker_name}",
        "DataFormat=BINARY",
        "DataOrientation=MULTIPLEXED",
        f"NumberOfChannels={len(header.channels)}",
        f"SamplingInterval={1e6 / header.rate_hz!r}",
        "",
        "[Binary Infos]",
        "BinaryFormat=INT_16",
        "",
        "[Channel Infos]",
        *(f"Ch{n}={_channel_fields(channel)}" for n, channel in enumerate(header.channels, 1)),
        "",
        "[Kindle]",
        "Layout=1",
        f"RateHz={header.rate_hz!r}",
        f"StartUTC={header.start_utc.astimezone(UTC).isoformat(timespec='microseconds')}",
        f"FirstSample={header.first_sample}",
        *([] if header.n_lost is None else [f"LostSamples={header.n_lost}"]),
        *(f"Ch{n}={msgspec.json.encode(channel).decode()}" for n, channel in enumerate(header.channels, 1)),
    ]
    return "".join(line + "\r\n" for line in lines).encode()


def parse_header(content: bytes, name: str) -> Header:
    """Raises ``RecordingError``, naming the file ``name``, for anything but a whole header written by kindle."""
    try:
        title, _, body = content.decode().replace("\r\n", "\n").partition("\n")
        sections = configparser.ConfigParser(interpolation=None, delimiters=("=",))
        sections.read_string(body)
        if title != _HEADER_TITLE or "Kindle" not in sections:
            raise RecordingError(f"{name} was not written by kindle: open it as a BrainVision file instead")
        common, own = sections["Common Infos"], sections["Kindle"]
        if own["Layout"] != "1":
            raise RecordingError(f"{name} has layout {own['Layout']}, this kindle reads layout 1: install a newer one")
        numbers = range(1, int(common["NumberOfChannels"]) + 1)
        return Header(
            channels=tuple(from_json(own[f"Ch{n}"], Channel) for n in numbers),
            rate_hz=float(own["RateHz"]),
            start_utc=datetime.fromisoformat(own["StartUTC"]),
            first_sample=int(own["FirstSample"]),
            n_lost=int(own["LostSamples"]) if "LostSamples" in own else None,
        )
    except (ValueError, KeyError, configparser.Error, msgspec.MsgspecError) as error:
        raise RecordingError(f"{name} is damaged ({error}): restore it from a copy of the recording") from error


def marker_head(start_utc: datetime, *, signal_name: str) -> bytes:
    """The beginning of a ``.vmrk`` file; its first marker holds the date, which MNE takes for UTC."""
    date = start_utc.astimezone(UTC).strftime("%Y%m%d%H%M%S%f")
    lines = [
        _MARKER_TITLE,
        "",
        "[Common Infos]",
        "Codepage=UTF-8",
        f"DataFile={signal_name}",
        "",
        "[Marker Infos]",
        f"Mk1={_NEW_SEGMENT},,1,1,0,{date}",
    ]
    return "".join(line + "\r\n" for line in lines).encode("ascii")


def marker_line(number: int, marker: Marker) -> bytes:
    """One line of a ``.vmrk`` file, ``marker.sample`` counted from 0 at the start of its own segment."""
    fields = (_escaped(marker.type), _escaped(marker.description), marker.sample + 1, marker.n_samples, 0)
    return (f"Mk{number}=" + ",".join(map(str, fields)) + "\r\n").encode("ascii")


def parse_markers(content: bytes) -> tuple[list[Marker], list[bytes]]:
    """The markers after the first line that kindle writes by itself, and every line that is no whole marker.

    Samples count from 0 at the start of the segment.
    """
    content = content.replace(b"\0", b"")
    if not (start := _MARKER_LIST.search(content)):
        return [], [content]
    *lines, unfinished = content[start.end() :].split(b"\n")
    markers: list[Marker] = []
    torn = [unfinished] if unfinished else []
    for line in lines:
        if not (fields := _MARKER_LINE.fullmatch(line)):
            torn.append(line)
        elif fields[1] != _NEW_SEGMENT.encode():
            kind, description = (field.decode("ascii").replace("\\1", ",") for field in fields.group(1, 2))
            markers.append(Marker(kind, description, int(fields[3]) - 1, int(fields[4])))
    return markers, torn


def checked_marker(marker: Marker) -> Marker:
    """``marker`` in plain ASCII. Raises ``RecordingError`` for what would break a reader of the file."""
    kind, description = marker_text(marker.type), marker_text(marker.description)
    if not kind or kind == _NEW_SEGMENT:
        raise RecordingError(f"marker type {marker.type!r} is reserved: use a word such as Stimulus or Comment")
    if marker.sample < 0 or marker.n_samples < 1:
        raise RecordingError(
            f"marker {marker.description!r} has sample {marker.sample} and {marker.n_samples} samples: "
            "a marker begins at sample 0 or later and is 1 sample long or longer"
        )
    return Marker(kind, description, int(marker.sample), int(marker.n_samples))


def marker_text(text: str) -> str:
    """``text`` in ASCII, as in uA for µA. Raises ``RecordingError`` where that cannot be done without a guess."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.translate(_ASCII)) if not unicodedata.combining(c))
    if not (plain.isascii() and (plain.isprintable() or not plain)) or "=" in plain or "\\1" in plain:
        raise RecordingError(
            f"marker text {text!r} would break readers of the recording: use one line of plain ASCII without '='"
        )
    return plain


def marker_file(start_utc: datetime, markers: Iterable[Marker], *, signal_name: str) -> bytes:
    """A whole ``.vmrk`` file, its markers numbered without gaps."""
    lines = [marker_line(number, marker) for number, marker in enumerate(markers, 2)]
    return marker_head(start_utc, signal_name=signal_name) + b"".join(lines)


def _channel_fields(channel: Channel) -> str:
    # The micro sign, not the Greek letter: with the latter MNE leaves the numbers a million times too large.
    unit = channel.unit.replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}")
    unit = "\N{MICRO SIGN}V" if unit == "uV" else unit
    return f"{_escaped(channel.name)},,{np.format_float_positional(channel.resolution, trim='-')},{_escaped(unit)}"


def _escaped(text: str) -> str:
    return text.replace(",", "\\1")


def _check(header: Header) -> None:
    if not header.channels:
        raise RecordingError("a recording needs at least one channel: name the inputs in rig.toml")
    if not (isfinite(header.rate_hz) and header.rate_hz > 0):
        raise RecordingError(f"sampling rate {header.rate_hz} Hz is impossible: give the true rate of the amplifier")
    if header.start_utc.tzinfo is None:
        raise RecordingError(f"start time {header.start_utc} has no time zone: give it in UTC")
    _check_names([channel.name for channel in header.channels])
    for channel in header.channels:
        _check_channel_text(channel.name, "name", channel)
        _check_channel_text(channel.unit, "unit", channel)
        low, high = channel.rail_counts
        if not (isfinite(channel.resolution) and channel.resolution != 0):
            raise RecordingError(f"channel {channel.name} has resolution {channel.resolution}: give units per count")
        if not -32768 <= low < high <= 32767:
            raise RecordingError(f"channel {channel.name} has rails {low} and {high}: expected two int16 counts")


def _check_names(names: Sequence[str]) -> None:
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise RecordingError(f"channel names must differ, but {', '.join(repeated)} is there twice: rename one")


def _check_channel_text(text: str, what: str, channel: Channel) -> None:
    breaks_readers = any(forbidden in text for forbidden in ("=", "\\1", "[Comment]"))
    if not text or not text.isprintable() or text != text.strip() or breaks_readers:
        raise RecordingError(
            f"channel {channel.name!r} has the {what} {text!r}, which readers of the recording get wrong: "
            "use printable characters without '=' and without blanks at the ends"
        )
