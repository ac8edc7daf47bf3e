"""Readers of a study: single rows, whole journals whose chain is sound and whose rows are not, tables, other rigs."""

import contextlib
import io
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from msgspec.json import encode

from benchmarks.reliability.target import HANG_S, Target, written
from benchmarks.reliability.told_journal import ANIMAL, chained, fields_in, line_of, tell_more, write_journal
from kindle.batch_table import open_table
from kindle.canonical import canonical_json
from kindle.journal import Journal, JournalReader
from kindle.journal_verification import verify_chain
from kindle.rows import KINDS, decode
from kindle.study import JOURNAL
from kindle.verification import notes_on, verify_study

WELL_FORMED = 0.8
"""Most journals are meant to get past the reading of their rows."""
WORK_S = 20.0
"""For a report with its figures; everything else is held to much less."""


def study_targets(study: Path, made: Path) -> tuple[Target, ...]:
    """``study`` is a sound one with a recorded session; ``made`` is a folder for copies of it."""
    told = made / "told"
    shutil.copytree(study, told)
    tell_more(told)
    with JournalReader.open(told / JOURNAL) as journal:
        rows = journal.rows()
    single = tuple(dict.fromkeys(f"{row.kind}\n{row.payload}".encode() for row in rows))
    session = next(row.session for row in rows if row.kind == "session_started")
    lines = [line_of(row) for row in rows]
    short = [line for line in lines if line.split(b"\t")[0] in (session.encode(), b"animals")]
    journals = (b"".join(lines), b"".join(short))
    through = [
        ("verify", _verified, 0.5, HANG_S),
        ("lists", lambda own: _lists(own, session), 1.0, HANG_S),
        ("session report", lambda own: _command("report", own, "--session", session), 1.0, WORK_S),
        ("study report", lambda own: _command("report", own), 2.0, WORK_S),
        ("export", lambda own: _command("export", "tables", own, own.parent / "out", "--force"), 1.0, HANG_S),
        ("export EDF", lambda own: _command("export", "edf", own, own.parent / "out_edf", "--force"), 0.5, HANG_S),
        ("preview", lambda own: _command("preview", "kindling", "--study", own, "--animal", ANIMAL), 0.5, HANG_S),
        ("resuming", lambda own: _command("study", "end", own, "--animal", "P2", "--reason", "x"), 0.5, HANG_S),
    ]
    return (
        Target("journal rows", single, _journal_row, 3.0),
        Target("journal file", ((study / JOURNAL).read_bytes(),), _journal_file, 0.5),
        *(
            Target(f"journal, {name}", journals, _in_study(told, read), share, WELL_FORMED, most_s)
            for name, read, share, most_s in through
        ),
        Target("table of results", (_table(made),), _batch_table, 0.5),
        Target("rows of a table of results", (b"\n".join(_TABLE_ROWS),), _batch_rows, 0.5, 0.5),
        Target("rows of the database", (b"".join(lines[:12]),), _from_database, 0.5),
    )


def _in_study(told: Path, read: Callable[[Path], object]) -> Callable[[bytes, Path], object]:
    """What ``read`` makes of a study with the journal that is given."""

    def within(given: bytes, folder: Path) -> object:
        own = folder / "study"
        if not own.is_dir():
            shutil.copytree(told, own, ignore=shutil.ignore_patterns("journal*"))
        write_journal(own, fields_in(given))
        return read(own)

    return within


def _command(*words: object) -> None:
    """A command as it is typed; what it refuses is raised."""
    from kindle.cli import kindle

    said, complained = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        kindle.main([str(word) for word in words], standalone_mode=False)


def _verified(study: Path) -> object:
    return verify_study(study), list(notes_on(study))


def _lists(study: Path, session: str) -> None:
    """What a person looks at in a day."""
    refused: list[Exception] = []
    for words in (
        ("study", "show", study),
        ("due", study),
        ("animal", "list", "--study", study),
        ("animal", "show", "--study", study, ANIMAL),
        ("show", "--study", study, f"{session}:1"),
        ("study", "responders", study),
    ):
        try:
            _command(*words)
        except Exception as error:
            if not _is_refusal(error):
                raise
            refused.append(error)
    if refused:
        raise refused[0]


def _is_refusal(error: Exception) -> bool:
    from click import ClickException

    from kindle.telling import told

    return isinstance(error, ClickException) or told(error) is not None


def _journal_row(given: bytes, folder: Path) -> object:
    """The first line is the kind, the rest the payload."""
    kind, _, payload = given.decode("utf-8", "replace").partition("\n")
    wanted = next((type for type, name in KINDS.items() if name == kind), None)
    return None if wanted is None else canonical_json(decode(kind, payload, wanted))


def _journal_file(given: bytes, folder: Path) -> object:
    path = written(folder, JOURNAL, given)
    for left in folder.glob(f"{JOURNAL}-*"):
        left.unlink()
    verify_chain(path)
    with JournalReader.open(path) as journal:
        return journal.rows()


def _table(made: Path) -> bytes:
    """Of results, with two analyses of one recording."""
    path = made / "results.sqlite"
    with open_table(path, create=True):
        pass
    with closing(sqlite3.connect(path)) as connection, connection:
        for row in _TABLE_ROWS:
            table, _, values = row.partition(b"\t")
            fields = values.decode().split("\t")
            connection.execute(f"INSERT INTO {table.decode()} VALUES ({', '.join('?' * len(fields))})", fields)
    return path.read_bytes()


_RESULT = encode(
    {
        "path": "a.edf",
        "rate_hz": 500.0,
        "duration_s": 60.0,
        "channels": [
            {
                "name": "EEG",
                "flags": [],
                "trials": [
                    {
                        "stimulus": {"onset_s": 20.0, "end_s": 21.0},
                        "verdict": "none",
                        "reason": "",
                        "afterdischarges": [],
                        "durations_s": {"from_train_end": 0.0, "from_first_spike": 0.0, "total": 0.0},
                    }
                ],
                "seizures": [{"onset_s": 30.0, "end_s": 40.0, "duration_s": 10.0, "confidence": 0.9}],
            }
        ],
    }
)
_UTC = b"2026-03-04T09:30:00+00:00"
_TABLE_ROWS = (
    b"\t".join((b"analyses", b"aaaaaaaaaaaa", b"{}", b"0.1.0", b"d1", _UTC)),
    b"\t".join((b"analyses", b"bbbbbbbbbbbb", b'{"train_s":1.0}', b"0.1.0", b"d2", _UTC)),
    b"\t".join((b"results", b"aaaaaaaaaaaa", b"c1", b"a.edf", b"done", b"", _UTC, b"{}", _RESULT)),
    b"\t".join((b"results", b"bbbbbbbbbbbb", b"c1", b"a.edf", b"done", b"", _UTC, b"{}", _RESULT)),
)


def _batch_rows(given: bytes, folder: Path) -> None:
    """A table that is sound as a database."""
    path = folder / "results.sqlite"
    path.unlink(missing_ok=True)
    with open_table(path, create=True):
        pass
    with closing(sqlite3.connect(path)) as connection, connection:
        for line in given.split(b"\n"):
            table, *fields = line.decode("utf-8", "replace").split("\t")
            with contextlib.suppress(sqlite3.Error):
                if table in ("analyses", "results"):
                    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(fields))})", fields)
    _compared(path)


def _batch_table(given: bytes, folder: Path) -> None:
    _compared(written(folder, "results.sqlite", given))


def _compared(path: Path) -> None:
    _command("compare", f"{path}@aaaa", f"{path}@bbbb", "--json")


def _from_database(given: bytes, folder: Path) -> object:
    """Rows of another rig as the laboratory's database hands them over, into the copy of its journal."""
    from sqlalchemy import create_engine, insert, text

    from kindle.laboratory.fetching import rows_after
    from kindle.laboratory.tables import ROWS

    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(text("ATTACH ':memory:' AS kindle"))
        ROWS.create(connection)
        names = ("seq", "session", "kind", "sample", "utc", "payload", "hash")
        for row in chained(fields_in(given)):
            connection.execute(insert(ROWS).values(study="s", rig="r", **dict(zip(names, row, strict=True))))
        rows = rows_after(connection, "s", "r", 0, 1000)
    (folder / "copy.sqlite").unlink(missing_ok=True)
    with Journal.open(folder / "copy.sqlite", create=True) as copy:
        copy.adopt(rows)
    return rows
