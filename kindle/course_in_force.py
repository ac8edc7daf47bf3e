"""The course of an animal as study.toml, its presets and the design in the journal have it."""

from typing import Any

from msgspec import structs

from kindle.blinding import design_of, in_the_open, opened_act
from kindle.course_plan import CoursePlan
from kindle.drug_test_presets import DRUG_TEST, load_drug_test, stated_values
from kindle.errors import ConfigError
from kindle.kindled import KindledRule
from kindle.kindling_presets import KINDLED, KINDLING, resolve_kindled
from kindle.ledger import CONTROL
from kindle.observation_presets import load_ptz, resolve_doses
from kindle.sourced import stated
from kindle.study import Study
from kindle.toml_files import convert

_FROM_ELSEWHERE = {"kindled": "[kindled]", "doses": "[ptz]"}


def course_of(study: Study, animal: str) -> CoursePlan:
    """Criterion, schedule, ``[course]`` over its preset, and the animal's own order of treatments.

    Raises ``ConfigError`` for what is open, unknown or contradictory.
    """
    preset, own = load_drug_test(study.config.course)
    for key, table in _FROM_ELSEWHERE.items():
        if key in own:
            raise ConfigError(f"study.toml: unknown key {key!r} under [course]; it is set under {table}")
    raw = {**_days_of_the_schedule(study), **stated_values(preset), **own}
    course = convert({**raw, "kindled": structs.asdict(_rule(study, own))}, CoursePlan, "study.toml", named=_as_written)
    if course.model == "ptz_kindling":
        course = structs.replace(course, doses=resolve_doses(load_ptz(_ptz(study))))
    course = structs.replace(course, tests=_tests(study, animal, course))
    if course.tests and course.model == "kindling":
        DRUG_TEST.refuse(preset, DRUG_TEST.open_fields(preset))
    return course


def _as_written(keys: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return ("course", *keys)


def _days_of_the_schedule(study: Study) -> dict[str, Any]:
    """A schedule of more days than a working week has works on every day."""
    days = KINDLING.load(study.config.schedule, study.config.kindling).days_per_week.value
    if days is None:
        return {}
    return {"days_per_week": days, **({"workdays": ()} if days > 5 else {})}


def _rule(study: Study, own: dict[str, Any]) -> KindledRule:
    """On the scale of the seizures that are counted. Raises ``ConfigError``."""
    preset = KINDLED.load(study.config.criterion, study.config.kindled)
    if own.get("model") != "ptz_kindling":
        return resolve_kindled(preset, study.config.scale)
    rule = resolve_kindled(preset, stated(load_ptz(_ptz(study)).scale))
    if rule.afterdischarge_required:
        raise ConfigError(
            f"criterion {preset.id} asks for an afterdischarge, and nobody looks for one after a dose; set "
            "afterdischarge_required = false under [kindled] in study.toml, or take another criterion"
        )
    return rule


def _ptz(study: Study) -> dict[str, Any]:
    if study.config.ptz is None:
        raise ConfigError("study.toml has no [ptz]; it names a preset, or the convulsant, its dose and its scale")
    return study.config.ptz


def _tests(study: Study, animal: str, course: CoursePlan) -> tuple[str, ...]:
    """Of the design where one was drawn, in treatments once its codes are open."""
    design = design_of(study)
    if design is not None:
        return in_the_open(design, opened_act(study)).orders.get(animal, ())
    known = {treatment.name for treatment in study.config.treatments}
    controls = set() if course.model == "kindling" else {CONTROL}
    for test in course.tests:
        if test not in known | controls:
            raise ConfigError(
                f"study.toml: tests under [course] names {test!r}, which is none of the [[treatments]]: "
                f"{', '.join(sorted(known)) or 'there are none yet'}"
            )
    return course.tests
