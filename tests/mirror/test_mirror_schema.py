"""What the database itself refuses, whoever asks, and what kindle refuses to work with."""

from pathlib import Path

import pytest
from laboratory import STUDY, rig, write
from postgres_server import OWNER, RIGS, Server, psycopg
from sqlalchemy import text

from kindle.canonical import chain_hash
from kindle.errors import ConfigError, JournalMismatch
from kindle.laboratory.guards import FUNCTIONS, TRIGGERS
from kindle.laboratory.line import connected
from kindle.laboratory.mirror import hold, sync
from kindle.laboratory.schema import MIGRATIONS, bring_up, check

INSERT = "INSERT INTO kindle.rows VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"


def filled(server: Server, database: str, folder: Path) -> str:
    """Three rows of a rig; returns the hash of the last."""
    with rig(server, database, folder, "left") as left:
        rows = write(left, 3)
        hold(left, "R01")
        return rows[-1].hash


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE kindle.rows SET payload = '{}' WHERE seq = 1",
        "UPDATE kindle.rows SET payload = '{}' WHERE false",
        "DELETE FROM kindle.rows",
        "TRUNCATE kindle.rows",
        "INSERT INTO kindle.rows SELECT * FROM kindle.rows WHERE seq = 1 ON CONFLICT (study, rig, seq) "
        "DO UPDATE SET payload = '{}'",
        "SET session_replication_role = replica; DELETE FROM kindle.rows",
        "UPDATE kindle.holdings SET rig = 'right'",
        "DELETE FROM kindle.holdings",
        "TRUNCATE kindle.holdings",
    ],
)
def test_nothing_that_was_written_can_be_altered_even_by_the_owner(
    server: Server, database: str, tmp_path: Path, statement: str
) -> None:
    filled(server, database, tmp_path)
    before = server.execute("SELECT * FROM kindle.rows", database=database)
    with pytest.raises(psycopg.Error, match=r"append-only: what was written is corrected by a new row|does not follow"):
        server.execute(statement, database=database)
    assert server.execute("SELECT * FROM kindle.rows", database=database) == before != []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE kindle.rows SET payload = '{}'",
        "DELETE FROM kindle.rows",
        "TRUNCATE kindle.rows",
        "DROP TABLE kindle.rows",
        "ALTER TABLE kindle.rows DISABLE TRIGGER ALL",
        "DROP TRIGGER rows_never_change ON kindle.rows",
        "CREATE TABLE kindle.mine (n int)",
        "INSERT INTO kindle.versions VALUES (99)",
    ],
)
def test_the_user_of_the_rigs_may_only_read_and_add(
    server: Server, database: str, tmp_path: Path, statement: str
) -> None:
    filled(server, database, tmp_path)
    with (
        connected(server.config(database, "left")) as line,
        pytest.raises(ConfigError, match=f"does not allow this to user '{RIGS}'"),
        line.transaction() as connection,
    ):
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("seq", "payload", "refused"),
    [
        (5, "{}", "row 5 of rig left does not follow row 3"),
        (3, "{}", "row 3 of rig left does not follow row 3"),
        (4, '{"other":1}', "row 4 of rig left is not what its hash says"),
    ],
)
def test_a_row_that_does_not_follow_from_the_chain_is_refused_by_the_database(
    server: Server, database: str, tmp_path: Path, seq: int, payload: str, refused: str
) -> None:
    last = filled(server, database, tmp_path)
    digest = chain_hash(last, seq, "S", "note", None, "t", "{}")
    with pytest.raises(psycopg.Error, match=refused):
        server.execute(INSERT, STUDY, "left", seq, "S", "note", None, "t", payload, digest, database=database)
    server.execute(
        INSERT,
        STUDY,
        "left",
        4,
        "S",
        "note",
        None,
        "t",
        "{}",
        chain_hash(last, 4, "S", "note", None, "t", "{}"),
        database=database,
    )


@pytest.mark.parametrize("trigger", sorted(TRIGGERS))
def test_a_database_without_its_triggers_gets_no_rows(
    server: Server, database: str, tmp_path: Path, trigger: str
) -> None:
    table = trigger.partition("_")[0]
    server.execute(f"ALTER TABLE kindle.{table} DISABLE TRIGGER {trigger}", database=database)
    with rig(server, database, tmp_path, "left") as left:
        write(left, 1)
        with pytest.raises(JournalMismatch, match=rf"lost its append-only triggers \({trigger}\).*nothing was sent"):
            sync(left)
    assert server.execute("SELECT * FROM kindle.rows", database=database) == []


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_trigger_that_does_nothing_any_more_is_noticed(
    server: Server, database: str, tmp_path: Path, function: str
) -> None:
    server.execute(
        f"CREATE OR REPLACE FUNCTION kindle.{function}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        database=database,
    )
    with rig(server, database, tmp_path, "left") as left, pytest.raises(JournalMismatch, match="lost its append-only"):
        sync(left)


def test_migrations_add_and_keep_every_row_and_trigger(server: Server, database: str, tmp_path: Path) -> None:
    filled(server, database, tmp_path)
    later = (*MIGRATIONS, ("ALTER TABLE kindle.rows ADD COLUMN note text",))
    before = server.execute("SELECT * FROM kindle.rows", database=database)
    with connected(server.config(database, "owner", user=OWNER)) as line:
        for _ in range(2):
            with line.transaction() as connection:
                bring_up(connection, migrations=later)
                check(connection, known_version=2)
        newer = pytest.raises(JournalMismatch, match="has version 2, this kindle knows 1: install a newer one")
        with newer, line.transaction() as connection:
            check(connection)
    assert [row[:9] for row in server.execute("SELECT * FROM kindle.rows", database=database)] == before


def test_an_older_database_asks_for_its_owner(server: Server, database: str) -> None:
    with (
        connected(server.config(database, "left")) as line,
        pytest.raises(ConfigError, match="has version 1, this kindle needs 2: let its owner run kindle mirror init"),
        line.transaction() as connection,
    ):
        check(connection, known_version=2)


def test_a_migration_that_fails_leaves_everything_as_it_was(server: Server, database: str) -> None:
    broken = (*MIGRATIONS, ("CREATE TABLE kindle.more (n int)", "CREATE TABLE kindle.rows (n int)"))
    with connected(server.config(database, "owner", user=OWNER)) as line:
        with pytest.raises(Exception, match="already exists"), line.transaction() as connection:
            bring_up(connection, migrations=broken)
        with line.transaction() as connection:
            check(connection)
    assert server.execute("SELECT to_regclass('kindle.more')", database=database) == [(None,)]


def test_an_empty_database_says_what_to_do(server: Server, database: str) -> None:
    empty = server.new_database()
    refused = pytest.raises(ConfigError, match="has no tables yet: let its owner run kindle mirror init")
    with connected(server.config(empty, "left")) as line, refused, line.transaction() as connection:
        check(connection)


def test_a_database_that_is_not_in_utf8_is_refused(server: Server, database: str) -> None:
    name = server.new_database() + "_latin"
    server.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    refused = pytest.raises(ConfigError, match="is in LATIN1; make one with the encoding UTF8")
    with connected(server.config(name, "owner", user=OWNER)) as line, refused, line.transaction() as connection:
        bring_up(connection)
