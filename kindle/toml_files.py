"""Reading TOML with messages that name the file, the key and what is allowed there."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from kindle.errors import ConfigError

T = TypeVar("T")


def read_toml(path: Path) -> dict[str, Any]:
    """The file as a dictionary; a byte order mark, which Windows editors add, is accepted."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def convert(raw: object, type: type[T], where: str) -> T:
    """``raw`` as a ``type``; raises ``ConfigError`` naming ``where`` and the key."""
    try:
        return msgspec.convert(raw, type)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_plainly(str(error))}") from None


def decode_toml(path: Path, type: type[T]) -> T:
    return convert(read_toml(path), type, str(path))


def _plainly(message: str) -> str:
    """msgspec says ``Object contains unknown field `x` - at `$.limits` ``; people read keys, not JSON paths."""
    what, at, path = message.partition(" - at `")
    key = path.rstrip("`").removeprefix("$").removeprefix(".")
    what = what.replace("Object contains unknown field", "unknown key").replace(
        "Object missing required field", "missing key"
    )
    what = what[0].lower() + what[1:]
    return f"[{key}] {what}" if at and key and key != "key" else what
