"""Any recording as one thing: named channels read window by window, in microvolts where they are brain signals."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.interface import Role
from kindle.errors import ConfigError, RecordingError
from kindle.recording_reading import Recording, open_recording

Floats = NDArray[np.float64]

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """An annotation of the file; ``duration_s`` may be 0."""

    onset_s: float
    duration_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Track:
    """What a file says of one of its channels.

    ``unit`` is that of ``read``; ``step`` is one count of a file that holds int16 counts, in the same unit.
    ``maybe_step`` is one of a file that may hold counts, in numbers that could be others.
    """

    name: str
    role: Role
    unit: str
    step: float | None = None
    maybe_step: float | None = None


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


class Loaded(Signals, Protocol):
    """What ``load`` returns: signals that can be handed on to another file."""

    @property
    def tracks(self) -> tuple[Track, ...]:
        """In the order of ``names``."""
        ...

    @property
    def start_utc(self) -> datetime | None:
        """``None`` where the file does not say when it was recorded."""
        ...

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """``[first, last)`` of stretches in which no channel has a sample, in order."""
        ...

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is wrong with the file, though it can be read: one sentence each."""
        ...


def load(path: Path) -> Loaded:
    """Raises ``RecordingError`` for what can be read neither by kindle nor by MNE, pynwb or neo."""
    if not path.exists():
        raise RecordingError(f"{path} does not exist: check the path")
    suffix = path.suffix.lower()
    if path.is_dir() and (path / "signal.vhdr").exists():
        return _own(path)
    if path.name == "signal.vhdr" and (path.parent / "index.bin").exists():
        return _own(path)
    if suffix == ".vhdr":
        from kindle.mapped import MappedSignals, layout

        if found := layout(path):
            return MappedSignals(found)
    if suffix in (".edf", ".bdf", ".rec"):
        from kindle.edf_signals import edf_signals

        return edf_signals(path)
    if suffix == ".nwb":
        from kindle.nwb_signals import nwb_signals

        return nwb_signals(path)
    if path.name == "structure.oebin" or (path.is_dir() and next(path.rglob("structure.oebin"), None)):
        from kindle.openephys_signals import openephys_signals

        return openephys_signals(path if path.is_dir() else path.parent)
    if path.is_dir() and not suffix:
        raise RecordingError(f"{path} is a folder without a recording: give a file, or the folder of one recording")
    from kindle.mne_signals import MneSignals

    return MneSignals(path)


def segment_starts(recording: Recording) -> tuple[int, ...]:
    """Where each segment begins on the clock of the whole recording, what was lost between them included."""
    starts: list[int] = []
    end = 0
    for segment in recording.segments:
        elapsed_s = (segment.start_utc - recording.start_utc).total_seconds()
        # Never spliced: at least one sample is missing between two segments.
        waited = max(1, round(elapsed_s * recording.rate_hz) - end) if segment.n_lost is None else segment.n_lost
        starts.append(end + waited if starts else 0)
        end = starts[-1] + segment.n_samples
    return tuple(starts)


def chosen(signals: Signals, wanted: Sequence[str] | None, path: Path) -> tuple[str, ...]:
    """The channels to analyse: those wanted, by name or by a pattern such as ``HPC*``; else all EEG-like ones."""
    if wanted:
        found = [name for word in wanted for name in _named(signals, word, path)]
        return tuple(dict.fromkeys(found))
    if not signals.brain:
        raise RecordingError(
            f"{path} has no EEG-like channel; name one with --channel, it has: {', '.join(signals.names)}"
        )
    return signals.brain


def is_gap(note: Note) -> bool:
    """How MNE, and everybody after it, marks samples that are not there."""
    return note.text.upper().startswith("BAD_ACQ_SKIP")


@cache
def warn_once(sentence: str) -> None:
    """A recording is opened several times for one analysis; a person is told once."""
    LOG.warning("%s", sentence)


def first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def in_utc(moment: datetime) -> datetime:
    """Of a file that has no time zone the time is taken as it stands, as every other reader of it does."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _own(path: Path) -> Loaded:
    from kindle.own_signals import KindleSignals

    return KindleSignals(open_recording(path))


def _named(signals: Signals, word: str, path: Path) -> list[str]:
    if word in signals.names:
        return [word]
    matching = [name for name in signals.names if fnmatchcase(name, word)]
    if not matching:
        raise ConfigError(f"{path} has no channel {word!r}; it has: {', '.join(signals.names)}")
    return matching
