"""The laboratory's database against the journals, row for row: what `kindle verify` adds where there is one."""

from collections.abc import Iterator

from kindle.canonical import GENESIS, chain_hash
from kindle.errors import ConfigError, JournalMismatch
from kindle.journal import JournalReader, Row
from kindle.journal_verification import verify_chain
from kindle.laboratory.fetching import rigs_of, rows_after
from kindle.laboratory.line import Line, NotReached, connected
from kindle.laboratory.mirror import Mirror
from kindle.laboratory.schema import missing_guards
from kindle.laboratory.sending import BATCH
from kindle.problem import Problem


def compare(mirror: Mirror) -> list[Problem]:
    """What the database says otherwise than this rig's journal, or than the copies of the other rigs' journals.

    Rows that were not sent or fetched yet are no problem. Raises ``NotReached``, or ``ConfigError`` where the database
    lets nobody in.
    """
    problems = [found for copy in mirror.journal.others.values() for found in verify_chain(copy.path)]
    with connected(mirror.config) as line:
        with line.transaction() as connection:
            missing = list(missing_guards(connection))
            rigs = rigs_of(connection, mirror.study)
        problems += [
            Problem(mirror.journal.path, f"{mirror.config} has lost its append-only trigger {name}") for name in missing
        ]
        journals: dict[str, JournalReader] = {mirror.config.rig: mirror.journal, **mirror.journal.others}
        for rig in rigs:
            problems += _differences(line, mirror, rig, journals.get(rig))
    return problems


def why_not_compared(mirror: Mirror) -> str | None:
    """A sentence when the database cannot be reached now."""
    try:
        with connected(mirror.config) as line, line.transaction() as connection:
            rigs_of(connection, mirror.study)
            return None
    except (NotReached, ConfigError) as error:
        return f"{error}: not compared with it"


def _differences(line: Line, mirror: Mirror, rig: str, journal: JournalReader | None) -> Iterator[Problem]:
    path = mirror.journal.path if journal is None else journal.path
    seq, previous = 0, GENESIS
    while rows := _batch(line, mirror.study, rig, seq):
        here = {} if journal is None else {row.seq: row for row in journal.after(seq, BATCH)}
        for row in rows:
            if row.seq != seq + 1:
                yield Problem(path, f"{mirror.config} lacks row {seq + 1} of rig {rig}", seq=seq + 1)
            if row.hash != _hash_of(previous, row):
                told = f"row {row.seq} of rig {rig} in {mirror.config} is not what was written there"
                yield Problem(path, told, seq=row.seq)
            if row.seq in here and here[row.seq] != row:
                told = f"row {row.seq} of rig {rig} is another one here than in {mirror.config}"
                yield Problem(path, told, seq=row.seq)
            seq, previous = row.seq, row.hash
    if rig == mirror.config.rig and seq > mirror.journal.last_seq:
        told = f"{mirror.config} has {seq} rows of this rig; here are {mirror.journal.last_seq}: some were lost here"
        yield Problem(path, told, seq=mirror.journal.last_seq + 1)


def _batch(line: Line, study: str, rig: str, seq: int) -> list[Row]:
    with line.transaction() as connection:
        return rows_after(connection, study, rig, seq, BATCH)


def _hash_of(previous: str, row: Row) -> str | None:
    try:
        return chain_hash(previous, row.seq, row.session, row.kind, row.sample, row.utc_text, row.payload)
    except JournalMismatch:
        return None
