"""A study whose journal holds rows of every kind, and journals that anybody may write: their chain is always sound."""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from kindle.animal_rows import AlarmAcknowledged
from kindle.canonical import GENESIS, chain_hash
from kindle.errors import JournalMismatch
from kindle.journal import Journal, Row
from kindle.keeping import amend, note_event, weigh
from kindle.protocols.threshold import ThresholdFound
from kindle.rows import StatusAlarmed, kind_of
from kindle.session_view import ANIMALS
from kindle.study import JOURNAL, open_study

Fields = tuple[str, str, int | None, str, str]
"""Session, kind, sample, time and payload."""
ANIMAL = "P1"
_NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)


def tell_more(study: Path) -> None:
    """Kindling, drug days, convulsant tests, corrections: rows of every kind that a study may hold."""
    from tests.told_tests import TestTeller, valproate

    with open_study(study) as opened:
        teller = TestTeller(opened)
        for id in (ANIMAL, "P2"):
            teller.animal(id)
        teller.kindled(ANIMAL, [1.0, 4.0, None], [8.0, 20.0, 0.0])
        teller.threshold(ANIMAL, ThresholdFound(80.0, 96.0))
        teller.drug_threshold(ANIMAL, "valproate 200", [valproate(200.0)], ThresholdFound(96.0, 115.0))
        teller.ptz("P2", "control", [], [(45.0, 3.0), (60.0, 5.0)], died_s=90.0)
        teller.shock("P2", "valproate 200", [valproate(200.0)], 3.0)
        teller.ptz("P2", "control", [], [], broken_off=True)
        weigh(opened, ANIMAL, 280.0, _NOW)
        note_event(opened, ANIMAL, "implanted", "", _NOW)
        weighed = next(row.seq for row in opened.journal.rows() if row.kind == "weighed")
        amend(opened, weighed, "weight_g", 281.0, "me", "misread", _NOW)
        last = next(view for view in reversed(opened.sessions(ANIMAL)))
        alarm = StatusAlarmed("recordings/gone", 7, "discharges for 300 s")
        opened.journal.append(last.id, kind_of(alarm), alarm, sample=7, utc=_NOW)
        seen_to = AlarmAcknowledged(ANIMAL, "me")
        opened.journal.append(ANIMALS, kind_of(seen_to), seen_to, sample=None, utc=_NOW)
        teller.left("P2", "died")


def line_of(row: Row) -> bytes:
    sample = "" if row.sample is None else str(row.sample)
    return "\t".join((row.session, row.kind, sample, row.utc_text, row.payload)).encode() + b"\n"


def fields_in(given: bytes) -> Iterator[Fields]:
    """Of every line that has as many as a row."""
    for line in given.decode("utf-8", "replace").split("\n"):
        parts = line.split("\t", 4)
        if len(parts) == 5:
            session, kind, sample, utc, payload = parts
            counted = int(sample) if sample.isascii() and sample.isdigit() and len(sample) < 19 else None
            yield session, kind, counted, utc, payload


def chained(fields: Iterable[Fields]) -> Iterator[tuple[object, ...]]:
    previous = GENESIS
    for seq, values in enumerate(fields, 1):
        try:
            digest = chain_hash(previous, seq, *values)
        except JournalMismatch:  # what no journal can hold
            digest = GENESIS
        yield seq, *values, digest
        previous = digest


def write_journal(study: Path, fields: Iterable[Fields]) -> None:
    """In the place of the one that is there."""
    empty = study.parent / "empty.sqlite"
    if not empty.exists():
        Journal.open(empty, create=True).close()
    for left in study.glob(f"{JOURNAL}*"):
        left.unlink()
    shutil.copyfile(empty, study / JOURNAL)
    with closing(sqlite3.connect(study / JOURNAL)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", list(chained(fields)))
