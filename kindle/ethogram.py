"""Single items of behaviour as versioned data, with the key that marks each at the rig."""

import tomllib
from functools import cache
from importlib.resources import files

import msgspec

from kindle.errors import ConfigError
from kindle.sourced import Status
from kindle.toml_files import convert

_FOLDER = files("kindle") / "ethograms"


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``lasts``: the key begins it and, pressed again, ends it; otherwise each press counts one."""

    item: str
    key: str
    wording: str
    lasts: bool
    status: Status


class Ethogram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: int
    label: str
    citation: str
    items: tuple[Item, ...]


def ethograms() -> tuple[str, ...]:
    return tuple(sorted(e.name.removesuffix(".toml") for e in _FOLDER.iterdir() if e.name.endswith(".toml")))


@cache
def load_ethogram(id: str) -> Ethogram:
    if id not in ethograms():
        raise ConfigError(f"no ethogram {id!r}; there are: {', '.join(ethograms())}")
    return convert(tomllib.loads((_FOLDER / f"{id}.toml").read_text(encoding="utf-8")), Ethogram, f"{id}.toml")
