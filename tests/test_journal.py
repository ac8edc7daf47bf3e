"""The journal keeps what it acknowledged, in order, and nothing else."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import numpy as np
import pytest

from kindle.canonical import GENESIS
from kindle.errors import ConfigError, JournalMismatch, KindleError
from kindle.journal import Journal, JournalReader
from kindle.journal_schema import MIGRATIONS, TRIGGERS, Durability, durability
from kindle.journal_verification import verify_chain

NOON = datetime(2025, 3, 1, 12, 0, 0, 250_000, UTC)
WAL, DELETE = durability((3, 51, 3)), durability((3, 51, 2))


class Dose(msgspec.Struct, frozen=True, tag="dose"):
    drug: str
    mg_kg: float


def filled(path: Path, n_rows: int = 3) -> Path:
    with Journal.open(path, create=True) as journal:
        for n in range(n_rows):
            journal.append("R1_day1", "inject", Dose("saline", n / 2), sample=1000 * n, utc=NOON)
    return path


def altered(path: Path, *statements: str) -> None:
    """What somebody with an SQLite shell would do."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize("mode", [WAL, DELETE])
def test_rows_come_back_as_they_were_appended_in_both_modes(tmp_path: Path, mode: Durability) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal.open(path, create=True, durability=mode) as journal:
        first = journal.append("R1", "inject", Dose("diazepam", 1.5), sample=None, utc=NOON)
        second = journal.append("R2", "note", {"text": "µA, ok"}, sample=2**40, utc=NOON)
        assert [first.seq, second.seq] == [1, 2]
        assert journal.rows() == [first, second]
        assert journal.rows("R2") == [second]
        assert journal.sessions() == ["R1", "R2"]
        assert journal.head_hash == second.hash
    with Journal.open(path, durability=mode) as again, JournalReader.open(path) as reader:
        assert again.rows() == reader.rows() == [first, second]
        assert again.append("R1", "note", None, sample=0, utc=NOON).seq == 3
        assert len(reader.rows()) == 3
    assert verify_chain(path) == []


def test_wal_is_used_only_where_its_reset_defect_is_cured() -> None:
    assert durability((3, 40, 1)) == durability((3, 51, 2)) == Durability("delete", 3)
    assert durability((3, 51, 3)) == durability((4, 0, 0)) == Durability("wal", 2)


@pytest.mark.parametrize("mode", [WAL, DELETE])
def test_every_connection_gets_its_settings(tmp_path: Path, mode: Durability) -> None:
    path = filled(tmp_path / "journal.sqlite")
    with Journal.open(path, durability=mode) as journal:
        pragmas = ("journal_mode", "synchronous", "recursive_triggers")
        kept = [journal._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
    assert kept == [mode.journal_mode, mode.synchronous, 1]


def test_a_setting_that_does_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalMismatch, match=r"journal_mode = delete .* where nonsense is needed"):
        Journal.open(tmp_path / "journal.sqlite", create=True, durability=Durability("nonsense", 2))


def test_the_stored_text_is_the_canonical_text(tmp_path: Path) -> None:
    payload = {"z": [1.0, 2e-7, True, None], "a": Dose("phenytoin", 12.5), "m": {"µ": "ü", "b": -3}}
    path = tmp_path / "journal.sqlite"
    with Journal.open(path, create=True) as journal:
        row = journal.append("R1", "note", payload, sample=1, utc=NOON)
    with closing(sqlite3.connect(path)) as connection:
        (stored,) = connection.execute("SELECT payload FROM rows").fetchone()
    assert stored == row.payload == msgspec.json.encode(payload, order="deterministic").decode()


def test_times_are_kept_in_utc(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite", create=True) as journal:
        local = NOON.astimezone(timezone(timedelta(hours=5)))
        assert journal.append("R1", "note", {}, sample=None, utc=local).utc == NOON
        with pytest.raises(JournalMismatch, match="no time zone"):
            journal.append("R1", "note", {}, sample=None, utc=NOON.replace(tzinfo=None))


def test_numbers_of_numpy_are_kept_as_numbers(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite", create=True) as journal:
        row = journal.append("R1", "note", {"uv": np.float64(2.5), "n": np.int16(7)}, sample=9, utc=NOON)
        assert journal.append("R1", "note", {}, sample=np.arange(5).argmax(), utc=NOON).sample == 4
        assert (row.payload, row.sample) == ('{"n":7,"uv":2.5}', 9)
        assert journal.rows()[0] == row


@pytest.mark.parametrize(
    "payload",
    [
        {"uv": float("nan")},
        Dose("x", float("inf")),
        [{"deep": [np.float32("-inf")]}],
        {"text": "a\0b"},
        {"a\0b": 1},
        {"text": "\ud800"},
        {"object": object()},
    ],
)
def test_what_json_would_change_without_a_word_is_refused_and_leaves_no_row(tmp_path: Path, payload: object) -> None:
    with Journal.open(tmp_path / "journal.sqlite", create=True) as journal:
        with pytest.raises(JournalMismatch, match="the journal cannot hold"):
            journal.append("R1", "note", payload, sample=None, utc=NOON)
        assert journal.rows() == []
        assert journal.head_hash == GENESIS


@pytest.mark.parametrize(("session", "kind"), [("", "note"), ("R1", ""), ("R\0", "note"), ("R1", "no\0te")])
def test_nameless_rows_are_refused(tmp_path: Path, session: str, kind: str) -> None:
    with Journal.open(tmp_path / "journal.sqlite", create=True) as journal, pytest.raises(JournalMismatch):
        journal.append(session, kind, {}, sample=None, utc=NOON)


def test_a_sample_beyond_64_bits_is_refused(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.sqlite", create=True) as journal:
        with pytest.raises(JournalMismatch):
            journal.append("R1", "note", {}, sample=2**63, utc=NOON)
        assert journal.append("R1", "note", {}, sample=2**63 - 1, utc=NOON).seq == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rows SET payload = '{}' WHERE seq = 2",
        "UPDATE OR REPLACE rows SET seq = 1 WHERE seq = 2",
        "DELETE FROM rows",
        "DELETE FROM rows WHERE seq = 3",
        "REPLACE INTO rows SELECT seq, 'R2', kind, sample, utc, payload, hash FROM rows WHERE seq = 2",
        "INSERT OR REPLACE INTO rows SELECT 3, session, kind, sample, utc, '{}', hash FROM rows WHERE seq = 3",
        "INSERT INTO rows SELECT seq, session, kind, sample, utc, '{}', hash FROM rows WHERE seq = 1 "
        "ON CONFLICT (seq) DO UPDATE SET payload = '{}'",
        "INSERT INTO rows SELECT 9, session, kind, sample, utc, payload, hash FROM rows WHERE seq = 3",
        "INSERT INTO rows SELECT NULL, session, kind, sample, utc, payload, hash FROM rows WHERE seq = 3",
    ],
)
@pytest.mark.parametrize("recursive_triggers", [0, 1])
def test_rows_cannot_be_changed_removed_replaced_or_slipped_in(
    tmp_path: Path, statement: str, recursive_triggers: int
) -> None:
    path = filled(tmp_path / "journal.sqlite")
    with JournalReader.open(path) as reader:
        before = reader.rows()
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            altered(path, f"PRAGMA recursive_triggers = {recursive_triggers}", statement)
        assert reader.rows() == before


@pytest.mark.parametrize("name", sorted(TRIGGERS))
def test_a_journal_without_one_of_its_triggers_is_not_opened(tmp_path: Path, name: str) -> None:
    path = filled(tmp_path / "journal.sqlite")
    altered(path, f"DROP TRIGGER {name}")
    with pytest.raises(JournalMismatch, match=rf"lost its append-only triggers \({name}\)"):
        Journal.open(path)
    assert [name in problem.message for problem in verify_chain(path)] == [True]


def test_a_trigger_that_was_made_toothless_counts_as_missing(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    altered(
        path,
        "DROP TRIGGER rows_never_vanish",
        "CREATE TRIGGER rows_never_vanish BEFORE DELETE ON rows BEGIN SELECT 1; END",
    )
    with pytest.raises(JournalMismatch, match="rows_never_vanish"):
        Journal.open(path)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    reader = JournalReader.open(filled(tmp_path / "journal.sqlite"))
    with reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("INSERT INTO rows SELECT 4, 'a', 'b', NULL, 'c', 'd', 'e'")


@pytest.mark.parametrize("kind", [Journal, JournalReader])
def test_what_is_no_journal_is_refused_and_left_alone(tmp_path: Path, kind: type[JournalReader]) -> None:
    with pytest.raises(ConfigError, match="there is no journal"):
        kind.open(tmp_path / "nowhere.sqlite")
    text = tmp_path / "text.sqlite"
    text.write_text("a page of notes " * 100)
    foreign = tmp_path / "foreign.sqlite"
    altered(foreign, "CREATE TABLE animals (name)")
    empty = tmp_path / "empty.sqlite"
    empty.touch()
    for path in (text, foreign, empty):
        before = path.read_bytes()
        with pytest.raises(JournalMismatch):
            kind.open(path)
        assert path.read_bytes() == before
        assert len(verify_chain(path)) == 1
    assert not (tmp_path / "nowhere.sqlite").exists()


def test_a_journal_of_a_newer_kindle_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    altered(path, "PRAGMA user_version = 99")
    with pytest.raises(JournalMismatch, match="version 99, this kindle knows 1: install a newer kindle"):
        Journal.open(path)


def test_a_migration_adds_keeps_the_chain_and_the_triggers_and_leaves_a_copy(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    newer = (*MIGRATIONS, ("ALTER TABLE rows ADD COLUMN rig TEXT",))
    with Journal.open(path, migrations=newer) as journal:
        assert journal.append("R1", "note", {}, sample=None, utc=NOON).seq == 4
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            journal._connection.execute("DELETE FROM rows")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("SELECT count(rig), count(*) FROM rows").fetchone() == (0, 4)
    assert verify_chain(path.with_name("journal.sqlite.version-1")) == []


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.sqlite")
    newer = (*MIGRATIONS, ("ALTER TABLE rows ADD COLUMN rig TEXT", "ALTER TABLE nowhere ADD COLUMN rig TEXT"))
    with pytest.raises(KindleError, match="nowhere"):
        Journal.open(path, migrations=newer)
    with Journal.open(path) as journal:
        assert len(journal.rows()) == 3
    assert verify_chain(path) == []
