"""`kindle mirror` and its kin as a person types them, on two rigs."""

from pathlib import Path

import pytest
from cutting_proxy import network
from laboratory import folder_of, typed
from postgres_server import OWNER, RIGS, Server

from kindle.errors import ConfigError, JournalMismatch, KindleError
from kindle.laboratory.line import NotReached
from kindle.laboratory.mirror import hold
from kindle.sharing import mirror_of
from kindle.study import create_study, open_study
from tests.bench import STUDY


def test_a_laboratory_is_set_up_and_shares_its_animals(server: Server, database: str, tmp_path: Path) -> None:
    server.execute("DROP SCHEMA kindle CASCADE", database=database)
    left, right = (folder_of(server, database, tmp_path, name) for name in ("left", "right"))
    with pytest.raises(ConfigError, match="has no tables yet: let its owner run kindle mirror init"):
        typed("mirror", "sync", left)
    assert "ready; user 'laboratory_rigs' may read and add rows" in typed("mirror", "init", left, "--owner", OWNER)
    typed("animal", "add", "--study", left, "R01")
    typed("animal", "add", "--study", right, "R02")
    typed("animal", "weigh", "--study", right, "R02", "250")
    assert "all 1 rows of this rig (left) are there\nrows of the other rigs: none" in typed("mirror", "sync", left)
    assert "all 2 rows of this rig (right) are there\nrows of the other rigs: left 1" in typed("mirror", "sync", right)
    due = typed("due", left)
    assert [line.split()[0] for line in due.splitlines()] == ["R01", "R02"]
    assert due == typed("due", right)
    with open_study(left) as study:
        hold(mirror_of(study), "R01")
    shown = typed("mirror", "show", right).splitlines()
    assert shown[0].endswith("reached, all rows of this rig are there")
    assert shown[1:] == ["right  2 rows (this rig)", "left  1 rows", "R01 is held by rig left"]


def test_the_user_of_the_rigs_cannot_own_the_tables(server: Server, database: str, tmp_path: Path) -> None:
    left = folder_of(server, database, tmp_path, "left")
    with pytest.raises(ConfigError, match="is the user of the rigs: an owner can undo what keeps rows"):
        typed("mirror", "init", left, "--owner", RIGS)


def test_without_the_network_what_was_known_is_shown_with_its_time(
    server: Server, database: str, tmp_path: Path
) -> None:
    with network(server.port) as between:
        left = folder_of(server, database, tmp_path, "left")
        right = folder_of(server, database, tmp_path, "right", port=between.port)
        typed("animal", "add", "--study", left, "R01")
        between.cut()
        first = typed("study", "show", right)
        assert "cannot be reached" in first.splitlines()[0]
        assert first.splitlines()[0].endswith("this rig only, nothing is known of the others yet")
        between.mend()
        typed("mirror", "sync", left)
        typed("mirror", "sync", right)
        typed("animal", "add", "--study", left, "R02")
        between.cut()
        for words in (("due", right), ("study", "show", right), ("mirror", "show", right)):
            stale, *rest = typed(*words).splitlines()
            assert "cannot be reached" in stale
            assert "what the other rigs did is shown as it was known at 20" in stale
            assert rest
        assert "R01" in typed("due", right)
        assert "R02" not in typed("due", right)
        with pytest.raises(NotReached):
            typed("mirror", "sync", right)


def test_an_animal_is_handed_over(server: Server, database: str, tmp_path: Path) -> None:
    left, right = (folder_of(server, database, tmp_path, name) for name in ("left", "right"))
    typed("animal", "add", "--study", left, "R01")
    with open_study(left) as study:
        hold(mirror_of(study), "R01")
    taking = ("mirror", "take", right, "--animal", "R01", "--from", "left", "--by", "A. Person", "--reason")
    with pytest.raises(ConfigError, match="needs a name and a reason"):
        typed(*taking, " ")
    with pytest.raises(KindleError, match="no animal 'R01'"):
        typed(*taking, "fire")
    typed("mirror", "sync", right)
    assert "R01: taken over from rig left, which must not test it any more" in typed(*taking, "fire")
    with pytest.raises(KindleError, match="R01 is not held by this rig"):
        typed("mirror", "release", left, "--animal", "R01")
    assert "R01: released" in typed("mirror", "release", right, "--animal", "R01")
    assert "held" not in typed("mirror", "show", left)


def test_verify_finds_what_the_database_says_otherwise(server: Server, database: str, tmp_path: Path) -> None:
    with network(server.port) as between:
        left = folder_of(server, database, tmp_path, "left", port=between.port)
        right = folder_of(server, database, tmp_path, "right")
        for animal in ("R01", "R02", "R03"):
            typed("animal", "add", "--study", left, animal)
        typed("mirror", "sync", left)
        typed("mirror", "sync", right)
        typed("animal", "add", "--study", left, "R04")  # not sent yet: no problem
        assert "journal and recordings are whole" in typed("verify", left)
        between.cut()
        assert "cannot be reached" in typed("verify", left)
        between.mend()
        for statement in (
            "ALTER TABLE kindle.rows DISABLE TRIGGER rows_never_change",
            "UPDATE kindle.rows SET payload = replace(payload, 'R02', 'R20')",
        ):
            server.execute(statement, database=database)
        for folder in (left, right):
            found = refusal_of("verify", folder)
            assert "has lost its append-only trigger rows_never_change" in found
            assert "row 2 of rig left in" in found
            assert "row 2 of rig left is another one here than in" in found
            assert "row 1 of rig left" not in found
        server.execute("DELETE FROM kindle.rows WHERE seq = 2", database=database)
        assert "lacks row 2 of rig left" in refusal_of("verify", left)


def test_verify_finds_rows_that_only_the_database_still_has(server: Server, database: str, tmp_path: Path) -> None:
    left = folder_of(server, database, tmp_path, "left")
    typed("animal", "add", "--study", left, "R01")
    older = (left / "journal.sqlite").read_bytes()
    typed("animal", "add", "--study", left, "R02")
    typed("mirror", "sync", left)
    (left / "journal.sqlite").write_bytes(older)
    assert "has 2 rows of this rig; here are 1: some were lost here" in refusal_of("verify", left)


def test_lost_triggers_are_put_back_only_when_asked_for(server: Server, database: str, tmp_path: Path) -> None:
    left = folder_of(server, database, tmp_path, "left")
    server.execute("DROP TRIGGER rows_follow_one_another ON kindle.rows", database=database)
    init = ("mirror", "init", left, "--owner", OWNER)
    with pytest.raises(JournalMismatch, match="lost its append-only triggers"):
        typed(*init)
    typed(*init, "--mend")
    typed("mirror", "sync", left)


def test_a_study_without_a_database_has_no_mirror(tmp_path: Path) -> None:
    create_study(tmp_path / "one", STUDY)
    for words in (("sync",), ("show",), ("init", "--owner", "x"), ("release", "--animal", "R01")):
        command, *options = words
        with pytest.raises(KindleError, match=r"has no \[database\]: this study has one rig|no animal 'R01'"):
            typed("mirror", command, tmp_path / "one", *options)


def refusal_of(*words: object) -> str:
    """Everything that a command printed before it refused."""
    from click.testing import CliRunner

    from kindle.cli import kindle

    done = CliRunner().invoke(kindle, [str(word) for word in words], standalone_mode=False)
    assert isinstance(done.exception, KindleError)
    return done.output
