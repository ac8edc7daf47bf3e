"""Published designs of drug days, and published doses, as data that a laboratory lays its own values over."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kindle.course_plan import Days
from kindle.errors import ConfigError
from kindle.observation_presets import Amount, Minutes, named_preset
from kindle.preset_reader import Family, sourced_fields
from kindle.sourced import Parameter, Sourced
from kindle.substances import Basis
from kindle.treatments import InjectionConfig, Treatment


class DrugTestPreset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The days around a drug day; the fields are those of a course of the same name."""

    id: str
    version: int
    label: str
    citation: str
    after_kindling_days: Sourced[Days]
    control_gap_days: Sourced[tuple[Days, Days]]
    washout_days: Sourced[Days]
    gate_controls: Sourced[Annotated[int, Meta(ge=0, le=20)]]
    tolerance_s: Sourced[Annotated[float, Meta(gt=0, le=3600)]]


class TreatmentPreset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One injection as it was published; what is in the bottle is always the laboratory's own."""

    id: str
    version: int
    label: str
    citation: str
    substance: Sourced[str]
    amount_per_kg: Sourced[Amount]
    basis: Sourced[Basis]
    route: Sourced[str]
    pretreatment_min: Sourced[Minutes]
    mg_per_ml: Sourced[Amount]
    vehicle: Sourced[str]
    batch: Sourced[str]


DRUG_TEST = Family(DrugTestPreset, "drug_test", "course")
TREATMENT = Family(
    TreatmentPreset,
    "treatments",
    "treatments.injections",
    optional=frozenset({"vehicle"}),
    under="[[treatments.injections]]",
)

DEFAULT_DRUG_TEST = "conventional"


def load_drug_test(course: Mapping[str, Any]) -> tuple[DrugTestPreset, dict[str, Any]]:
    """The preset that ``[course]`` names with its values over it, and what else the table says."""
    id, own = named_preset(course, DEFAULT_DRUG_TEST)
    fields = {name for name, _ in sourced_fields(DRUG_TEST.load(DEFAULT_DRUG_TEST))}
    days = {key: value for key, value in own.items() if key in fields}
    return DRUG_TEST.load(id, days), {key: value for key, value in own.items() if key not in fields}


def stated_values(preset: DrugTestPreset) -> dict[str, Any]:
    """The values of a course that the preset, or the laboratory, has."""
    return {name: sourced.value for name, sourced in sourced_fields(preset) if sourced.value is not None}


def with_treatment_presets(raw: dict[str, Any]) -> dict[str, Any]:
    """study.toml as a person wrote it, with each injection that names a ``preset`` completed from it."""
    treatments = raw.get("treatments")
    if not isinstance(treatments, list):
        return raw
    return {**raw, "treatments": [_completed(treatment) for treatment in treatments]}


def _completed(treatment: Any) -> Any:
    if not isinstance(treatment, dict) or not isinstance(treatment.get("injections"), list):
        return treatment
    return {**treatment, "injections": [_injection(treatment, one) for one in treatment["injections"]]}


def _injection(treatment: dict[str, Any], injection: Any) -> Any:
    if not isinstance(injection, dict) or "preset" not in injection:
        return injection
    id, own = named_preset(injection, "")
    preset = TREATMENT.load(id, own)
    missing = [
        f"{name} ({sourced.note})" if sourced.note else name
        for name, sourced in sourced_fields(preset)
        if name in TREATMENT.open_fields(preset)
    ]
    if missing:
        raise ConfigError(
            f"study.toml: treatment {treatment.get('name', '')!r} takes preset {id}, which does not state "
            f"{', '.join(missing)}; set {'it' if len(missing) == 1 else 'them'} in its [[treatments.injections]]"
        )
    values = {name: sourced.value for name, sourced in sourced_fields(preset) if sourced.value is not None}
    return {**values, "preset": id}


def treatment_parameters(treatment: Treatment) -> tuple[Parameter, ...]:
    """Every value of a treatment with its source: the preset's where it is the published one."""
    return tuple(
        Parameter(f"{injection.substance}.{one.name}", one.value, one.status, one.source, one.note)
        for injection in treatment.injections
        for one in _parameters(injection)
    )


def _parameters(injection: InjectionConfig) -> tuple[Parameter, ...]:
    published = dict(sourced_fields(TREATMENT.load(injection.preset))) if injection.preset else {}
    told = []
    for name in TreatmentPreset.__struct_fields__[4:]:
        value = getattr(injection, name)
        known = published.get(name)
        text = f"{value:g}" if isinstance(value, float) else str(value)
        if known is not None and known.value == value:
            told.append(Parameter(name, text, known.status, known.source, known.note))
        else:
            told.append(Parameter(name, text, "laboratory", "study.toml"))
    return tuple(told)
