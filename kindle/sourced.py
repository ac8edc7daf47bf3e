"""Published values as data: each with the source it is from, and whether that source was read or remembered."""

from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeVar

import msgspec

from kindle.errors import ConfigError

T = TypeVar("T")

Status = Literal["retrieved", "derived", "unverified", "laboratory"]
"""Read in the source; computed or inferred from it; from memory of the literature; chosen by this laboratory."""

HEAD = ("id", "version", "label", "citation")
"""What names a published record; a laboratory's own values never change it."""


class Sourced(msgspec.Struct, Generic[T], frozen=True, forbid_unknown_fields=True):
    """A value of a preset. No ``value``: the source does not state it, and the laboratory is asked."""

    status: Status
    source: str
    value: T | None = None
    note: str = ""


class Parameter(msgspec.Struct, frozen=True):
    """One line of the table of parameters in force."""

    name: str
    value: str
    status: Status
    source: str
    note: str = ""


def stated(sourced: Sourced[T]) -> T:
    assert sourced.value is not None, "presets with open fields are refused before their values are read"
    return sourced.value


def lay_over(raw: dict[str, Any], laboratory: Mapping[str, Any], table: str, groups: tuple[str, ...] = ()) -> None:
    """The laboratory's own values take the place of published ones; ``groups`` are tables of further fields."""
    for key, value in laboratory.items():
        if key not in raw or key in HEAD:
            allowed = ", ".join(sorted(set(raw) - set(HEAD)))
            raise ConfigError(f"study.toml: [{table}] has no key {key!r}; allowed are: {allowed}")
        if key in groups:
            if not isinstance(value, Mapping):
                raise ConfigError(f"study.toml: [{table}] {key} must be a table, [{table}.{key}]")
            lay_over(raw[key], value, f"{table}.{key}")
        else:
            raw[key] = {"value": value, "status": "laboratory", "source": "study.toml"}
