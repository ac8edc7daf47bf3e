"""A PostgreSQL server of the tests' own: made in a temporary folder, on a port of loopback that was free."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from kindle.laboratory.config import DatabaseConfig

psycopg = pytest.importorskip("psycopg", reason="needs the extra postgresql")

OWNER, RIGS = "laboratory_owner", "laboratory_rigs"
NO_SERVER = "needs the server programs of PostgreSQL (Debian's package postgresql)"


def binaries() -> Path | None:
    """Debian keeps them off the path, a folder for each version."""
    found = [path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))]
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path).parent)
    return found[-1] if found else None


class Server:
    """Can be stopped as by a power cut, and started again on the same port with what it had acknowledged."""

    def __init__(self, bin: Path, folder: Path) -> None:
        self.password = secrets.token_hex(12)
        """Of the owner and of the rigs."""
        self.folder = folder
        self._bin = bin
        self._user = _unprivileged()
        self._process: subprocess.Popen[bytes] | None = None
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port: int = free.getsockname()[1]

    def make(self) -> None:
        if self._user is not None:
            os.chown(self.folder, *self._user)
        initial = self.folder / "password"
        initial.write_text(self.password)
        initial.chmod(0o644)
        options = ["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={initial}"]
        self._run("initdb", "-D", "data", "-U", OWNER, *options)
        self.pgpass.write_text(f"127.0.0.1:*:*:*:{self.password}\n")
        self.pgpass.chmod(0o600)

    @property
    def pgpass(self) -> Path:
        return self.folder / "pgpass"

    def start(self) -> None:
        settings = ("fsync=off", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}")
        options = " ".join(f"-c {setting}" for setting in (*settings, f"port={self.port}"))
        self._run("pg_ctl", "-D", "data", "-w", "-t", "30", "-l", "log", "-o", options, "start")

    def stop(self, *, how: str = "immediate") -> None:
        """At once, without a checkpoint, as by a power cut; ``fast`` is the orderly way."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", how, "stop")

    def execute(self, statement: str, *values: object, database: str = "postgres") -> list[tuple]:
        """As the owner, who may do anything."""
        options = {"host": "127.0.0.1", "port": self.port, "user": OWNER, "password": self.password}
        with psycopg.connect(**options, dbname=database, autocommit=True) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        name = f"lab_{secrets.token_hex(4)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def config(self, database: str, rig: str, *, user: str = RIGS, port: int | None = None) -> DatabaseConfig:
        return DatabaseConfig(host="127.0.0.1", port=port or self.port, name=database, user=user, rig=rig)

    def _run(self, program: str, *arguments: str) -> None:
        user = {} if self._user is None else {"user": self._user[0], "group": self._user[1], "extra_groups": []}
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
            **user,
        )
        assert done.returncode == 0, f"{program}: {done.stdout!r}"


@contextmanager
def running() -> Iterator[Server]:
    bin = binaries()
    if bin is None:
        pytest.skip(NO_SERVER)
    folder = Path(tempfile.mkdtemp(prefix="kindle-postgres-"))
    server = Server(bin, folder)
    try:
        server.make()
        server.start()
        server.execute(f"CREATE ROLE {RIGS} LOGIN PASSWORD '{server.password}'")
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> tuple[int, int] | None:
    """User and group for a server that is started by root, which it refuses to run as."""
    if os.geteuid() != 0:
        return None
    import pwd  # not on Windows

    user = next(user for user in pwd.getpwall() if user.pw_name in ("postgres", "nobody"))
    return user.pw_uid, user.pw_gid
