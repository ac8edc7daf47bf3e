"""The study.toml that a new study begins with: every value of the protocol, the open ones first, to be filled in."""

from collections.abc import Iterator
from typing import get_args

import tomli_w

from drivers.interface import Polarity, Shape
from kindle.preset_reader import sourced_fields
from kindle.presets import StepData, ThresholdPreset, needed_fields, unavailable


def _choice(values: tuple[str, ...]) -> str:
    return " or ".join(f'"{value}"' for value in values)


_MEANINGS = {
    "start_ua": "uA: the first current",
    "step": "to the next current, as above",
    "max_ua": "uA: no current above this is given; the series ends there",
    "interval_s": "s: from the onset of one train to the onset of the next",
    "baseline_s": "s: EEG before each train that the spikes after it are compared with",
    "watch_s": "s: how long EEG is watched after each train at least",
    "onset_window_s": "s: an afterdischarge begins this soon after the end of the train",
    "lockout_after_ad_s": "s: no train for this long after an afterdischarge; 4 h are 14400.0",
    "stop": '"first_ad": the first afterdischarge ends the series; "gst" goes on to a generalised seizure',
    "if_undetermined": '"ask" the experimenter, or "stop"',
    "train.shape": _choice(get_args(Shape)),
    "train.polarity": _choice(get_args(Polarity)),
    "train.phase_us": "us: width of one phase of a pulse",
    "train.interphase_us": "us: pause between the phases of a biphasic pulse",
    "train.pulse_hz": "Hz: pulses in a second",
    "train.train_s": "s: length of a train",
    "criterion.min_spike_hz": "Hz: spikes of an afterdischarge come at least this often",
    "criterion.amplitude_ratio": "times the baseline: height of its spikes at least",
    "criterion.min_duration_s": "s: its length at least",
    "criterion.max_gap_s": "s: a longer silence between two spikes ends it",
    "criterion.secondary_window_s": "s: a further discharge that begins this soon after it is a secondary one",
}


_LATER = """\
# What follows after the threshold, each in the words of an example; kindle study schedules lists what was published.
#
#     scale = "racine_1972"            # on which seizures are scored; these lines stand above all tables
#     schedule = "hannover_daily"      # published kindling schedule; [kindling] sets what it leaves open
#     criterion = "etsp"               # of full kindling; [kindled] sets what it leaves open
#
#     [course]
#     model = "kindling"               # or "ptz_kindling", "ptz", "electroshock": docs/observed_tests.md
#     preset = "conventional"          # days around a drug day; kindle study tests lists what was published
#     recovery_days = 7
#     sessions_per_day = 1
#     days_per_week = 5                # with kindling trains, from Monday to Sunday
#     threshold_after_kindling = true  # a re-test before the drug days, beginning below the last threshold
#     washout_days = 7
#     control_gap_days = [1, 3]        # from a control to the drug day: at least, at most
#     tests = ["valproate 200"]        # in their order; kindle study design draws one for each animal
#
#     [syringe]
#     graduation_ml = 0.01
#     capacity_ml = 1.0
#
#     [[treatments]]
#     name = "valproate 200"
#     [[treatments.injections]]
#     substance = "sodium valproate"   # the salt, by its name
#     amount_per_kg = 200.0
#     basis = "mg_salt"                # mg_salt, mg_free, mmol_active, mg_cation or mmol_cation
#     mg_per_ml = 100.0                # of the salt in the bottle
#     route = "i.p."
#     pretreatment_min = 15.0
#
#     [ptz]
#     preset = "guide_2025"            # the convulsant, its dose and its scale; kindle run ptz
#     [ptz.convulsant]
#     amount_per_kg = 60.0
#     route = "s.c."
#     mg_per_ml = 30.0
#
#     [electroshock]
#     preset = "etsp_rat"              # what is set on the instrument of the shock; kindle run electroshock
#
#     [animals]
#     max_weight_loss = 0.15           # as a fraction of the highest weight
#     max_trains_per_day = 40
#
#     [status]
#     after_s = 300.0                  # a longer discharge is status epilepticus,
#     stage_from = 5.0                 # and so is this stage again after the same train, without stage 0 between,
#     apart_s = 60.0                   # when it begins so long after the first
#     rescue_text = "what the licence says is done then"
#
#     [database]                       # where several rigs share the study
#     host = "lab-server"
#     name = "kindling"
#     user = "kindle_rigs"             # its password stands in ~/.pgpass or PGPASSWORD, never here
#     rig = "left-room"                # another name on each rig
#
""".splitlines()


def study_toml(name: str, preset: ThresholdPreset) -> str:
    """Values that the preset states stand as comments: uncommented, they become the laboratory's own."""
    lines = [
        tomli_w.dumps({"name": name}).strip(),
        f'preset = "{preset.id}"',
        "",
        f"# {preset.label}",
        f"# ({preset.citation}).",
        "#",
        "# The values below are the laboratory's own: each takes the place of the preset's, and every report says so.",
        "# A line that begins with # is not read: remove the # of a value that you set.",
        "",
    ]
    for table in ("threshold", "threshold.train", "threshold.criterion"):
        lines += [f"[{table}]", *_fields(preset, table), ""]
    lines += [
        "# Exposed geometric area of the smaller contact, for charge density and Shannon's k. A wire 0.2 mm thick and",
        "# 0.5 mm bare has 3.5e-3 cm2.",
        "# [electrode]",
        '# material = "stainless steel"',
        "# area_cm2 = 3.5e-3",
        "",
        *_LATER,
        "# The limits of the rig (rig.toml) always hold. A table [limits] here, with all its keys, can only make",
        "# them stricter for this study.",
        "",
    ]
    return "\n".join(lines)


def _fields(preset: ThresholdPreset, table: str) -> Iterator[str]:
    prefix = table.removeprefix("threshold").removeprefix(".")
    missing, other = needed_fields(preset), unavailable(preset)
    needed: list[str] = []
    stated: list[str] = []
    for name, sourced in sourced_fields(preset):
        parent, _, key = name.rpartition(".")
        if parent != prefix or name not in _MEANINGS:
            continue
        if name in missing:
            needed.append(_line(f"{key} =", _MEANINGS[name]))
        elif name in other:
            needed.append(_line(f"{key} =", f"{_MEANINGS[name]}; not available: {other[name]}"))
        elif sourced.value is not None:
            stated.append(_line(f"{key} = {_toml(sourced.value)}", _MEANINGS[name]))
    if not prefix:
        yield '# A step is { kind = "ratio", value = 1.2 }, or { kind = "add", value = 20.0 } in uA, or a fixed ladder,'
        yield '# { kind = "list", values_ua = [25.0, 50.0, 100.0] }.'
        yield '# One that also falls is { kind = "up_down", value = 1.2, lowest_ua = 5.0 }, stopping at "reversals", or'
        yield '# { kind = "bracket", value = 1.2 } between start_ua and max_ua, which stops at its "tolerance".'
        yield "#"
    if needed:
        yield "# TO BE FILLED IN, because the preset leaves them open:"
        yield from needed
    if stated:
        yield "# As the preset has them:"
        yield from stated


def _line(setting: str, meaning: str) -> str:
    return f"# {setting:<28}  # {meaning}"


def _toml(value: object) -> str:
    match value:
        case StepData(kind="list", values_ua=values):
            return f'{{ kind = "list", values_ua = {list(values)} }}'
        case StepData(kind=kind, value=step):
            return f'{{ kind = "{kind}", value = {step} }}'
        case _:
            return tomli_w.dumps({"_": value}).strip().removeprefix("_ = ")
