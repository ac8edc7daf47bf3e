"""What makes two analyses the same: the bytes of the recording, what was asked, and the code that decides."""

import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import file_digest, sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import detectors
import kindle
from kindle.canonical import canonical_json
from kindle.errors import RecordingError
from kindle.reanalysis import Asked
from kindle.stimulus_spec import Automatic

_READERS = ("*_signals.py", "reanalysis.py", "results.py", "stimulus_spec.py", "channel_roles.py", "loading.py",
            "mapped.py", "window_map.py", "edf_header.py", "recording_reading.py")  # fmt: skip
"""Beside the detectors these decide a result."""

Stamps = tuple[tuple[str, int, int], ...]
"""Name, bytes and time of change in ns of each file of a recording."""


@dataclass(frozen=True, slots=True)
class Identity:
    stamps: Stamps
    content: str


def identify(path: Path) -> Identity:
    """Reads the whole recording. Raises ``RecordingError``."""
    return Identity(stamps(path), content(path))


def stamps(path: Path) -> Stamps:
    """Raises ``RecordingError`` where no file is. A file with other stamps is read again; with the same it is not."""
    try:
        found = [(file, file.stat()) for file in _files(path)]
    except OSError as error:
        raise RecordingError(f"{path} cannot be read ({error.strerror}): check the path and its permissions") from None
    return tuple((file.name, stat.st_size, stat.st_mtime_ns) for file, stat in found)


def content(path: Path) -> str:
    """SHA-256 over all files of the recording, wherever it lies. Raises ``RecordingError``."""
    digest = sha256()
    try:
        for file in _files(path):
            with file.open("rb") as opened:
                digest.update(file_digest(opened, "sha256").digest())
    except OSError as error:
        raise RecordingError(f"{path} cannot be read ({error.strerror}): check the path and its permissions") from None
    return digest.hexdigest()


def parameters(asked: Asked) -> dict[str, Any]:
    """What was asked, in plain values; which channels and trains are meant, as the person said it."""
    stimulus = asked.stimulus or Automatic()
    return {
        "criterion": asdict(asked.criterion),
        "channels": list(asked.channels) if asked.channels else None,
        "stimulus": {"kind": type(stimulus).__name__, **asdict(stimulus)},
        "train_s": asked.train_s,
        "refine": asked.refine,
    }


@cache
def software() -> dict[str, str]:
    """Versions of this process; ``detector`` is a digest of the code that decides, whatever its version is called."""
    versions = {"kindle": kindle.__version__, "detector": _code(), "python": platform.python_version()}
    for name in ("numpy", "scipy", "mne"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "unknown"
    return versions


def analysis_id(asked: Asked) -> str:
    """Of the parameters and the detector: 12 letters that name an analysis in a table."""
    own = {"parameters": parameters(asked), "kindle": software()["kindle"], "detector": software()["detector"]}
    return sha256(canonical_json(own).encode()).hexdigest()[:12]


def _code() -> str:
    digest = sha256()
    decides = [*_sources(detectors.__path__, ("*.py",)), *_sources(kindle.__path__, _READERS)]
    for file in decides:
        digest.update(f"{file.parent.name}/{file.name}\0".encode())
        # The same text, as it is checked out on Windows.
        digest.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def _sources(folders: Iterable[str], patterns: tuple[str, ...]) -> list[Path]:
    return sorted(file for folder in folders for pattern in patterns for file in Path(folder).glob(pattern))


def _files(path: Path) -> list[Path]:
    """Those that belong to the recording, in a fixed order; raises ``OSError``."""
    if path.name == "signal.vhdr" and (path.parent / "index.bin").exists():
        path = path.parent
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file() and file.suffix != ".lock")
    if path.suffix.lower() == ".vhdr":
        from kindle.mapped import layout

        path.stat()
        if (found := layout(path)) is not None:
            return [path, found.signal, *([found.markers] if found.markers and found.markers.exists() else [])]
    beside = path.with_suffix(".fdt")
    return [path, beside] if path.suffix.lower() == ".set" and beside.exists() else [path]
