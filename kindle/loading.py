"""Any recording as one thing: named channels read window by window, in microvolts where they are brain signals."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kindle import window_map
from kindle.errors import ConfigError, RecordingError
from kindle.recording_reading import Recording, open_recording

Floats = NDArray[np.float64]

_BRAIN_TYPES = ("eeg", "seeg", "ecog", "dbs")


@dataclass(frozen=True, slots=True)
class Note:
    """An annotation of the file; ``duration_s`` may be 0."""

    onset_s: float
    duration_s: float
    text: str


class Signals(Protocol):
    """Samples are counted from the start of the recording; lost ones are there as NaN."""

    @property
    def rate_hz(self) -> float: ...

    @property
    def n_samples(self) -> int: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def brain(self) -> tuple[str, ...]:
        """The EEG-like channels."""
        ...

    @property
    def stimulus(self) -> tuple[str, ...]:
        """Channels that the file itself calls stimulus or trigger channels."""
        ...

    @property
    def notes(self) -> tuple[Note, ...]: ...

    def read(self, names: Sequence[str], first: int, last: int) -> Floats:
        """``(len(names), last - first)``: microvolts for EEG-like channels, any unit for others."""
        ...


def load(path: Path) -> Signals:
    """Raises ``RecordingError`` for what neither kindle nor MNE can read."""
    if not path.exists():
        raise RecordingError(f"{path} does not exist: check the path")
    if path.is_dir() and (path / "signal.vhdr").exists():
        return KindleSignals(open_recording(path))
    if path.name == "signal.vhdr" and (path.parent / "index.bin").exists():
        return KindleSignals(open_recording(path))
    if path.suffix.lower() == ".vhdr":
        from kindle.mapped import MappedSignals, layout

        if found := layout(path):
            return MappedSignals(found)
    return MneSignals(path)


class MneSignals:
    """A file that MNE reads, left on disk until a window is asked for."""

    def __init__(self, path: Path) -> None:
        import mne

        try:
            # Whatever MNE says on the way, the person hears one sentence, or nothing.
            with mne.utils.use_log_level("ERROR"):
                self._raw: Any = mne.io.read_raw(path, preload=False, verbose="ERROR")
        except Exception as error:
            raise RecordingError(
                f"{path} cannot be read as a recording ({_first_line(error)}): check the file"
            ) from error
        if not self._raw.n_times or not self._raw.ch_names:
            raise RecordingError(f"{path} holds no samples: check that it was recorded and copied to its end")
        self._path = path
        types = self._raw.get_channel_types()
        self.rate_hz = float(self._raw.info["sfreq"])
        self.n_samples = int(self._raw.n_times)
        self.names: tuple[str, ...] = tuple(self._raw.ch_names)
        self.brain = tuple(name for name, kind in zip(self.names, types, strict=True) if kind in _BRAIN_TYPES)
        self.stimulus = tuple(name for name, kind in zip(self.names, types, strict=True) if kind == "stim")
        notes = self._raw.annotations
        start_s = self._raw.first_time if self._raw.annotations.orig_time is not None else 0.0
        self.notes = tuple(
            Note(float(onset) - start_s, float(duration), str(text))
            for onset, duration, text in zip(notes.onset, notes.duration, notes.description, strict=True)
        )
        self._skipped = [note for note in self.notes if note.text.upper().startswith("BAD_ACQ_SKIP")]

    def read(self, names: Sequence[str], first: int, last: int) -> Floats:
        import mne

        last = min(last, self.n_samples)
        try:
            with mne.utils.use_log_level("ERROR"):
                window = self._raw.get_data(picks=[self.names.index(name) for name in names], start=first, stop=last)
        except Exception as error:
            raise RecordingError(
                f"{self._path} cannot be read from {first / self.rate_hz:.1f} s on ({_first_line(error)}): "
                "it may be cut short; copy it again"
            ) from error
        scale = np.array([1e6 if name in self.brain else 1.0 for name in names])
        window = np.multiply(window, scale[:, None], dtype=np.float64)
        for note in self._skipped:
            begin, end = (round(s * self.rate_hz) - first for s in (note.onset_s, note.onset_s + note.duration_s))
            window[:, max(0, begin) : max(0, end)] = np.nan
        return np.asarray(window)


class KindleSignals:
    """A recording of kindle's own, its segments on one clock with NaN between them."""

    def __init__(self, recording: Recording) -> None:
        self.rate_hz = recording.rate_hz
        self.names = tuple(channel.name for channel in recording.channels)
        self.brain = tuple(channel.name for channel in recording.channels if channel.role == "eeg")
        self.stimulus = tuple(channel.name for channel in recording.channels if channel.role == "stimulus_ttl")
        self._scale = [
            channel.resolution * (_microvolts_of_eeg(channel.unit) if channel.role == "eeg" else 1.0)
            for channel in recording.channels
        ]
        self._segments = recording.segments
        self._starts: list[int] = []
        notes: list[Note] = []
        end = 0
        for segment in recording.segments:
            elapsed_s = (segment.start_utc - recording.start_utc).total_seconds()
            # Never spliced: at least one sample is missing between two segments.
            waited = max(1, round(elapsed_s * self.rate_hz) - end) if segment.n_lost is None else segment.n_lost
            start = end + waited if self._starts else 0
            self._starts.append(start)
            notes += [
                Note(
                    (start + marker.sample - segment.first_sample) / self.rate_hz,
                    marker.n_samples / self.rate_hz,
                    f"{marker.type}/{marker.description}",
                )
                for marker in segment.markers
            ]
            end = start + segment.n_samples
        self.n_samples = end
        self.notes = tuple(notes)
        if not end:
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


def chosen(signals: Signals, wanted: Sequence[str] | None, path: Path) -> tuple[str, ...]:
    """The channels to analyse: those wanted, or all EEG-like ones that are no trigger by their name."""
    if wanted:
        if missing := [name for name in wanted if name not in signals.names]:
            raise ConfigError(f"{path} has no channel {missing[0]!r}; it has: {', '.join(signals.names)}")
        return tuple(dict.fromkeys(wanted))
    if not signals.brain:
        raise RecordingError(
            f"{path} has no EEG-like channel; name one with --channel, it has: {', '.join(signals.names)}"
        )
    return signals.brain


def microvolts_per(unit: str) -> float | None:
    """``None`` for what is no voltage."""
    return {"v": 1e6, "mv": 1e3, "uv": 1.0, "µv": 1.0, "μv": 1.0, "nv": 1e-3}.get(unit.casefold())


def _microvolts_of_eeg(unit: str) -> float:
    microvolts = microvolts_per(unit)
    if microvolts is None:
        raise RecordingError(f"an EEG channel is in {unit!r}, not in volts: check the unit in rig.toml")
    return microvolts


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
