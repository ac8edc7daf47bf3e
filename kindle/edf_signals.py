"""EDF and BDF files, read where they lie: gaps of EDF+D stay gaps, counts stay counts, a torn end is told.

MNE joins the records of a discontinuous file, resamples slow channels window by window, and takes every unit that it
does not know for volts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from drivers.interface import Role
from kindle.channel_roles import microvolts_per, role_by_name
from kindle.edf_header import ANNOTATIONS, EdfHeader, EdfSignal, parse_annotations, parse_header
from kindle.errors import RecordingError
from kindle.loading import Floats, Note, Track, is_gap, warn_once
from kindle.stretches import JoinedSignals, Stretch

ROLE_IN_TRANSDUCER = "kindle role: "
"""How an export of kindle says what a channel is for, in a field that readers show and nothing depends on."""
EXACT_START = "recording start "
"""How it says, in an annotation, when the recording began to the microsecond."""

_STATUS = re.compile(r"(?i)^(status|trigger)$")
_ROLES: tuple[Role, ...] = ("eeg", "stimulus_ttl", "current_monitor", "aux")
_STATUS_BITS = 0xFFFF
"""Above them a BioSemi amplifier tells of its own state."""


def edf_signals(path: Path) -> JoinedSignals:
    """Raises ``RecordingError`` for what is no EDF or BDF file, or holds no samples."""
    header = parse_header(path)
    held = (path.stat().st_size - header.n_bytes) // header.record_bytes
    remarks = []
    if held < header.n_records:
        remarks.append(
            f"{path} is cut short: it holds {held} of {header.n_records} data records; what is there is read, "
            "copy the file again for the rest"
        )
        warn_once(remarks[0])
    n_records = held if header.n_records < 0 else min(held, header.n_records)
    file = _EdfFile(path, header, n_records)
    signals = {
        number: signal
        for number, signal in enumerate(header.signals)
        if signal.label not in ANNOTATIONS and signal.n_samples > 0
    }
    if not signals or n_records < 1 or not header.record_s:
        raise RecordingError(f"{path} holds no samples: check that it was recorded and copied to its end")
    begins, notes = file.timeline()
    names = _distinct([signal.label for signal in signals.values()])
    tracks = [_track(name, signal, header) for name, signal in zip(names, signals.values(), strict=True)]
    numbered = dict(zip(names, signals, strict=True))
    stretches = [stretch for run in _runs(begins, header, path) for stretch in file.stretches(run, numbered)]
    start_s = begins[0]
    stretches, notes = _without_padding(stretches, [_shifted(note, start_s) for note in notes])
    return JoinedSignals(
        path,
        tracks,
        stretches,
        [note for note in notes if not note.text.startswith(EXACT_START)],
        brain=[track.name for track, signal in zip(tracks, signals.values(), strict=True) if _is_brain(signal)],
        stimulus=[track.name for track in tracks if track.role == "stimulus_ttl"],
        start_utc=_start(header, start_s, notes),
        remarks=remarks,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """Records ``[first, last)`` that follow one another without a gap."""

    first: int
    last: int
    start_s: float


class _EdfFile:
    def __init__(self, path: Path, header: EdfHeader, n_records: int) -> None:
        self.path = path
        self.header = header
        self.n_records = n_records

    def timeline(self) -> tuple[list[float], list[Note]]:
        """When each record begins, in seconds from the start in the header, and every annotation."""
        header = self.header
        begins = [number * header.record_s for number in range(self.n_records)]
        notes: list[Note] = []
        columns = [number for number, signal in enumerate(header.signals) if signal.label in ANNOTATIONS]
        for column in columns:
            begin, end = header.place(column)
            stored = self._records(0, self.n_records)[:, begin:end]
            for record in range(self.n_records):
                told, found = parse_annotations(stored[record].tobytes())
                notes += found
                if told is not None and column == columns[0] and (header.discontinuous or record == 0):
                    begins[record] = told
        if not header.discontinuous and begins:
            begins = [begins[0] + number * header.record_s for number in range(self.n_records)]
        return begins, notes

    def stretches(self, run: _Run, numbers: dict[str, int]) -> list[Stretch]:
        """One for each sampling rate."""
        by_rate: dict[int, list[str]] = {}
        for name, number in numbers.items():
            by_rate.setdefault(self.header.signals[number].n_samples, []).append(name)
        return [
            Stretch(
                tuple(names),
                per_record / self.header.record_s,
                run.start_s,
                per_record * (run.last - run.first),
                _Reader(self, run, tuple(numbers[name] for name in names), per_record).read,
            )
            for per_record, names in by_rate.items()
        ]

    def read(self, number: int, record: int, n_records: int) -> Floats:
        """Values of one signal over whole records, in microvolts where it is a voltage."""
        header, signal = self.header, self.header.signals[number]
        begin, end = header.place(number)
        stored = self._records(record, record + n_records)[:, begin:end]
        counts = _counts(np.ascontiguousarray(stored), header.sample_bytes)
        if _is_status(signal, header):
            return (counts & _STATUS_BITS).astype(np.float64)
        scale = _scale(signal)
        return np.asarray(counts * (signal.gain * scale) + signal.offset * scale)

    def _records(self, first: int, last: int) -> np.memmap[tuple[int, int], np.dtype[np.uint8]]:
        offset = self.header.n_bytes + first * self.header.record_bytes
        try:
            return np.memmap(self.path, np.uint8, "r", offset, (last - first, self.header.record_bytes))
        except (OSError, ValueError, OverflowError) as error:
            raise RecordingError(f"{self.path} was changed while it was read ({error}): try again") from error


@dataclass(frozen=True, slots=True)
class _Reader:
    """Samples of a run, whatever records they lie in."""

    file: _EdfFile
    run: _Run
    numbers: tuple[int, ...]
    per_record: int

    def read(self, rows: Sequence[int], first: int, last: int) -> Floats:
        record, behind = first // self.per_record, -(-last // self.per_record)
        skipped = first - record * self.per_record
        return np.stack(
            [
                self.file.read(self.numbers[row], self.run.first + record, behind - record)[
                    skipped : skipped + last - first
                ]
                for row in rows
            ]
        )


def _runs(begins: list[float], header: EdfHeader, path: Path) -> list[_Run]:
    """Records of EDF+D that follow one another to half a sample of the fastest signal belong together."""
    half_sample_s = 0.5 * header.record_s / max(signal.n_samples for signal in header.signals)
    runs: list[_Run] = []
    for record, begin_s in enumerate(begins):
        if runs:
            run = runs[-1]
            waited_s = begin_s - run.start_s - (record - run.first) * header.record_s
            if waited_s < -half_sample_s:
                raise RecordingError(
                    f"{path}: data record {record + 1} begins at {begin_s:g} s, before the one ahead of it ends; its "
                    "time stamps are damaged: export the recording again"
                )
            if waited_s <= half_sample_s:
                runs[-1] = _Run(run.first, record + 1, run.start_s)
                continue
        runs.append(_Run(record, record + 1, begin_s))
    return [_Run(run.first, run.last, run.start_s - begins[0]) for run in runs]


def _without_padding(stretches: list[Stretch], notes: list[Note]) -> tuple[list[Stretch], list[Note]]:
    """The last record is filled up by whoever writes EDF, and a gap that reaches the end says so."""
    end_s = max(stretch.start_s + stretch.n_samples / stretch.rate_hz for stretch in stretches)
    slack_s = 0.5 / max(stretch.rate_hz for stretch in stretches)
    padding = [note for note in notes if is_gap(note) and note.onset_s + note.duration_s >= end_s - slack_s]
    if not padding:
        return stretches, notes
    real_s = min(note.onset_s for note in padding)
    trimmed = [
        Stretch(
            stretch.names,
            stretch.rate_hz,
            stretch.start_s,
            min(stretch.n_samples, max(0, round((real_s - stretch.start_s) * stretch.rate_hz))),
            stretch.read,
        )
        for stretch in stretches
    ]
    return trimmed, [note for note in notes if note not in padding]


def _track(name: str, signal: EdfSignal, header: EdfHeader) -> Track:
    told = signal.transducer.removeprefix(ROLE_IN_TRANSDUCER)
    if _is_status(signal, header):
        return Track(name, "stimulus_ttl", "n/a", 1.0)
    role = next((role for role in _ROLES if role == told), role_by_name(name, signal.unit))
    # Half a count is all that may be lost where the file's zero is not a count.
    exact = header.sample_bytes == 2 and abs(signal.offset) <= 0.51 * abs(signal.gain)
    step = abs(signal.gain) * _scale(signal) if exact else None
    return Track(name, role, "µV" if _is_brain(signal) else signal.unit, step)


def _is_brain(signal: EdfSignal) -> bool:
    """A channel of volts that only its name calls a trigger may be the brain's: whoever analyses it decides."""
    if signal.transducer.startswith(ROLE_IN_TRANSDUCER):
        return signal.transducer.removeprefix(ROLE_IN_TRANSDUCER) == "eeg"
    role = role_by_name(signal.label, signal.unit)
    return role == "eeg" or (role == "stimulus_ttl" and role_by_name("", signal.unit) == "eeg")


def _is_status(signal: EdfSignal, header: EdfHeader) -> bool:
    return header.sample_bytes == 3 and _STATUS.match(signal.label) is not None


def _scale(signal: EdfSignal) -> float:
    """Microvolts per unit of what may be the brain's; a missing unit counts as microvolts, as in BrainVision files."""
    return (microvolts_per(signal.unit or "uV") or 1.0) if _is_brain(signal) else 1.0


def _counts(
    stored: np.ndarray[tuple[int, int], np.dtype[np.uint8]], sample_bytes: int
) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    if sample_bytes == 2:
        return stored.reshape(-1).view("<i2").astype(np.int32)
    wide = np.zeros((stored.size // 3, 4), np.uint8)
    wide[:, 1:] = stored.reshape(-1, 3)
    return np.asarray(wide.reshape(-1).view("<i4") >> 8)


def _distinct(labels: Sequence[str]) -> list[str]:
    """Empty and repeated labels get a number: every channel can be named."""
    names: list[str] = []
    for number, label in enumerate(labels, 1):
        name = label or f"channel {number}"
        names.append(name if name not in names else f"{name}-{number}")
    return names


def _shifted(note: Note, start_s: float) -> Note:
    return Note(note.onset_s - start_s, note.duration_s, note.text)


def _start(header: EdfHeader, start_s: float, notes: Sequence[Note]) -> datetime | None:
    for note in notes:
        if note.text.startswith(EXACT_START):
            try:
                return datetime.fromisoformat(note.text.removeprefix(EXACT_START))
            except ValueError:
                break
    return None if header.start_utc is None else header.start_utc + timedelta(seconds=start_s)
