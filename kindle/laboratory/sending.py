"""This rig's journal into the laboratory's database, each row once, from wherever the last contact left off."""

from collections.abc import Callable

from sqlalchemy import Connection, func, select

from kindle.canonical import GENESIS
from kindle.errors import JournalMismatch
from kindle.journal import JournalReader, Row
from kindle.laboratory.line import Line
from kindle.laboratory.tables import ROWS

BATCH = 500
"""Rows in one transaction."""

Told = Callable[[str, int, int], None]
"""Hears of which rig how many rows, of how many, are there."""


def silent(rig: str, done: int, of: int) -> None:
    """A ``Told`` for those who do not watch."""


def send(line: Line, study: str, journal: JournalReader, told: Told = silent, *, batch: int = BATCH) -> int:
    """Send what the database does not have yet, and return how many rows of this rig it holds then.

    Raises ``NotReached`` when the network fails: what was sent stays, the rest goes next time. Raises
    ``JournalMismatch``, and sends nothing, when the database holds other rows of this rig than the journal.
    """
    rig = line.config.rig
    while True:
        with line.transaction() as connection:
            # Two programs of one rig may send at once: the second finds the work of the first done.
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{study}\n{rig}", 0))))
            seq = last_seq_of(connection, study, rig)
            _same_so_far(connection, study, rig, seq, journal)
            rows = journal.after(seq, batch)
            if rows:
                connection.execute(ROWS.insert(), [_values(study, rig, row) for row in rows])
        if rows:
            told(rig, rows[-1].seq, journal.last_seq)
        if len(rows) < batch:
            return seq + len(rows)


def last_seq_of(connection: Connection, study: str, rig: str) -> int:
    found = select(func.coalesce(func.max(ROWS.c.seq), 0)).where(ROWS.c.study == study, ROWS.c.rig == rig)
    return int(connection.execute(found).scalar_one())


def hash_of(connection: Connection, study: str, rig: str, seq: int) -> str | None:
    found = select(ROWS.c.hash).where(ROWS.c.study == study, ROWS.c.rig == rig, ROWS.c.seq == seq)
    return connection.execute(found).scalar_one_or_none() if seq else GENESIS


def _same_so_far(connection: Connection, study: str, rig: str, seq: int, journal: JournalReader) -> None:
    """The chain makes one hash stand for every row before it."""
    here = journal.hash_at(seq) if seq else GENESIS
    if here is None:
        raise JournalMismatch(
            f"the laboratory's database has {seq} rows of rig {rig}, {journal.path} has {journal.last_seq}: it was put "
            "back from an older copy, or another computer uses the name of this rig; nothing was sent"
        )
    if here != hash_of(connection, study, rig, seq):
        raise JournalMismatch(
            f"row {seq} of rig {rig} in the laboratory's database is not row {seq} of {journal.path}: another study "
            "folder uses the name of this rig, or one of them was altered; nothing was sent, run kindle verify"
        )


def _values(study: str, rig: str, row: Row) -> dict[str, object]:
    return {
        "study": study,
        "rig": rig,
        "seq": row.seq,
        "session": row.session,
        "kind": row.kind,
        "sample": row.sample,
        "utc": row.utc_text,
        "payload": row.payload,
        "hash": row.hash,
    }
