"""Open Ephys binary recordings, through neo: recordings that follow one another on one clock, TTL lines as channels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kindle.channel_roles import microvolts_per, role_by_name
from kindle.errors import RecordingError
from kindle.loading import Floats, Note, Track, first_line
from kindle.stretches import JoinedSignals, Stretch

_SAMPLE_NUMBERS = ("sample_numbers.npy", "timestamps.npy")
"""The first since version 0.6; before, the second held the same whole numbers."""


def openephys_signals(folder: Path) -> JoinedSignals:
    """Raises ``RecordingError`` where the extra is missing, or the folder is not one experiment."""
    try:
        from neo.rawio import OpenEphysBinaryRawIO
    except ImportError:
        raise RecordingError(
            f"{folder}: Open Ephys recordings need the extra openephys: install it with: "
            "pip install 'kindle-eeg[openephys]'"
        ) from None
    try:
        reader = OpenEphysBinaryRawIO(str(folder))
        reader.parse_header()
    except Exception as error:
        raise RecordingError(
            f"{folder} cannot be read as an Open Ephys recording ({first_line(error)}): check that it was copied whole"
        ) from error
    if reader.block_count() != 1:
        raise RecordingError(
            f"{folder} holds {reader.block_count()} experiments, each with a clock of its own: give one of them, "
            "such as its folder experiment1"
        )
    streams = [_Stream(reader, index) for index in range(reader.signal_streams_count())]
    stretches = [stretch for stream in streams for stretch in stream.stretches()]
    if not stretches:
        raise RecordingError(f"{folder} holds no samples: check that it was recorded and copied to its end")
    start_s = min(stretch.start_s for stretch in stretches)
    end_s = max(stretch.start_s + stretch.n_samples / stretch.rate_hz for stretch in stretches)
    rate_hz = max(stretch.rate_hz for stretch in stretches)
    lines = _lines(reader)
    texts = [Note(onset_s - start_s, 0.0, text) for onset_s, text in _messages(reader)]
    tracks = [track for stream in streams for track in stream.tracks()]
    tracks += [Track(name, "stimulus_ttl", "n/a", 1.0) for name in lines]
    shifted = [Stretch(s.names, s.rate_hz, s.start_s - start_s, s.n_samples, s.read) for s in stretches]
    for name, spans in lines.items():
        line = _Line(np.rint((np.array(spans) - start_s) * rate_hz).astype(np.int64))
        shifted.append(Stretch((name,), rate_hz, 0.0, round((end_s - start_s) * rate_hz), line.read))
    return JoinedSignals(
        folder,
        tracks,
        shifted,
        texts,
        brain=[track.name for track in tracks if track.role == "eeg"],
        stimulus=[track.name for track in tracks if track.role == "stimulus_ttl"],
    )


class _Stream:
    """The channels that one processor recorded together."""

    def __init__(self, reader: Any, index: int) -> None:
        self._reader = reader
        self._index = index
        stream_id = reader.header["signal_streams"][index]["id"]
        channels = reader.header["signal_channels"]
        self._channels = channels[channels["stream_id"] == stream_id]
        several = reader.signal_streams_count() > 1
        counted = list(channels["name"])
        stream = str(reader.header["signal_streams"][index]["name"])
        self.names = tuple(
            f"{name} ({stream})" if several and counted.count(name) > 1 else str(name)
            for name in self._channels["name"]
        )

    def tracks(self) -> Iterator[Track]:
        for name, channel in zip(self.names, self._channels, strict=True):
            exact = channel["dtype"] == "int16" and not channel["offset"]
            role = self._role(name, channel)
            scale = _scale(role, str(channel["units"]))
            unit = "µV" if scale != 1.0 or role == "eeg" else str(channel["units"])
            yield Track(name, role, unit, float(channel["gain"]) * scale if exact else None)

    def stretches(self) -> Iterator[Stretch]:
        """A jump of the sample numbers is a gap: neo does not look for them."""
        rate_hz = float(self._channels[0]["sampling_rate"])
        for segment in range(self._reader.segment_count(0)):
            n_samples = int(self._reader.get_signal_size(0, segment, self._index))
            start_s = float(self._reader.get_signal_t_start(0, segment, self._index))
            numbers = self._sample_numbers(segment)
            jumps = [] if numbers is None else (np.flatnonzero(np.diff(numbers[:n_samples]) != 1) + 1).tolist()
            edges = [0, *jumps, n_samples]
            for first, last in pairwise(edges):
                late_s = 0.0 if numbers is None else float(numbers[first] - numbers[0]) / rate_hz
                part = _Part(self._reader, self._index, segment, first, self._scales())
                yield Stretch(self.names, rate_hz, start_s + late_s, last - first, part.read)

    def _scales(self) -> Floats:
        return np.array(
            [
                float(channel["gain"]) * _scale(self._role(name, channel), str(channel["units"]))
                for name, channel in zip(self.names, self._channels, strict=True)
            ]
        )

    def _role(self, name: str, channel: Any) -> Any:
        label = str(channel["name"])
        if "SYNC" in label:
            return "stimulus_ttl"
        if "ADC" in label or "AUX" in label:
            role = role_by_name(name, str(channel["units"]))
            return "aux" if role == "eeg" else role
        return role_by_name(name, str(channel["units"]))

    def _sample_numbers(self, segment: int) -> NDArray[np.int64] | None:
        buffer = str(self._reader.header["signal_streams"][self._index]["buffer_id"])
        described = self._reader.get_analogsignal_buffer_description(0, segment, buffer)
        for name in _SAMPLE_NUMBERS:
            path = Path(described["file_path"]).parent / name
            if path.exists():
                numbers = np.load(path, mmap_mode="r", allow_pickle=False)
                return numbers if numbers.dtype.kind in "iu" and len(numbers) else None
        return None


@dataclass(frozen=True, slots=True)
class _Part:
    reader: Any
    stream: int
    segment: int
    begins: int
    scales: Floats

    def read(self, rows: Sequence[int], first: int, last: int) -> Floats:
        counts = self.reader.get_analogsignal_chunk(
            0, self.segment, self.begins + first, self.begins + last, self.stream, channel_indexes=list(rows)
        )
        return np.asarray(counts.T * self.scales[list(rows), None], np.float64)


@dataclass(frozen=True, slots=True)
class _Line:
    """A TTL line as a channel of 0 and 1; ``spans`` are ``(n, 2)`` samples at which it rose and fell."""

    spans: NDArray[np.int64]

    def read(self, rows: Sequence[int], first: int, last: int) -> Floats:
        level = np.zeros(last - first)
        begin, end = np.searchsorted(self.spans[:, 1], first), np.searchsorted(self.spans[:, 0], last)
        for rose, fell in self.spans[begin:end]:
            level[max(0, rose - first) : max(0, fell - first)] = 1.0
        return np.tile(level, (len(rows), 1))


def _lines(reader: Any) -> dict[str, list[tuple[float, float]]]:
    """When each TTL line rose and fell, in seconds; one that is high at the end is left out, as neo does."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for onset_s, length_s, label in _events(reader):
        if length_s is not None:
            lines.setdefault(f"TTL {label}", []).append((onset_s, onset_s + length_s))
    return dict(sorted(lines.items()))


def _messages(reader: Any) -> Iterator[tuple[float, str]]:
    for onset_s, length_s, label in _events(reader):
        if length_s is None:
            yield onset_s, label


def _events(reader: Any) -> Iterator[tuple[float, float | None, str]]:
    """Onset, how long the line stayed high, and the line; a message has no length."""
    for channel in range(reader.event_channels_count()):
        for segment in range(reader.segment_count(0)):
            times, lengths, labels = reader.get_event_timestamps(0, segment, channel)
            # Whole numbers are samples; what neo has divided by the rate already is not divided again.
            if times.dtype.kind in "iu":
                times = times / float(reader.header["signal_channels"][0]["sampling_rate"])
            spans = [None] * len(times) if lengths is None else lengths.tolist()
            yield from zip(times.tolist(), spans, map(str, labels), strict=True)


def _scale(role: str, unit: str) -> float:
    return microvolts_per(unit) or 1.0 if role == "eeg" else 1.0
