"""Bytes that are on the disk when we say so: append, sync, replace."""

import errno
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from kindle.errors import RecordingError

_BINARY = getattr(os, "O_BINARY", 0)  # without it Windows turns every byte 0x0A of a signal into two


def _flush_to_disk(fd: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # fsync alone leaves the bytes in the drive's cache there
    else:
        getattr(os, "fdatasync", os.fsync)(fd)


def sync_folder(folder: Path) -> None:
    """Make new, renamed and removed names in ``folder`` durable, where the system can."""
    if os.name == "nt":  # folders cannot be opened, hence not synced, on Windows
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_whole(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``: after a crash there is the old file or the new one, nothing between."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        _flush_to_disk(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def truncate(path: Path, n_bytes: int) -> None:
    """Cut ``path`` to its first ``n_bytes``, durably."""
    with path.open("r+b") as file:
        file.truncate(n_bytes)
        _flush_to_disk(file.fileno())


def append_to(path: Path, piece: bytes) -> None:
    """Add ``piece`` at the end of an existing file, durably."""
    with path.open("r+b", buffering=0) as file:
        file.seek(0, os.SEEK_END)
        file.write(piece)
        _flush_to_disk(file.fileno())


_RESTING = -2


class AppendOnlyFile:
    """A new file that only grows, by whole pieces; each piece is one system call, so a kill cannot tear it."""

    def __init__(self, path: Path) -> None:
        """Raises ``FileExistsError`` when there is one already."""
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
        self.n_bytes = 0
        self._dirty = True

    def append(self, piece: bytes | memoryview) -> None:
        """Raises ``RecordingError`` when not all of it could be written; the file then ends where it ended before."""
        before = self.n_bytes
        self._dirty = True
        try:
            if self._fd == _RESTING:
                self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | _BINARY)
            n_written = os.write(self._fd, piece)
            if n_written != len(piece):
                raise OSError(errno.ENOSPC, f"only {n_written} of {len(piece)} bytes were taken")
            self.n_bytes = before + n_written
        except OSError as error:
            self.cut(before)
            raise RecordingError(
                f"cannot write {self.path} ({error.strerror}; {_free_mb(self.path.parent)} MB free on its disk): "
                "free space or check the disk, then begin a new recording"
            ) from error
        except BaseException:
            self.cut(before)
            raise

    def cut(self, n_bytes: int) -> None:
        """Take back what a broken or interrupted append left after the first ``n_bytes``."""
        self.n_bytes = n_bytes
        with suppress(OSError):  # what stays is cut when the recording is opened
            os.ftruncate(self._fd, n_bytes)

    def sync(self) -> None:
        """Return when everything appended is on the disk. May take hundreds of milliseconds."""
        if not self._dirty:
            return
        self._dirty = False  # before the sync: what is appended meanwhile waits for the next one
        try:
            _flush_to_disk(self._fd)
        except OSError as error:
            raise RecordingError(
                f"cannot sync {self.path} ({error.strerror}): its last seconds may be lost; check the disk, then "
                "begin a new recording"
            ) from error

    def rest(self) -> None:
        """Sync, and hold no file open until the next append: a process may have only so many."""
        self.sync()
        self._let_go(_RESTING)

    def close(self) -> None:
        """Let go of the file for good; more than once is harmless."""
        self._let_go(-1)

    def _let_go(self, instead: int) -> None:
        if self._fd >= 0:
            fd, self._fd = self._fd, instead
            os.close(fd)


def _free_mb(folder: Path) -> str:
    try:
        return f"{shutil.disk_usage(folder).free / 1e6:.0f}"
    except OSError:
        return "unknown"
