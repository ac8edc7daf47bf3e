"""The journal: an append-only, hash-chained log of everything that happened in a study."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import index
from pathlib import Path
from types import TracebackType
from typing import Self, SupportsIndex

from kindle.canonical import GENESIS, canonical_json, chain_hash
from kindle.errors import ConfigError, JournalMismatch, KindleError
from kindle.journal_schema import (
    HERE,
    MIGRATIONS,
    Durability,
    bring_up,
    check_identity,
    check_triggers,
    connect,
    is_empty,
    make_durable,
)

_FIRST_YEAR, _LAST_YEAR = 1900, 9000
"""Beyond them a time cannot be told in every zone."""
_FIELDS = "seq, session, kind, sample, utc, payload, hash"


@dataclass(frozen=True, slots=True)
class Row:
    """``payload`` is the JSON text that was hashed; ``sample`` counts in the recording open at that time."""

    seq: int
    session: str
    kind: str
    sample: int | None
    utc: datetime
    payload: str
    hash: str

    @property
    def utc_text(self) -> str:
        """The time as it is stored and was hashed."""
        return _text_of(self.utc)


def _text_of(utc: datetime) -> str:
    return utc.isoformat(timespec="microseconds")


def moment_of(utc_text: str) -> datetime:
    """The time of a stored row. Raises ``ValueError`` for what kindle never writes: without a zone, or of no epoch."""
    moment = datetime.fromisoformat(utc_text)
    if moment.tzinfo is None or not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        raise ValueError(f"{utc_text!r} is no time of an experiment")
    return moment


class JournalReader:
    """Reads a journal that others may be writing. May be shared between threads."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Use ``open``."""
        self.path = path
        self.others: Mapping[str, Journal] = {}
        """What is known here of the journals of the other rigs of the laboratory; each numbers its own rows."""
        self._connection = connection
        self._one_at_a_time = threading.RLock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open for reading only. Raises ``ConfigError`` when it is not there, ``JournalMismatch`` when it is none."""
        _require(path)
        with _explained(path):
            connection = _connect_read_only(path)
            try:
                check_identity(connection, path, len(MIGRATIONS))
            except BaseException:
                connection.close()
                raise
        return cls(path, connection)

    def rows(self, session: str | None = None) -> list[Row]:
        """In order; of one session, or of all."""
        # Fetched whole: a cursor left half read would keep writers from committing.
        if session is None:
            found = self._fetch(f"SELECT {_FIELDS} FROM rows ORDER BY seq")
        else:
            found = self._fetch(f"SELECT {_FIELDS} FROM rows WHERE session = ? ORDER BY seq", session)
        return [_row(self.path, fields) for fields in found]

    def after(self, seq: int, most: int) -> list[Row]:
        """The next rows after ``seq``, ``most`` of them."""
        found = self._fetch(f"SELECT {_FIELDS} FROM rows WHERE seq > ? ORDER BY seq LIMIT ?", seq, most)
        return [_row(self.path, fields) for fields in found]

    def sessions(self) -> list[str]:
        """In the order in which they began."""
        return [str(name) for (name,) in self._fetch("SELECT session FROM rows GROUP BY session ORDER BY min(seq)")]

    @property
    def head_hash(self) -> str:
        """Stands for the whole journal up to now: printed on a report, it shows later that nothing was altered."""
        return self.hash_at(self.last_seq) or GENESIS

    @property
    def last_seq(self) -> int:
        """0 in an empty journal."""
        ((last,),) = self._fetch("SELECT coalesce(max(seq), 0) FROM rows")
        assert isinstance(last, int)
        return last

    def hash_at(self, seq: int) -> str | None:
        found = self._fetch("SELECT hash FROM rows WHERE seq = ?", seq)
        return str(found[0][0]) if found else None

    def close(self) -> None:
        for other in self.others.values():
            other.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fetch(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self._one_at_a_time, _explained(self.path):
            return self._connection.execute(query, values).fetchall()


class Journal(JournalReader):
    """Writes too. Several processes may: each row is appended, and on the disk, before ``append`` returns."""

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        create: bool = False,
        durability: Durability = HERE,
        migrations: Sequence[Sequence[str]] = MIGRATIONS,
    ) -> Self:
        """Open for appending, bringing an older file up to date; ``create`` makes one where there is none.

        Raises ``ConfigError`` when it is not there, ``JournalMismatch`` when it is no journal, its triggers are gone
        or SQLite cannot promise to keep what it acknowledges.
        """
        if not create:
            _require(path)
        with _explained(path):
            connection = connect(path, "rwc" if create else "rw")
            try:
                if not is_empty(connection):
                    check_identity(connection, path, len(migrations))  # before a setting stays in somebody's file
                make_durable(connection, path, durability)
                bring_up(connection, path, migrations, create=create)
                check_triggers(connection, path)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection)

    def append(self, session: str, kind: str, payload: object, *, sample: SupportsIndex | None, utc: datetime) -> Row:
        """Add a row and return it once it is on the disk; ``payload`` is anything msgspec writes as JSON.

        Raises ``JournalMismatch`` for values that would not come back as they are, ``KindleError`` when the row could
        not be stored; then it is not there.
        """
        for what, text in (("session", session), ("kind", kind)):
            if not text or "\0" in text:
                raise JournalMismatch(f"{what} {text!r} cannot stand in the journal: give it a name")
        if utc.tzinfo is None:
            raise JournalMismatch(f"time {utc} has no time zone: give it in UTC")
        moment = utc.astimezone(UTC)
        utc_text = _text_of(moment)
        at_sample = None if sample is None else index(sample)
        text = canonical_json(payload)
        with self._one_at_a_time, _explained(self.path), _transaction(self._connection):
            last_seq, previous = self._last()
            fields = (last_seq + 1, session, kind, at_sample, utc_text, text)
            digest = chain_hash(previous, *fields)
            self._insert(*fields, digest)
        return Row(last_seq + 1, session, kind, at_sample, moment, text, digest)

    def adopt(self, rows: Sequence[Row]) -> None:
        """Add rows that another rig wrote, as they are, all or none.

        Raises ``JournalMismatch`` when one does not follow the row before it.
        """
        with self._one_at_a_time, _explained(self.path), _transaction(self._connection):
            last_seq, previous = self._last()
            for row in rows:
                fields = (row.seq, row.session, row.kind, row.sample, row.utc_text, row.payload)
                if row.seq != last_seq + 1 or row.hash != chain_hash(previous, *fields):
                    raise JournalMismatch(f"row {row.seq} does not follow row {last_seq} of {self.path}")
                self._insert(*fields, row.hash)
                last_seq, previous = row.seq, row.hash

    def _last(self) -> tuple[int, str]:
        last = self._connection.execute("SELECT seq, hash FROM rows ORDER BY seq DESC LIMIT 1").fetchone()
        return last or (0, GENESIS)

    def _insert(self, *fields: object) -> None:
        self._connection.execute(f"INSERT INTO rows ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?)", fields)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """SQLite's errors, in a sentence for people."""
    try:
        yield
    except sqlite3.ProgrammingError:  # a mistake in a program, not in the file
        raise
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            raise KindleError(f"another program keeps the journal {path} busy: close it, then try again") from error
        raise KindleError(f"the journal {path} cannot be used ({error}): check its disk and its permissions") from error
    except (sqlite3.Error, OverflowError, UnicodeError) as error:
        raise JournalMismatch(f"the journal {path} refuses this ({error}): run kindle verify") from error


def _require(path: Path) -> None:
    if not path.exists():
        raise ConfigError(f"there is no journal at {path}: check the path, or begin a new study")


def _connect_read_only(path: Path) -> sqlite3.Connection:
    connection = connect(path, "ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorname != "SQLITE_READONLY_ROLLBACK":
            raise
        # A killed writer left half a row behind; SQLite takes it back at the first look of one that may write.
        repairing = connect(path, "rw")
        try:
            repairing.execute("SELECT count(*) FROM sqlite_master").fetchone()
        finally:
            repairing.close()
        return connect(path, "ro")
    return connection


def _row(path: Path, fields: Sequence[object]) -> Row:
    match fields:
        case [int(seq), str(session), str(kind), int() | None as sample, str(utc), str(payload), str(digest)]:
            try:
                return Row(seq, session, kind, sample, moment_of(utc), payload, digest)
            except ValueError as error:
                raise JournalMismatch(f"row {seq} of {path} is damaged ({error}): run kindle verify") from error
    raise JournalMismatch(f"row {fields[0]} of {path} is damaged: run kindle verify")
