"""Presets: a published protocol as data, field by field with its source and whether that source was verified."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta

from detectors.criterion import Criterion
from drivers.interface import Polarity, Shape
from kindle.errors import ConfigError
from kindle.protocols.ladder import Add, Listed, Ratio, Step
from kindle.protocols.threshold import ThresholdPlan, TrainShape
from kindle.toml_files import convert
from kindle.toml_messages import Keys

T = TypeVar("T")

Status = Literal["retrieved", "derived", "unverified", "laboratory"]
"""Read in the source; computed or inferred from it; from memory of the literature; chosen by this laboratory."""

_RISING_STEPS = ("ratio", "add", "list")

Microamps = Annotated[float, Meta(gt=0, le=20_000)]
Span = Annotated[float, Meta(ge=0, le=1e6)]


class Sourced(msgspec.Struct, Generic[T], frozen=True, forbid_unknown_fields=True):
    """A value of a preset. No ``value``: the source does not state it, and the laboratory is asked."""

    status: Status
    source: str
    value: T | None = None
    note: str = ""


class StepData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: Literal["ratio", "add", "list", "up_down", "bracket", "alternating"]
    value: Annotated[float, Meta(gt=0, le=20_000)] | None = None
    values_ua: tuple[Microamps, ...] = ()


class TrainFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shape: Sourced[Shape]
    polarity: Sourced[Polarity]
    phase_us: Sourced[Annotated[float, Meta(gt=0, le=1e6)]]
    interphase_us: Sourced[Span]
    pulse_hz: Sourced[Annotated[float, Meta(gt=0, le=100_000)]]
    train_s: Sourced[Annotated[float, Meta(gt=0, le=3600)]]


class CriterionFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    min_spike_hz: Sourced[Annotated[float, Meta(gt=0, le=100)]]
    amplitude_ratio: Sourced[Annotated[float, Meta(gt=1, le=100)]]
    min_duration_s: Sourced[Annotated[float, Meta(gt=0, le=600)]]
    max_gap_s: Sourced[Annotated[float, Meta(gt=0, le=600)]]
    secondary_window_s: Sourced[Annotated[float, Meta(gt=0, le=3600)]]


class ThresholdPreset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    version: int
    label: str
    citation: str
    start_ua: Sourced[Microamps]
    step: Sourced[StepData]
    interval_s: Sourced[Span]
    train: TrainFields
    criterion: CriterionFields
    baseline_s: Sourced[Span]
    watch_s: Sourced[Span]
    onset_window_s: Sourced[Annotated[float, Meta(gt=0, le=600)]]
    stop: Sourced[Literal["first_ad", "reversals", "gst", "tolerance", "first_convulsion"]]
    max_ua: Sourced[Microamps]
    lockout_after_ad_s: Sourced[Span]
    if_undetermined: Sourced[Literal["ask", "stop"]]
    if_void: Sourced[Literal["repeat"]]
    if_subcriterion: Sourced[Literal["continue"]]


class Parameter(msgspec.Struct, frozen=True):
    """One line of the table of parameters in force."""

    name: str
    value: str
    status: Status
    source: str
    note: str = ""


def threshold_presets() -> tuple[str, ...]:
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in _FOLDER.iterdir() if entry.name.endswith(".toml"))
    )


def load_threshold_preset(id: str, laboratory: Mapping[str, Any] | None = None) -> ThresholdPreset:
    """The preset ``id`` with the laboratory's own values laid over it (the ``[threshold]`` table of study.toml)."""
    if id not in threshold_presets():
        raise ConfigError(f"no threshold preset {id!r}; there are: {', '.join(threshold_presets())}")
    raw = tomllib.loads((_FOLDER / f"{id}.toml").read_text(encoding="utf-8"))
    _lay_over(raw, laboratory or {}, "threshold")
    return convert(raw, ThresholdPreset, "study.toml", named=_as_written)


def open_fields(preset: ThresholdPreset) -> tuple[str, ...]:
    """The fields that neither the source nor the laboratory has stated."""
    missing = [name for name, sourced in sourced_fields(preset) if sourced.value is None]
    if preset.step.value is not None and preset.step.value.kind == "list" and "start_ua" in missing:
        missing.remove("start_ua")
    return tuple(missing)


def unavailable(preset: ThresholdPreset) -> dict[str, str]:
    """What the source states and no series of this program can do yet: the laboratory sets another."""
    step, stop = preset.step.value, preset.stop.value
    found: dict[str, str] = {}
    if step is not None and step.kind not in _RISING_STEPS:
        found["step"] = step.kind
    if stop is not None and stop != "first_ad":
        found["stop"] = stop
    return found


def resolve(preset: ThresholdPreset) -> ThresholdPlan:
    """Close every open field, or raise ``ConfigError`` with those that the laboratory still has to set."""
    step = None if preset.step.value is None else _step(preset.step.value, preset.id)
    if preset.stop.value not in (None, "first_ad"):
        raise ConfigError(
            f"preset {preset.id} stops at {preset.stop.value!r}; a rising series stops at 'first_ad': "
            'set stop = "first_ad" under [threshold] in study.toml, or take another preset'
        )
    missing = open_fields(preset)
    if step is None or missing:
        raise ConfigError(
            f"preset {preset.id} does not state {', '.join(missing)}; "
            f"set {'it' if len(missing) == 1 else 'them'} under [threshold] in study.toml"
        )
    plan = ThresholdPlan(
        preset=f"{preset.id}@{preset.version}",
        start_ua=step.values_ua[0]
        if isinstance(step, Listed) and preset.start_ua.value is None
        else _stated(preset.start_ua),
        step=step,
        max_ua=_stated(preset.max_ua),
        interval_s=_stated(preset.interval_s),
        lockout_after_ad_s=_stated(preset.lockout_after_ad_s),
        baseline_s=_stated(preset.baseline_s),
        watch_s=_stated(preset.watch_s),
        train=TrainShape(
            shape=_stated(preset.train.shape),
            polarity=_stated(preset.train.polarity),
            phase_us=_stated(preset.train.phase_us),
            interphase_us=_stated(preset.train.interphase_us),
            pulse_hz=_stated(preset.train.pulse_hz),
            train_s=_stated(preset.train.train_s),
        ),
        criterion=Criterion(
            amplitude_ratio=_stated(preset.criterion.amplitude_ratio),
            min_spike_hz=_stated(preset.criterion.min_spike_hz),
            min_duration_s=_stated(preset.criterion.min_duration_s),
            max_gap_s=_stated(preset.criterion.max_gap_s),
            secondary_window_s=_stated(preset.criterion.secondary_window_s),
            onset_window_s=_stated(preset.onset_window_s),
            baseline_s=_stated(preset.baseline_s),
        ),
        if_undetermined=_stated(preset.if_undetermined),
    )
    if not plan.rungs_ua:
        raise ConfigError(
            f"preset {preset.id} has no current from start_ua {plan.start_ua:g} uA up to max_ua {plan.max_ua:g} uA; "
            "set another start_ua or max_ua under [threshold] in study.toml"
        )
    return plan


def parameters(preset: ThresholdPreset) -> tuple[Parameter, ...]:
    """Every field with its value, status and source, for people to see before anything is armed."""
    return tuple(
        Parameter(name, _shown(sourced.value), sourced.status, sourced.source, sourced.note)
        for name, sourced in sourced_fields(preset)
    )


_FOLDER = files("kindle.protocols") / "presets" / "threshold"


def _lay_over(raw: dict[str, Any], laboratory: Mapping[str, Any], table: str) -> None:
    for key, value in laboratory.items():
        if key not in raw or key in ("id", "version", "label", "citation"):
            allowed = ", ".join(sorted(set(raw) - {"id", "version", "label", "citation"}))
            raise ConfigError(f"study.toml: [{table}] has no key {key!r}; allowed are: {allowed}")
        if key in ("train", "criterion"):
            if not isinstance(value, Mapping):
                raise ConfigError(f"study.toml: [{table}] {key} must be a table, [{table}.{key}]")
            _lay_over(raw[key], value, f"{table}.{key}")
        else:
            raw[key] = {"value": value, "status": "laboratory", "source": "study.toml"}


def _as_written(keys: Keys) -> Keys:
    """Each field is kept as a table of value, status and source; people write the value alone."""
    fields = list(keys)
    if "value" in fields:
        fields.remove("value")
    return ("threshold", *fields)


def sourced_fields(preset: ThresholdPreset) -> Iterator[tuple[str, Sourced[Any]]]:
    """Every field that has a source, by its name under [threshold], in the order of the preset."""
    for part, prefix in ((preset, ""), (preset.train, "train."), (preset.criterion, "criterion.")):
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if isinstance(value, Sourced):
                yield prefix + name, value


def _stated(sourced: Sourced[T]) -> T:
    assert sourced.value is not None, "resolve() refuses presets with open fields first"
    return sourced.value


def _step(step: StepData, preset_id: str) -> Step:
    match step:
        case StepData(kind="ratio", value=float(ratio)) if ratio > 1:
            return Ratio(ratio)
        case StepData(kind="add", value=float(step_ua)):
            return Add(step_ua)
        case StepData(kind="list", values_ua=values) if values and list(values) == sorted(set(values)):
            return Listed(values)
        case StepData(kind=kind):
            stated = f"{kind} of {step.value:g}" if kind in ("ratio", "add") and step.value is not None else kind
            raise ConfigError(
                f"preset {preset_id} has the step '{stated}'; a rising series takes a ratio above 1, a positive step "
                'to add, or a rising list of currents: set another step, such as { kind = "ratio", value = 1.2 }, '
                "under [threshold] in study.toml"
            )


def _shown(value: object) -> str:
    match value:
        case None:
            return "not stated"
        case float():
            return f"{value:g}"
        case StepData(kind="ratio", value=float(ratio)):
            return f"x {ratio:g} of the previous current"
        case StepData(kind="add", value=float(step_ua)):
            return f"+ {step_ua:g} uA"
        case StepData(kind="list", values_ua=values):
            return ", ".join(f"{value_ua:g}" for value_ua in values) + " uA"
        case StepData(kind=kind):
            return kind
        case _:
            return str(value)
