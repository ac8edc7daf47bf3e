"""Rigs of a laboratory: study folders of their own that name one database, and rows to write into their journals."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner
from postgres_server import RIGS, Server
from sqlalchemy import select

from kindle.cli import kindle
from kindle.journal import Journal, Row
from kindle.laboratory.line import connected
from kindle.laboratory.mirror import Mirror
from kindle.laboratory.tables import ROWS
from kindle.study import create_study
from tests import bench

STUDY = "kindling 2026"
BEGUN = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)


@contextmanager
def rig(
    server: Server, database: str, folder: Path, name: str, *, port: int | None = None, study: str = STUDY
) -> Iterator[Mirror]:
    own = folder / name
    own.mkdir(exist_ok=True)
    with Journal.open(own / "journal.sqlite", create=True) as journal:
        yield Mirror(own, study, server.config(database, name, port=port), journal)


def write(mirror: Mirror, n_rows: int, session: str = "R01_day1") -> list[Row]:
    """Rows that differ from rig to rig, a second apart."""
    first = mirror.journal.last_seq
    return [
        mirror.journal.append(
            session,
            "note",
            {"rig": mirror.config.rig, "n": n, "µA": 0.1 * n},
            sample=None if n % 3 == 0 else 1000 * n,
            utc=BEGUN + timedelta(seconds=n),
        )
        for n in range(first, first + n_rows)
    ]


def in_database(server: Server, mirror: Mirror, rig: str | None = None) -> list[tuple[object, ...]]:
    """Every row that the server holds of a rig, by a line of its own."""
    columns = (ROWS.c.seq, ROWS.c.session, ROWS.c.kind, ROWS.c.sample, ROWS.c.utc, ROWS.c.payload, ROWS.c.hash)
    config = server.config(mirror.config.name, "observer")
    with connected(config) as line, line.transaction() as connection:
        of_rig = select(*columns).where(ROWS.c.study == mirror.study, ROWS.c.rig == (rig or mirror.config.rig))
        return [tuple(row) for row in connection.execute(of_rig.order_by(ROWS.c.seq))]


def in_journal(journal: Journal) -> list[tuple[object, ...]]:
    return [(row.seq, row.session, row.kind, row.sample, row.utc_text, row.payload, row.hash) for row in journal.rows()]


def folder_of(server: Server, database: str, folder: Path, name: str, *, port: int | None = None) -> Path:
    """A study folder as a person would make it; the password is not in it."""
    settings = f'host = "127.0.0.1"\nport = {port or server.port}\nname = "{database}"\nuser = "{RIGS}"\nrig = "{name}"'
    create_study(folder / name, f"{bench.STUDY}\n[database]\n{settings}\n")
    return folder / name


def typed(*words: object) -> str:
    """What a command prints; what it refuses is raised."""
    done = CliRunner().invoke(kindle, [str(word) for word in words], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.output
