"""Whether the journal still says what it said: every row against its hash, and the chain from row to row."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from kindle.canonical import GENESIS, chain_hash
from kindle.errors import JournalMismatch, KindleError
from kindle.journal import JournalReader
from kindle.journal_schema import connect, missing_triggers
from kindle.problem import Problem


def verify_chain(path: Path, *, head_hash: str | None = None) -> list[Problem]:
    """Everything wrong with the journal, with the row concerned; changes nothing.

    ``head_hash``, from an earlier report, must be in the chain: without it, rows cut off the end leave no trace.
    """
    try:
        JournalReader.open(path).close()  # a journal at all, and no half-written row in it
        with closing(connect(path, "ro")) as connection:
            # Text that is no longer UTF-8 must be found, not stumbled over.
            connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
            return list(_problems(path, connection, head_hash))
    except KindleError as error:
        return [Problem(path, str(error))]
    except sqlite3.Error as error:
        return [Problem(path, f"cannot be read ({error}): restore it from a copy")]


def _problems(path: Path, connection: sqlite3.Connection, head_hash: str | None) -> Iterator[Problem]:
    for name in missing_triggers(connection):
        yield Problem(
            path, f"the append-only trigger {name} is not there as kindle made it: rows may have been altered"
        )
    for (complaint,) in connection.execute("PRAGMA integrity_check").fetchall():
        if complaint != "ok":
            yield Problem(path, f"SQLite finds the file damaged: {complaint}")
    rows = connection.execute("SELECT seq, session, kind, sample, utc, payload, hash FROM rows ORDER BY seq").fetchall()
    previous, expected_seq, known = GENESIS, 1, {GENESIS}
    for seq, *fields, digest in rows:
        if not isinstance(seq, int):
            yield Problem(path, f"a row has no number, but {seq!r}: SQLite's own bookkeeping is damaged")
            continue
        if seq != expected_seq:
            yield Problem(path, f"row {expected_seq} is missing: the next one is row {seq}", seq=expected_seq)
        if digest != _hash_of(previous, seq, *fields):
            yield Problem(path, f"row {seq} is not what was written, or does not follow the row before it", seq=seq)
        previous, expected_seq = digest, seq + 1
        known.add(digest)
    if head_hash is not None and head_hash not in known:
        yield Problem(path, f"no row has the hash {head_hash}: rows that were there have been replaced or cut off")


def _hash_of(previous: object, *fields: object) -> str | None:
    try:
        return chain_hash(previous, *fields) if isinstance(previous, str) else None
    except (JournalMismatch, UnicodeEncodeError):  # a number or a text that was never written
        return None
