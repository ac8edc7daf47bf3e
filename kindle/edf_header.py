"""EDF, EDF+, BDF and BDF+ as bytes: the header, and the annotations in its records."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from kindle.errors import RecordingError
from kindle.loading import Note

ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_UNKNOWN_START = datetime(1985, 1, 1, tzinfo=UTC)
"""What is written where the date is not known: the first that the format can hold."""
_TAL = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?\x14([^\x00]*)\x14\x00")
_STARTDATE = re.compile(r"Startdate (\d{2})-([A-Z]{3})-(\d{4})")
_FIELDS = (("label", 16), ("transducer", 80), ("unit", 8), ("physical_min", 8), ("physical_max", 8))
_MORE_FIELDS = (("digital_min", 8), ("digital_max", 8), ("prefilter", 80), ("n_samples", 8), ("reserved", 32))
_FIXED_BYTES, _SIGNAL_BYTES = 256, 256


@dataclass(frozen=True, slots=True)
class EdfSignal:
    """``n_samples`` are those of one data record."""

    label: str
    transducer: str
    unit: str
    physical_min: float
    physical_max: float
    digital_min: int
    digital_max: int
    n_samples: int

    @property
    def gain(self) -> float:
        """Units per count; 1 where the header gives no range, so that the counts stand for themselves."""
        physical, digital = self.physical_max - self.physical_min, self.digital_max - self.digital_min
        return physical / digital if physical and digital else 1.0

    @property
    def offset(self) -> float:
        physical, digital = self.physical_max - self.physical_min, self.digital_max - self.digital_min
        return self.physical_min - self.digital_min * self.gain if physical and digital else 0.0


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """``n_records`` is -1 in a file that was never closed; ``start_utc`` is taken as UTC, the format has no zone."""

    signals: tuple[EdfSignal, ...]
    n_bytes: int
    n_records: int
    record_s: float
    start_utc: datetime | None
    sample_bytes: int
    discontinuous: bool

    @property
    def record_bytes(self) -> int:
        return self.sample_bytes * sum(signal.n_samples for signal in self.signals)

    def place(self, number: int) -> tuple[int, int]:
        """Which bytes of a record belong to the signal ``number``."""
        begin = self.sample_bytes * sum(signal.n_samples for signal in self.signals[:number])
        return begin, begin + self.sample_bytes * self.signals[number].n_samples


def parse_header(path: Path) -> EdfHeader:
    """Raises ``RecordingError`` for a header that is not whole, or says what cannot be."""
    try:
        with path.open("rb") as file:
            fixed = file.read(_FIXED_BYTES)
            n_signals = int(_text(fixed[252:256])) if len(fixed) == _FIXED_BYTES else 0
            table = file.read(_SIGNAL_BYTES * n_signals)
        if n_signals < 1 or len(table) < _SIGNAL_BYTES * n_signals:
            raise RecordingError(f"{path} ends within its header: it may be cut short; copy it again")
        bdf = fixed[:1] == b"\xff"
        header = EdfHeader(
            signals=tuple(_signals(table, n_signals)),
            n_bytes=int(_text(fixed[184:192])),
            n_records=int(_text(fixed[236:244])),
            record_s=float(_text(fixed[244:252])),
            start_utc=_start(fixed),
            sample_bytes=3 if bdf else 2,
            discontinuous=_text(fixed[192:236]).upper().startswith(("EDF+D", "BDF+D")),
        )
    except OSError as error:
        raise RecordingError(f"{path} cannot be read ({error.strerror}): check the file") from error
    except (ValueError, OverflowError) as error:
        raise RecordingError(f"{path} cannot be read as a recording: its EDF header is damaged ({error})") from error
    if (
        header.record_bytes <= 0
        or header.n_bytes < _FIXED_BYTES
        or not 0 <= header.record_s < 1e8
        or any(signal.n_samples < 0 for signal in header.signals)
    ):
        raise RecordingError(f"{path} cannot be read as a recording: its EDF header says how to read no sample")
    return header


def parse_annotations(record: bytes) -> tuple[float | None, list[Note]]:
    """When the record begins, in seconds from the start that the header gives, and the annotations in it."""
    begins: float | None = None
    notes: list[Note] = []
    for onset, duration, texts in _TAL.findall(record):
        for number, text in enumerate(texts.split(b"\x14")):
            if not text and number == 0 and begins is None:
                begins = float(onset)
            elif text:
                notes.append(Note(float(onset), float(duration or 0), text.decode("utf-8", "replace")))
    return begins, notes


def _signals(table: bytes, n_signals: int) -> Iterator[EdfSignal]:
    columns: dict[str, list[str]] = {}
    begin = 0
    for name, width in (*_FIELDS, *_MORE_FIELDS):
        cells = [table[begin + width * n : begin + width * (n + 1)] for n in range(n_signals)]
        columns[name] = [_text(cell) for cell in cells]
        begin += width * n_signals
    for n in range(n_signals):
        cell = {name: values[n] for name, values in columns.items()}
        yield EdfSignal(
            cell["label"],
            cell["transducer"],
            cell["unit"],
            _number(cell["physical_min"]),
            _number(cell["physical_max"]),
            int(_number(cell["digital_min"])),
            int(_number(cell["digital_max"])),
            int(cell["n_samples"]),
        )


def _text(field: bytes) -> str:
    """ASCII is the rule; what amplifiers write besides is UTF-8 or Latin-1."""
    field = field.rstrip(b"\0 ")
    try:
        return field.decode().strip()
    except UnicodeDecodeError:
        return field.decode("latin-1").strip()


def _number(text: str) -> float:
    return float(text.replace(",", ".")) if text else 0.0


def _start(fixed: bytes) -> datetime | None:
    """The year of the old field has two digits; the recording identification of EDF+ has all four."""
    try:
        day, month, year = (int(part) for part in _text(fixed[168:176]).split("."))
        hour, minute, second = (int(part) for part in _text(fixed[176:184]).split("."))
        year += 1900 if year >= 85 else 2000
        if whole := _STARTDATE.search(_text(fixed[88:168])):
            day, month, year = int(whole[1]), _MONTHS.index(whole[2]) + 1, int(whole[3])
        start = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return None if start == _UNKNOWN_START else start
    except ValueError:
        return None
