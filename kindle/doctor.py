"""Is this installation fit to run an experiment? One finding for each thing that can be wrong, with what to do."""

import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from re import match as matches

from drivers.interface import DeviceNotFound
from drivers.nidaq_boards import driver_version
from drivers.serial_ports import ports
from kindle.finding import Finding, failed, note, ok
from kindle.journal_schema import durability

PACKAGES = ("kindle", "drivers", "detectors")

LEAST_FREE_BYTES = 1e9
ENOUGH_FREE_BYTES = 20e9
BYTES_PER_HOUR = 8 * 5000 * 2 * 3600
"""Of eight channels at 5 kHz."""


def examine(folder: Path) -> Iterator[Finding]:
    """``folder`` is where studies are, or will be, kept."""
    yield from _python()
    yield from side_by_side(sys.path)
    yield from _dependencies()
    yield _sqlite(sqlite3.sqlite_version_info)
    yield from _folder(folder)
    yield _ni_driver()
    yield from _serial_permissions()


def side_by_side(search_path: list[str]) -> Iterator[Finding]:
    """``drivers`` and ``detectors`` are names that other software takes too."""
    homes = {name: _home(name) for name in PACKAGES}
    if len(set(homes.values())) > 1:
        told = ", ".join(f"{name} in {home}" for name, home in homes.items())
        yield failed(
            "packages",
            f"the three packages do not lie side by side ({told}); install kindle-eeg in an environment of its own",
        )
        return
    home = homes["kindle"]
    yield ok("packages", f"{', '.join(PACKAGES)} lie side by side in {home}")
    for entry in dict.fromkeys(Path(entry or ".").resolve() for entry in search_path):
        for name in PACKAGES:
            if entry != home and (other := _found_in(name, entry)) is not None:
                yield failed(
                    "packages",
                    f"{other} is another {name!r} on Python's path: another program may take one for the other; "
                    "install kindle-eeg in an environment of its own, and start it by the kindle command",
                )


def _python() -> Iterator[Finding]:
    told = f"Python {platform.python_version()} on {platform.system()} {platform.release()}"
    yield ok("python", told) if sys.version_info >= (3, 11) else failed("python", f"{told}; install 3.11 or later")
    if sys.prefix == sys.base_prefix:
        yield note("environment", "kindle shares the system's Python; give it an environment of its own")


def _dependencies() -> Iterator[Finding]:
    try:
        wanted = [line for line in requires("kindle-eeg") or () if "extra ==" not in line]
    except PackageNotFoundError:
        yield failed("versions", "kindle-eeg is not installed, only lying there; install it with: uv pip install .")
        return
    names = [found[0] for line in wanted if (found := matches(r"[A-Za-z0-9._-]+", line))]
    there, missing = [f"kindle-eeg {version('kindle-eeg')}"], []
    for name in names:
        try:
            there.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    yield ok("versions", ", ".join(there))
    if missing:
        yield failed("versions", f"not installed: {', '.join(missing)}; install kindle-eeg again")


def _sqlite(found: tuple[int, int, int]) -> Finding:
    told = f"SQLite {'.'.join(map(str, found))}"
    if durability(found).journal_mode == "wal":
        return ok("journal", f"{told}: the journal is kept with a write-ahead log")
    return ok("journal", f"{told}: the journal is kept without a write-ahead log, safe and a little slower")


def _folder(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        yield failed("folder", f"{folder} is no folder; make it, or name another")
        return
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"kindle")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield failed("folder", f"{folder} cannot be written to ({error.strerror}); correct its permissions")
    else:
        yield ok("folder", f"{folder.resolve()} can be written to")
    free = shutil.disk_usage(folder).free
    told = f"{free / 1e9:.1f} GB free, {free / BYTES_PER_HOUR:.0f} h of 8 channels at 5 kHz"
    if free < LEAST_FREE_BYTES:
        yield failed("disk", f"{told}; free space before any session")
    elif free < ENOUGH_FREE_BYTES:
        yield note("disk", f"{told}; free space before a long session")
    else:
        yield ok("disk", told)


def _ni_driver() -> Finding:
    try:
        return ok("NI driver", f"NI-DAQmx {driver_version()}")
    except DeviceNotFound as error:
        return note("NI driver", f"{error}; emulated rigs and recordings work without it")


def _serial_permissions() -> Iterator[Finding]:
    seen = ports()
    closed = [
        port.address for port in seen if port.address.startswith("/") and not os.access(port.address, os.R_OK | os.W_OK)
    ]
    if closed:
        yield failed(
            "serial ports",
            f"no permission to open {', '.join(closed)}; on Linux: sudo usermod -a -G dialout $USER, then log in again",
        )
    else:
        yield ok("serial ports", f"{len(seen)} there; kindle devices lists them")


def _home(name: str) -> Path:
    return Path(str(import_module(name).__file__)).resolve().parent.parent


def _found_in(name: str, entry: Path) -> Path | None:
    """Another package or module of this name; a mere folder is not one."""
    spec = PathFinder.find_spec(name, [str(entry)])
    return None if spec is None or spec.origin is None else Path(spec.origin)
