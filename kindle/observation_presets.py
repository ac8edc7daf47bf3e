"""Published tests with a convulsant or a shock, and courses of doses, as data; what they leave open is asked for."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kindle.course_plan import Days, DoseSchedule
from kindle.errors import ConfigError
from kindle.preset_reader import Family, sourced_fields
from kindle.sourced import Sourced, stated
from kindle.substances import Basis
from kindle.treatments import InjectionConfig, PtzConfig

Amount = Annotated[float, Meta(gt=0, le=1e6)]
Minutes = Annotated[float, Meta(ge=0, le=10_000)]
Tolerance = Annotated[float, Meta(ge=0, le=3600)]


class InjectionFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    substance: Sourced[str]
    amount_per_kg: Sourced[Amount]
    basis: Sourced[Basis]
    route: Sourced[str]
    mg_per_ml: Sourced[Amount]
    pretreatment_min: Sourced[Minutes]
    vehicle: Sourced[str]
    batch: Sourced[str]


class PtzPreset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A test with a convulsant; with ``interval_h`` also the course of doses that kindles."""

    id: str
    version: int
    label: str
    citation: str
    scale: Sourced[str]
    observation_min: Sourced[Annotated[float, Meta(ge=30, le=1440)]]
    tolerance_s: Sourced[Tolerance]
    interval_h: Sourced[Annotated[float, Meta(ge=1, le=1000)]]
    early_h: Sourced[Annotated[float, Meta(ge=0, le=24)]]
    challenge_after_days: Sourced[Days]
    challenge_amount_per_kg: Sourced[Amount]
    convulsant: InjectionFields


class ElectroshockPreset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is set on the instrument of the shock, which is not one of this program's."""

    id: str
    version: int
    label: str
    citation: str
    current_ma: Sourced[Annotated[float, Meta(gt=0, le=1000)]]
    frequency_hz: Sourced[Annotated[float, Meta(gt=0, le=1000)]]
    duration_s: Sourced[Annotated[float, Meta(gt=0, le=10)]]
    electrodes: Sourced[str]
    waveform: Sourced[str]
    observation_s: Sourced[Annotated[float, Meta(gt=0, le=3600)]]
    tolerance_s: Sourced[Tolerance]


PTZ = Family(
    PtzPreset,
    "ptz",
    "ptz",
    ("convulsant",),
    frozenset({"interval_h", "challenge_after_days", "challenge_amount_per_kg", "convulsant.vehicle"}),
)
ELECTROSHOCK = Family(ElectroshockPreset, "electroshock", "electroshock")

DEFAULT_PTZ = "guide_2025"
DEFAULT_ELECTROSHOCK = "laboratory"


def named_preset(table: Mapping[str, Any], default: str) -> tuple[str, dict[str, Any]]:
    """The preset that a table of study.toml names under ``preset``, and the laboratory's own values beside it."""
    own = dict(table)
    id = own.pop("preset", default)
    if not isinstance(id, str):
        raise ConfigError(f"study.toml: preset takes a text in quotes, not {id!r}")
    return id, own


def load_ptz(table: Mapping[str, Any]) -> PtzPreset:
    """The preset of the ``[ptz]`` table with the laboratory's values over it."""
    return PTZ.load(*named_preset(table, DEFAULT_PTZ))


def load_electroshock(table: Mapping[str, Any]) -> ElectroshockPreset:
    return ELECTROSHOCK.load(*named_preset(table, DEFAULT_ELECTROSHOCK))


def resolve_ptz(preset: PtzPreset) -> PtzConfig:
    """Raises ``ConfigError`` for what neither the source nor the laboratory has stated."""
    PTZ.refuse(preset, PTZ.open_fields(preset))
    given = preset.convulsant
    return PtzConfig(
        convulsant=InjectionConfig(
            substance=stated(given.substance),
            amount_per_kg=stated(given.amount_per_kg),
            basis=stated(given.basis),
            mg_per_ml=stated(given.mg_per_ml),
            route=stated(given.route),
            pretreatment_min=stated(given.pretreatment_min),
            vehicle=given.vehicle.value or "",
            batch=stated(given.batch),
        ),
        preset=f"{preset.id}@{preset.version}",
        scale=stated(preset.scale),
        observation_min=stated(preset.observation_min),
        tolerance_s=stated(preset.tolerance_s),
    )


def resolve_doses(preset: PtzPreset) -> DoseSchedule:
    """The course of doses that kindles. Raises ``ConfigError`` for what is open, and for a contradiction."""
    kindles = ("interval_h", "convulsant.substance", "convulsant.amount_per_kg", "convulsant.basis")
    PTZ.refuse(preset, [name for name, one in sourced_fields(preset) if name in kindles and one.value is None])
    interval_h, early_h = stated(preset.interval_h), stated(preset.early_h)
    if early_h >= interval_h:
        raise ConfigError(
            f"study.toml: early_h under [ptz] is {early_h:g} h, not shorter than interval_h, {interval_h:g} h: two "
            "doses could follow at once"
        )
    after, amount = preset.challenge_after_days.value, preset.challenge_amount_per_kg.value
    if (after is None) is not (amount is None):
        stated_one, other = ("challenge_after_days", "challenge_amount_per_kg")[:: 1 if amount is None else -1]
        raise ConfigError(f"study.toml: [ptz] has {stated_one} and no {other}; a challenge takes both")
    return DoseSchedule(
        substance=stated(preset.convulsant.substance),
        amount_per_kg=stated(preset.convulsant.amount_per_kg),
        basis=stated(preset.convulsant.basis),
        interval_h=interval_h,
        early_h=early_h,
        challenge_after_days=after,
        challenge_amount_per_kg=amount,
    )


def shock_of(preset: ElectroshockPreset) -> str:
    """What is set on the instrument, in words. Raises ``ConfigError`` for what is open."""
    ELECTROSHOCK.refuse(preset, ELECTROSHOCK.open_fields(preset))
    return (
        f"{stated(preset.current_ma):g} mA, {stated(preset.frequency_hz):g} Hz {stated(preset.waveform)}, "
        f"{stated(preset.duration_s):g} s, {stated(preset.electrodes)} electrodes"
    )
