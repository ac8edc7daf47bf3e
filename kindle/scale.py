"""Behavioural scales as versioned data; a stage means nothing without the scale it is on."""

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from kindle.behaviour import NotOnTheScale
from kindle.errors import ConfigError
from kindle.sourced import Sourced, Status
from kindle.toml_files import convert

_FOLDER = files("kindle") / "scales"


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``wording`` is empty where the source was not read: the stage is known to exist, not what it says."""

    stage: float
    wording: str
    status: Status


class Scale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scale in one version; a changed wording is a new version, never a changed file."""

    id: str
    version: int
    label: str
    citation: str
    kind: Literal["kindling", "ptz"]
    stages: tuple[Stage, ...]
    generalised_from: Sourced[float]
    """The lowest stage that counts as a generalised seizure."""
    note: str = ""

    @property
    def name(self) -> str:
        """As it stands beside each stage that is stored."""
        return f"{self.id}@{self.version}"

    def stage(self, value: float) -> Stage:
        """Raises ``NotOnTheScale``: intermediate scores exist only where the scale has them."""
        for stage in self.stages:
            if stage.stage == value:
                return stage
        known = ", ".join(f"{stage.stage:g}" for stage in self.stages)
        raise NotOnTheScale(f"{self.name} has no stage {value:g}; it has: {known}")


class Mapped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``lossy``: other stages of the old scale end up there too, or the new one says less."""

    from_: float = msgspec.field(name="from")
    to: float = msgspec.field()
    lossy: bool = False


class Conversion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An explicit table from one scale to another; stages that it leaves out have no counterpart."""

    from_scale: str
    to_scale: str
    status: Status
    source: str
    stages: tuple[Mapped, ...]


def scales() -> tuple[str, ...]:
    """Ids of all scales; the newest version of each is loaded by its id alone."""
    return tuple(sorted(_ids(entry.name for entry in _FOLDER.iterdir())))


@cache
def load_scale(name: str) -> Scale:
    """A scale by its id, or by id@version as trials store it. Raises ``ConfigError``."""
    id, _, version = name.partition("@")
    path = _FOLDER / f"{id}.toml"
    if id not in scales():
        raise ConfigError(f"no behavioural scale {name!r}; there are: {', '.join(scales())}")
    scale = convert(tomllib.loads(path.read_text(encoding="utf-8")), Scale, f"{id}.toml")
    if version and version != str(scale.version):
        raise ConfigError(f"scale {name!r} is not known to this program; it has {scale.name}")
    return scale


@cache
def conversions() -> tuple[Conversion, ...]:
    folder = _FOLDER / "conversions"
    return tuple(
        convert(tomllib.loads(entry.read_text(encoding="utf-8")), Conversion, entry.name)
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    )


def converted(stage: float, from_: str, to: str) -> Mapped:
    """The counterpart of a stage by a table that somebody wrote down. Raises ``ConfigError`` where there is none."""
    source, target = load_scale(from_), load_scale(to)
    source.stage(stage)
    if source.name == target.name:
        return Mapped(stage, stage)
    for table in conversions():
        if (table.from_scale, table.to_scale) == (source.name, target.name):
            for mapped in table.stages:
                if mapped.from_ == stage:
                    return mapped
            raise ConfigError(f"stage {stage:g} of {source.name} has no counterpart on {target.name}")
    raise ConfigError(
        f"there is no conversion from {source.name} to {target.name}, because equal numbers mean different seizures; "
        "score the trial again from its items"
    )


def _ids(names: Iterable[str]) -> set[str]:
    return {name.removesuffix(".toml") for name in names if name.endswith(".toml")}
