"""Names of the tasks that a program has at a device server, noted in its computer: whoever is killed leaves them there.

Only a name that is noted here is ever cleared, and only while no other program holds the notes: a task is cleared that
was this user's, on this computer, and whose program is dead.
"""

import getpass
import ipaddress
import logging
import os
import re
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOG = logging.getLogger(__name__)

MOST_BYTES = 65_536


class TaskNotes:
    """Notes about ``device`` at ``remote``; they are held from here to ``close``, or to the end of the process.

    Where another program holds them, or they cannot be kept, nothing is noted and nothing was left.
    """

    def __init__(self, remote: str, device: str) -> None:
        self._lock = threading.Lock()
        self._names: list[str] = []
        self._fd: int | None = None
        try:
            self._path = _folder(remote) / _file_name(socket.gethostname(), remote, device.casefold())
            self._fd = _held(self._path)
            if self._fd is not None:
                self._names = os.read(self._fd, MOST_BYTES).decode().split("\n")[:-1]
        except (OSError, KeyError, RuntimeError, UnicodeDecodeError) as error:
            LOG.warning("no notes of the tasks of %s at %s are kept: %s", device, remote, error)

    @property
    def left(self) -> tuple[str, ...]:
        """Tasks that were noted and not struck off."""
        with self._lock:
            return tuple(self._names)

    def note(self, name: str) -> None:
        """Before the task is made: one that was never made is looked for in vain, one that is not noted never."""
        with self._lock:
            if self._fd is not None:
                self._names.append(name)
                self._write(self._fd)

    def strike(self, name: str) -> None:
        """The server does not have the task any more."""
        with self._lock:
            if self._fd is not None and name in self._names:
                self._names.remove(name)
                self._write(self._fd)

    def close(self) -> None:
        with self._lock:
            fd, self._fd = self._fd, None
            if fd is None:
                return
            if not self._names:
                with suppress(OSError):  # an open file cannot be removed everywhere; an empty one says nothing
                    self._path.unlink()
            os.close(fd)

    def _write(self, fd: int) -> None:
        text = "".join(f"{name}\n" for name in self._names).encode()
        try:
            os.lseek(fd, 0, os.SEEK_SET)
            os.write(fd, text)
            os.ftruncate(fd, len(text))
            os.fsync(fd)
        except OSError as error:
            LOG.warning("the notes of tasks in %s cannot be written: %s", self._path, error)


def _held(path: Path) -> int | None:
    """The file, locked for this process alone; ``None`` where another one has it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform != "win32" and path.parent.lstat().st_uid != os.getuid():
        raise PermissionError(f"{path.parent} belongs to somebody else")
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not _locked(fd):
                os.close(fd)
                return None
            # Its last holder may have removed it between the two calls above.
            if path.exists() and os.path.samestat(os.fstat(fd), path.stat()):
                return fd
        except OSError:
            os.close(fd)
            raise
        os.close(fd)


if sys.platform == "win32":

    def _locked(fd: int) -> bool:
        os.lseek(fd, MOST_BYTES, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:

    def _locked(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _folder(remote: str) -> Path:
    """Where a computer keeps what programs remember for a user; a server on this one ends with it, at a restart."""
    if _on_this_computer(remote):
        return Path(tempfile.gettempdir()) / f"kindle-{getpass.getuser()}"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "kindle"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "kindle"


def _on_this_computer(remote: str) -> bool:
    host = remote.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def _file_name(*parts: str) -> str:
    return " ".join(re.sub(r"[^A-Za-z0-9.-]", "_", part) for part in parts) + ".tasks"
