"""Kindling and drug tests about to begin: what study.toml, the ledger and the limits make of them."""

from datetime import datetime

from msgspec import structs

from kindle.blinding import codes_of, opened_act
from kindle.course import departure
from kindle.course_facts import last_threshold_ua
from kindle.course_in_force import course_of
from kindle.drug_test_presets import load_drug_test, treatment_parameters
from kindle.errors import ConfigError
from kindle.interlocks import check_animal, check_day, check_scored
from kindle.kindling_presets import KINDLING, resolve_kindling
from kindle.ledger import CONTROL, Ledger
from kindle.ledger_view import ledger_of
from kindle.prepared import Prepared, check_plan
from kindle.preset_reader import parameters
from kindle.presets import load_threshold_preset, resolve
from kindle.protocols.catalogue import ObservingPlan, Plan, name_of
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.injecting import Injection
from kindle.protocols.kindling import KindlingPlan
from kindle.protocols.threshold import ThresholdPlan
from kindle.protocols.threshold_series import starting_below
from kindle.rig_config import RigConfig, require_calibration
from kindle.sourced import Parameter
from kindle.study import Study, strictest
from kindle.treatments import SyringeConfig, coded_for, injections_of, treatment_named


def prepare_kindling(study: Study, animal: str, rig: RigConfig, now: datetime) -> Prepared:
    """One session of the study's schedule, at the animal's own current where the schedule asks for it."""
    ledger = ready(study, animal, rig, now)
    preset = KINDLING.load(study.config.schedule, study.config.kindling)
    plan = _kindling_plan(study, ledger)
    return prepared_for(study, animal, rig, plan, parameters(preset), ledger, now)


def prepare_drug_test(
    study: Study,
    animal: str,
    rig: RigConfig,
    treatment: str,
    now: datetime,
    *,
    threshold: bool = False,
    although: str = "",
) -> Prepared:
    """A control day, or a treatment of study.toml; the test is one kindling train, or a threshold test.

    A drug day that departs from the course is refused, ``although`` somebody says why it is to be given all the same.
    """
    ledger = ready(study, animal, rig, now)
    course = course_of(study, animal)
    injections: tuple[Injection, ...] = ()
    departing = ""
    if treatment != CONTROL:
        injections = injections_for(study, treatment, weight_g(ledger, study, now))
        if study.unfinished(animal, "drug-test") is None:
            condition = study_condition(study, treatment)
            departing = excused(departure(ledger, course, now, condition), although)
    test: KindlingPlan | ThresholdPlan
    if threshold:
        preset = load_threshold_preset(study.config.preset, study.config.threshold)
        last_ua = last_threshold_ua(ledger)
        test = resolve(preset, scale=study.config.scale)
        test = test if last_ua is None else starting_below(test, last_ua)
        told = parameters(preset)
    else:
        test = structs.replace(_kindling_plan(study, ledger), trains=1)
        told = parameters(KINDLING.load(study.config.schedule, study.config.kindling))
    plan = DrugTestPlan(test.preset, injections, course.tolerance_s, test, condition=treatment, departure=departing)
    days = parameters(load_drug_test(study.config.course)[0])
    return prepared_for(study, animal, rig, plan, (*told, *days, *sources_of(study, treatment)), ledger, now)


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


def ready(study: Study, animal: str, rig: RigConfig, now: datetime) -> Ledger:
    """The ledger of an animal that nothing forbids to test. Raises ``UnsafeStimulus`` or ``ConfigError``."""
    study.animal(animal)
    require_calibration(rig, now.date())
    ledger = ledger_of(study.journal, animal, now.tzinfo)
    check_animal(ledger, study.config.animals)
    return ledger


def _kindling_plan(study: Study, ledger: Ledger) -> KindlingPlan:
    config = study.config
    preset = KINDLING.load(config.schedule, config.kindling)
    criterion = resolve(load_threshold_preset(config.preset, config.threshold)).criterion
    return resolve_kindling(preset, criterion, config.scale, last_threshold_ua(ledger), config.status)


def prepared_for(
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
    # A session that was interrupted goes on: its own trains are no reason against it.
    if not isinstance(plan, ObservingPlan) and study.unfinished(animal, name_of(plan)) is None:
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


def injections_for(study: Study, treatment: str, weight: float) -> tuple[Injection, ...]:
    """A code of the sealed design, or a treatment by its name."""
    syringe = syringe_of(study)
    if treatment not in codes_of(study):
        return injections_of(treatment_named(study.config.treatments, treatment), weight, syringe)
    if study.config.blinding is None:
        raise ConfigError("study.toml has no [blinding]; it takes ml_per_kg, route and pretreatment_min of all codes")
    return (coded_for(treatment, study.config.blinding, weight, syringe),)


def sources_of(study: Study, treatment: str) -> tuple[Parameter, ...]:
    """Of the values of a treatment; of a code nothing is told."""
    named = [one for one in study.config.treatments if one.name == treatment]
    return treatment_parameters(named[0]) if named else ()


def excused(departing: str, although: str) -> str:
    """The rule that is broken and why. Raises ``ConfigError`` for one that nobody gave a reason for."""
    if not departing:
        return ""
    if not although.strip():
        raise ConfigError(f"{departing}; to test all the same, say why with --although")
    return f"{departing}; although: {although.strip()}"


def study_condition(study: Study, treatment: str) -> str:
    """A code stands for its treatment once it is open."""
    act = opened_act(study)
    return treatment if act is None else act.treatments.get(treatment, treatment)


def syringe_of(study: Study) -> SyringeConfig:
    if study.config.syringe is None:
        raise ConfigError("study.toml has no [syringe]; it takes graduation_ml and capacity_ml")
    return study.config.syringe
