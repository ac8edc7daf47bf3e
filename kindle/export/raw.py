"""Any recording as an MNE Raw that reads from the disk what is asked for, and nothing else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import mne
import numpy as np
from mne.io import BaseRaw

from kindle.loading import Floats, Loaded, is_gap, load

_TYPES = {"eeg": "eeg", "stimulus_ttl": "stim", "current_monitor": "misc", "aux": "misc"}


def raw_of(path: Path, *, brain_type: str = "eeg") -> "LoadedRaw":
    """Raises ``RecordingError`` for what is no recording."""
    return LoadedRaw(load(path), path, brain_type=brain_type)


class LoadedRaw(BaseRaw):  # type: ignore[misc]  # MNE has no types
    """Brain signals in volts, as MNE has them; lost samples are NaN and annotated ``BAD_ACQ_SKIP``."""

    def __init__(self, signals: Loaded, path: Path, *, brain_type: str = "eeg") -> None:
        types = [
            brain_type if track.name in signals.brain and track.role == "eeg" else _type(track.role)
            for track in signals.tracks
        ]
        info = mne.create_info(list(signals.names), signals.rate_hz, types, verbose="ERROR")
        super().__init__(
            info,
            preload=False,
            filenames=[path],
            last_samps=[signals.n_samples - 1],
            raw_extras=[{"shared": _Shared(signals)}],
            orig_format="short",
            verbose="ERROR",
        )
        self.set_meas_date(signals.start_utc)
        self.set_annotations(_annotations(signals), verbose="ERROR")

    def _read_segment_file(
        self, data: Floats, idx: Any, fi: int, start: int, stop: int, cals: Floats, mult: Floats | None
    ) -> None:
        """Called by MNE: ``data`` is to be filled with ``[start, stop)`` of the channels ``idx``."""
        # Of the Raw itself MNE shows nothing but this while it reads.
        signals: Loaded = self._raw_extras[fi]["shared"].signals
        names: Sequence[str] = np.array(signals.names, dtype=object)[idx].tolist()
        scale = np.array([1e-6 if name in signals.brain else 1.0 for name in names])
        values = signals.read(names, start, stop) * scale[:, None]
        data[:] = values if mult is None else mult @ values


class _Shared:
    """A copy of a Raw reads from the same file: samples on the disk are not copied with it."""

    def __init__(self, signals: Loaded) -> None:
        self.signals = signals

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self


def _type(role: str) -> str:
    return _TYPES["aux" if role == "eeg" else role]


def _annotations(signals: Loaded) -> mne.Annotations:
    spans = [(note.onset_s, note.duration_s, note.text) for note in signals.notes if not is_gap(note)]
    spans += [
        (first / signals.rate_hz, (last - first) / signals.rate_hz, "BAD_ACQ_SKIP") for first, last in signals.gaps
    ]
    onsets, durations, texts = zip(*sorted(spans), strict=True) if spans else ((), (), ())
    return mne.Annotations(onsets, durations, texts, orig_time=signals.start_utc)
