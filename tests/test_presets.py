"""Threshold presets: every published number with its source, and no number that nobody published."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from kindle.errors import ConfigError
from kindle.preset_reader import parameters
from kindle.presets import load_threshold_preset, resolve, threshold_presets
from kindle.protocols.ladder import Add, Listed, Ratio
from kindle.protocols.search import Alternating, Bracket, UpDown
from kindle.protocols.threshold import Continuation

HANNOVER = ("hannover_ascending", "hannover_ascending_5s", "hannover_sensitised")

LABORATORY = {"max_ua": 500.0, "onset_window_s": 30.0, "lockout_after_ad_s": 14_400.0}

EVERYTHING = {
    **LABORATORY,
    "start_ua": 20.0,
    "interval_s": 60.0,
    "watch_s": 45.0,
    "train": {"shape": "biphasic", "phase_us": 1000.0, "pulse_hz": 60.0, "train_s": 1.0},
    "criterion": {"min_spike_hz": 1.0, "amplitude_ratio": 2.0, "min_duration_s": 3.0},
}


def stated(id: str) -> dict[str, str]:
    return {line.name: line.value for line in parameters(load_threshold_preset(id)) if line.value != "not stated"}


def test_the_named_presets_are_there() -> None:
    assert threshold_presets() == (
        "alternating_series",
        "bracket",
        "gaito_eti",
        "grid_25_hippocampus",
        "guide_2025",
        "hannover_ascending",
        "hannover_ascending_5s",
        "hannover_sensitised",
        "mcintyre_ladder",
        "mda_urethane",
        "melbourne_linear",
        "pinel_1976",
        "racine_1972",
        "up_down",
        "wagrij_gaers",
    )


@pytest.mark.parametrize("id", threshold_presets())
def test_every_field_of_every_preset_has_a_source(id: str) -> None:
    preset = load_threshold_preset(id)
    assert preset.id == id
    assert preset.label
    assert preset.citation
    lines = parameters(preset)
    assert len(lines) == 23
    assert all(line.source for line in lines)
    assert all(line.status != "laboratory" for line in lines), "a published preset is nobody's laboratory"


@pytest.mark.parametrize("id", threshold_presets())
def test_a_field_without_a_value_says_why(id: str) -> None:
    for line in parameters(load_threshold_preset(id)):
        if line.value == "not stated":
            assert line.note or "ask the laboratory" in line.source, line


@pytest.mark.parametrize("id", threshold_presets())
def test_a_program_default_never_passes_for_a_published_value(id: str) -> None:
    for line in parameters(load_threshold_preset(id)):
        if "program default" in line.source:
            assert line.status == "derived", line


@pytest.mark.parametrize("id", threshold_presets())
def test_no_preset_states_a_maximum_or_a_lock_out(id: str) -> None:
    """No source gives either as one number: the laboratory answers for them."""
    preset = load_threshold_preset(id)
    assert preset.max_ua.value is None
    assert preset.lockout_after_ad_s.value is None
    assert preset.onset_window_s.value is None


@pytest.mark.parametrize(
    ("id", "start_ua", "duration_s"),
    [("hannover_ascending", "8", "3"), ("hannover_ascending_5s", "8", "5"), ("hannover_sensitised", "1", "3")],
)
def test_the_hannover_series(id: str, start_ua: str, duration_s: str) -> None:
    """Löscher, Hönack and co-workers after Freeman & Jarvis 1981, all of it from memory of the literature."""
    published = {
        "start_ua": start_ua,
        "step": "x 1.2 of the previous current",
        "interval_s": "60",
        "train.shape": "monophasic",
        "train.phase_us": "1000",
        "train.pulse_hz": "50",
        "train.train_s": "1",
        "criterion.min_spike_hz": "1",
        "criterion.amplitude_ratio": "2",
        "criterion.min_duration_s": duration_s,
        "stop": "first_ad",
    }
    lines = {line.name: line for line in parameters(load_threshold_preset(id))}
    assert {name: lines[name].value for name in published} == published
    assert {lines[name].status for name in published} == {"unverified"}


def test_the_values_that_were_read_in_a_source() -> None:
    """Every value marked as retrieved, over all presets: adding one means having read the source."""
    retrieved = {
        (id, line.name, line.value)
        for id in threshold_presets()
        for line in parameters(load_threshold_preset(id))
        if line.status == "retrieved" and line.value != "not stated"
    }
    assert retrieved == {
        ("pinel_1976", "interval_s", "60"),
        ("pinel_1976", "stop", "first_ad"),
        ("racine_1972", "train.train_s", "1"),
        ("grid_25_hippocampus", "stop", "gst"),
        ("guide_2025", "stop", "first_ad"),
        ("gaito_eti", "train.pulse_hz", "60"),
        ("gaito_eti", "train.train_s", "30"),
        ("gaito_eti", "stop", "first_convulsion"),
        ("mda_urethane", "start_ua", "400"),
        ("mda_urethane", "train.shape", "biphasic"),
        ("mda_urethane", "train.phase_us", "1000"),
        ("mda_urethane", "train.pulse_hz", "20"),
        ("alternating_series", "step", "alternating"),
    }


@pytest.mark.parametrize(
    ("id", "field", "published"),
    [
        ("melbourne_linear", "start_ua", "20-50 uA"),
        ("melbourne_linear", "step", "+ 20 to + 50 uA"),
        ("melbourne_linear", "interval_s", "1-5 min"),
        ("wagrij_gaers", "train.pulse_hz", "50-80 Hz"),
        ("grid_25_hippocampus", "start_ua", "12.5-25 uA"),
        ("grid_25_hippocampus", "train.train_s", "1 or 2 s"),
        ("mcintyre_ladder", "interval_s", "at least 60 s"),
        ("mda_urethane", "interval_s", "2-3 min"),
        ("alternating_series", "interval_s", "7.5-12.5 s"),
    ],
)
def test_a_published_range_is_a_note_and_not_a_number(id: str, field: str, published: str) -> None:
    line = next(line for line in parameters(load_threshold_preset(id)) if line.name == field)
    assert (line.value, line.note) == ("not stated", published)


@pytest.mark.parametrize("id", ["gaito_eti", "mcintyre_ladder"])
def test_a_sine_is_not_passed_off_as_a_square_pulse(id: str) -> None:
    assert "train.shape" not in stated(id)
    assert "train.phase_us" not in stated(id)


@pytest.mark.parametrize("id", HANNOVER)
def test_what_hannover_leaves_open_is_asked_for(id: str) -> None:
    with pytest.raises(ConfigError) as refused:
        resolve(load_threshold_preset(id))
    assert str(refused.value) == (
        f"preset {id} does not state onset_window_s, max_ua, lockout_after_ad_s; "
        "set them under [threshold] in study.toml"
    )


def test_one_open_field_is_asked_for_by_its_name() -> None:
    closed = {name: value for name, value in LABORATORY.items() if name != "max_ua"}
    with pytest.raises(ConfigError, match=r"does not state max_ua; set it under \[threshold\] in study.toml"):
        resolve(load_threshold_preset("hannover_ascending", closed))


def test_an_open_step_is_asked_for_together_with_the_rest() -> None:
    with pytest.raises(ConfigError, match="does not state start_ua, step, onset_window_s"):
        resolve(load_threshold_preset("pinel_1976"))


@pytest.mark.parametrize("id", HANNOVER)
def test_the_laboratory_closes_hannover_with_three_numbers(id: str) -> None:
    plan = resolve(load_threshold_preset(id, LABORATORY))
    assert plan.preset == f"{id}@1"
    assert plan.step == Ratio(1.2)
    assert plan.max_ua == 500.0
    assert plan.interval_s == 60.0
    assert plan.lockout_after_ad_s == 14_400.0
    assert plan.criterion.onset_window_s == 30.0
    assert plan.criterion.baseline_s == plan.baseline_s == 30.0
    assert plan.rungs_ua[-1] <= 500.0 < plan.rungs_ua[-1] * 1.2


@pytest.mark.parametrize("id", ["melbourne_linear", "pinel_1976", "racine_1972", "wagrij_gaers", "guide_2025"])
def test_a_laboratory_can_close_every_rising_series(id: str) -> None:
    closed = {**EVERYTHING, "step": {"kind": "add", "value": 20.0}, "stop": "first_ad"}
    plan = resolve(load_threshold_preset(id, closed))
    assert plan.step == Add(20.0)
    assert plan.rungs_ua == tuple(20.0 * n for n in range(1, 26))


def test_the_mcintyre_ladder_is_its_list() -> None:
    """15, 25, 35, 50, 75, 100, 150 uA: McIntyre, from memory of the literature."""
    closed = {name: value for name, value in EVERYTHING.items() if name != "start_ua"}
    plan = resolve(load_threshold_preset("mcintyre_ladder", closed))
    assert plan.step == Listed((15.0, 25.0, 35.0, 50.0, 75.0, 100.0, 150.0))
    assert plan.rungs_ua == (15.0, 25.0, 35.0, 50.0, 75.0, 100.0, 150.0)


@pytest.mark.parametrize(
    ("id", "wanted"),
    [
        ("up_down", "a ratio above 1 and the lowest current that it may go down to"),
        ("bracket", "the ratio of the bounds at which it ends"),
    ],
)
def test_what_a_series_that_also_falls_leaves_open_is_asked_for(id: str, wanted: str) -> None:
    with pytest.raises(ConfigError, match=f"preset {id} has the step '{id}'; it takes {wanted}"):
        resolve(load_threshold_preset(id, EVERYTHING))


def test_the_laboratory_closes_an_up_and_down_series() -> None:
    """The ladder is made of whole steps from the first current, down to the lowest and up to the maximum."""
    step = {"kind": "up_down", "value": 2.0, "lowest_ua": 4.0, "reversals": 6}
    plan = resolve(load_threshold_preset("up_down", {**EVERYTHING, "step": step}))
    assert plan.search == UpDown(20.0, 6)
    assert plan.rungs_ua == (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0)


def test_the_laboratory_closes_a_bracket() -> None:
    step = {"kind": "bracket", "value": 1.5}
    plan = resolve(load_threshold_preset("bracket", {**EVERYTHING, "step": step}))
    assert plan.search == Bracket(1.5)
    assert (plan.rungs_ua[0], plan.rungs_ua[-1]) == (20.0, 500.0)
    assert all(higher / lower <= 1.5 + 1e-6 for lower, higher in pairwise(plan.rungs_ua))


def test_the_laboratory_closes_an_alternating_series() -> None:
    plan = resolve(load_threshold_preset("alternating_series", {**EVERYTHING, "stop": "series"}))
    assert plan.search == Alternating()
    assert plan.rungs_ua == tuple(20.0 + 5.0 * n for n in range(97))


def test_a_series_that_goes_on_to_the_generalised_seizure_names_the_scale() -> None:
    closed = {**EVERYTHING, "step": {"kind": "ratio", "value": 1.2}}
    plan = resolve(load_threshold_preset("grid_25_hippocampus", closed), scale="etsp")
    assert plan.continuation == Continuation("etsp@1", 4.0)


def test_a_scale_that_does_not_say_what_is_generalised_cannot_end_a_series() -> None:
    closed = {**EVERYTHING, "step": {"kind": "ratio", "value": 1.2}}
    with pytest.raises(ConfigError, match="racine_group_1998@1 does not say which of its stages are generalised"):
        resolve(load_threshold_preset("grid_25_hippocampus", closed), scale="racine_group_1998")


def test_a_convulsion_without_an_afterdischarge_ends_no_series_of_this_program() -> None:
    closed = {**EVERYTHING, "step": {"kind": "ratio", "value": 1.2}}
    with pytest.raises(ConfigError, match="stops at 'first_convulsion'; a rising series stops at 'first_ad' or 'gst'"):
        resolve(load_threshold_preset("gaito_eti", closed))


def test_what_the_laboratory_sets_carries_its_status() -> None:
    preset = load_threshold_preset("hannover_ascending", {**LABORATORY, "train": {"shape": "biphasic"}})
    chosen = {line.name: line for line in parameters(preset) if line.status == "laboratory"}
    assert set(chosen) == {"max_ua", "onset_window_s", "lockout_after_ad_s", "train.shape"}
    assert {line.source for line in chosen.values()} == {"study.toml"}
    assert chosen["train.shape"].value == "biphasic"
    unchanged = next(line for line in parameters(preset) if line.name == "train.phase_us")
    assert unchanged.status == "unverified"


def test_the_parameters_show_the_note_of_a_field() -> None:
    line = next(line for line in parameters(load_threshold_preset("hannover_ascending")) if line.name == "max_ua")
    assert line.note == "rats above 500-1000 uA are excluded (unverified)"


@pytest.mark.parametrize(
    ("laboratory", "message"),
    [
        ({"max_current": 500.0}, r"\[threshold\] has no key 'max_current'; allowed are: .*max_ua"),
        ({"id": "mine"}, r"\[threshold\] has no key 'id'"),
        ({"train": {"width_us": 100.0}}, r"\[threshold.train\] has no key 'width_us'; allowed are: .*phase_us"),
        ({"train": 1.0}, r"train must be a table, \[threshold.train\]"),
        (
            {"max_ua": "500"},
            r'study.toml: max_ua under \[threshold\] takes a number above 0 and up to 20000, not the text "500"',
        ),
        ({"max_ua": 0.0}, r"max_ua under \[threshold\] takes a number above 0 and up to 20000, not 0.0"),
        ({"max_ua": float("nan")}, r"max_ua under \[threshold\] takes a number above 0 and up to 20000, not nan"),
        ({"max_ua": float("inf")}, r"max_ua under \[threshold\] takes a number above 0 and up to 20000, not inf"),
        (
            {"train": {"shape": "sine"}},
            r'shape under \[threshold.train\] takes one of "biphasic", "monophasic", not the text "sine"',
        ),
        ({"if_void": "ignore"}, r'if_void under \[threshold\] takes one of "repeat", not the text "ignore"'),
        (
            {"step": 1.5},
            r"step under \[threshold\] takes a table of kind, value, values_ua, lowest_ua, reversals, not 1.5",
        ),
        (
            {"step": {"kind": "ratio", "vale": 1.5}},
            r"unknown key `vale` under \[threshold.step\]; the keys there are: kind, value, values_ua",
        ),
    ],
)
def test_a_wrong_value_of_the_laboratory_is_named(laboratory: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_threshold_preset("hannover_ascending", laboratory)


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "ratio", "value": 1.0},
        {"kind": "ratio", "value": 0.5},
        {"kind": "ratio"},
        {"kind": "add"},
        {"kind": "list"},
        {"kind": "list", "values_ua": [50.0, 25.0]},
        {"kind": "list", "values_ua": [25.0, 25.0]},
    ],
)
def test_a_series_that_would_not_rise_is_refused(step: dict[str, Any]) -> None:
    preset = load_threshold_preset("hannover_ascending", {**LABORATORY, "step": step})
    assert any(line.name == "step" for line in parameters(preset)), "it can still be shown"
    with pytest.raises(ConfigError, match="a rising series takes a ratio above 1"):
        resolve(preset)


def test_a_maximum_below_the_start_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no current from start_ua 8 uA up to max_ua 5 uA"):
        resolve(load_threshold_preset("hannover_ascending", {**LABORATORY, "max_ua": 5.0}))


@pytest.mark.parametrize("step", [{"kind": "add", "value": 1e-20}, {"kind": "ratio", "value": 1.000001}])
def test_a_step_too_small_to_get_anywhere_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigError, match=r"the series from 8 to 500 uA has more than 1000 currents; set a larger step"
    ):
        resolve(load_threshold_preset("hannover_ascending", {**LABORATORY, "step": step}))


def test_an_unknown_preset_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no threshold preset 'goddard'; there are: alternating_series, bracket"):
        load_threshold_preset("goddard")


def test_a_resolved_plan_survives_the_journal() -> None:
    plan = resolve(load_threshold_preset("hannover_ascending", LABORATORY))
    assert msgspec.json.decode(msgspec.json.encode(plan), type=type(plan)) == plan
