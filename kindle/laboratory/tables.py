"""The tables of the laboratory's database, as SQLAlchemy names them in queries; ``schema`` makes them."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

_METADATA = MetaData(schema="kindle")

ROWS = Table(
    "rows",
    _METADATA,
    Column("study", Text, primary_key=True),
    Column("rig", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("session", Text),
    Column("kind", Text),
    Column("sample", BigInteger),
    Column("utc", Text),
    Column("payload", Text),
    Column("hash", Text),
)
"""The journals of all rigs; text columns hold the very text that was hashed."""

HOLDINGS = Table(
    "holdings",
    _METADATA,
    Column("study", Text, primary_key=True),
    Column("animal", Text, primary_key=True),
    Column("n", BigInteger, primary_key=True),
    Column("rig", Text),
    Column("act", Text),
    Column("utc", Text),
    Column("author", Text),
    Column("reason", Text),
)
"""Which rig took or released which animal; the last act of an animal is in force."""

VERSIONS = Table("versions", _METADATA, Column("version", BigInteger, primary_key=True))
