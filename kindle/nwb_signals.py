"""NWB files: electrical series and time series on one clock, intervals and annotations as notes; nothing is copied."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from kindle.channel_roles import amperes_per, microvolts_per, role_by_name
from kindle.errors import RecordingError
from kindle.loading import Floats, Note, Track, first_line, in_utc
from kindle.stretches import JoinedSignals, Stretch

PART = "_part"
"""After a gap a channel goes on in a series of the same name with this and a number behind it."""

_TEXT_COLUMNS = ("text", "label", "labels", "description", "annotation", "trial_type", "type")
_NAME_COLUMNS = ("channel_name", "label", "electrode_name", "name")
_IRREGULAR = 0.02
"""How far intervals between samples may differ, most of them, before there is no sampling rate."""
_READ_AT_ONCE = 1 << 22


def nwb_signals(path: Path) -> JoinedSignals:
    """Raises ``RecordingError`` where the extra is missing, or the file holds no signals that can be read."""
    try:
        from pynwb import NWBHDF5IO
    except ImportError:
        raise RecordingError(
            f"{path}: NWB files need the extra nwb: install it with: pip install 'kindle-eeg[nwb]'"
        ) from None
    try:
        # Open as long as the signals are: their samples stay on the disk.
        io = NWBHDF5IO(path, "r", load_namespaces=True)
        file = io.read()
    except Exception as error:
        raise RecordingError(f"{path} cannot be read as an NWB file ({first_line(error)}): check the file") from error
    series = [one for one in _series(file) if len(one.data)]
    if not series:
        raise RecordingError(f"{path} holds no signals: kindle reads electrical series and time series of an NWB file")
    found = [_Stored(one, stimulus) for one, stimulus in _with_origin(file, series)]
    stretches = [stretch for stored in found for stretch in stored.stretches(path)]
    start_s = min(stretch.start_s for stretch in stretches)
    tracks = list({track.name: track for stored in found for track in stored.tracks()}.values())
    return JoinedSignals(
        path,
        tracks,
        [Stretch(s.names, s.rate_hz, s.start_s - start_s, s.n_samples, _Held(io, s.read).read) for s in stretches],
        sorted(_notes(file, start_s), key=lambda note: note.onset_s),
        brain=[track.name for track in tracks if track.role == "eeg"],
        stimulus=[track.name for track in tracks if track.role == "stimulus_ttl"],
        start_utc=in_utc(file.timestamps_reference_time or file.session_start_time) + timedelta(seconds=start_s),
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """The open file lives as long as anything that reads from it."""

    io: Any
    from_file: Any

    def read(self, rows: Sequence[int], first: int, last: int) -> Floats:
        try:
            return np.asarray(self.from_file(rows, first, last), np.float64)
        except (OSError, ValueError, RuntimeError) as error:
            raise RecordingError(
                f"{self.io.source} cannot be read ({first_line(error)}): it may be damaged; copy it again"
            ) from error


def _series(file: Any) -> list[Any]:
    """Of the acquisition; where there is none, the LFP of the processing."""
    from pynwb.base import TimeSeries
    from pynwb.ecephys import LFP, ElectricalSeries
    from pynwb.misc import AnnotationSeries

    def is_signal(one: Any) -> bool:
        numeric = isinstance(one, TimeSeries) and not isinstance(one, AnnotationSeries)
        return bool(numeric and getattr(one.data, "dtype", None) is not None and one.data.dtype.kind in "iuf")

    inside = [*file.acquisition.values(), *file.stimulus.values()]
    for one in list(inside):
        if isinstance(one, LFP):
            inside += one.electrical_series.values()
    if not any(isinstance(one, ElectricalSeries) for one in inside):
        for module in file.processing.values():
            for one in module.data_interfaces.values():
                inside += one.electrical_series.values() if isinstance(one, LFP) else [one]
    return [one for one in inside if is_signal(one) and len(one.data.shape) <= 2]


def _with_origin(file: Any, series: Sequence[Any]) -> Iterator[tuple[Any, bool]]:
    given = {id(one) for one in file.stimulus.values()}
    return ((one, id(one) in given) for one in series)


class _Stored:
    """One series: its channels, and where on the clock its samples lie."""

    def __init__(self, series: Any, stimulus: bool) -> None:
        from pynwb.ecephys import ElectricalSeries

        self._series = series
        self._n_channels = series.data.shape[1] if len(series.data.shape) == 2 else 1
        self._electrical = isinstance(series, ElectricalSeries)
        self._stimulus = stimulus
        per_channel = getattr(series, "channel_conversion", None)
        self._conversion = float(series.conversion) * (
            np.ones(self._n_channels) if per_channel is None else np.asarray(per_channel[:], np.float64)
        )
        self._offset = float(series.offset or 0.0)
        self._unit = "V" if self._electrical else str(series.unit)
        self._names = self._named()
        self._scale = microvolts_per(self._unit) if self._role(self._names[0]) == "eeg" else None

    def tracks(self) -> Iterator[Track]:
        exact = self._series.data.dtype == np.int16 and not self._offset
        for name, conversion in zip(self._names, self._conversion, strict=True):
            unit = self._unit if self._scale is None else "µV"
            yield Track(name, self._role(name), unit, float(conversion) * (self._scale or 1.0) if exact else None)

    def stretches(self, path: Path) -> Iterator[Stretch]:
        for start_s, first, last, rate_hz in self._runs(path):
            yield Stretch(self._names, rate_hz, start_s, last - first, _Part(self, first).read)

    def read(self, rows: Sequence[int], first: int, last: int) -> Floats:
        data = self._series.data
        stored = np.asarray(data[first:last], np.float64).reshape(last - first, self._n_channels).T[list(rows)]
        values = stored * self._conversion[list(rows), None] + self._offset
        return values * (self._scale or 1.0)

    def _named(self) -> tuple[str, ...]:
        base = re.sub(rf"{PART}\d+$", "", self._series.name)
        if self._electrical:
            region = self._series.electrodes
            for column in _NAME_COLUMNS:
                if column in region.table.colnames:
                    names = [str(region.table[column][int(row)]) for row in region.data[:]]
                    if len(set(names)) == len(names) == self._n_channels and all(names):
                        return tuple(names)
        if self._n_channels == 1:
            return (base,)
        return tuple(f"{base}-{number}" for number in range(1, self._n_channels + 1))

    def _role(self, name: str) -> Any:
        if self._electrical:
            return "eeg"
        if self._stimulus and amperes_per(self._unit) is None:
            return "stimulus_ttl"
        role = role_by_name(name, self._unit)
        # What was stored as anything but an electrical series is no brain signal.
        return "aux" if role == "eeg" else role

    def _runs(self, path: Path) -> Iterator[tuple[float, int, int, float]]:
        """Start in seconds, first sample, the one behind the last, and rate of each stretch without a gap."""
        series, n = self._series, len(self._series.data)
        if series.rate:
            yield float(series.starting_time or 0.0), 0, n, float(series.rate)
            return
        if series.timestamps is None or n < 2:
            raise RecordingError(f"{path}: series {series.name!r} has neither a rate nor times: export it again")
        times = np.concatenate(
            [np.asarray(series.timestamps[first : first + _READ_AT_ONCE]) for first in range(0, n, _READ_AT_ONCE)]
        )
        intervals = np.diff(times)
        usual = float(np.median(intervals))
        if not usual > 0 or np.mean(np.abs(intervals - usual) > _IRREGULAR * usual) > _IRREGULAR:
            raise RecordingError(
                f"{path}: series {series.name!r} was not sampled at one rate; resample it before it is analysed"
            )
        gaps = np.flatnonzero(intervals > 1.5 * usual) + 1
        edges = [0, *gaps.tolist(), n]
        rate_hz = _round_rate(1 / usual)
        for first, last in pairwise(edges):
            yield float(times[first]), first, last, rate_hz


@dataclass(frozen=True, slots=True)
class _Part:
    stored: _Stored
    begins: int

    def read(self, rows: Sequence[int], first: int, last: int) -> Floats:
        return self.stored.read(rows, self.begins + first, self.begins + last)


def _round_rate(rate_hz: float) -> float:
    """Time stamps are rounded, and rates are rarely odd."""
    whole = round(rate_hz, 3)
    return whole if abs(whole - rate_hz) < 1e-5 * rate_hz else rate_hz


def _notes(file: Any, start_s: float) -> Iterator[Note]:
    from pynwb.misc import AnnotationSeries

    for table in [*(file.intervals or {}).values(), *([file.epochs, file.trials, file.invalid_times])]:
        if table is not None:
            yield from _intervals(table, start_s)
    # Of NWB before version 2.10 files have no such tables, and of pynwb before 4 no such name.
    for table in (getattr(file, "events", None) or {}).values():
        yield from _events(table, start_s)
    for series in file.acquisition.values():
        if isinstance(series, AnnotationSeries):
            for time_s, text in zip(series.timestamps[:], series.data[:], strict=True):
                yield Note(float(time_s) - start_s, 0.0, _word(text))


def _intervals(table: Any, start_s: float) -> Iterator[Note]:
    starts, stops = table["start_time"][:], table["stop_time"][:]
    for start, stop, text in zip(starts, stops, _texts(table, len(starts)), strict=True):
        yield Note(float(start) - start_s, max(0.0, float(stop) - float(start)), text)


def _events(table: Any, start_s: float) -> Iterator[Note]:
    times = table["timestamp"][:]
    lengths = np.nan_to_num(table["duration"][:]) if "duration" in table.colnames else np.zeros(len(times))
    for time, length, text in zip(times, lengths, _texts(table, len(times)), strict=True):
        yield Note(float(time) - start_s, max(0.0, float(length)), text)


def _texts(table: Any, n_rows: int) -> list[str]:
    """What the rows say; where they say nothing, the table's name."""
    column = next((name for name in _TEXT_COLUMNS if name in table.colnames), None)
    return [table.name] * n_rows if column is None else [_word(text) for text in table[column][:]]


def _word(text: object) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
