"""Sessions of a laboratory with two rigs: what each may do, what it waits for, and what the other sees of it."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cutting_proxy import network
from laboratory import folder_of, in_database, in_journal, rig, write
from postgres_server import Server

from kindle.errors import KindleError, UnsafeStimulus
from kindle.experimenter import Unattended
from kindle.keeping import weigh
from kindle.laboratory.line import NotReached
from kindle.laboratory.mirror import sync
from kindle.laboratory.mirroring import mirroring
from kindle.ledger_view import ledger_of
from kindle.prepared import prepare_threshold
from kindle.progress import Done, Fired, Listener, Progress, unheard
from kindle.protocols.threshold import ThresholdFound
from kindle.report.study_facts import study_facts
from kindle.report.study_sources import sources_of
from kindle.roster import read_roster
from kindle.rows import Animal
from kindle.session import run_session
from kindle.sharing import freshened, mirror_of, release, take_over
from kindle.study import create_study, open_study
from tests.bench import STUDY, bench, config

NOW = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)


def run(
    folder: Path, *, animal: str = "R01", listener: Listener = unheard, real: bool = False, now: datetime = NOW
) -> ThresholdFound:
    """A threshold test on a simulated rat; ``real`` has the rig say that it was a living one."""
    with bench(config()) as rig, open_study(folder) as study:
        freshened(study)
        prepared = replace(prepare_threshold(study, animal, config()), simulated=not real)
        finished = run_session(
            study, prepared, rig.instruments, Unattended(), listener, now=lambda: now, last_train="ask"
        )
    assert isinstance(finished.outcome, ThresholdFound)
    return finished.outcome


def add(folder: Path, *animals: str) -> None:
    with open_study(folder) as study:
        for animal in animals:
            study.add_animal(Animal(animal), NOW)


def agree(server: Server, folder: Path) -> None:
    """The rig's journal and what the database has of it are the same, row for row."""
    with open_study(folder) as study:
        mirror = mirror_of(study)
        assert in_database(server, mirror) == in_journal(study.journal)


def test_a_session_is_in_the_database_when_it_ends(server: Server, database: str, tmp_path: Path) -> None:
    left = folder_of(server, database, tmp_path, "left")
    add(left, "R01")
    run(left)
    agree(server, left)


def test_a_network_lost_in_mid_session_changes_nothing_of_it(server: Server, database: str, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    create_study(alone, STUDY)
    add(alone, "R01")
    with network(server.port) as between:
        left = folder_of(server, database, tmp_path, "left", port=between.port)
        add(left, "R01")

        def lose(fact: Progress) -> None:
            if isinstance(fact, Fired):
                between.cut()

        assert run(left, listener=lose) == run(alone)
        with open_study(left) as study:
            told = freshened(study)
            assert told is not None
            assert "cannot be reached" in told
            assert "what the other rigs did is shown as it was known at 2" in told
        assert read_roster(left, datetime.now(UTC)).stale == told
        between.mend()
        with open_study(left) as study:
            assert freshened(study) is None
            held = [row.kind for row in study.journal.rows() if row.kind == "session_ended"]
    assert held == ["session_ended"]
    agree(server, left)


def test_no_train_is_given_to_an_animal_that_another_rig_may_hold(
    server: Server, database: str, tmp_path: Path
) -> None:
    with network(server.port) as between:
        left = folder_of(server, database, tmp_path, "left", port=between.port)
        add(left, "R01")
        between.cut()
        with bench(config()) as rig:
            with open_study(left) as study:
                prepared = prepare_threshold(study, "R01", config())
                with pytest.raises(NotReached, match="another rig may have it"):
                    run_session(study, prepared, rig.instruments, Unattended(), unheard)
            assert rig.rat.heard == []
        with open_study(left) as study:
            assert study.sessions() == []


def test_two_rigs_test_two_animals_at_once_and_never_the_same_one(
    server: Server, database: str, tmp_path: Path
) -> None:
    left, right = (folder_of(server, database, tmp_path, name) for name in ("left", "right"))
    add(left, "R01", "R02")
    with open_study(left) as study:
        freshened(study)
    refusals: list[str] = []

    def meanwhile(fact: Progress) -> None:
        if isinstance(fact, Done) and not refusals:
            with pytest.raises(KindleError, match="R01 is held by rig left since") as refused:
                run(right)
            refusals.append(str(refused.value))
            run(right, animal="R02")

    run(left, listener=meanwhile)
    assert refusals
    agree(server, left)
    agree(server, right)
    with open_study(left) as study:
        freshened(study)
        assert [(view.started.animal, view.rig_of_journal) for view in study.sessions()] == [
            ("R01", ""),
            ("R02", "right"),
        ]


def test_the_lock_out_of_one_rig_holds_on_the_other(server: Server, database: str, tmp_path: Path) -> None:
    left, right = (folder_of(server, database, tmp_path, name) for name in ("left", "right"))
    add(left, "R01")
    run(left, real=True)
    with open_study(left) as study:
        release(study, "R01")
        here = ledger_of(study.journal, "R01")
    with pytest.raises(UnsafeStimulus, match="R01 had"):
        run(right, real=True, now=NOW.replace(second=10))
    with open_study(right) as study:
        there = ledger_of(study.journal, "R01")
        assert [replace(train, rig="") for train in there.trains] == list(here.trains) != []
        assert there.thresholds == here.thresholds
        assert {train.rig for train in there.trains} == {"left"}
        assert study.unfinished("R01") is None


def test_a_session_planned_without_rows_that_come_only_now_is_refused(
    server: Server, database: str, tmp_path: Path
) -> None:
    left, right = (folder_of(server, database, tmp_path, name) for name in ("left", "right"))
    add(left, "R01")
    with open_study(left) as study, open_study(right) as other:
        freshened(study)
        freshened(other)
        prepared = prepare_threshold(other, "R01", config())
        weigh(study, "R01", 250.0, NOW)
        freshened(study)
        with bench(config()) as rig, pytest.raises(KindleError, match="rows about R01 came only now"):
            run_session(other, prepared, rig.instruments, Unattended(), unheard)
        assert rig.rat.heard == []


def test_an_animal_with_an_unfinished_session_stays_with_its_rig(server: Server, database: str, tmp_path: Path) -> None:
    left, right = (folder_of(server, database, tmp_path, name) for name in ("left", "right"))
    add(left, "R01")

    class Broken(Exception):
        pass

    def break_off(fact: Progress) -> None:
        if isinstance(fact, Done):
            raise Broken

    with pytest.raises(Broken):
        run(left, listener=break_off)
    with open_study(left) as study, pytest.raises(KindleError, match=r"R01 has the unfinished session .* on this rig"):
        release(study, "R01")
    with pytest.raises(KindleError, match="R01 is held by rig left"):
        run(right)
    with open_study(right) as study:
        take_over(study, "R01", "left", "A. Person", "its computer burnt", NOW)
    run(right, now=NOW.replace(hour=20))
    with open_study(right) as study:
        assert "taken over from rig left by A. Person: its computer burnt" in study.journal.rows("animals")[-1].payload
        mine = [view for view in study.sessions("R01") if not view.rig_of_journal]
    assert len(mine) == 1


def test_the_whole_study_is_read_from_any_rig(server: Server, database: str, tmp_path: Path) -> None:
    left, right = (folder_of(server, database, tmp_path, name) for name in ("left", "right"))
    add(left, "R01", "R02")
    run(left)
    run(right, animal="R02")

    def seen(folder: Path) -> tuple[list[str], list[str], dict[str, int]]:
        with open_study(folder) as study:
            assert freshened(study) is None
            reported = study_facts(sources_of(study)).ledgers
            trains = {animal: len(ledger.trains) for animal, ledger in sorted(reported.items())}
            return sorted(study.animals()), [view.id for view in study.sessions()], trains

    assert seen(left) == seen(right)
    animals, sessions, trains = seen(left)
    assert animals == ["R01", "R02"]
    assert len(sessions) == 2
    assert all(trains[animal] for animal in animals)


def test_the_journal_never_waits_for_a_silent_network(server: Server, database: str, tmp_path: Path) -> None:
    """Rows are sent to nowhere meanwhile; each append is as quick as the disk, and the end waits a bounded time."""
    with network(server.port) as between, rig(server, database, tmp_path, "left", port=between.port) as left:
        sync(left)
        slowest_s = 0.0
        with mirroring(left, look_s=0.01, close_s=0.5):
            between.cut(silent=True)
            for _ in range(50):
                begun = time.perf_counter()
                write(left, 1)
                slowest_s = max(slowest_s, time.perf_counter() - begun)
            closing = time.perf_counter()
        assert time.perf_counter() - closing < 3.0
        assert slowest_s < 2.0
        between.mend()
        sync(left)
        assert in_database(server, left) == in_journal(left.journal)


def test_rows_go_while_the_session_runs_and_again_after_a_cut(server: Server, database: str, tmp_path: Path) -> None:
    with network(server.port) as between, rig(server, database, tmp_path, "left", port=between.port) as left:
        with mirroring(left, look_s=0.01):
            write(left, 3)
            wait_until(lambda: len(in_database(server, left)) == 3)
            between.cut()
            write(left, 3)
            between.mend()
            wait_until(lambda: len(in_database(server, left)) == 6)
        assert in_database(server, left) == in_journal(left.journal)


def wait_until(true: Callable[[], bool], most_s: float = 20.0) -> None:
    waiting = threading.Event()
    until = time.monotonic() + most_s
    while not true():
        assert time.monotonic() < until
        waiting.wait(0.02)
