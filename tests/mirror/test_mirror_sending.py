"""Every row of every rig stands in the database once, as it was written, and in the other rigs' copies."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from laboratory import BEGUN, STUDY, in_database, in_journal, rig, write
from postgres_server import Server

from kindle.canonical import GENESIS, chain_hash
from kindle.errors import JournalMismatch
from kindle.journal import Journal
from kindle.journal_verification import verify_chain
from kindle.laboratory.copies import path_of_copy
from kindle.laboratory.fetching import fetch
from kindle.laboratory.line import connected
from kindle.laboratory.mirror import sync
from kindle.laboratory.sending import send

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


def test_both_sides_are_the_same_row_for_row(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left, rig(server, database, tmp_path, "right") as right:
        write(left, 7)
        write(right, 4)
        sync(left)
        sync(right)
        write(left, 3)
        sync(left)
        sync(right)
        assert in_database(server, left) == in_journal(left.journal)
        assert in_database(server, right) == in_journal(right.journal)
        assert in_journal(right.journal.others["left"]) == in_journal(left.journal)
        assert in_journal(left.journal.others["right"]) == in_journal(right.journal)
        assert set(left.journal.others) == {"right"}
        assert verify_chain(path_of_copy(right.folder, "left")) == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.dictionaries(TEXTS, TEXTS | st.floats(allow_nan=False, allow_infinity=False)), kind=TEXTS)
def test_the_database_finds_the_same_hash_for_any_text(
    server: Server, database: str, tmp_path: Path, payload: dict[str, object], kind: str
) -> None:
    with rig(server, database, tmp_path, "left") as left:
        left.journal.append('R"1\t', kind or "note", payload, sample=2**40, utc=BEGUN)
        with connected(left.config) as line:
            send(line, STUDY, left.journal)
        assert in_database(server, left)[-1] == in_journal(left.journal)[-1]


def test_a_week_comes_in_batches_and_tells_how_far_it_is(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left, rig(server, database, tmp_path, "right") as right:
        write(left, 25)
        told: list[tuple[str, int, int]] = []
        with connected(left.config) as line:
            assert send(line, STUDY, left.journal, lambda *one: told.append(one), batch=10) == 25
        with connected(right.config) as line:
            fetch(line, STUDY, right.folder, lambda *one: told.append(one), batch=10)
        assert told == [("left", 10, 25), ("left", 20, 25), ("left", 25, 25)] * 2
        assert in_database(server, left) == in_journal(left.journal)


def test_rows_that_are_there_are_not_sent_again(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left, connected(left.config) as line:
        write(left, 5)
        told: list[int] = []
        send(line, STUDY, left.journal)
        send(line, STUDY, left.journal, lambda rig, done, of: told.append(done))
        assert told == []


def test_a_server_put_back_from_a_backup_is_filled_up_again(server: Server, database: str, tmp_path: Path) -> None:
    """What was fetched before the loss stays, and the rig whose rows were lost sends them once more."""
    with rig(server, database, tmp_path, "left") as left, rig(server, database, tmp_path, "right") as right:
        write(left, 6)
        sync(left)
        sync(right)
        server.execute("ALTER TABLE kindle.rows DISABLE TRIGGER rows_never_change", database=database)
        server.execute("DELETE FROM kindle.rows WHERE seq > 2", database=database)
        server.execute("ALTER TABLE kindle.rows ENABLE ALWAYS TRIGGER rows_never_change", database=database)
        sync(right)
        sync(left)
        assert in_database(server, left) == in_journal(left.journal)
        assert in_journal(right.journal.others["left"]) == in_journal(left.journal)


def test_two_folders_under_one_rig_name_are_refused(server: Server, database: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with rig(server, database, tmp_path, "left") as one, rig(server, database, tmp_path / "other", "left") as two:
        write(one, 3)
        sync(one)
        write(two, 2, session="R09_day1")
        with pytest.raises(
            JournalMismatch, match=r"left.*another computer uses the name of this rig; nothing was sent"
        ):
            sync(two)
        write(two, 4, session="R09_day1")
        with pytest.raises(JournalMismatch, match=r"row 3 of rig left .* is not row 3 .* nothing was sent"):
            sync(two)
        assert in_database(server, one) == in_journal(one.journal)


def test_a_journal_put_back_from_an_older_copy_is_refused(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left:
        write(left, 2)
        shutil.copy(left.journal.path, tmp_path / "older")
        write(left, 2)
        sync(left)
    shutil.copy(tmp_path / "older", left.journal.path)
    with rig(server, database, tmp_path, "left") as left, pytest.raises(JournalMismatch, match=r"has 4 rows .* has 2"):
        sync(left)


def test_a_copied_folder_under_a_new_name_doubles_nothing(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left:
        write(left, 3)
        sync(left)
        shutil.copytree(left.folder, tmp_path / "right")
    with rig(server, database, tmp_path, "right") as right:
        with pytest.raises(JournalMismatch, match="already, under the name of another rig: a study folder was copied"):
            sync(right)
        assert in_database(server, right) == []


def test_a_row_altered_in_the_database_is_not_fetched(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left, rig(server, database, tmp_path, "right") as right:
        write(left, 3)
        sync(left)
        server.execute("ALTER TABLE kindle.rows DISABLE TRIGGER rows_never_change", database=database)
        server.execute("UPDATE kindle.rows SET payload = '{}' WHERE seq = 2", database=database)
        server.execute("ALTER TABLE kindle.rows ENABLE ALWAYS TRIGGER rows_never_change", database=database)
        with pytest.raises(JournalMismatch, match="row 2 does not follow row 1"):
            sync(right)
        assert in_journal(Journal.open(path_of_copy(right.folder, "left"))) == []


def test_what_was_fetched_once_may_not_change_later(server: Server, database: str, tmp_path: Path) -> None:
    """Somebody with all rights writes a rig's rows anew, with hashes that fit."""
    with rig(server, database, tmp_path, "left") as left, rig(server, database, tmp_path, "right") as right:
        write(left, 3)
        sync(left)
        sync(right)
        server.execute("ALTER TABLE kindle.rows DISABLE TRIGGER rows_never_change", database=database)
        server.execute("DELETE FROM kindle.rows", database=database)
        server.execute("ALTER TABLE kindle.rows ENABLE ALWAYS TRIGGER rows_never_change", database=database)
        (tmp_path / "forged").mkdir()
        with rig(server, database, tmp_path / "forged", "left") as forged:
            write(forged, 3, session="R02_day1")
            sync(forged)
        with pytest.raises(JournalMismatch, match=r"row 3 of rig left .* is not what was fetched from there earlier"):
            sync(right)


def test_a_rig_name_that_leads_out_of_the_study_is_not_followed(server: Server, database: str, tmp_path: Path) -> None:
    fields = (1, "S", "note", None, "t", "{}")
    server.execute(
        "INSERT INTO kindle.rows VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        *(STUDY, "../../left", *fields, chain_hash(GENESIS, *fields)),
        database=database,
    )
    with rig(server, database, tmp_path, "right") as right, pytest.raises(JournalMismatch, match=r"'\.\./\.\./left'"):
        sync(right)
    assert not (tmp_path / "left").exists()


def test_studies_of_other_names_keep_to_themselves(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left, rig(server, database, tmp_path, "right") as right:
        write(left, 2)
        sync(left)
        with connected(right.config) as line:
            fetch(line, "another study", right.folder)
        assert not path_of_copy(right.folder, "left").exists()
