"""[database] of study.toml: which database the laboratory's rigs share, and what this rig is called in it."""

import re
from typing import Literal

import msgspec

from kindle.errors import ConfigError

_RIG = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_WINDOWS_DEVICE = re.compile(r"con|prn|aux|nul|com\d|lpt\d")
_HOST = re.compile(r"[A-Za-z0-9_./:-]+")


class DatabaseConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is no password here: libpq finds it in PGPASSWORD, PGPASSFILE or ~/.pgpass, and kindle never holds it."""

    host: str
    """Name or address of the server, or the folder of its socket."""
    name: str
    """Of the database."""
    user: str
    rig: str
    """What this rig is called in the laboratory; each has its own name, and its own study folder."""
    port: int = 5432
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"

    def __str__(self) -> str:
        return f"the laboratory's database {self.name!r} on {self.host}:{self.port}"


def is_rig_name(text: str) -> bool:
    """Whether it may be the name of a folder on every system."""
    return _RIG.fullmatch(text) is not None and _WINDOWS_DEVICE.fullmatch(text) is None


def check_database(config: DatabaseConfig) -> None:
    """Raises ``ConfigError``, without the value where a person may have put a password."""
    if not is_rig_name(config.rig):
        raise ConfigError(
            f"rig = {config.rig!r} under [database] of study.toml is a folder name too: use at most 40 small letters, "
            "digits, dashes and underscores, such as left-room"
        )
    if not _HOST.fullmatch(config.host):
        raise ConfigError(
            "host under [database] of study.toml is no name or address of a server: give it alone, without a user, "
            "a password or options"
        )
