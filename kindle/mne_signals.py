"""Files that MNE reads, seen as kindle sees signals."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from kindle.channel_roles import role_by_name
from kindle.errors import RecordingError
from kindle.fif_tags import check_tags
from kindle.loading import Floats, Note, Track, first_line, is_gap
from kindle.matlab_elements import check_elements

BRAIN_TYPES = ("eeg", "seeg", "ecog", "dbs")


class MneSignals:
    """A file that MNE reads, left on disk until a window is asked for."""

    remarks: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        import mne

        try:
            _check_structure(path)
            # Whatever MNE says on the way, the person hears one sentence, or nothing.
            with mne.utils.use_log_level("ERROR"):
                self._raw: Any = mne.io.read_raw(path, preload=False, verbose="ERROR")
                kinds = self._raw.get_channel_types()
        except Exception as error:
            raise RecordingError(
                f"{path} cannot be read as a recording ({first_line(error)}): check the file"
            ) from error
        if not self._raw.n_times or not self._raw.ch_names:
            raise RecordingError(f"{path} holds no samples: check that it was recorded and copied to its end")
        self._path = path
        types = dict(zip(self._raw.ch_names, kinds, strict=True))
        self.rate_hz = float(self._raw.info["sfreq"])
        self.n_samples = int(self._raw.n_times)
        self.names: tuple[str, ...] = tuple(types)
        self.brain = tuple(name for name, kind in types.items() if kind in BRAIN_TYPES)
        self.stimulus = tuple(name for name, kind in types.items() if kind == "stim")
        self.tracks = tuple(self._track(name, kind) for name, kind in types.items())
        notes = self._raw.annotations
        start_s = self._raw.first_time if self._raw.annotations.orig_time is not None else 0.0
        begun: datetime | None = self._raw.info["meas_date"]
        self.start_utc = None if begun is None else begun + timedelta(seconds=self._raw.first_time)
        self.notes = tuple(
            Note(float(onset) - start_s, float(duration), str(text))
            for onset, duration, text in zip(notes.onset, notes.duration, notes.description, strict=True)
        )
        skipped = sorted((note.onset_s, note.onset_s + note.duration_s) for note in self.notes if is_gap(note))
        self.gaps = tuple(_merged([(round(a * self.rate_hz), round(b * self.rate_hz)) for a, b in skipped]))

    def _track(self, name: str, kind: str) -> Track:
        described = self._raw.info["chs"][self._raw.ch_names.index(name)]
        step = float(described["cal"] * described["range"])
        if kind == "stim":
            return Track(name, "stimulus_ttl", "V", maybe_step=step)
        role = role_by_name(name, "V")
        if kind not in BRAIN_TYPES:
            return Track(name, role if role == "stimulus_ttl" else "aux", "V", maybe_step=step)
        return Track(name, role, "µV", maybe_step=step * 1e6)

    def read(self, names: Sequence[str], first: int, last: int) -> Floats:
        import mne

        last = min(last, self.n_samples)
        try:
            with mne.utils.use_log_level("ERROR"):
                window = self._raw.get_data(picks=[self.names.index(name) for name in names], start=first, stop=last)
        except Exception as error:
            raise RecordingError(
                f"{self._path} cannot be read from {first / self.rate_hz:.1f} s on ({first_line(error)}): "
                "it may be cut short; copy it again"
            ) from error
        scale = np.array([1e6 if name in self.brain else 1.0 for name in names])
        window = np.multiply(window, scale[:, None], dtype=np.float64)
        for begin, end in self.gaps:
            window[:, max(0, begin - first) : max(0, end - first)] = np.nan
        return np.asarray(window)


def _check_structure(path: Path) -> None:
    """What would make a library below MNE hang, or end the process. Raises ``ValueError`` and ``OSError``."""
    if path.name.lower().endswith((".fif", ".fif.gz")):
        check_tags(path)
    elif path.suffix.lower() == ".set":
        check_elements(path)


def _merged(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans in order, those that touch as one."""
    begin, end = spans[0] if spans else (0, 0)
    for first, last in spans[1:]:
        if first > end:
            yield begin, end
            begin = first
        end = max(end, last)
    if end > begin:
        yield begin, end
