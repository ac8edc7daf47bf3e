"""Published kindling schedules and criteria of full kindling, as data with the source of each value."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from detectors.criterion import Criterion
from drivers.interface import Polarity, Shape
from kindle.errors import ConfigError
from kindle.kindled import KindledRule
from kindle.protocols.kindling import AtThreshold, Current, Fixed, KindlingPlan, current_for
from kindle.protocols.threshold import TrainShape
from kindle.scale import load_scale
from kindle.sourced import Parameter, Sourced, lay_over, stated
from kindle.status import StatusRule
from kindle.toml_files import convert
from kindle.toml_messages import Keys

P = TypeVar("P", "KindlingPreset", "KindledPreset")

Span = Annotated[float, Meta(ge=0, le=1e6)]
Count = Annotated[int, Meta(ge=1, le=10_000)]


class CurrentData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``fixed`` takes ``current_ua``; ``at_threshold`` takes ``multiple`` and ``plus_ua``."""

    kind: Literal["fixed", "at_threshold"]
    current_ua: Annotated[float, Meta(gt=0, le=20_000)] | None = None
    multiple: Annotated[float, Meta(gt=0, le=100)] = 1.0
    plus_ua: Annotated[float, Meta(ge=0, le=20_000)] = 0.0


class TrainFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shape: Sourced[Shape]
    polarity: Sourced[Polarity]
    phase_us: Sourced[Annotated[float, Meta(gt=0, le=1e6)]]
    interphase_us: Sourced[Span]
    pulse_hz: Sourced[Annotated[float, Meta(gt=0, le=100_000)]]
    train_s: Sourced[Annotated[float, Meta(gt=0, le=3600)]]


class KindlingPreset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trains of a day are given in one session, ``interval_s`` apart; several sessions a day are for the course."""

    id: str
    version: int
    label: str
    citation: str
    current: Sourced[CurrentData]
    train: TrainFields
    trains_per_day: Sourced[Count]
    interval_s: Sourced[Span]
    days_per_week: Sourced[Annotated[int, Meta(ge=1, le=7)]]
    lockout_after_ad_s: Sourced[Span]
    baseline_s: Sourced[Span]
    watch_s: Sourced[Span]
    habituation_s: Sourced[Span]


class KindledPreset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: int
    label: str
    citation: str
    n: Sourced[Count]
    stage_from: Sourced[float]
    mode: Sourced[Literal["consecutive", "cumulative"]]
    one_per_day: Sourced[bool]
    afterdischarge_required: Sourced[bool]
    within: Sourced[Count]
    stable_days: Sourced[Count]
    cap_trains: Sourced[Count]
    cap_days: Sourced[Count]


@dataclass(frozen=True, slots=True)
class _Kind:
    folder: str
    table: str
    groups: tuple[str, ...]
    optional: frozenset[str]
    """Fields without which the preset is complete."""


_KINDS: dict[type, _Kind] = {
    KindlingPreset: _Kind("kindling", "kindling", ("train",), frozenset({"days_per_week"})),
    KindledPreset: _Kind("kindled", "kindled", (), frozenset({"within", "stable_days", "cap_trains", "cap_days"})),
}


def presets_of(kind: type[P]) -> tuple[str, ...]:
    folder = files("kindle.protocols") / "presets" / _KINDS[kind].folder
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_preset(kind: type[P], id: str, laboratory: Mapping[str, Any] | None = None) -> P:
    """A preset with the laboratory's own values, the table of study.toml, laid over it."""
    about = _KINDS[kind]
    if id not in presets_of(kind):
        raise ConfigError(f"no {about.table} preset {id!r}; there are: {', '.join(presets_of(kind))}")
    path = files("kindle.protocols") / "presets" / about.folder / f"{id}.toml"
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    lay_over(raw, laboratory or {}, about.table, about.groups)

    def as_written(keys: Keys) -> Keys:
        return (about.table, *(key for key in keys if key != "value"))

    return convert(raw, kind, "study.toml", named=as_written)


def sourced_of(preset: KindlingPreset | KindledPreset) -> Iterator[tuple[str, Sourced[Any]]]:
    """Every field that has a source, in the order of the preset."""
    for name in preset.__struct_fields__:
        value = getattr(preset, name)
        if isinstance(value, Sourced):
            yield name, value
        elif isinstance(value, TrainFields):
            yield from ((f"{name}.{field}", getattr(value, field)) for field in value.__struct_fields__)


def open_fields_of(preset: KindlingPreset | KindledPreset) -> tuple[str, ...]:
    """The fields that neither the source nor the laboratory has stated."""
    missing = [name for name, sourced in sourced_of(preset) if sourced.value is None]
    optional = set(_KINDS[type(preset)].optional)
    if isinstance(preset, KindlingPreset) and preset.trains_per_day.value == 1:
        # With one train a day there is nothing between trains; the limits of the rig keep sessions apart.
        optional |= {"interval_s", "lockout_after_ad_s"}
    return tuple(name for name in missing if name not in optional)


def parameters_of(preset: KindlingPreset | KindledPreset) -> tuple[Parameter, ...]:
    """Every field with its value, status and source, for people to see before anything is armed."""
    return tuple(
        Parameter(name, _shown(sourced.value), sourced.status, sourced.source, sourced.note)
        for name, sourced in sourced_of(preset)
    )


def resolve_kindling(
    preset: KindlingPreset, criterion: Criterion, scale: str, threshold_ua: float | None, status: StatusRule
) -> KindlingPlan:
    """The session of an animal; ``threshold_ua`` is its last one. Raises ``ConfigError`` for what is left open."""
    _refuse_open(preset)
    return KindlingPlan(
        preset=f"{preset.id}@{preset.version}",
        current_ua=current_for(_current(stated(preset.current), preset.id), threshold_ua),
        train=TrainShape(
            shape=stated(preset.train.shape),
            polarity=stated(preset.train.polarity),
            phase_us=stated(preset.train.phase_us),
            interphase_us=stated(preset.train.interphase_us),
            pulse_hz=stated(preset.train.pulse_hz),
            train_s=stated(preset.train.train_s),
        ),
        trains=stated(preset.trains_per_day),
        interval_s=preset.interval_s.value or 0.0,
        lockout_after_ad_s=preset.lockout_after_ad_s.value or 0.0,
        baseline_s=stated(preset.baseline_s),
        watch_s=stated(preset.watch_s),
        criterion=replace(criterion, baseline_s=stated(preset.baseline_s)),
        scale=load_scale(scale).name,
        habituation_s=stated(preset.habituation_s),
        status=status,
        threshold_ua=threshold_ua,
    )


def resolve_kindled(preset: KindledPreset, scale: str) -> KindledRule:
    """The rule on a scale of the laboratory; a stage that the scale does not have is refused."""
    _refuse_open(preset)
    known = load_scale(scale)
    return KindledRule(
        n=stated(preset.n),
        stage_from=known.stage(stated(preset.stage_from)).stage,
        scale=known.name,
        mode=stated(preset.mode),
        one_per_day=stated(preset.one_per_day),
        afterdischarge_required=stated(preset.afterdischarge_required),
        within=preset.within.value,
        stable_days=preset.stable_days.value,
        cap_trains=preset.cap_trains.value,
        cap_days=preset.cap_days.value,
    )


def _refuse_open(preset: KindlingPreset | KindledPreset) -> None:
    missing = open_fields_of(preset)
    if missing:
        table = _KINDS[type(preset)].table
        raise ConfigError(
            f"preset {preset.id} does not state {', '.join(missing)}; "
            f"set {'it' if len(missing) == 1 else 'them'} under [{table}] in study.toml"
        )


def _current(data: CurrentData, preset_id: str) -> Current:
    match data:
        case CurrentData(kind="fixed", current_ua=float(current_ua)):
            return Fixed(current_ua)
        case CurrentData(kind="at_threshold", multiple=multiple, plus_ua=plus_ua):
            return AtThreshold(multiple, plus_ua)
        case _:
            raise ConfigError(
                f"preset {preset_id} has a fixed current without its size; set current = "
                '{ kind = "fixed", current_ua = 500.0 } under [kindling] in study.toml'
            )


def _shown(value: object) -> str:
    match value:
        case None:
            return "not stated"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case CurrentData(kind="fixed", current_ua=float(current_ua)):
            return f"{current_ua:g} uA"
        case CurrentData(multiple=multiple, plus_ua=plus_ua):
            return f"threshold x {multiple:g}" + (f" + {plus_ua:g} uA" if plus_ua else "")
        case _:
            return str(value)
