"""Treatments of a study as study.toml has them: what is injected, from which bottle, and how long before the test."""

from typing import Annotated

import msgspec
from msgspec import Meta

from kindle.design import Bottle
from kindle.doses import Solution, Syringe, draw, draw_coded, on_basis, ordered
from kindle.errors import ConfigError
from kindle.exchange import CodedDose, Dose
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
    preset: str = ""
    """Published dose that the table was laid over; its values stand in the other fields."""


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
    """The convulsant and how long the animal is observed, with nothing left open."""

    convulsant: InjectionConfig
    preset: str
    scale: str
    observation_min: float
    tolerance_s: float


def injections_of(treatment: Treatment, weight_g: float, syringe: SyringeConfig) -> tuple[Injection, ...]:
    """Every syringe of a treatment, drawn for this animal. Raises ``ConfigError`` for one that cannot be drawn."""
    drawn = [drawn_for(injection, weight_g, syringe) for injection in treatment.injections]
    if treatment.vehicle is not None:
        drawn.append(vehicle_for(treatment.vehicle, weight_g, syringe))
    return tuple(drawn)


def drawn_for(config: InjectionConfig, weight_g: float, syringe: SyringeConfig) -> Injection:
    dose = _dose(config)
    solution = Solution(dose.substance, config.mg_per_ml, config.vehicle, config.batch)
    return Injection(dose, draw(dose, weight_g, solution, _syringe(syringe)))


def vehicle_for(config: VehicleConfig, weight_g: float, syringe: SyringeConfig) -> Injection:
    """Nothing acts in a vehicle: its code is its name, and its volume all there is to say."""
    dose = CodedDose(config.substance, config.ml_per_kg, config.route, config.pretreatment_min * 60)
    return Injection(dose, draw_coded(dose, weight_g, _syringe(syringe)))


def coded_for(code: str, config: BlindingConfig, weight_g: float, syringe: SyringeConfig) -> Injection:
    dose = CodedDose(code, config.ml_per_kg, config.route, config.pretreatment_min * 60)
    return Injection(dose, draw_coded(dose, weight_g, _syringe(syringe)))


BOTTLE_TOLERANCE = 0.01
"""How far the dose in a coded volume may lie from the one that is meant, as a share of it."""


def bottles_of(treatment: Treatment, coded: BlindingConfig) -> tuple[Bottle, ...]:
    """What the coded bottle of a treatment holds; nothing for a vehicle.

    All bottles are given alike, so that each must hold its dose in the common volume. Raises ``ConfigError`` for one
    that does not, or that has a route or a time of its own.
    """
    common = (coded.route, coded.pretreatment_min)
    if treatment.vehicle is not None and treatment.vehicle.ml_per_kg != coded.ml_per_kg:
        raise ConfigError(
            f"treatment {treatment.name!r} takes {treatment.vehicle.ml_per_kg:g} ml/kg of vehicle, a coded bottle "
            f"{coded.ml_per_kg:g} ml/kg: the volume would tell them apart"
        )
    given: list[InjectionConfig | VehicleConfig] = [*treatment.injections]
    given += [] if treatment.vehicle is None else [treatment.vehicle]
    for one in given:
        if (one.route, one.pretreatment_min) != common:
            raise ConfigError(
                f"treatment {treatment.name!r} is given {one.route} {one.pretreatment_min:g} min before the test, a "
                f"coded bottle {coded.route} {coded.pretreatment_min:g} min: route and time would tell them apart"
            )
    return tuple(_bottle(treatment.name, injection, coded) for injection in treatment.injections)


def _bottle(treatment: str, config: InjectionConfig, coded: BlindingConfig) -> Bottle:
    meant_mg = on_basis(_dose(config), "mg_salt")
    if abs(config.mg_per_ml * coded.ml_per_kg / meant_mg - 1) > BOTTLE_TOLERANCE:
        raise ConfigError(
            f"treatment {treatment!r}: {coded.ml_per_kg:g} ml/kg with {config.mg_per_ml:g} mg/ml hold "
            f"{config.mg_per_ml * coded.ml_per_kg:.4g} mg/kg of {config.substance}, not the {meant_mg:.4g} mg/kg that "
            f"are meant; fill its coded bottle with {meant_mg / coded.ml_per_kg:.4g} mg/ml"
        )
    return Bottle(config.substance, config.amount_per_kg, config.basis, config.mg_per_ml, config.vehicle, config.batch)


def treatment_named(treatments: tuple[Treatment, ...], name: str) -> Treatment:
    for treatment in treatments:
        if treatment.name == name:
            return treatment
    known = ", ".join(treatment.name for treatment in treatments) or "none yet"
    raise ConfigError(f"no treatment {name!r} in study.toml; there are: {known}. Add it as [[treatments]]")


def _dose(config: InjectionConfig) -> Dose:
    return ordered(
        config.amount_per_kg,
        config.basis,
        config.substance,
        route=config.route,
        pretreatment_s=config.pretreatment_min * 60,
    )


def _syringe(config: SyringeConfig) -> Syringe:
    return Syringe(config.graduation_ml, config.capacity_ml)
