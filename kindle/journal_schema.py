"""The journal's file: how durable it is, which table and triggers it has, and how older files are brought up to it."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kindle.errors import JournalMismatch

APPLICATION_ID = 0x6B6E646C
"""Marks an SQLite file as a journal of kindle."""

BUSY_TIMEOUT_S = 10.0

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE rows (
            seq INTEGER PRIMARY KEY CHECK (typeof(seq) = 'integer'),
            session TEXT NOT NULL CHECK (typeof(session) = 'text'),
            kind TEXT NOT NULL CHECK (typeof(kind) = 'text'),
            sample INTEGER CHECK (typeof(sample) IN ('integer', 'null')),
            utc TEXT NOT NULL CHECK (typeof(utc) = 'text'),
            payload TEXT NOT NULL CHECK (typeof(payload) = 'text'),
            hash TEXT NOT NULL CHECK (typeof(hash) = 'text')
        )""",
        "CREATE INDEX rows_by_session ON rows (session, seq)",
    ),
)
"""Step ``n`` brings version ``n`` to ``n + 1``. Steps only ever add: a rebuilt table would lose its triggers."""

TRIGGERS = {
    # REPLACE deletes without asking the DELETE trigger; that seq is always the next one leaves it nothing to replace.
    "rows_follow_one_another": """CREATE TRIGGER rows_follow_one_another BEFORE INSERT ON rows
        WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM rows)
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only: seq must be the next number'); END""",
    "rows_never_change": """CREATE TRIGGER rows_never_change BEFORE UPDATE ON rows
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only: correct a row by a new one'); END""",
    "rows_never_vanish": """CREATE TRIGGER rows_never_vanish BEFORE DELETE ON rows
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only: nothing is deleted'); END""",
}


@dataclass(frozen=True, slots=True)
class Durability:
    """SQLite settings under which no acknowledged row was lost in any simulated crash."""

    journal_mode: str
    synchronous: int


def durability(sqlite_version: tuple[int, int, int]) -> Durability:
    """WAL only where its reset defect is cured (3.51.3): before, two writers at once could corrupt the file."""
    full, extra = 2, 3
    return Durability("wal", full) if sqlite_version >= (3, 51, 3) else Durability("delete", extra)


HERE = durability(sqlite3.sqlite_version_info[:3])
"""For the SQLite that this Python brings."""


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """``mode`` is SQLite's: ``ro``, ``rw`` or ``rwc``. Transactions are begun by hand. Raises ``sqlite3.Error``."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


def make_durable(connection: sqlite3.Connection, path: Path, wanted: Durability) -> None:
    """Most settings last only as long as the connection. Raises ``JournalMismatch`` when one did not take."""
    settings: dict[str, str | int] = {
        "journal_mode": wanted.journal_mode,
        "synchronous": wanted.synchronous,
        "recursive_triggers": 1,
        "fullfsync": 1,
        "foreign_keys": 1,
    }
    for name, value in settings.items():
        connection.execute(f"PRAGMA {name} = {value}").fetchall()
        (actual,) = connection.execute(f"PRAGMA {name}").fetchone()
        if actual != value:
            raise JournalMismatch(
                f"SQLite keeps {name} = {actual} for {path} where {value} is needed to lose nothing: close other "
                "programs that use the file, or move it to a local disk"
            )


def version_of(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def bring_up(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]], *, create: bool = False
) -> None:
    """Apply the migrations that are missing, all or none, after a copy of the file beside it.

    Raises ``JournalMismatch`` for a file of a newer kindle, or an empty one unless ``create`` is set.
    """
    connection.execute("BEGIN IMMEDIATE")  # two programs may open it at once: the second finds the work done
    try:
        version = version_of(connection)
        empty = is_empty(connection)
        if empty and not create:
            raise JournalMismatch(f"{path} is empty: restore the journal from a copy, or begin a new study")
        if not empty:
            check_identity(connection, path, len(migrations))
        if not empty and version < len(migrations):
            check_triggers(connection, path)
            _copy(path, path.with_name(f"{path.name}.version-{version}"))
        if version < len(migrations):
            for step in migrations[version:]:
                for statement in step:
                    connection.execute(statement)
            for name, statement in TRIGGERS.items():
                connection.execute(f"DROP TRIGGER IF EXISTS {name}")
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def is_empty(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,))


def check_identity(connection: sqlite3.Connection, path: Path, known_version: int) -> None:
    """Raises ``JournalMismatch`` when the file is no journal, or one that a newer kindle wrote."""
    if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
        raise JournalMismatch(f"{path} is not a journal of kindle: check the path of the study")
    if (version := version_of(connection)) > known_version:
        raise JournalMismatch(
            f"{path} has version {version}, this kindle knows {known_version}: install a newer kindle to open it"
        )


def missing_triggers(connection: sqlite3.Connection) -> list[str]:
    """Names of the append-only triggers that are not there, or not as we made them."""
    stored = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall())
    return [name for name, statement in TRIGGERS.items() if stored.get(name) != statement]


def check_triggers(connection: sqlite3.Connection, path: Path) -> None:
    """Raises ``JournalMismatch`` when nothing keeps rows from being altered any more."""
    if missing := missing_triggers(connection):
        raise JournalMismatch(
            f"{path} has lost its append-only triggers ({', '.join(missing)}), so rows may have been altered: "
            "run kindle verify, and go on with a copy made before that"
        )


def _copy(path: Path, copy: Path) -> None:
    """A plain copy of the file would miss rows that are still in its write-ahead log."""
    with closing(connect(path, "ro")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
