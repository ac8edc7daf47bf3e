"""Published kindling schedules and criteria of full kindling, as data with the source of each value."""

from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from detectors.criterion import Criterion
from kindle.errors import ConfigError
from kindle.kindled import KindledRule
from kindle.preset_reader import Count, Family, Span
from kindle.preset_trains import TrainFields, shape_of
from kindle.protocols.kindling import AtThreshold, Current, Fixed, KindlingPlan, current_for
from kindle.scale import load_scale
from kindle.sourced import Sourced, stated
from kindle.status import StatusRule


class CurrentData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``fixed`` takes ``current_ua``; ``at_threshold`` takes ``multiple`` and ``plus_ua``."""

    kind: Literal["fixed", "at_threshold"]
    current_ua: Annotated[float, Meta(gt=0, le=20_000)] | None = None
    multiple: Annotated[float, Meta(gt=0, le=100)] = 1.0
    plus_ua: Annotated[float, Meta(ge=0, le=20_000)] = 0.0

    def __str__(self) -> str:
        match self:
            case CurrentData(kind="fixed", current_ua=float(current_ua)):
                return f"{current_ua:g} uA"
            case CurrentData(multiple=multiple, plus_ua=plus_ua):
                return f"threshold x {multiple:g}" + (f" + {plus_ua:g} uA" if plus_ua else "")


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


KINDLING = Family(KindlingPreset, "kindling", "kindling", ("train",), frozenset({"days_per_week"}))
KINDLED = Family(
    KindledPreset, "kindled", "kindled", optional=frozenset({"within", "stable_days", "cap_trains", "cap_days"})
)


def open_fields_of(preset: KindlingPreset | KindledPreset) -> tuple[str, ...]:
    """The fields that neither the source nor the laboratory has stated."""
    if isinstance(preset, KindledPreset):
        return KINDLED.open_fields(preset)
    # With one train a day there is nothing between trains; the limits of the rig keep sessions apart.
    alone = {"interval_s", "lockout_after_ad_s"} if preset.trains_per_day.value == 1 else set()
    return tuple(name for name in KINDLING.open_fields(preset) if name not in alone)


def resolve_kindling(
    preset: KindlingPreset, criterion: Criterion, scale: str, threshold_ua: float | None, status: StatusRule
) -> KindlingPlan:
    """The session of an animal; ``threshold_ua`` is its last one. Raises ``ConfigError`` for what is left open."""
    KINDLING.refuse(preset, open_fields_of(preset))
    return KindlingPlan(
        preset=f"{preset.id}@{preset.version}",
        current_ua=current_for(_current(stated(preset.current), preset.id), threshold_ua),
        train=shape_of(preset.train),
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
    KINDLED.refuse(preset, open_fields_of(preset))
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
