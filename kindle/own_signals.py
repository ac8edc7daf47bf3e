"""Recordings of kindle's own, seen as signals on one clock."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from kindle import window_map
from kindle.channel_roles import microvolts_per
from kindle.errors import RecordingError
from kindle.loading import Floats, Note, Track, segment_starts
from kindle.recording_reading import Recording


class KindleSignals:
    """A recording of kindle's own, its segments on one clock with NaN between them."""

    remarks: tuple[str, ...] = ()

    def __init__(self, recording: Recording) -> None:
        self.rate_hz = recording.rate_hz
        self.names = tuple(channel.name for channel in recording.channels)
        self.brain = tuple(channel.name for channel in recording.channels if channel.role == "eeg")
        self.stimulus = tuple(channel.name for channel in recording.channels if channel.role == "stimulus_ttl")
        self.start_utc: datetime | None = recording.start_utc
        self._scale = [
            channel.resolution * (_microvolts_of_eeg(channel.unit) if channel.role == "eeg" else 1.0)
            for channel in recording.channels
        ]
        self.tracks = tuple(
            Track(channel.name, channel.role, "µV" if channel.role == "eeg" else channel.unit, step)
            for channel, step in zip(recording.channels, self._scale, strict=True)
        )
        self._segments = recording.segments
        self._starts = segment_starts(recording)
        self.notes = tuple(
            Note(
                (start + marker.sample - segment.first_sample) / self.rate_hz,
                marker.n_samples / self.rate_hz,
                f"{marker.type}/{marker.description}",
            )
            for start, segment in zip(self._starts, recording.segments, strict=True)
            for marker in segment.markers
        )
        ends = [start + segment.n_samples for start, segment in zip(self._starts, recording.segments, strict=True)]
        self.gaps = tuple(zip(ends, self._starts[1:], strict=False))
        self.n_samples = ends[-1]
        if not self.n_samples:
            raise RecordingError(f"{recording.folder} holds no samples: nothing was recorded")

    def read(self, names: Sequence[str], first: int, last: int) -> Floats:
        rows = [self.names.index(name) for name in names]
        last = min(last, self.n_samples)
        window = np.full((len(rows), last - first), np.nan)
        for start, segment in zip(self._starts, self._segments, strict=True):
            begin, end = max(first, start), min(last, start + segment.n_samples)
            if begin < end:
                signal, n = segment.header_path.with_suffix(".eeg"), len(self.names)
                counts = window_map.window(signal, np.dtype("<i2"), n, begin - start, end - start)[rows]
                scale = np.array([self._scale[row] for row in rows])
                window[:, begin - first : end - first] = counts * scale[:, None]
        return window


def _microvolts_of_eeg(unit: str) -> float:
    microvolts = microvolts_per(unit)
    if microvolts is None:
        raise RecordingError(f"an EEG channel is in {unit!r}, not in volts: check the unit in rig.toml")
    return microvolts
