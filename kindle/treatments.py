"""Treatments of a study as study.toml has them: what is injected, from which bottle, and how long before the test."""

from typing import Annotated

import msgspec
from msgspec import Meta

from kindle.doses import Solution, Syringe, draw, draw_coded, ordered
from kindle.errors import ConfigError
from kindle.exchange import CodedDose
from kindle.protocols.injecting import Injection
from kindle.substances import Basis

Positive = Annotated[float, Meta(gt=0, le=1e6)]


class InjectionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One substance of a treatment; ``basis`` says of what the amount is."""

    substance: str
    amount_per_kg: Positive
    basis: Basis
    mg_per_ml: Positive
    """Of the substance as it was weighed for the solution."""
    route: str
    pretreatment_min: Annotated[float, Meta(ge=0, le=10_000)]
    vehicle: str = ""
    batch: str = ""


class VehicleConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The solvent alone, in the volume and at the time of the drug."""

    substance: str
    ml_per_kg: Positive
    route: str
    pretreatment_min: Annotated[float, Meta(ge=0, le=10_000)]


class Treatment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    injections: tuple[InjectionConfig, ...] = ()
    vehicle: VehicleConfig | None = None


class BlindingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all coded bottles have in common: their volume, route and time must not tell them apart."""

    ml_per_kg: Positive
    route: str
    pretreatment_min: Annotated[float, Meta(ge=0, le=10_000)]


class SyringeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    graduation_ml: Positive
    capacity_ml: Positive


class PtzConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The convulsant and how long the animal is observed."""

    convulsant: InjectionConfig
    scale: str = "guide_2025"
    observation_min: Annotated[float, Meta(ge=30, le=1440)] = 30.0
    tolerance_s: Annotated[float, Meta(ge=0, le=3600)] = 60.0


def injections_of(treatment: Treatment, weight_g: float, syringe: SyringeConfig) -> tuple[Injection, ...]:
    """Every syringe of a treatment, drawn for this animal. Raises ``ConfigError`` for one that cannot be drawn."""
    drawn = [drawn_for(injection, weight_g, syringe) for injection in treatment.injections]
    if treatment.vehicle is not None:
        drawn.append(vehicle_for(treatment.vehicle, weight_g, syringe))
    return tuple(drawn)


def drawn_for(config: InjectionConfig, weight_g: float, syringe: SyringeConfig) -> Injection:
    dose = ordered(
        config.amount_per_kg,
        config.basis,
        config.substance,
        route=config.route,
        pretreatment_s=config.pretreatment_min * 60,
    )
    solution = Solution(dose.substance, config.mg_per_ml, config.vehicle, config.batch)
    return Injection(dose, draw(dose, weight_g, solution, _syringe(syringe)))


def vehicle_for(config: VehicleConfig, weight_g: float, syringe: SyringeConfig) -> Injection:
    """Nothing acts in a vehicle: its code is its name, and its volume all there is to say."""
    dose = CodedDose(config.substance, config.ml_per_kg, config.route, config.pretreatment_min * 60)
    return Injection(dose, draw_coded(dose, weight_g, _syringe(syringe)))


def coded_for(code: str, config: BlindingConfig, weight_g: float, syringe: SyringeConfig) -> Injection:
    dose = CodedDose(code, config.ml_per_kg, config.route, config.pretreatment_min * 60)
    return Injection(dose, draw_coded(dose, weight_g, _syringe(syringe)))


def treatment_named(treatments: tuple[Treatment, ...], name: str) -> Treatment:
    for treatment in treatments:
        if treatment.name == name:
            return treatment
    known = ", ".join(treatment.name for treatment in treatments) or "none yet"
    raise ConfigError(f"no treatment {name!r} in study.toml; there are: {known}. Add it as [[treatments]]")


def _syringe(config: SyringeConfig) -> Syringe:
    return Syringe(config.graduation_ml, config.capacity_ml)
