"""The folder of a study's report: new files over old ones, what an earlier report left gone, other files untouched."""

import hashlib
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import msgspec

from kindle.durable import write_whole
from kindle.errors import KindleError
from kindle.json_reading import from_json

PAGE = "index.html"
WRITTEN = "written.json"
"""What the report wrote, by name with the digests that a file may have: only such a one is overwritten or removed."""

Digests = Mapping[str, tuple[str, ...]]


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write ``files``, the page last; what somebody changed, or wrote under the same name, is set aside.

    Raises ``KindleError`` where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _written(folder / WRITTEN)
        now = {name: (_digest(content),) for name, content in files.items()}
        # Both, so that a report that breaks off here is cleared by the next one.
        _note(folder, {name: (*before.get(name, ()), *now.get(name, ())) for name in before | now})
        for name in sorted(files, key=lambda name: name == PAGE):
            _set_aside(folder / name, before.get(name, ()))
            write_whole(folder / name, files[name])
        for name in before.keys() - now.keys():
            if _is_ours(folder / name, before[name]):
                (folder / name).unlink()
        _note(folder, now)
    except OSError as error:
        raise KindleError(f"cannot write the report {folder} ({error}): check the disk and its permissions") from error


def _is_ours(path: Path, digests: tuple[str, ...]) -> bool:
    return path.is_file() and _digest(path.read_bytes()) in digests


def _set_aside(path: Path, digests: tuple[str, ...]) -> None:
    """``index.html`` becomes ``index.kept-1.html``."""
    if path.is_file() and not _is_ours(path, digests):
        others = (path.with_name(f"{path.stem}.kept-{n}{path.suffix}") for n in count(1))
        path.rename(next(other for other in others if not other.exists()))


def _note(folder: Path, digests: Digests) -> None:
    write_whole(folder / WRITTEN, msgspec.json.format(msgspec.json.encode(dict(sorted(digests.items()))), indent=2))


def _written(path: Path) -> dict[str, tuple[str, ...]]:
    """Nothing where there is no list, or none that can be read: then nothing is overwritten or removed."""
    try:
        found = from_json(path.read_bytes(), dict[str, tuple[str, ...]])
    except (OSError, msgspec.DecodeError):
        return {}
    return {name: digests for name, digests in found.items() if Path(name).name == name}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
