"""Tests that are observed, about to begin: a convulsant, a dose of a course, a shock."""

from datetime import datetime
from typing import Any, assert_never

from msgspec import structs

from detectors.criterion import Criterion
from kindle.course import standing
from kindle.course_facts import without_stage
from kindle.course_in_force import course_of
from kindle.course_plan import CoursePlan, Due, NeedsPerson, Over, Wait
from kindle.errors import ConfigError, UnsafeStimulus
from kindle.interlocks import AnimalLimits
from kindle.ledger import CHALLENGE, CONTROL, KINDLING_DOSE, Ledger
from kindle.observation_presets import load_electroshock, load_ptz, resolve_ptz, shock_of
from kindle.observed_days import observed_departure
from kindle.prepared import Prepared
from kindle.preparing import (
    excused,
    injections_for,
    prepared_for,
    ready,
    sources_of,
    study_condition,
    syringe_of,
    weight_g,
)
from kindle.preset_reader import parameters
from kindle.protocols.injecting import Injection
from kindle.protocols.ptz import ElectroshockPlan, PtzPlan
from kindle.rig_config import RigConfig
from kindle.scale import load_scale
from kindle.sourced import stated
from kindle.study import Study
from kindle.treatments import drawn_for


def prepare_ptz(
    study: Study, animal: str, rig: RigConfig, treatment: str, now: datetime, *, although: str = ""
) -> Prepared:
    """A convulsant after a treatment or none; in a course of doses the dose that is due, or none at all."""
    ledger = ready(study, animal, rig, now)
    preset = load_ptz(_table(study.config.ptz, "[ptz]"))
    if (begun := study.unfinished(animal, "ptz")) is not None:
        return prepared_for(study, animal, rig, begun.started.plan, parameters(preset), ledger, now)
    check_doses_scored(ledger, study.config.animals)
    course = course_of(study, animal)
    config = resolve_ptz(preset)
    departure, condition, convulsant = "", treatment, config.convulsant
    asked = study_condition(study, treatment)
    if course.doses is not None:
        condition = dose_due(ledger, course, now, asked, study.config.animals).condition
        treatment = CONTROL if condition in (KINDLING_DOSE, CHALLENGE) else condition
        if condition == CHALLENGE and course.doses.challenge_amount_per_kg is not None:
            convulsant = structs.replace(convulsant, amount_per_kg=course.doses.challenge_amount_per_kg)
    else:
        departure = excused(observed_departure(ledger, course, now, asked), although)
    weight = weight_g(ledger, study, now)
    scale = load_scale(config.scale)
    if scale.generalised_from.value is None:
        raise ConfigError(f"scale {scale.name} does not say which of its stages are seizures; take another one")
    plan = PtzPlan(
        preset=f"{config.preset} on {scale.name}",
        pretreatment=_pretreatment(study, treatment, weight),
        convulsant=drawn_for(convulsant, weight, syringe_of(study)),
        tolerance_s=config.tolerance_s,
        observation_s=config.observation_min * 60,
        scale=scale.name,
        seizure_from=scale.generalised_from.value,
        baseline_s=Criterion().baseline_s,
        condition=condition,
        departure=departure,
    )
    told = (*parameters(preset), *sources_of(study, treatment))
    return prepared_for(study, animal, rig, plan, told, ledger, now)


def prepare_electroshock(
    study: Study, animal: str, rig: RigConfig, treatment: str, now: datetime, *, although: str = ""
) -> Prepared:
    """A shock by hand, from an instrument of its own, after a treatment or none; what follows it is observed."""
    ledger = ready(study, animal, rig, now)
    preset = load_electroshock(_table(study.config.electroshock, "[electroshock]"))
    if (begun := study.unfinished(animal, "electroshock")) is not None:
        return prepared_for(study, animal, rig, begun.started.plan, parameters(preset), ledger, now)
    course = course_of(study, animal)
    departure = excused(observed_departure(ledger, course, now, study_condition(study, treatment)), although)
    shock = shock_of(preset)
    before: tuple[Injection, ...] = ()
    if treatment != CONTROL:
        before = _pretreatment(study, treatment, weight_g(ledger, study, now))
    plan = ElectroshockPlan(
        preset=f"{preset.id}@{preset.version}",
        pretreatment=before,
        tolerance_s=stated(preset.tolerance_s),
        shock=shock,
        observation_s=stated(preset.observation_s),
        scale=load_scale(study.config.scale).name,
        baseline_s=Criterion().baseline_s,
        condition=treatment,
        departure=departure,
    )
    told = (*parameters(preset), *sources_of(study, treatment))
    return prepared_for(study, animal, rig, plan, told, ledger, now)


def dose_due(ledger: Ledger, course: CoursePlan, now: datetime, treatment: str, limits: AnimalLimits) -> Due:
    """The dose that a course of doses has for today, whoever works on which day. Raises where it has none."""
    told = standing(ledger, structs.replace(course, workdays=()), now, limits)
    match told.next:
        case Due(condition=condition) as due if treatment in (CONTROL, condition):
            return due
        case Due(condition=condition, reason=reason):
            raise ConfigError(f"{ledger.animal}: not {treatment} but {condition} is due: {reason}")
        case Wait(until, reason):
            raise UnsafeStimulus(
                f"{ledger.animal} is {told.state} and gets no dose before {until:%a %Y-%m-%d %H:%M}: {reason}"
            )
        case NeedsPerson(reason) | Over(reason):
            raise ConfigError(f"{ledger.animal} is {told.state}: {reason}")
        case _:
            assert_never(told.next)


def check_doses_scored(ledger: Ledger, limits: AnimalLimits) -> None:
    """Raises ``UnsafeStimulus`` while what came of the last dose is not scored."""
    waiting = without_stage(ledger)
    if waiting and limits.score_before_next:
        raise UnsafeStimulus(
            f"{ledger.animal} had a dose in session {waiting[-1].session} that has no stage; enter it first with: "
            "kindle score"
        )


def _pretreatment(study: Study, treatment: str, weight: float) -> tuple[Injection, ...]:
    return () if treatment == CONTROL else injections_for(study, treatment, weight)


def _table(table: dict[str, Any] | None, name: str) -> dict[str, Any]:
    if table is None:
        raise ConfigError(f"study.toml has no {name}; kindle study tests lists the presets that it can name")
    return table
