"""Where an export goes: a folder that is there whole or not at all, and that says what it was made of."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from secrets import token_hex

import msgspec

from kindle.durable import sync_folder, write_whole
from kindle.errors import ConfigError
from kindle.export.contents import Chosen
from kindle.json_reading import from_json
from kindle.study import Study

MANIFEST = "kindle_export.json"


class Manifest(msgspec.Struct, frozen=True):
    """``journal_head`` stands for everything that the journal said when the export was made."""

    format: str
    study: str
    sessions: tuple[str, ...]
    left_out: tuple[str, ...]
    journal_head: str
    software: dict[str, str]


class Meter:
    """Tells how much of an export is done, as a share of its samples."""

    def __init__(self, n_samples: int, told: Callable[[float], None]) -> None:
        self._n_samples = max(1, n_samples)
        self._done = 0
        self._told = told

    def add(self, n_samples: int) -> None:
        self._done += n_samples
        self._told(min(1.0, self._done / self._n_samples))


@contextmanager
def new_folder(out: Path, study: Study, chosen: Chosen, format: str, *, force: bool) -> Iterator[Path]:
    """A folder beside ``out`` that takes its name once everything is in it; nothing is left of one that failed.

    ``force`` replaces an earlier export of the same format, and nothing else. Raises ``ConfigError``.
    """
    _check_target(out, study, format, force)
    partial = out.with_name(f"{out.name}.partial-{token_hex(4)}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
    except OSError as error:
        raise ConfigError(f"cannot write in {out.parent} ({error.strerror}); choose another folder") from error
    try:
        yield partial
        write_whole(partial / MANIFEST, msgspec.json.format(msgspec.json.encode(_manifest(study, chosen, format))))
        _put_in_place(partial, out)
    except OSError as error:
        raise ConfigError(
            f"cannot write {out} ({error.strerror or error}); check the disk, then export again"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_target(out: Path, study: Study, format: str, force: bool) -> None:
    if study.folder.resolve() == out.resolve() or (study.folder / "recordings").resolve() in out.resolve().parents:
        raise ConfigError(f"{out} lies among the recordings of the study; choose a folder outside of them")
    if not out.exists():
        return
    if not out.is_dir():
        raise ConfigError(f"{out} is a file; an export is a folder: choose another name")
    if not any(out.iterdir()):
        return
    if not force:
        raise ConfigError(f"{out} exists already; choose another name, or replace an earlier export with --force")
    try:
        earlier = from_json((out / MANIFEST).read_bytes(), Manifest)
    except (OSError, msgspec.DecodeError):
        raise ConfigError(f"{out} holds other things than an export of kindle; choose another name") from None
    if earlier.format != format:
        raise ConfigError(f"{out} is an export as {earlier.format}, not as {format}; choose another name")


def _manifest(study: Study, chosen: Chosen, format: str) -> Manifest:
    return Manifest(
        format=format,
        study=study.config.name,
        sessions=tuple(contents.id for contents in chosen.contents),
        left_out=chosen.left_out,
        journal_head=study.journal.head_hash,
        software={"kindle-eeg": version("kindle-eeg"), "python": sys.version.split()[0]},
    )


def _put_in_place(partial: Path, out: Path) -> None:
    earlier = out.with_name(f"{out.name}.replaced-{token_hex(4)}")
    if out.exists():
        out.rename(earlier)
    try:
        partial.rename(out)
    except OSError:
        with suppress(OSError):
            earlier.rename(out)
        raise
    sync_folder(out.parent)
    shutil.rmtree(earlier, ignore_errors=True)
