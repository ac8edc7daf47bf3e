"""JSON that somebody else may have written, as a value of one type."""

from typing import TypeVar

import msgspec

T = TypeVar("T")


def from_json(content: bytes | str, type: type[T]) -> T:
    """Raises ``msgspec.DecodeError`` for whatever is no ``type``, lists that lie too deep in one another included."""
    try:
        return msgspec.json.decode(content, type=type)
    except RecursionError:
        raise msgspec.DecodeError("lists or objects lie too deep in one another") from None
