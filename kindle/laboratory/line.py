"""The line to the laboratory's database: bounded in time, and its errors in a sentence for people."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import NullPool

from kindle.errors import ConfigError, JournalMismatch, KindleError
from kindle.laboratory.config import DatabaseConfig
from kindle.laboratory.guards import NOT_FREE

CONNECT_S = 5
TRANSACTION_S = 30.0
"""A network may swallow packets for ever; a transaction that takes longer is broken off, and done again later."""


class NotReached(KindleError):
    """The database does not answer now. Nothing is lost: every row stands in the rig's own journal."""


class NotFree(KindleError):
    """Another rig was first."""


class Line:
    """An open connection to the laboratory's database; for one thread at a time."""

    def __init__(self, config: DatabaseConfig, connection: Connection, transaction_s: float) -> None:
        """Use ``connected``."""
        self.config = config
        self._connection = connection
        self._transaction_s = transaction_s

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """All or nothing. Raises ``NotReached`` when the network or the server fails, whether or not it was done."""
        if self._connection.invalidated or _raw(self._connection).closed:
            raise NotReached(f"{self.config} cannot be reached (the connection was lost)")
        late = _broken_off_after(self._transaction_s, self._connection)
        with _explained(self.config), late, self._connection.begin():
            yield self._connection


@contextmanager
def connected(
    config: DatabaseConfig, *, connect_s: int = CONNECT_S, transaction_s: float = TRANSACTION_S
) -> Iterator[Line]:
    """Raises ``NotReached``, or ``ConfigError`` where the driver is not installed or the server lets nobody in."""
    with _explained(config):
        connection = _engine(config, connect_s, transaction_s).connect()
    with closing(connection):
        yield Line(config, connection, transaction_s)


def _engine(config: DatabaseConfig, connect_s: int, transaction_s: float) -> Engine:
    try:
        return create_engine(
            "postgresql+psycopg://",
            connect_args={
                "host": config.host,
                "port": config.port,
                "dbname": config.name,
                "user": config.user,
                "sslmode": config.sslmode,
                "connect_timeout": connect_s,
                "application_name": f"kindle {config.rig}",
                "target_session_attrs": "read-write",
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "prepare_threshold": None,
                # What a silent network left open on the server would keep other contacts waiting for hours.
                "options": f"-c idle_in_transaction_session_timeout={transaction_s * 1000:.0f}",
            },
            poolclass=NullPool,
            pool_reset_on_return=None,
            hide_parameters=True,
            use_native_hstore=False,
        )
    except (ModuleNotFoundError, NoSuchModuleError, ImportError):
        raise ConfigError(
            "study.toml names a PostgreSQL database, and its driver is not installed: pip install "
            "'kindle-eeg[postgresql]'"
        ) from None


@contextmanager
def _explained(config: DatabaseConfig) -> Iterator[None]:
    """Without the cause: SQLAlchemy's error carries the statement, and no trace may show what a row holds."""
    try:
        yield
    except DBAPIError as error:
        raise _told(error, config) from None


def _told(error: DBAPIError, config: DatabaseConfig) -> KindleError:
    state = getattr(error.orig, "sqlstate", None) or ""
    diagnosis = getattr(error.orig, "diag", None)
    said = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0][:300]
    constraint = getattr(diagnosis, "constraint_name", None)
    if state == NOT_FREE or constraint == "holdings_one_each":
        return NotFree(said)
    if constraint == "rows_of_one_rig":
        return JournalMismatch(
            "rows of this journal are in the laboratory's database already, under the name of another rig: a study "
            "folder was copied; begin this rig with kindle study init, in a folder of its own"
        )
    if state.startswith("KD") or constraint == "rows_one_each":
        return JournalMismatch(f"{config} refuses a row of rig {config.rig} ({said}): run kindle verify")
    if state.startswith("28") or "authentication failed" in said or "no password supplied" in said:
        return ConfigError(
            f"{config} does not let user {config.user!r} in ({said}): check [database] of study.toml, and the password "
            "in PGPASSWORD or in the file ~/.pgpass"
        )
    if state in ("42P01", "3F000"):
        return ConfigError(f"{config} has no tables yet: let its owner run kindle mirror init")
    if state == "42501":
        return ConfigError(f"{config} does not allow this to user {config.user!r} ({said}): ask its owner")
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return NotReached(f"{config} cannot be reached ({said})")
    return KindleError(f"{config} failed ({state}: {said}): ask its owner")


def _raw(connection: Connection) -> Any:
    """The connection of psycopg itself, which is imported nowhere."""
    return connection.connection.dbapi_connection


@contextmanager
def _broken_off_after(most_s: float, connection: Connection) -> Iterator[None]:
    descriptor = _raw(connection).fileno()
    lock, done = threading.Lock(), False

    def break_off() -> None:
        with lock, suppress(OSError):  # the other side may have been quicker
            if not done:  # the number may belong to another file by now
                with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as twin:
                    twin.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(most_s, break_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            done = True
        timer.cancel()
