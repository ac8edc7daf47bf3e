"""One process at a time, on every system, with nothing left behind by a process that was killed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kindle.errors import KindleError


class Busy(KindleError):
    """Somebody else holds the lock."""


class CannotLock(KindleError):
    """The file cannot be locked by anybody from here."""


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold ``path`` alone until the block ends or the process does. Raises ``Busy`` at once, never waits.

    The lock is an exclusive SQLite transaction on an empty file: the operating system drops it with the process.
    Do not open that file by other means meanwhile: on POSIX systems closing it would drop the lock.
    """
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _cannot_lock(path, error) from error
    with closing(connection):
        try:
            connection.execute("PRAGMA journal_mode=OFF")  # nothing is ever written: no journal file beside the lock
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise Busy(f"{path} is held by another kindle: let it finish or close it, then try again") from error
            raise _cannot_lock(path, error) from error
        yield


def _cannot_lock(path: Path, error: sqlite3.Error) -> CannotLock:
    return CannotLock(f"cannot lock {path} ({error}): check that its folder exists and may be written")
