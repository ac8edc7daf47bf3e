"""One text for one value: what the journal stores is byte for byte what it hashed."""

import hashlib
import numbers
from math import isfinite

import msgspec

from kindle.errors import JournalMismatch

GENESIS = "0" * 64
"""Stands for the hash before the first row."""


def canonical_json(value: object) -> str:
    """JSON, the keys of dictionaries sorted.

    Raises ``JournalMismatch`` for what JSON, or a database, would change without a word.
    """
    try:
        plain = msgspec.to_builtins(value, str_keys=True, order="deterministic", enc_hook=_number)
        _refuse_unstorable(plain)
        return msgspec.json.encode(value, order="deterministic", enc_hook=_number).decode()
    except (TypeError, ValueError, OverflowError) as error:  # UnicodeEncodeError is a ValueError
        raise JournalMismatch(f"the journal cannot hold {type(value).__name__} ({error}): correct the value") from error


def chain_hash(
    previous: str, seq: object, session: object, kind: object, sample: object, utc: object, payload: object
) -> str:
    """SHA-256, in hex, of the previous row's hash and the JSON list of all fields of this row.

    Raises ``JournalMismatch`` for fields without an unambiguous text, such as an infinite sample index.
    """
    fields = canonical_json([seq, session, kind, sample, utc, payload])
    return hashlib.sha256(previous.encode() + fields.encode()).hexdigest()


def _number(value: object) -> int | float:
    """Numbers of numpy, which JSON does not know."""
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise TypeError(f"objects of type {type(value).__name__} have no JSON form")


def _refuse_unstorable(value: object) -> None:
    match value:
        case float() if not isfinite(value):
            raise ValueError(f"{value} would be written as null")
        case str() if "\0" in value:
            raise ValueError(f"{value!r} holds a NUL character, which databases refuse")
        case dict():
            for key, item in value.items():
                _refuse_unstorable(key)
                _refuse_unstorable(item)
        case list() | tuple():
            for item in value:
                _refuse_unstorable(item)
        case _:
            pass
