"""Kindling, drug tests and observations about to begin: what study.toml, the ledger and the limits make of them."""

from datetime import datetime

from msgspec import structs

from detectors.criterion import Criterion
from kindle.blinding import codes_of, design_of
from kindle.course_facts import last_threshold_ua
from kindle.course_plan import CoursePlan
from kindle.errors import ConfigError
from kindle.interlocks import check_animal, check_day, check_scored
from kindle.kindling_presets import (
    KindledPreset,
    KindlingPreset,
    load_preset,
    parameters_of,
    resolve_kindled,
    resolve_kindling,
)
from kindle.ledger import CONTROL, Ledger
from kindle.ledger_view import ledger_of
from kindle.prepared import Prepared, check_plan
from kindle.presets import load_threshold_preset, parameters, resolve
from kindle.protocols.catalogue import ObservingPlan, Plan
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingPlan
from kindle.protocols.ptz import PtzPlan
from kindle.protocols.threshold import ThresholdPlan
from kindle.protocols.threshold_series import starting_below
from kindle.rig_config import RigConfig, require_calibration
from kindle.scale import load_scale
from kindle.sourced import Parameter
from kindle.study import Study, strictest
from kindle.toml_files import convert
from kindle.treatments import SyringeConfig, coded_for, drawn_for, injections_of, treatment_named

TOLERANCE_S = 60.0
"""How far the pretreatment time of a drug test may be off."""


def prepare_kindling(study: Study, animal: str, rig: RigConfig, now: datetime) -> Prepared:
    """One session of the study's schedule, at the animal's own current where the schedule asks for it."""
    ledger = _ready(study, animal, rig, now)
    preset = load_preset(KindlingPreset, study.config.schedule, study.config.kindling)
    plan = _kindling_plan(study, ledger)
    return _prepared(study, animal, rig, plan, parameters_of(preset), ledger, now)


def prepare_drug_test(
    study: Study, animal: str, rig: RigConfig, treatment: str, now: datetime, *, threshold: bool = False
) -> Prepared:
    """A control day, or a treatment of study.toml; the test is one kindling train, or a threshold test."""
    ledger = _ready(study, animal, rig, now)
    injections: tuple[Injection, ...] = ()
    if treatment != CONTROL:
        injections = _injections(study, treatment, weight_g(ledger, study, now))
    test: KindlingPlan | ThresholdPlan
    if threshold:
        preset = load_threshold_preset(study.config.preset, study.config.threshold)
        last_ua = last_threshold_ua(ledger)
        test = resolve(preset, scale=study.config.scale)
        test = test if last_ua is None else starting_below(test, last_ua)
        told = parameters(preset)
    else:
        test = structs.replace(_kindling_plan(study, ledger), trains=1)
        told = parameters_of(load_preset(KindlingPreset, study.config.schedule, study.config.kindling))
    plan = DrugTestPlan(test.preset, injections, TOLERANCE_S, test, condition=treatment)
    return _prepared(study, animal, rig, plan, told, ledger, now)


def prepare_ptz(study: Study, animal: str, rig: RigConfig, treatment: str, now: datetime) -> Prepared:
    """A treatment, or none, before the convulsant of study.toml."""
    ledger = _ready(study, animal, rig, now)
    config = study.config.ptz
    if config is None:
        raise ConfigError("study.toml has no [ptz]; it takes the convulsant, its dose and the scale")
    weight, syringe = weight_g(ledger, study, now), _syringe(study)
    before: tuple[Injection, ...] = ()
    if treatment != CONTROL:
        before = _injections(study, treatment, weight)
    scale = load_scale(config.scale)
    if scale.generalised_from.value is None:
        raise ConfigError(f"scale {scale.name} does not say which of its stages are seizures; take another one")
    plan = PtzPlan(
        preset=f"ptz on {scale.name}",
        pretreatment=before,
        convulsant=drawn_for(config.convulsant, weight, syringe),
        tolerance_s=config.tolerance_s,
        observation_s=config.observation_min * 60,
        scale=scale.name,
        seizure_from=scale.generalised_from.value,
        baseline_s=Criterion().baseline_s,
    )
    return _prepared(study, animal, rig, plan, (), ledger, now)


def course_of(study: Study, animal: str) -> CoursePlan:
    """The course in force: criterion, the [course] table of study.toml, and the animal's order of treatments."""
    preset = load_preset(KindledPreset, study.config.criterion, study.config.kindled)
    rule = resolve_kindled(preset, study.config.scale)
    raw = {**study.config.course, "kindled": structs.asdict(rule)}
    course = convert(raw, CoursePlan, "study.toml", named=lambda keys: ("course", *keys))
    design = design_of(study)
    if design is not None:
        return structs.replace(course, tests=design.orders.get(animal, ()))
    known = {treatment.name for treatment in study.config.treatments}
    unknown = [test for test in course.tests if test not in known]
    if unknown:
        raise ConfigError(
            f"study.toml: tests under [course] names {unknown[0]!r}, which is none of the [[treatments]]: "
            f"{', '.join(sorted(known)) or 'there are none yet'}"
        )
    return course


def weight_g(ledger: Ledger, study: Study, now: datetime) -> float:
    """The last weight, if it is not too old. Raises ``ConfigError``."""
    most = study.config.animals.weight_age_days
    if not ledger.weights:
        raise ConfigError(f"{ledger.animal} has no weight; enter one with: kindle animal weigh")
    last = ledger.weights[-1]
    age = (now.date() - last.day).days
    if age > most:
        raise ConfigError(
            f"the last weight of {ledger.animal} is {age} days old; weight_age_days allows {most}: enter a new one "
            "with: kindle animal weigh"
        )
    return last.weight_g


def _ready(study: Study, animal: str, rig: RigConfig, now: datetime) -> Ledger:
    """The ledger of an animal that nothing forbids to test. Raises ``UnsafeStimulus`` or ``ConfigError``."""
    study.animal(animal)
    require_calibration(rig, now.date())
    ledger = ledger_of(study.journal, animal, now.tzinfo)
    check_animal(ledger, study.config.animals)
    return ledger


def _kindling_plan(study: Study, ledger: Ledger) -> KindlingPlan:
    config = study.config
    preset = load_preset(KindlingPreset, config.schedule, config.kindling)
    criterion = resolve(load_threshold_preset(config.preset, config.threshold)).criterion
    return resolve_kindling(preset, criterion, config.scale, last_threshold_ua(ledger), config.status)


def _prepared(
    study: Study,
    animal: str,
    rig: RigConfig,
    plan: Plan,
    told: tuple[Parameter, ...],
    ledger: Ledger,
    now: datetime,
) -> Prepared:
    limits = rig.limits if study.config.limits is None else strictest([rig.limits, study.config.limits])
    check_plan(plan, limits)
    if not isinstance(plan, ObservingPlan):
        check_scored(ledger, study.config.animals)
        todays = [train for train in ledger.trains if train.day == now.date()]
        check_day(todays, plan.most_trains, ledger, study.config.animals)
    return Prepared(
        animal,
        plan,
        told,
        limits,
        rig.name,
        simulated=rig.bench is not None,
        electrode=study.config.electrode,
        calibration=rig.calibration,
    )


def _injections(study: Study, treatment: str, weight: float) -> tuple[Injection, ...]:
    """A code of the sealed design, or a treatment by its name."""
    syringe = _syringe(study)
    if treatment not in codes_of(study):
        return injections_of(treatment_named(study.config.treatments, treatment), weight, syringe)
    if study.config.blinding is None:
        raise ConfigError("study.toml has no [blinding]; it takes ml_per_kg, route and pretreatment_min of all codes")
    return (coded_for(treatment, study.config.blinding, weight, syringe),)


def _syringe(study: Study) -> SyringeConfig:
    if study.config.syringe is None:
        raise ConfigError("study.toml has no [syringe]; it takes graduation_ml and capacity_ml")
    return study.config.syringe
