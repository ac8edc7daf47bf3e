"""One reader of published records: a TOML file each, the laboratory's own values laid over it, and what stays open."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any, Generic, Protocol, TypeVar

import msgspec
from msgspec import Meta

from kindle.errors import ConfigError
from kindle.sourced import Parameter, Sourced, lay_over
from kindle.toml_files import convert
from kindle.toml_messages import Keys

Span = Annotated[float, Meta(ge=0, le=1e6)]
Count = Annotated[int, Meta(ge=1, le=10_000)]


class Published(Protocol):
    """What every preset has beside its fields."""

    @property
    def id(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def label(self) -> str: ...

    @property
    def citation(self) -> str: ...


P = TypeVar("P", bound=Published)

_FOLDER = files("kindle.protocols") / "presets"


@dataclass(frozen=True, slots=True)
class Family(Generic[P]):
    """Presets of one kind: their folder, and the table of study.toml that a laboratory lays over them."""

    kind: type[P]
    folder: str
    table: str
    groups: tuple[str, ...] = ()
    """Tables of further fields."""
    optional: frozenset[str] = frozenset()
    """Fields without which a preset is complete."""
    under: str = ""
    """Where study.toml has the table, where it is not under its own name."""

    @property
    def where(self) -> str:
        return self.under or f"[{self.table}]"

    def ids(self) -> tuple[str, ...]:
        entries = (_FOLDER / self.folder).iterdir()
        return tuple(sorted(entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml")))

    def load(self, id: str, laboratory: Mapping[str, Any] | None = None) -> P:
        """The preset ``id`` with the laboratory's own values over it. Raises ``ConfigError`` naming the key."""
        if id not in self.ids():
            raise ConfigError(f"no {self.folder.replace('_', ' ')} preset {id!r}; there are: {', '.join(self.ids())}")
        raw = tomllib.loads((_FOLDER / self.folder / f"{id}.toml").read_text(encoding="utf-8"))
        lay_over(raw, laboratory or {}, self.table, self.groups)
        return convert(raw, self.kind, "study.toml", named=self._as_written)

    def open_fields(self, preset: P) -> tuple[str, ...]:
        """The fields that neither the source nor the laboratory has stated."""
        missing = (name for name, sourced in sourced_fields(preset) if sourced.value is None)
        return tuple(name for name in missing if name not in self.optional)

    def refuse(self, preset: P, missing: Iterable[str]) -> None:
        """Raises ``ConfigError`` for fields that the laboratory still has to set."""
        names = tuple(missing)
        if names:
            raise ConfigError(
                f"preset {preset.id} does not state {', '.join(names)}; "
                f"set {'it' if len(names) == 1 else 'them'} under {self.where} in study.toml"
            )

    def _as_written(self, keys: Keys) -> Keys:
        """Each field is kept as a table of value, status and source; people write the value alone."""
        fields = list(keys)
        if "value" in fields:
            fields.remove("value")
        return (self.table, *fields)


def sourced_fields(preset: object) -> Iterator[tuple[str, Sourced[Any]]]:
    """Every field that has a source, in the order of the preset; those of a group after the name of the group."""
    for name in getattr(preset, "__struct_fields__", ()):
        value = getattr(preset, name)
        if isinstance(value, Sourced):
            yield name, value
        elif isinstance(value, msgspec.Struct):
            yield from ((f"{name}.{field}", sourced) for field, sourced in sourced_fields(value))


def parameters(preset: object) -> tuple[Parameter, ...]:
    """Every field with its value, status and source, for people to see before anything is armed."""
    return tuple(
        Parameter(name, shown(sourced.value), sourced.status, sourced.source, sourced.note)
        for name, sourced in sourced_fields(preset)
    )


def shown(value: object) -> str:
    match value:
        case None:
            return "not stated"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case tuple() | list():
            return " to ".join(shown(one) for one in value)
        case _:
            return str(value)
