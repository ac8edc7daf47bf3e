"""What every result says about itself: how it came out, in a code for programs and a sentence for people."""

from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Literal

Kind = Literal["ok", "warning", "status", "error"]
SEVERITY: dict[Kind, int] = {"ok": 0, "warning": 1, "status": 2, "error": 3}
"""A status is an outcome of its own (no finite limits, separation); an error leaves no estimate."""


@dataclass(frozen=True, slots=True)
class Note:
    kind: Kind
    code: str
    message: str

    def __str__(self) -> str:
        return self.message


OK = Note("ok", "ok", "")


def headline(notes: tuple[Note, ...]) -> Note:
    """The gravest note, the first of equals; ``OK`` without any."""
    return max(notes, key=lambda note: SEVERITY[note.kind], default=OK)


@dataclass(frozen=True, slots=True)
class Interval:
    """``None`` where there is no limit on that side."""

    low: float | None
    high: float | None

    def excludes(self, value: float) -> bool:
        return (self.low is not None and self.low > value) or (self.high is not None and self.high < value)


class Result:
    """A frozen dataclass that can be written as JSON."""

    __slots__ = ()

    def as_dict(self) -> dict[str, object]:
        """Numbers, strings, booleans, ``None``, lists and dicts only."""
        plain = _plain(self)
        assert isinstance(plain, dict)
        return plain


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value
