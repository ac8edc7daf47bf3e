"""Whatever is altered behind the journal's back is found, and the row is named."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kindle.journal import Journal
from kindle.journal_schema import TRIGGERS
from kindle.journal_verification import verify_chain

N_ROWS = 5
COLUMNS = ("seq", "session", "kind", "sample", "utc", "payload", "hash")
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


def write(path: Path) -> list[str]:
    with Journal.open(path, create=True) as journal:
        return [
            journal.append(f"R{n % 2}", "trial", {"ua": 10 * n, "note": "é"}, sample=n or None, utc=NOON).hash
            for n in range(N_ROWS)
        ]


@pytest.fixture(scope="module")
def original() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        write(path)
        yield path


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder) / "journal.sqlite"


def alter(path: Path, *changes: tuple[str, tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for name in TRIGGERS:
            connection.execute(f"DROP TRIGGER {name}")
        for statement, values in changes:
            connection.execute(statement, values)
        for statement in TRIGGERS.values():
            connection.execute(statement)
        connection.commit()


def text_of(path: Path, column: str, seq: int) -> bytes:
    with closing(sqlite3.connect(path)) as connection:
        (value,) = connection.execute(f"SELECT CAST({column} AS BLOB) FROM rows WHERE seq = ?", (seq,)).fetchone()
    return bytes(value)


@settings(max_examples=150, deadline=None)
@given(
    data=st.data(), column=st.sampled_from(["session", "kind", "utc", "payload", "hash"]), seq=st.integers(1, N_ROWS)
)
def test_one_changed_byte_in_any_text_is_found(
    data: st.DataObject, column: str, seq: int, original: Path, scratch: Path
) -> None:
    shutil.copyfile(original, scratch)
    value = bytearray(text_of(scratch, column, seq))
    value[data.draw(st.integers(0, len(value) - 1))] ^= data.draw(st.integers(1, 255))
    alter(scratch, (f"UPDATE rows SET {column} = CAST(? AS TEXT) WHERE seq = ?", (bytes(value), seq)))
    assert seq in {problem.seq for problem in verify_chain(scratch)}


@settings(max_examples=60, deadline=None)
@given(seq=st.integers(1, N_ROWS), sample=st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False))
def test_another_sample_index_is_found(seq: int, sample: float | None, original: Path, scratch: Path) -> None:
    shutil.copyfile(original, scratch)
    written = seq - 1 or None
    alter(scratch, ("UPDATE rows SET sample = ? WHERE seq = ?", (sample, seq)))
    assert [problem.seq for problem in verify_chain(scratch) if problem.seq] == ([] if sample == written else [seq])


def test_a_field_of_another_type_with_the_same_bytes_is_found(original: Path, scratch: Path) -> None:
    shutil.copyfile(original, scratch)
    alter(scratch, ("UPDATE rows SET payload = CAST(payload AS BLOB) WHERE seq = 2", ()))
    assert 2 in {problem.seq for problem in verify_chain(scratch)}


def test_the_border_between_two_fields_cannot_be_moved(original: Path, scratch: Path) -> None:
    shutil.copyfile(original, scratch)
    alter(
        scratch, ("UPDATE rows SET session = session || substr(kind, 1, 1), kind = substr(kind, 2) WHERE seq = 3", ())
    )
    assert [problem.seq for problem in verify_chain(scratch)] == [3]


@pytest.mark.parametrize("seq", range(1, N_ROWS))
def test_a_row_taken_out_of_the_middle_is_named(seq: int, original: Path, scratch: Path) -> None:
    shutil.copyfile(original, scratch)
    alter(scratch, ("DELETE FROM rows WHERE seq = ?", (seq,)))
    assert verify_chain(scratch)[0].seq == seq


def test_rows_cut_off_the_end_are_found_by_the_hash_on_an_earlier_report(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    hashes = write(path)
    assert verify_chain(path, head_hash=hashes[-1]) == verify_chain(path, head_hash=hashes[1]) == []
    alter(path, (f"DELETE FROM rows WHERE seq = {N_ROWS}", ()))
    assert verify_chain(path) == []
    assert hashes[-1] in verify_chain(path, head_hash=hashes[-1])[0].message


def test_two_rows_that_changed_places_are_found(original: Path, scratch: Path) -> None:
    shutil.copyfile(original, scratch)
    moves = [(2, 99), (3, 2), (99, 3)]
    alter(scratch, *(("UPDATE rows SET seq = ? WHERE seq = ?", (new, old)) for old, new in moves))
    assert {problem.seq for problem in verify_chain(scratch)} >= {2, 3}


def test_an_untouched_journal_has_no_problems(original: Path, scratch: Path) -> None:
    shutil.copyfile(original, scratch)
    assert verify_chain(scratch) == []
