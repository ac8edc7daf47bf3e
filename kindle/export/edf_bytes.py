"""An EDF+ file as bytes: header, physical limits that give every sample back, and annotations packed into records."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from drivers.interface import Channel
from kindle.channel_roles import amperes_per, microvolts_per
from kindle.edf_signals import ROLE_IN_TRANSDUCER
from kindle.errors import ConfigError

LABEL_CHARACTERS = 16
RECORD_BYTES = 61_440
"""More than this in one data record some readers of EDF do not bear."""
WORST_OFF = 0.25
"""Counts by which a limit may be off: eight characters are six figures, which come to a sixth of a count at worst."""
_LONGEST_RECORD_S = Fraction(1)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_PREFIXES = {"u": Decimal("1e6"), "m": Decimal("1e3"), "": Decimal(1)}
_ASCII = str.maketrans({"\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u", "Ω": "Ohm", "ß": "ss", "–": "-"})


@dataclass(frozen=True, slots=True)
class Records:
    """``n_samples`` of each channel last exactly ``record_s``, which is written as ``text``."""

    n_samples: int
    text: str

    @property
    def record_s(self) -> Fraction:
        return Fraction(self.text)


@dataclass(frozen=True, slots=True)
class Scale:
    """Physical values of the counts -32768 and 32767, as the header has them."""

    unit: str
    lowest: str
    highest: str


def records_for(rate_hz: float, n_channels: int) -> Records:
    """The longest record up to a second that is a whole number of samples and can be written in 8 characters.

    Raises ``ConfigError`` for a rate that has none.
    """
    rate = Fraction(rate_hz).limit_denominator(1_000_000)
    if abs(float(rate) - rate_hz) > 1e-9 * rate_hz:
        rate = Fraction(rate_hz)
    most = min(int(rate * _LONGEST_RECORD_S), RECORD_BYTES // (2 * n_channels))
    # Below 1 Hz a record is a sample.
    for n_samples in range(max(1, most), 0, -1):
        text = _eight_characters(Decimal(float(n_samples / rate)).quantize(Decimal("1e-9")))
        if text is not None and Fraction(text) * rate == n_samples:
            return Records(n_samples, text)
    raise ConfigError(
        f"a sampling rate of {rate_hz!r} Hz cannot be written as EDF, whose records last a decimal number of seconds: "
        "export as NWB or BIDS instead"
    )


def scale_of(channel: Channel) -> Scale:
    """Limits from which a reader gets every value to half a step. Raises ``ConfigError`` where there are none."""
    unit, resolution = channel.unit, Decimal(repr(channel.resolution))
    microvolts, amperes = microvolts_per(unit), amperes_per(unit)
    if microvolts is not None:
        candidates = _prefixed("V", resolution * Decimal(repr(microvolts)) / Decimal("1e6"))
    elif amperes is not None:
        candidates = _prefixed("A", resolution * Decimal(repr(amperes)))
    else:
        candidates = iter([(plain(unit)[:8], resolution)])
    written = [
        (_off(step, lowest, highest), Scale(name, lowest, highest))
        for name, step, lowest, highest in _limits(candidates)
    ]
    off, scale = min(written, key=lambda one: one[0], default=(1.0, None))
    if scale is not None and off <= WORST_OFF:
        return scale
    raise ConfigError(
        f"channel {channel.name!r} has {channel.resolution!r} {unit} per count, which the 8 characters of an EDF "
        "header cannot hold: export as NWB or BIDS instead"
    )


def header(
    *,
    patient: str,
    recording: str,
    start: datetime,
    channels: Sequence[tuple[str, Channel, Scale]],
    records: Records,
    n_records: int,
    annotation_bytes: int,
) -> bytes:
    """``channels`` are labels with what they stand for; the annotations come as the last signal."""
    n_signals = len(channels) + 1
    fixed = [
        ("0", 8),
        (patient, 80),
        (recording, 80),
        (f"{start:%d.%m.%y}", 8),
        (f"{start:%H.%M.%S}", 8),
        (str(256 * (n_signals + 1)), 8),
        ("EDF+C", 44),
        (str(n_records), 8),
        (records.text, 8),
        (str(n_signals), 4),
    ]
    columns: list[tuple[list[str], int]] = [
        ([label for label, _, _ in channels] + ["EDF Annotations"], 16),
        ([ROLE_IN_TRANSDUCER + channel.role for _, channel, _ in channels] + [""], 80),
        ([scale.unit for _, _, scale in channels] + [""], 8),
        ([scale.lowest for _, _, scale in channels] + ["-1"], 8),
        ([scale.highest for _, _, scale in channels] + ["1"], 8),
        (["-32768"] * n_signals, 8),
        (["32767"] * n_signals, 8),
        ([""] * n_signals, 80),
        ([str(records.n_samples)] * len(channels) + [str(annotation_bytes // 2)], 8),
        ([""] * n_signals, 32),
    ]
    cells = [*fixed, *((cell, width) for column, width in columns for cell in column)]
    return b"".join(_cell(text, width) for text, width in cells)


def packed(notes: Sequence[tuple[float, float | None, str]], records: Records, n_records: int) -> list[bytes]:
    """The annotations of each data record, all of the same length; each record begins with its own time.

    ``notes`` are onset, duration and text.
    """
    written = [_tal(onset_s, duration_s, text) for onset_s, duration_s, text in notes]
    times = [_time(records.record_s * number) for number in range(n_records)]
    longest = max((len(one) for one in written), default=0)
    room = longest + -(-sum(map(len, written)) // n_records)
    n_bytes = len(times[-1]) + room
    n_bytes += n_bytes % 2
    filled: list[bytes] = []
    waiting = iter(written)
    following = next(waiting, None)
    for time in times:
        record = time
        while following is not None and len(record) + len(following) <= n_bytes:
            record += following
            following = next(waiting, None)
        filled.append(record.ljust(n_bytes, b"\0"))
    assert following is None
    return filled


def labels(channels: Sequence[Channel]) -> list[str]:
    """In 16 characters of ASCII, none twice."""
    taken: list[str] = []
    for channel in channels:
        label = plain(channel.name)[:LABEL_CHARACTERS].strip() or "channel"
        number = 1
        while label in taken:
            number += 1
            label = f"{plain(channel.name)[: LABEL_CHARACTERS - 3].strip()}-{number}"
        taken.append(label)
    return taken


def plain(text: str) -> str:
    """Printable ASCII, as near as may be: what cannot be written so becomes a question mark."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_ASCII))
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in bare)


def subfield(text: str) -> str:
    """One word of an identification: blanks part its words."""
    return plain(text).strip().replace(" ", "_") or "X"


def startdate(start: datetime) -> str:
    return f"Startdate {start.day:02d}-{_MONTHS[start.month - 1]}-{start.year}"


def _limits(candidates: Iterable[tuple[str, Decimal]]) -> Iterator[tuple[str, Decimal, str, str]]:
    for name, step in candidates:
        lowest, highest = _eight_characters(step * -32768), _eight_characters(step * 32767)
        if lowest is not None and highest is not None and lowest != highest:
            yield name, step, lowest, highest


def _off(step: Decimal, lowest: str, highest: str) -> float:
    """How far the limits as written are from what they should be, in counts."""
    return float(max(abs(Decimal(lowest) - step * -32768), abs(Decimal(highest) - step * 32767)) / abs(step))


def _prefixed(unit: str, step: Decimal) -> Iterator[tuple[str, Decimal]]:
    """Microunits first: what the field reads. Finer ones MNE takes for whole volts."""
    for prefix, per_unit in _PREFIXES.items():
        yield prefix + unit, step * per_unit


def _eight_characters(value: Decimal) -> str | None:
    """As near as 8 characters come, without an exponent; ``None`` for what is too large."""
    for places in range(7, -1, -1):
        text = f"{value:.{places}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        if len(text) <= 8:
            return text
    return None


def _cell(text: str, width: int) -> bytes:
    return plain(text)[:width].ljust(width).encode("ascii")


def _tal(onset_s: float, duration_s: float | None, text: str) -> bytes:
    said = " ".join(text.replace("\x14", " ").replace("\x15", " ").replace("\0", " ").split())
    length = b"" if duration_s is None else b"\x15" + _decimal(duration_s).encode()
    return b"+" + _decimal(onset_s).encode() + length + b"\x14" + said.encode() + b"\x14\0"


def _time(seconds: Fraction) -> bytes:
    return b"+" + _decimal(float(seconds)).encode() + b"\x14\x14\0"


def _decimal(seconds: float) -> str:
    return f"{seconds:.7f}".rstrip("0").rstrip(".")
