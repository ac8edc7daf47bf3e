"""The other rigs' journals out of the laboratory's database, into copies in the study folder."""

from pathlib import Path

from sqlalchemy import Connection, func, select

from kindle.canonical import GENESIS
from kindle.errors import JournalMismatch
from kindle.journal import Journal, Row, moment_of
from kindle.laboratory.config import is_rig_name
from kindle.laboratory.copies import open_copy
from kindle.laboratory.line import Line
from kindle.laboratory.sending import BATCH, Told, hash_of, silent
from kindle.laboratory.tables import ROWS


def fetch(line: Line, study: str, folder: Path, told: Told = silent, *, batch: int = BATCH) -> None:
    """Bring the copies up to what the database holds; each row is checked against its chain on the way.

    Raises ``NotReached`` when the network fails: what was fetched stays. Raises ``JournalMismatch`` when the database
    now holds other rows of a rig than those that were fetched from it earlier.
    """
    with line.transaction() as connection:
        heads = rigs_of(connection, study)
    for rig, last_seq in heads.items():
        if rig == line.config.rig:
            continue
        if not is_rig_name(rig):
            raise JournalMismatch(f"the laboratory's database names a rig {rig!r}, which kindle never wrote")
        with open_copy(folder, rig) as copy:
            while True:
                with line.transaction() as connection:
                    rows = _next_rows(connection, study, rig, copy, last_seq, batch)
                if not rows:
                    break
                copy.adopt(rows)
                told(rig, rows[-1].seq, max(last_seq, rows[-1].seq))


def rigs_of(connection: Connection, study: str) -> dict[str, int]:
    """The last row of every rig that has sent any."""
    found = select(ROWS.c.rig, func.max(ROWS.c.seq)).where(ROWS.c.study == study)
    return {str(rig): int(seq) for rig, seq in connection.execute(found.group_by(ROWS.c.rig).order_by(ROWS.c.rig))}


def rows_after(connection: Connection, study: str, rig: str, seq: int, most: int) -> list[Row]:
    columns = (ROWS.c.seq, ROWS.c.session, ROWS.c.kind, ROWS.c.sample, ROWS.c.utc, ROWS.c.payload, ROWS.c.hash)
    found = select(*columns).where(ROWS.c.study == study, ROWS.c.rig == rig, ROWS.c.seq > seq)
    return [_row(rig, *fields) for fields in connection.execute(found.order_by(ROWS.c.seq).limit(most))]


def _row(rig: str, seq: int, session: str, kind: str, sample: int | None, utc: str, payload: str, digest: str) -> Row:
    try:
        return Row(seq, session, kind, sample, moment_of(utc), payload, digest)
    except ValueError:
        raise JournalMismatch(
            f"row {seq} of rig {rig} in the laboratory's database has no time that kindle wrote: it was altered"
        ) from None


def _next_rows(connection: Connection, study: str, rig: str, copy: Journal, last_seq: int, most: int) -> list[Row]:
    # A server put back from a backup may lag behind what was fetched from it; its rig will fill the gap.
    common = min(copy.last_seq, last_seq)
    here = copy.hash_at(common) if common else GENESIS
    if here != hash_of(connection, study, rig, common):
        raise JournalMismatch(
            f"row {common} of rig {rig} in the laboratory's database is not what was fetched from there earlier: one "
            f"of them was altered; run kindle verify on rig {rig}"
        )
    return rows_after(connection, study, rig, copy.last_seq, most)
