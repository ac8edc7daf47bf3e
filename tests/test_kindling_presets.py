"""Kindling schedules and criteria as they were published, each value with its source; and what they leave open."""

from typing import Any

import pytest

from detectors.criterion import Criterion
from kindle.errors import ConfigError, KindleError
from kindle.kindling_presets import KINDLED, KINDLING, open_fields_of, resolve_kindled, resolve_kindling
from kindle.preset_reader import Family, parameters
from kindle.protocols.kindling import KindlingPlan
from kindle.status import StatusRule

FAMILIES: list[Family[Any]] = [KINDLING, KINDLED]
ALL = [(family, id) for family in FAMILIES for id in family.ids()]

LABORATORY = {
    "train": {"shape": "biphasic", "phase_us": 1000.0, "pulse_hz": 50.0, "train_s": 1.0},
    "trains_per_day": 1,
}


def plan(id: str, laboratory: dict[str, object], threshold_ua: float | None = 80.0) -> KindlingPlan:
    preset = KINDLING.load(id, laboratory)
    return resolve_kindling(preset, Criterion(), "racine_1972", threshold_ua, StatusRule())


def test_the_named_schedules_are_there() -> None:
    assert KINDLING.ids() == (
        "above_adt",
        "ashton_1979",
        "etsp_daily",
        "guide_at_adt",
        "hannover_daily",
        "mares_recurrent",
        "rapid_bla",
        "rapid_hippocampus",
        "rapid_lothman",
        "takeuchi_hippocampus",
        "wagrij_gaers",
        "wise_1974",
    )


@pytest.mark.parametrize(("family", "id"), ALL, ids=[f"{family.folder}-{id}" for family, id in ALL])
def test_every_field_has_a_source_and_says_when_it_is_a_default(family: Family[Any], id: str) -> None:
    preset = family.load(id)
    assert preset.id == id
    assert preset.citation
    for line in parameters(preset):
        assert line.source
        assert "program default" not in line.source or line.status == "derived"
        assert "from memory" not in line.source or line.status == "unverified"


@pytest.mark.parametrize(
    ("id", "current_ua", "train_s", "per_day"),
    [("etsp_daily", 200.0, 2.0, 1), ("wise_1974", 250.0, 1.0, 1), ("ashton_1979", 150.0, 4.0, 2)],
)
def test_the_schedules_that_were_read(id: str, current_ua: float, train_s: float, per_day: int) -> None:
    """Domain reference, section 4.1."""
    preset = KINDLING.load(id)
    assert preset.current.value is not None
    assert (preset.current.value.current_ua, preset.train.train_s.value, preset.trains_per_day.value) == (
        current_ua,
        train_s,
        per_day,
    )
    assert {preset.current.status, preset.train.train_s.status, preset.trains_per_day.status} == {"retrieved"}


def test_hannover_needs_nothing_of_the_laboratory_for_one_train_a_day() -> None:
    assert open_fields_of(KINDLING.load("hannover_daily")) == ()
    daily = plan("hannover_daily", {})
    assert (daily.current_ua, daily.trains, daily.preset) == (500.0, 1, "hannover_daily@1")


def test_at_threshold_the_current_is_the_animals_own() -> None:
    assert plan("guide_at_adt", LABORATORY, 85.6).current_ua == 85.6
    stronger = {**LABORATORY, "current": {"kind": "at_threshold", "multiple": 1.5}}
    assert plan("above_adt", stronger, 80.0).current_ua == pytest.approx(120.0)


def test_without_a_threshold_there_is_no_current_at_it() -> None:
    with pytest.raises(ConfigError, match="none is known"):
        plan("guide_at_adt", LABORATORY, None)


def test_what_a_schedule_leaves_open_is_asked_for() -> None:
    with pytest.raises(ConfigError) as refused:
        plan("guide_at_adt", {})
    assert str(refused.value) == (
        "preset guide_at_adt does not state train.shape, train.phase_us, train.pulse_hz, train.train_s, "
        "trains_per_day, interval_s, lockout_after_ad_s; set them under [kindling] in study.toml"
    )


def test_a_rapid_schedule_needs_its_interval_and_lock_out() -> None:
    missing = open_fields_of(KINDLING.load("rapid_bla"))
    assert missing == ("current", "train.phase_us", "lockout_after_ad_s")


@pytest.mark.parametrize(
    ("id", "n", "stage_from", "mode"),
    [
        ("etsp", 3, 4.0, "consecutive"),
        ("mgso4_study", 3, 4.0, "consecutive"),
        ("okada_1993", 5, 4.0, "consecutive"),
        ("mcintyre", 6, 5.0, "cumulative"),
        ("hannover", 10, 5.0, "cumulative"),
        ("ashton_1979", 3, 3.0, "consecutive"),
        ("wagrij_gaers", 1, 5.0, "consecutive"),
    ],
)
def test_the_criteria_of_full_kindling(id: str, n: int, stage_from: float, mode: str) -> None:
    """Domain reference, section 4.2."""
    rule = resolve_kindled(KINDLED.load(id), "racine_1972")
    assert (rule.n, rule.stage_from, rule.mode, rule.scale) == (n, stage_from, mode, "racine_1972@1")
    assert (rule.cap_trains, rule.stable_days) == (
        50 if id == "wagrij_gaers" else None,
        7 if id == "ashton_1979" else None,
    )


def test_the_guide_does_not_say_how_often() -> None:
    with pytest.raises(ConfigError, match=r"guide_2025 does not state n; set it under \[kindled\] in study.toml"):
        resolve_kindled(KINDLED.load("guide_2025"), "guide_2025")
    assert resolve_kindled(KINDLED.load("guide_2025", {"n": 3}), "guide_2025").n == 3


def test_a_stage_that_the_scale_does_not_have_is_refused() -> None:
    with pytest.raises(KindleError, match="has no stage 7"):
        resolve_kindled(KINDLED.load("etsp", {"stage_from": 7.0}), "racine_1972")


@pytest.mark.parametrize(
    ("laboratory", "message"),
    [
        ({"amps": 1}, r"\[kindling\] has no key 'amps'; allowed are: "),
        ({"trains_per_day": 0}, r"trains_per_day under \[kindling\] takes"),
        ({"current": {"kind": "fixed"}}, "fixed current without its size"),
        ({"train": {"train_s": -1.0}}, r"train_s under \[kindling.train\] takes"),
    ],
)
def test_a_wrong_value_of_the_laboratory_is_named(laboratory: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan("hannover_daily", laboratory)
