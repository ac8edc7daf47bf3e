"""Reading TOML with messages that name the file, the key and what is allowed there."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from kindle.errors import ConfigError
from kindle.toml_messages import Keys, explain, keys_of

T = TypeVar("T")


def read_toml(path: Path) -> dict[str, Any]:
    """The file as a dictionary; a byte order mark, which Windows editors add, is accepted."""
    try:
        read = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
        _refuse_wide_numbers(read)
        return read
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not text in UTF-8; save it again with that encoding") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}; a line reads: key = value, with texts in quotes") from None
    except (ValueError, RecursionError):
        raise ConfigError(
            f"{path}: not valid TOML: a number is too long, or lists lie too deep in one another"
        ) from None


def _refuse_wide_numbers(value: object) -> None:
    """Raises ``ValueError`` beyond the 64 bits of TOML: written in hexadecimal a number may be too long to be shown."""
    match value:
        case dict():
            for inner in value.values():
                _refuse_wide_numbers(inner)
        case list():
            for inner in value:
                _refuse_wide_numbers(inner)
        case int() if not -(2**63) <= value < 2**63:
            raise ValueError
        case _:
            pass


def convert(raw: object, type: type[T], where: str, named: Callable[[Keys], Keys] | None = None) -> T:
    """``raw`` as a ``type``; raises ``ConfigError`` naming ``where`` and the key, which ``named`` puts as written."""
    try:
        return msgspec.convert(raw, type)
    except msgspec.ValidationError as error:
        written = None if named is None else named(keys_of(error))
        raise ConfigError(f"{where}: {explain(error, raw, type, written)}") from None


def decode_toml(path: Path, type: type[T]) -> T:
    return convert(read_toml(path), type, str(path))
