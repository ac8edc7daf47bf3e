"""An animal belongs to one rig at a time, whatever the network does."""

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from cutting_proxy import network
from laboratory import rig, write
from postgres_server import Server

from kindle.errors import ConfigError, KindleError
from kindle.laboratory import holding
from kindle.laboratory.known import read_known
from kindle.laboratory.line import NotFree, NotReached, connected
from kindle.laboratory.mirror import hold, release, sync, take_over
from kindle.locking import Busy, exclusive

HOLDINGS = "SELECT animal, n, rig, act, author, reason FROM kindle.holdings ORDER BY animal, n"


def test_an_animal_is_held_until_it_is_released(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left, rig(server, database, tmp_path, "right") as right:
        assert hold(left, "R01") is None
        assert hold(left, "R01") is None
        hold(right, "R02")
        with pytest.raises(KindleError, match=r"R01 is held by rig left since .* UTC: release it there"):
            hold(right, "R01")
        release(left, "R01")
        hold(right, "R01")
        with pytest.raises(KindleError, match="R01 is held by rig right"):
            hold(left, "R01")
    assert server.execute(HOLDINGS, database=database) == [
        ("R01", 1, "left", "taken", "", ""),
        ("R01", 2, "left", "released", "", ""),
        ("R01", 3, "right", "taken", "", ""),
        ("R02", 1, "right", "taken", "", ""),
    ]


def test_of_many_rigs_at_the_same_moment_one_gets_the_animal(server: Server, database: str, tmp_path: Path) -> None:
    names = [f"rig-{n}" for n in range(6)]
    got: list[str] = []
    refused: list[str] = []
    together = threading.Barrier(len(names))

    def race(name: str) -> None:
        with connected(server.config(database, name)) as line:
            together.wait(30)
            try:
                holding.take(line, "kindling 2026", "R01")
                got.append(name)
            except KindleError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=race, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(got) == 1
    assert len(refused) == len(names) - 1
    assert all(f"R01 is held by rig {got[0]} since" in said for said in refused)


def test_all_rows_of_a_rig_are_sent_before_it_lets_go(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left, rig(server, database, tmp_path, "right") as right:
        hold(left, "R01")
        rows = write(left, 5)
        release(left, "R01")
        hold(right, "R01")
        assert right.journal.others["left"].rows() == rows


def test_a_rig_that_does_not_hold_it_releases_nothing(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left, rig(server, database, tmp_path, "right") as right:
        hold(left, "R01")
        with pytest.raises(KindleError, match=r"R01 is not held by this rig \(right\): there is nothing to release"):
            release(right, "R01")


def test_the_database_itself_lets_only_the_holder_release(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left, connected(server.config(database, "right")) as line:
        with pytest.raises(NotFree, match="R01 cannot be released by rig right: it is held by nobody"):
            holding.release(line, left.study, "R01")
        hold(left, "R01")
        with pytest.raises(NotFree, match="R01 cannot be released by rig right: it is taken by rig left"):
            holding.release(line, left.study, "R01")


def test_without_the_network_only_an_animal_that_is_held_may_be_tested(
    server: Server, database: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        between = stack.enter_context(network(server.port))
        left = stack.enter_context(rig(server, database, tmp_path, "left", port=between.port))
        right = stack.enter_context(rig(server, database, tmp_path, "right"))
        between.cut()
        with pytest.raises(NotReached, match=r"R01 was held by nobody, so another rig may have it"):
            hold(left, "R01")
        between.mend()
        hold(left, "R01")
        hold(right, "R02")
        sync(left)
        between.cut()
        assert isinstance(hold(left, "R01"), NotReached)
        with pytest.raises(NotReached, match=r"R02 was held by rig right at .* UTC, so another rig may have it"):
            hold(left, "R02")
        with pytest.raises(KindleError, match="R01 is held by rig left"):
            hold(right, "R01")


def test_a_rig_that_the_server_lets_in_no_more_goes_on_with_its_own_animals(
    server: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rig(server, database, tmp_path, "left") as left:
        hold(left, "R01")
        monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
        assert isinstance(hold(left, "R01"), ConfigError)
        with pytest.raises(NotReached, match="R02 was held by nobody"):
            hold(left, "R02")


def test_two_contacts_of_one_folder_come_one_after_the_other(
    server: Server, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with rig(server, database, tmp_path, "left") as left:
        sync(left)
        monkeypatch.setattr("kindle.laboratory.mirror.PATIENCE_S", 0.0)
        with exclusive(left.folder / "other_rigs" / "lock.sqlite"), pytest.raises(Busy):
            sync(left)
        sync(left)


def test_a_release_whose_answer_is_lost_leaves_the_animal_with_nobody_here(
    server: Server, database: str, tmp_path: Path
) -> None:
    """The server has done it, and the rig does not know: it must not go on with the animal by itself."""
    last_act = "SELECT act FROM kindle.holdings WHERE animal = %s ORDER BY n DESC LIMIT 1"
    answers_lost = 0
    with network(server.port) as between, rig(server, database, tmp_path, "left", port=between.port) as left:
        hold(left, "A00")
        before = between.n_bytes
        release(left, "A00")
        whole = between.n_bytes - before
        for n in range(1, 12):
            animal = f"A{n:02}"
            hold(left, animal)
            between.bytes_left = whole - 7 * n
            try:
                release(left, animal)
            except NotReached:
                known = read_known(left.folder)
                assert known is not None
                if server.execute(last_act, animal, database=database) == [("released",)]:
                    answers_lost += 1
                    assert animal not in known.holders
            between.mend()
    assert answers_lost


def test_an_animal_is_taken_from_a_lost_rig_only_by_name_and_with_a_reason(
    server: Server, database: str, tmp_path: Path
) -> None:
    with rig(server, database, tmp_path, "left") as left, rig(server, database, tmp_path, "right") as right:
        hold(left, "R01")
        with pytest.raises(KindleError, match="R01 is held by left, not by middle: nothing was taken"):
            take_over(right, "R01", "middle", "A. Person", "fire")
        with pytest.raises(KindleError, match="cannot be taken over by rig right: it is taken by rig left"):
            take_over(right, "R01", "left", "A. Person", "")
        take_over(right, "R01", "left", "A. Person", "its computer burnt")
        hold(right, "R01")
        with pytest.raises(KindleError, match="R01 is held by rig right"):
            hold(left, "R01")
    last = server.execute(HOLDINGS, database=database)[-1]
    assert last == ("R01", 2, "right", "taken over", "A. Person", "its computer burnt")
