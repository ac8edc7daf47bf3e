"""Presets: a published protocol as data, field by field with its source and whether that source was verified."""

from collections.abc import Mapping
from math import floor, log
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from detectors.criterion import Criterion
from kindle.errors import ConfigError
from kindle.preset_reader import Family, Span
from kindle.preset_trains import TrainFields, shape_of
from kindle.protocols.ladder import Add, Listed, Ratio, Step
from kindle.protocols.search import Alternating, Bracket, Rising, Search, UpDown
from kindle.protocols.threshold import Continuation, ThresholdPlan
from kindle.scale import load_scale
from kindle.sourced import Sourced, stated

_STOPS = {
    "ratio": ("first_ad", "gst"),
    "add": ("first_ad", "gst"),
    "list": ("first_ad", "gst"),
    "up_down": ("reversals",),
    "bracket": ("tolerance",),
    "alternating": ("series",),
}
"""Where each way of stepping can stop; the first is meant where a step of the laboratory's own says nothing."""

Microamps = Annotated[float, Meta(gt=0, le=20_000)]


class StepData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``value`` is a ratio, or uA for ``add`` and ``alternating``; ``lowest_ua`` bounds the series that also fall."""

    kind: Literal["ratio", "add", "list", "up_down", "bracket", "alternating"]
    value: Annotated[float, Meta(gt=0, le=20_000)] | None = None
    values_ua: tuple[Microamps, ...] = ()
    lowest_ua: Microamps | None = None
    reversals: Annotated[int, Meta(ge=2, le=20)] = 4

    def __str__(self) -> str:
        match self:
            case StepData(kind="ratio", value=float(ratio)):
                return f"x {ratio:g} of the previous current"
            case StepData(kind="add", value=float(step_ua)):
                return f"+ {step_ua:g} uA"
            case StepData(kind="list", values_ua=values):
                return ", ".join(f"{value_ua:g}" for value_ua in values) + " uA"
            case _:
                return self.kind


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
    baseline_s: Sourced[Span]
    watch_s: Sourced[Span]
    onset_window_s: Sourced[Annotated[float, Meta(gt=0, le=600)]]
    stop: Sourced[Literal["first_ad", "reversals", "gst", "tolerance", "series", "first_convulsion"]]
    max_ua: Sourced[Microamps]
    lockout_after_ad_s: Sourced[Span]
    if_undetermined: Sourced[Literal["ask", "stop"]]
    if_void: Sourced[Literal["repeat"]]
    if_subcriterion: Sourced[Literal["continue"]]
    train: TrainFields
    criterion: CriterionFields


THRESHOLD = Family(ThresholdPreset, "threshold", "threshold", ("train", "criterion"))


def threshold_presets() -> tuple[str, ...]:
    return THRESHOLD.ids()


def load_threshold_preset(id: str, laboratory: Mapping[str, Any] | None = None) -> ThresholdPreset:
    """The preset ``id`` with the laboratory's own values laid over it (the ``[threshold]`` table of study.toml)."""
    return THRESHOLD.load(id, laboratory)


def open_fields(preset: ThresholdPreset) -> tuple[str, ...]:
    """The fields that neither the source nor the laboratory has stated."""
    step = preset.step.value
    listed = step is not None and step.kind == "list"
    return tuple(name for name in THRESHOLD.open_fields(preset) if name != "start_ua" or not listed)


def needed_fields(preset: ThresholdPreset) -> tuple[str, ...]:
    """The open fields, and a step of which the source names the kind and not the size."""
    step = preset.step.value
    unsized = step is not None and step.kind in ("up_down", "bracket") and step.value is None
    return ("step", *open_fields(preset)) if unsized else open_fields(preset)


def unavailable(preset: ThresholdPreset) -> dict[str, str]:
    """What the source states and no series of this program can do: the laboratory sets another."""
    stop = preset.stop.value
    return {"stop": stop} if stop == "first_convulsion" else {}


def resolve(preset: ThresholdPreset, *, scale: str = "racine_1972") -> ThresholdPlan:
    """Close every open field, or raise ``ConfigError`` with those that the laboratory still has to set.

    ``scale`` is what a generalised seizure is told by, where the series goes on to one.
    """
    step = None if preset.step.value is None else _step(preset.step.value, preset.id)
    _check_stop(preset)
    missing = open_fields(preset)
    THRESHOLD.refuse(preset, missing)
    assert step is not None, "an open step was refused before"
    plan = ThresholdPlan(
        preset=f"{preset.id}@{preset.version}",
        start_ua=_lowest_ua(preset, step),
        step=step,
        max_ua=stated(preset.max_ua),
        interval_s=stated(preset.interval_s),
        lockout_after_ad_s=stated(preset.lockout_after_ad_s),
        baseline_s=stated(preset.baseline_s),
        watch_s=stated(preset.watch_s),
        train=shape_of(preset.train),
        criterion=Criterion(
            amplitude_ratio=stated(preset.criterion.amplitude_ratio),
            min_spike_hz=stated(preset.criterion.min_spike_hz),
            min_duration_s=stated(preset.criterion.min_duration_s),
            max_gap_s=stated(preset.criterion.max_gap_s),
            secondary_window_s=stated(preset.criterion.secondary_window_s),
            onset_window_s=stated(preset.onset_window_s),
            baseline_s=stated(preset.baseline_s),
        ),
        if_undetermined=stated(preset.if_undetermined),
        search=_search(preset),
        continuation=_continuation(scale) if preset.stop.value == "gst" else None,
    )
    if not plan.rungs_ua:
        raise ConfigError(
            f"preset {preset.id} has no current from start_ua {plan.start_ua:g} uA up to max_ua {plan.max_ua:g} uA; "
            "set another start_ua or max_ua under [threshold] in study.toml"
        )
    return plan


def _check_stop(preset: ThresholdPreset) -> None:
    step, stop = preset.step.value, preset.stop.value
    if step is None or stop is None or stop in _STOPS[step.kind]:
        return
    possible = " or ".join(f"'{possible}'" for possible in _STOPS[step.kind])
    kind = "rising" if step.kind in ("ratio", "add", "list") else step.kind
    raise ConfigError(
        f"preset {preset.id} stops at {stop!r}; a {kind} series stops at {possible}: "
        f'set stop = "{_STOPS[step.kind][0]}" under [threshold] in study.toml, or take another preset'
    )


def _step(step: StepData, preset_id: str) -> Step:
    match step:
        case StepData(kind="ratio", value=float(ratio)) if ratio > 1:
            return Ratio(ratio)
        case StepData(kind="add" | "alternating", value=float(step_ua)):
            return Add(step_ua)
        case StepData(kind="list", values_ua=values) if values and list(values) == sorted(set(values)):
            return Listed(values)
        case StepData(kind="up_down", value=float(ratio), lowest_ua=float()) if ratio > 1:
            return Ratio(ratio)
        case StepData(kind="bracket", value=float(ratio)) if ratio > 1:
            return Ratio(ratio)
        case StepData(kind=kind):
            raise ConfigError(
                f"preset {preset_id} has the step '{_told(step)}'; {_WANTED.get(kind, _WANTED['ratio'])}, "
                "under [threshold] in study.toml"
            )


_WANTED = {
    "ratio": "a rising series takes a ratio above 1, a positive step to add, or a rising list of currents: set another "
    'step, such as { kind = "ratio", value = 1.2 }',
    "up_down": "it takes a ratio above 1 and the lowest current that it may go down to: set "
    '{ kind = "up_down", value = 1.2, lowest_ua = 5.0 }',
    "bracket": "it takes the ratio of the bounds at which it ends: set "
    '{ kind = "bracket", value = 1.2 }, with the bounds as start_ua and max_ua',
    "alternating": 'it takes a step in uA: set { kind = "alternating", value = 5.0 }',
}


def _told(step: StepData) -> str:
    return step.kind if step.value is None or step.kind == "list" else f"{step.kind} of {step.value:g}"


def _lowest_ua(preset: ThresholdPreset, step: Step) -> float:
    """The lowest current of the ladder; an up-and-down series begins above it, a whole number of steps up."""
    if isinstance(step, Listed) and preset.start_ua.value is None:
        return step.values_ua[0]
    start_ua, data = stated(preset.start_ua), stated(preset.step)
    if data.kind == "up_down" and isinstance(step, Ratio) and data.lowest_ua is not None:
        n_down = max(0, floor(round(log(start_ua / data.lowest_ua) / log(step.value), 9)))
        return start_ua / step.value**n_down
    return start_ua


def _search(preset: ThresholdPreset) -> Search:
    step = stated(preset.step)
    match step.kind:
        case "up_down":
            return UpDown(stated(preset.start_ua), step.reversals)
        case "bracket":
            assert step.value is not None, "a bracket without its tolerance was refused before"
            return Bracket(step.value)
        case "alternating":
            return Alternating()
        case _:
            return Rising()


def _continuation(scale: str) -> Continuation:
    known = load_scale(scale)
    if known.generalised_from.value is None:
        raise ConfigError(f"scale {known.name} does not say which of its stages are generalised; take another scale")
    return Continuation(known.name, known.generalised_from.value)
