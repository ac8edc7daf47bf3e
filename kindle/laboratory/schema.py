"""How the laboratory's database is made, brought up from an older version, and checked before every use."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, func, select, text

from kindle.errors import ConfigError, JournalMismatch
from kindle.laboratory.guards import FUNCTIONS, TRIGGERS
from kindle.laboratory.tables import VERSIONS

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Text, not jsonb: jsonb writes numbers and keys anew, and the hash would not match.
        """CREATE TABLE kindle.rows (
            study text NOT NULL,
            rig text NOT NULL,
            seq bigint NOT NULL,
            session text NOT NULL,
            kind text NOT NULL,
            sample bigint,
            utc text NOT NULL,
            payload text NOT NULL,
            hash text NOT NULL,
            CONSTRAINT rows_one_each PRIMARY KEY (study, rig, seq),
            CONSTRAINT rows_of_one_rig UNIQUE (study, hash)
        )""",
        "CREATE INDEX rows_by_session ON kindle.rows (study, rig, session, seq)",
        """CREATE TABLE kindle.holdings (
            study text NOT NULL,
            animal text NOT NULL,
            n bigint NOT NULL,
            rig text NOT NULL,
            act text NOT NULL CHECK (act IN ('taken', 'taken over', 'released')),
            utc text NOT NULL,
            author text NOT NULL,
            reason text NOT NULL,
            CONSTRAINT holdings_one_each PRIMARY KEY (study, animal, n)
        )""",
    ),
)
"""Step ``n`` brings version ``n`` to ``n + 1``. Steps only ever add."""

_MIGRATING = 0x6B6E646C
"""Advisory lock: two rigs may be set up at once."""


def bring_up(
    connection: Connection,
    *,
    rigs_user: str | None = None,
    mend: bool = False,
    migrations: Sequence[Sequence[str]] = MIGRATIONS,
) -> None:
    """Make or update the tables, all or nothing; ``rigs_user`` may then read and add, and nothing else.

    ``mend`` puts back triggers that somebody took away, which is an error without it. Raises ``ConfigError`` for a
    database that is not in UTF-8, ``JournalMismatch`` for one of a newer kindle.
    """
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise ConfigError(f"the laboratory's database is in {encoding}; make one with the encoding UTF8")
    connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS kindle"))
    connection.execute(text("CREATE TABLE IF NOT EXISTS kindle.versions (version bigint PRIMARY KEY)"))
    version = _version(connection)
    _refuse_newer(version, len(migrations))
    if version and not mend:
        check_guards(connection)
    for number, step in enumerate(migrations[version:], version + 1):
        for statement in step:
            connection.execute(text(statement))
        connection.execute(VERSIONS.insert().values(version=number))
    for name, body in FUNCTIONS.items():
        connection.execute(
            text(
                f"CREATE OR REPLACE FUNCTION kindle.{name}() RETURNS trigger LANGUAGE plpgsql "
                f"SET search_path = pg_catalog AS $kindle${body}$kindle$"
            )
        )
    for name, statement in TRIGGERS.items():
        table = name.partition("_")[0]
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name} ON kindle.{table}"))
        connection.execute(text(statement))
        # A superuser's replication role would pass an ordinary trigger by.
        connection.execute(text(f"ALTER TABLE kindle.{table} ENABLE ALWAYS TRIGGER {name}"))
    if rigs_user is not None:
        user = connection.dialect.identifier_preparer.quote(rigs_user)
        connection.execute(text(f"GRANT USAGE ON SCHEMA kindle TO {user}"))
        connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA kindle TO {user}"))
        connection.execute(text(f"GRANT INSERT ON kindle.rows, kindle.holdings TO {user}"))


def check(connection: Connection, known_version: int = len(MIGRATIONS)) -> None:
    """Raises ``ConfigError`` for a database that must be made or brought up, ``JournalMismatch`` for an unsafe one."""
    if connection.execute(text("SELECT to_regclass('kindle.versions')")).scalar() is None:
        raise ConfigError("the laboratory's database has no tables yet: let its owner run kindle mirror init")
    version = _version(connection)
    _refuse_newer(version, known_version)
    if version < known_version:
        raise ConfigError(
            f"the laboratory's database has version {version}, this kindle needs {known_version}: let its owner run "
            "kindle mirror init"
        )
    check_guards(connection)


def check_guards(connection: Connection) -> None:
    """Raises ``JournalMismatch`` when nothing keeps rows from being altered any more."""
    if missing := list(missing_guards(connection)):
        raise JournalMismatch(
            f"the laboratory's database has lost its append-only triggers ({', '.join(missing)}), so rows may have "
            "been altered: nothing was sent; run kindle verify on every rig before its owner mends it"
        )


def missing_guards(connection: Connection) -> Iterator[str]:
    """Names of the triggers that are not there, not as kindle made them, or not always on."""
    found = connection.execute(
        text(
            "SELECT t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, p.proname, p.prosrc "
            "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace s ON s.oid = c.relnamespace "
            "JOIN pg_proc p ON p.oid = t.tgfoid WHERE s.nspname = 'kindle' AND NOT t.tgisinternal"
        )
    )
    there = {name: (made, enabled, FUNCTIONS.get(proc) == body) for name, made, enabled, proc, body in found}
    return (name for name, statement in TRIGGERS.items() if there.get(name) != (statement, "A", True))


def _version(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.max(VERSIONS.c.version), 0))).scalar_one())


def _refuse_newer(version: int, known_version: int) -> None:
    if version > known_version:
        raise JournalMismatch(
            f"the laboratory's database has version {version}, this kindle knows {known_version}: install a newer one"
        )
