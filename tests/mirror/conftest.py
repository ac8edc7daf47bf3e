"""One server and one database for all tests of a process; each test begins with new tables."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from postgres_server import Server


@pytest.fixture(scope="session")
def server() -> Iterator["Server"]:
    from postgres_server import running

    with running() as server:
        yield server


@pytest.fixture(scope="session")
def emptied(server: "Server") -> str:
    return server.new_database()


@pytest.fixture
def database(server: "Server", emptied: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a database with kindle's tables, which the rigs may read and add to."""
    from postgres_server import OWNER, RIGS

    from kindle.laboratory.line import connected
    from kindle.laboratory.schema import bring_up

    monkeypatch.setenv("PGPASSFILE", str(server.pgpass))
    # What an earlier test left waiting on a cut network would keep the tables.
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", emptied)
    server.execute("DROP SCHEMA IF EXISTS kindle CASCADE", database=emptied)
    with connected(server.config(emptied, "owner", user=OWNER)) as line, line.transaction() as connection:
        bring_up(connection, rigs_user=RIGS)
    return emptied
