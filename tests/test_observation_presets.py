"""Convulsant tests, shocks, drug days and doses as they were published: each value with its source, open ones asked."""

from pathlib import Path
from typing import Any

import pytest

from kindle.course_plan import DoseSchedule
from kindle.drug_test_presets import DRUG_TEST, TREATMENT, treatment_parameters
from kindle.errors import ConfigError
from kindle.observation_presets import (
    ELECTROSHOCK,
    PTZ,
    load_electroshock,
    load_ptz,
    resolve_doses,
    resolve_ptz,
    shock_of,
)
from kindle.preset_reader import Family, parameters
from kindle.study import read_config
from kindle.substances import substance

FAMILIES: list[Family[Any]] = [PTZ, ELECTROSHOCK, DRUG_TEST, TREATMENT]
ALL = [(family, id) for family in FAMILIES for id in family.ids()]
CLOSED = {"convulsant": {"mg_per_ml": 10.0}}


@pytest.mark.parametrize(("family", "id"), ALL, ids=[f"{family.folder}-{id}" for family, id in ALL])
def test_every_field_has_a_source_and_a_default_never_passes_for_a_published_value(
    family: Family[Any], id: str
) -> None:
    preset = family.load(id)
    assert preset.id == id
    assert preset.label
    assert preset.citation
    for line in parameters(preset):
        assert line.source
        assert line.status != "laboratory"
        assert "program default" not in line.source or line.status == "derived"
        assert ("from memory" in line.source) == (line.status == "unverified")


def retrieved(family: Family[Any]) -> set[tuple[str, str, str]]:
    return {
        (id, line.name, line.value)
        for id in family.ids()
        for line in parameters(family.load(id))
        if line.status == "retrieved" and line.value != "not stated"
    }


def test_the_convulsant_tests_that_were_read() -> None:
    """Domain reference, section 11: adding one means having read the source."""
    published = {(id, name, value) for id, name, value in retrieved(PTZ) if name != "convulsant.substance"}
    assert published == {
        ("guide_2025", "scale", "guide_2025"),
        ("guide_2025", "observation_min", "30"),
        ("mg_valproate_2010", "convulsant.amount_per_kg", "60"),
        ("mg_valproate_2010", "convulsant.route", "i.p."),
        ("ito_1977", "convulsant.amount_per_kg", "40"),
        ("ito_1977", "interval_h", "24"),
    }


def test_no_value_of_a_shock_was_read() -> None:
    """The domain reference names maximal electroshock and states no current of it."""
    assert retrieved(ELECTROSHOCK) == set()


def test_the_drug_days_that_were_read() -> None:
    """Domain reference, section 10.1."""
    assert retrieved(DRUG_TEST) == {
        ("conventional", "after_kindling_days", "2"),
        ("conventional", "control_gap_days", "1 to 3"),
        ("etsp", "after_kindling_days", "2"),
    }


@pytest.mark.parametrize(
    ("id", "mg_per_kg", "minutes"),
    [
        ("valproate_1988", 200.0, None),
        ("valproate_1979", 64.7, None),
        ("phenytoin_1979", 31.5, None),
        ("phenytoin_mgso4_study", None, 15.0),
        ("mgso4", None, 15.0),
        ("carbamazepine", 40.0, 60.0),
        ("carbamazepine_1979", 5.0, None),
        ("diazepam_1979", 0.28, None),
        ("lamotrigine_2019", 30.0, 60.0),
        ("phenobarbital", 30.0, None),
        ("gabapentin_2000", None, 60.0),
        ("levetiracetam_2000", None, 60.0),
        ("topiramate_2000", None, None),
    ],
)
def test_the_doses_that_were_read(id: str, mg_per_kg: float | None, minutes: float | None) -> None:
    """Domain reference, section 10.2; a range, or a salt that nobody named, stays open."""
    preset = TREATMENT.load(id)
    assert (preset.amount_per_kg.value, preset.pretreatment_min.value) == (mg_per_kg, minutes)
    assert preset.mg_per_ml.value is None
    if preset.substance.value is not None:
        assert substance(preset.substance.value).name == preset.substance.value


class TestConvulsants:
    def test_what_the_guide_leaves_open_is_asked_for(self) -> None:
        with pytest.raises(ConfigError) as refused:
            resolve_ptz(load_ptz({}))
        assert str(refused.value) == (
            "preset guide_2025 does not state convulsant.amount_per_kg, convulsant.route, convulsant.mg_per_ml; set "
            "them under [ptz] in study.toml"
        )

    def test_the_laboratory_closes_it(self) -> None:
        own = {"amount_per_kg": 60.0, "route": "s.c.", "mg_per_ml": 30.0}
        closed = resolve_ptz(load_ptz({"convulsant": own, "scale": "luttjohann_2009"}))
        assert (closed.convulsant.amount_per_kg, closed.scale) == (60.0, "luttjohann_2009")
        assert (closed.preset, closed.observation_min) == ("guide_2025@1", 30.0)

    def test_an_observation_is_never_shorter_than_half_an_hour(self) -> None:
        with pytest.raises(ConfigError, match=r"observation_min under \[ptz\] takes a number from 30"):
            load_ptz({"observation_min": 20.0})

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ({"preset": "mine"}, "no ptz preset 'mine'; there are: alternate_days"),
            ({"preset": 3}, "preset takes a text in quotes"),
            ({"dose": 35.0}, r"\[ptz\] has no key 'dose'; allowed are: "),
            ({"convulsant": {"mg": 1.0}}, r"\[ptz.convulsant\] has no key 'mg'"),
            ({"convulsant": {"route": 1.0}}, r"route under \[ptz.convulsant\] takes a text"),
        ],
    )
    def test_a_wrong_value_of_the_laboratory_is_named(self, table: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            load_ptz(table)


class TestCoursesOfDoses:
    def test_every_48_hours(self) -> None:
        schedule = resolve_doses(load_ptz({"preset": "alternate_days", **CLOSED}))
        assert schedule == DoseSchedule("pentylenetetrazol", 35.0, "mg_salt", 48.0, 4.0)
        assert schedule.told == "35 mg/kg of pentylenetetrazol"

    def test_a_test_that_is_no_course_of_doses_has_no_interval(self) -> None:
        with pytest.raises(ConfigError, match=r"mg_valproate_2010 does not state interval_h; set it under \[ptz\]"):
            resolve_doses(load_ptz({"preset": "mg_valproate_2010"}))

    def test_a_range_of_doses_is_a_note_and_not_a_dose(self) -> None:
        with pytest.raises(ConfigError, match=r"repeated does not state interval_h, convulsant\.amount_per_kg"):
            resolve_doses(load_ptz({"preset": "repeated"}))

    @pytest.mark.parametrize(
        ("own", "message"),
        [
            ({"early_h": 24.0}, "early_h under .* is 24 h, not shorter than interval_h, 24 h"),
            ({"challenge_after_days": 10}, "has challenge_after_days and no challenge_amount_per_kg"),
            ({"challenge_amount_per_kg": 45.0}, "has challenge_amount_per_kg and no challenge_after_days"),
        ],
    )
    def test_what_contradicts_itself_is_refused(self, own: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            resolve_doses(load_ptz({"preset": "ito_1977", **own}))


class TestShocks:
    def test_a_shock_is_told_as_it_is_set(self) -> None:
        assert shock_of(load_electroshock({"preset": "etsp_rat"})) == "150 mA, 60 Hz sine, 0.2 s, corneal electrodes"

    def test_a_shock_of_the_laboratory_names_everything(self) -> None:
        with pytest.raises(ConfigError, match="current_ma, frequency_hz, duration_s, electrodes, waveform; set them"):
            shock_of(load_electroshock({}))
        own = {"current_ma": 90.0, "frequency_hz": 50.0, "duration_s": 0.3, "electrodes": "ear", "waveform": "square"}
        assert shock_of(load_electroshock(own)) == "90 mA, 50 Hz square, 0.3 s, ear electrodes"


def study_toml(folder: Path, injection: str) -> Path:
    path = folder / "study.toml"
    path.write_text(
        f'name = "x"\n[[treatments]]\nname = "dose"\n[[treatments.injections]]\n{injection}\n', encoding="utf-8"
    )
    return path


class TestDoses:
    def test_a_published_dose_is_completed_by_what_the_laboratory_has(self, tmp_path: Path) -> None:
        config = read_config(study_toml(tmp_path, 'preset = "valproate_1988"\npretreatment_min = 15\nmg_per_ml = 100'))
        (injection,) = config.treatments[0].injections
        assert (injection.substance, injection.amount_per_kg, injection.route) == ("sodium valproate", 200.0, "i.p.")
        told = {line.name: line for line in treatment_parameters(config.treatments[0])}
        assert told["sodium valproate.amount_per_kg"].status == "retrieved"
        assert told["sodium valproate.substance"].status == "unverified"
        assert told["sodium valproate.pretreatment_min"].status == "laboratory"

    def test_another_dose_than_the_published_one_is_the_laboratorys(self, tmp_path: Path) -> None:
        own = 'preset = "valproate_1988"\namount_per_kg = 100\npretreatment_min = 15\nmg_per_ml = 50'
        (treatment,) = read_config(study_toml(tmp_path, own)).treatments
        told = {line.name: line for line in treatment_parameters(treatment)}
        assert (told["sodium valproate.amount_per_kg"].value, told["sodium valproate.amount_per_kg"].status) == (
            "100",
            "laboratory",
        )

    def test_a_salt_that_nobody_named_is_asked_for(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as refused:
            read_config(study_toml(tmp_path, 'preset = "phenytoin_1979"\nroute = "i.p."'))
        assert str(refused.value) == (
            "study.toml: treatment 'dose' takes preset phenytoin_1979, which does not state substance (phenytoin, acid "
            "or sodium salt not stated), basis, pretreatment_min, mg_per_ml; set them in its [[treatments.injections]]"
        )

    def test_a_dose_without_a_preset_is_the_laboratorys_own(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="missing key `route`"):
            read_config(
                study_toml(tmp_path, 'substance = "diazepam"\namount_per_kg = 1\nbasis = "mg_salt"\nmg_per_ml = 1\n')
            )
