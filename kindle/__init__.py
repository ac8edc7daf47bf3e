"""Kindling experiments: thresholds, daily kindling, drug tests, and what follows from them."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mne.io import BaseRaw

__version__ = "0.1.0"


def open_recording(path: str | Path) -> "BaseRaw":
    """An MNE Raw of any recording that kindle reads, with its annotations; samples stay on the disk.

    Raises ``kindle.errors.RecordingError`` for what is no recording.
    """
    # MNE takes a while to load, and most commands need none of it.
    from kindle.export.raw import raw_of

    return raw_of(Path(path))
