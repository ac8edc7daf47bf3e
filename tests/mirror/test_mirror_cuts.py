"""However the connection breaks, in the end both sides hold every row once."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cutting_proxy import network
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from laboratory import STUDY, in_database, in_journal, rig, write
from postgres_server import Server

from kindle.journal import JournalReader, Row
from kindle.journal_verification import verify_chain
from kindle.laboratory.copies import path_of_copy
from kindle.laboratory.fetching import fetch
from kindle.laboratory.line import NotReached, connected
from kindle.laboratory.mirror import sync
from kindle.laboratory.schema import check
from kindle.laboratory.sending import send

NUMBERS = itertools.count()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.integers(0, 16_000), min_size=1, max_size=4),
    n_rows=st.lists(st.integers(0, 6), min_size=5, max_size=5),
    batch=st.integers(1, 4),
)
def test_cut_after_any_byte_nothing_is_lost_or_doubled(
    server: Server, database: str, tmp_path: Path, cuts: list[int], n_rows: list[int], batch: int
) -> None:
    """The connection breaks after so many bytes: while it is made, in a statement, before or after a commit."""
    study = f"study {next(NUMBERS)}"
    folder = tmp_path / study
    folder.mkdir()
    with (
        network(server.port) as between,
        rig(server, database, folder, "left", port=between.port, study=study) as left,
        rig(server, database, folder, "right", port=between.port, study=study) as right,
    ):
        for n_bytes, n in zip([*cuts, None], n_rows, strict=False):
            write(left, n)
            write(right, n // 2)
            between.mend()
            between.bytes_left = n_bytes
            for one in (left, right):
                try:
                    with connected(one.config, transaction_s=5.0) as line:
                        send(line, study, one.journal, batch=batch)
                        fetch(line, study, one.folder, batch=batch)
                except NotReached:
                    assert n_bytes is not None
        between.mend()
        for one in (left, right, left):
            sync(one)
        for one, other in ((left, right), (right, left)):
            assert in_database(server, one) == in_journal(one.journal)
            if one.journal.last_seq:
                assert in_journal(other.journal.others[one.config.rig]) == in_journal(one.journal)


def test_a_server_that_dies_in_the_middle_keeps_what_it_acknowledged(
    server: Server, database: str, tmp_path: Path
) -> None:
    with rig(server, database, tmp_path, "left") as left:
        write(left, 30)
        acknowledged = 0

        def die(rig: str, done: int, of: int) -> None:
            nonlocal acknowledged
            acknowledged = done
            if done == 20:
                server.stop()

        try:
            with pytest.raises(NotReached, match="cannot be reached"), connected(left.config) as line:
                send(line, STUDY, left.journal, die, batch=10)
            with pytest.raises(NotReached, match="Connection refused"):
                sync(left)
        finally:
            server.start()
        assert len(in_database(server, left)) == acknowledged == 20
        sync(left)
        assert in_database(server, left) == in_journal(left.journal)


def test_a_backend_ended_by_the_administrator_is_a_lost_network(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left:
        write(left, 10)

        def end(rig: str, done: int, of: int) -> None:
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", database)

        with connected(left.config) as line:
            with pytest.raises(NotReached):
                send(line, STUDY, left.journal, end, batch=4)
            with pytest.raises(NotReached, match="connection was lost"), line.transaction() as connection:
                check(connection)
        assert len(in_database(server, left)) == 4
        sync(left)
        assert in_database(server, left) == in_journal(left.journal)


def test_a_silent_network_is_given_up_in_time(server: Server, database: str, tmp_path: Path) -> None:
    """Packets vanish, and nobody says so."""
    with network(server.port) as between, rig(server, database, tmp_path, "left", port=between.port) as left:
        write(left, 4)
        begun = time.monotonic()
        with connected(left.config, transaction_s=0.5) as line:
            between.cut(silent=True)
            with pytest.raises(NotReached):
                send(line, STUDY, left.journal)
        with pytest.raises(NotReached), connected(left.config, connect_s=2):
            pass
        assert time.monotonic() - begun < 5.0
        between.mend()
        sync(left)
        assert in_database(server, left) == in_journal(left.journal)


def test_programs_of_one_rig_that_send_at_once_send_each_row_once(
    server: Server, database: str, tmp_path: Path
) -> None:
    with rig(server, database, tmp_path, "left") as left:
        write(left, 40)
        together = threading.Barrier(4)

        def sending() -> int:
            with JournalReader.open(left.journal.path) as journal, connected(left.config) as line:
                together.wait(30)
                return send(line, STUDY, journal, batch=1)

        with ThreadPoolExecutor(4) as threads:
            sent = [threads.submit(sending) for _ in range(4)]
            assert [one.result(60) for one in sent] == [40] * 4
        assert in_database(server, left) == in_journal(left.journal)


def test_a_fetch_that_breaks_off_goes_on_where_it_was(server: Server, database: str, tmp_path: Path) -> None:
    with rig(server, database, tmp_path, "left") as left, rig(server, database, tmp_path, "right") as right:
        write(left, 9)
        sync(left)
        told: list[int] = []

        def end(rig: str, done: int, of: int) -> None:
            told.append(done)
            if len(told) == 1:
                server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", database)

        with pytest.raises(NotReached), connected(right.config) as line:
            fetch(line, STUDY, right.folder, end, batch=4)
        with connected(right.config) as line:
            fetch(line, STUDY, right.folder, end, batch=4)
        assert told == [4, 8, 9]
        assert verify_chain(path_of_copy(right.folder, "left")) == []


def test_what_a_silent_network_left_open_on_the_server_keeps_nobody_waiting(
    server: Server, database: str, tmp_path: Path
) -> None:
    """The rig gives up and comes back by another way, while the server still believes in the first connection."""
    with network(server.port) as between, rig(server, database, tmp_path, "left") as left:
        write(left, 4)

        class FallingSilent(JournalReader):
            def after(self, seq: int, most: int) -> list[Row]:
                between.cut(silent=True)  # in mid-transaction, with the lock of this rig taken
                return super().after(seq, most)

        through = server.config(database, "left", port=between.port)
        refused = pytest.raises(NotReached)
        with FallingSilent.open(left.journal.path) as journal, connected(through, transaction_s=0.5) as line, refused:
            send(line, STUDY, journal)
        begun = time.monotonic()
        sync(left)
        assert time.monotonic() - begun < 5.0
        assert in_database(server, left) == in_journal(left.journal)
