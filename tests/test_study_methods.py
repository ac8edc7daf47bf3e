"""The methods of a report: every parameter that was in force is in the prose, and nothing that was not."""

import html
import re
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from msgspec import structs

from detectors.criterion import Criterion
from kindle.animal_rows import Amended, TrialScored, Weighed
from kindle.blinding import store_design
from kindle.design import latin_square
from kindle.exchange import CodedDose, Dose
from kindle.kindled import KindledRule
from kindle.protocols.ladder import Add, Listed
from kindle.protocols.search import Alternating, Bracket, UpDown
from kindle.protocols.threshold import Continuation
from kindle.report import write_study_report
from kindle.report.methods_statistics import REFERENCES, references, statistics
from kindle.report.study_words import (
    criterion_in_words,
    kindling_in_words,
    listed,
    range_of,
    rule_in_words,
    threshold_in_words,
    train_in_words,
)
from kindle.rows import Animal, kind_of
from kindle.session_view import ANIMALS
from kindle.study import Study, create_study, open_study
from tests.reported_sessions import PLAN, Teller, Told
from tests.told_study import BEGUN, KINDLING, SCALE, StudyTeller

TOML = """\
name = "methods"
[electrode]
material = "stainless steel"
area_cm2 = 0.00346
[[treatments]]
name = "valproate"
[[treatments.injections]]
substance = "sodium valproate"
amount_per_kg = 200.0
basis = "mg_salt"
mg_per_ml = 100.0
vehicle = "0.9 % saline"
route = "i.p."
pretreatment_min = 15.0
[course]
washout_days = 5
control_gap_days = [1, 4]
"""


@pytest.fixture(scope="module")
def methods(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("methods") / "study"
    create_study(folder, TOML)
    with open_study(folder) as study:
        study.add_animal(Animal("R1", strain="Wistar", sex="male", born="2025-11-02"), BEGUN)
        study.add_animal(Animal("R2", strain="Wistar", sex="male"), BEGUN)
        for rat, weight_g in (("R1", 251.0), ("R2", 263.0)):
            told(study, Weighed(rat, weight_g))
        store_design(study, latin_square(["R1", "R2"], ["saline", "valproate"], 31), BEGUN)
        Teller(study, "R1").recording((Told(PLAN.rungs_ua[0]), Told(PLAN.rungs_ua[1], "discharge")))
        teller = StudyTeller(study)
        teller.kindled("R1", (None, 5))
        teller.drug_day("R1", "control", (), 5, 60.0)
        teller.drug_day("R1", "saline", (CodedDose("saline", 2.0, "i.p.", 900.0),), 5, 60.0)
        teller.drug_day("R1", "valproate", (Dose("sodium valproate", "mg_salt", 200.0, "i.p.", 900.0),), 1, 20.0)
        trial = next(row for row in study.journal.rows("R1_0001_kindling") if row.kind == "answered")
        told(study, TrialScored("R1", trial.seq, SCALE, 1.0, "Ada"))
        for old, new in (("Wistar", "Lewis"), ("Lewis", "Wistar")):
            told(study, Amended(1, "strain", old, new, "Bob", "checked"))
        page = write_study_report(study).read_text(encoding="utf-8")
    begin = page.index('id="methods"')
    text = re.sub(r"<[^>]+>", "", page[begin : page.index('id="trains"')])
    return html.unescape(text)


def told(study: Study, row: Weighed | TrialScored | Amended) -> None:
    study.journal.append(ANIMALS, kind_of(row), row, sample=None, utc=BEGUN + timedelta(days=1))


@pytest.mark.parametrize(
    "sentence",
    [
        "2 rats, strain Wistar, male.",
        "Born 2025-11-02, known of 1.",
        "Weight when first weighed: 251 to 263 g.",
        "No electrode was named in study.toml for 6 sessions.",
        "signals were digitised by NI USB-6343 0x1A2B at 1000 Hz per channel",
        "EEG from -1.638e+04 to 1.638e+04 µV in steps of 0.5 µV",
        "trains came from Pulse Pal, firmware 21",
        "currents rising from 8 µA by factors of 1.2 to at most 900 µA until the first afterdischarge",
        "Stages are those of Racine 1972",
        "An animal is fully kindled after 3 consecutive seizures of stage 4 or more",
        "Afterdischarges were detected by kindle-eeg, version 0.1.0.",
        "sodium valproate: 200 mg/kg (1.2 mmol/kg), mg of the substance as weighed",
        "100 mg/ml in 0.9 % saline, 15 min before the test, 1 injection",
        "saline (a vehicle, or a code): 2 ml/kg i.p., 15 min before the test, 1 injection.",
        "a control without an injection by 1 to 4 days and an earlier drug day by at least 5 days of washout",
        "Treatments (saline, valproate) were allocated by a Williams Latin square (seed 31) to 2 animals, 2 test days",
        "No codes were sealed: by the journal the study was not blinded.",
        "1 stage was entered by Ada after the session.",
        "2 values were corrected by Bob after the session.",
        "exact signed-rank test",
        "Wilcoxon F. Biometrics Bull 1945;1:80-83",
        "ARRIVE 2.0",
    ],
)
def test_the_prose_says_what_was_done(sentence: str, methods: str) -> None:
    assert sentence in methods


def test_unverified_values_are_marked_as_such_with_their_names(methods: str) -> None:
    begin = methods.index("Unverified, because the value is from memory of the literature")
    unverified = methods[begin : methods.index("Set by the laboratory", begin)]
    assert "threshold" in unverified
    assert "step" in unverified
    assert "train.phase_us" in unverified
    assert "max_ua" not in unverified, "set by the laboratory"


def test_statistics_that_the_page_does_not_show_are_not_named(methods: str) -> None:
    assert "electroshock" not in methods.casefold()
    assert "censored at the end of their observation" not in methods


WITHOUT_A_TRAIN = {"seizure_min_duration_s"}


@pytest.mark.parametrize("name", sorted({field.name for field in fields(Criterion)} - WITHOUT_A_TRAIN))
def test_every_parameter_of_the_detection_is_in_the_prose(name: str) -> None:
    value = 0.37 if name == "merge_amplitude" else 77.25
    shown = "37%" if name == "merge_amplitude" else "77.25"
    assert shown in criterion_in_words(replace(Criterion(), **{name: value}))


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("interval_s", 71.5, "every 71.5 s"),
        ("lockout_after_ad_s", 72.5, "72.5 s at least from an afterdischarge"),
        ("baseline_s", 73.5, "after 73.5 s of baseline"),
        ("watch_s", 74.5, "watched for 74.5 s"),
        ("max_ua", 755.5, "at most 755.5 µA"),
        ("step", Add(7.5), "by 7.5 µA"),
        ("step", Listed((1.0, 2.0, 5000.0)), "of 1, 2 µA"),
        ("if_undetermined", "stop", "the test was stopped"),
        ("search", UpDown(57.5, 6), "up and down from 57.5 µA"),
        ("search", Bracket(1.35), "by no more than a factor of 1.35"),
        ("search", Alternating(series=3), "3 descending and ascending series"),
        ("continuation", Continuation(SCALE, 4.0), "stage 4 or more on racine_1972@1"),
    ],
)
def test_every_setting_of_a_threshold_test_is_in_the_prose(field: str, value: object, shown: str) -> None:
    assert shown in threshold_in_words(structs.replace(PLAN, **{field: value}))


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("train_s", 2.5, "2.5 s of"),
        ("shape", "monophasic", "monophasic"),
        ("polarity", "anodic_first", "anodic-first"),
        ("pulse_hz", 61.5, "61.5 Hz"),
        ("phase_us", 205.5, "205.5 µs per phase"),
        ("interphase_us", 33.5, "33.5 µs between the phases"),
    ],
)
def test_every_setting_of_a_train_is_in_the_prose(field: str, value: object, shown: str) -> None:
    assert shown in train_in_words(structs.replace(PLAN.train, **{field: value}))


def test_a_kindling_session_of_several_trains_says_how_far_apart_they_are() -> None:
    plan = structs.replace(KINDLING, trains=3, interval_s=601.0, lockout_after_ad_s=302.0, habituation_s=77.0)
    words = kindling_in_words(plan, [100.0, 250.0])
    for shown in ("3 trains", "at 100 to 250 µA", "601 s from onset", "302 s at least", "77 s of habituation"):
        assert shown in words
    assert "from onset to onset" not in kindling_in_words(KINDLING, [500.0])


def test_every_condition_of_full_kindling_is_in_the_prose() -> None:
    rule = KindledRule(5, 4.5, SCALE, "cumulative", True, True, 11, 2, 61, 31)
    words = rule_in_words(rule)
    assert words.startswith("5 seizures of stage 4.5 or more, each with an afterdischarge, of each day only the first")
    for shown in ("within 11 stimulations", "2 further days", "61 stimulations in all", "31 days", SCALE):
        assert shown in words
    assert "1 consecutive seizure of" in rule_in_words(KindledRule(1, 5, SCALE))


def test_each_reference_is_cited_by_some_statistic() -> None:
    titles = ("Animals", "Thresholds", "Kindling", "Treatments", "Dose-response", "Isoboles", "Convulsant tests")
    assert references(" ".join(statistics(titles))) == tuple(full for _, full in sorted(REFERENCES.items()))


@pytest.mark.parametrize(
    ("words", "expected"), [(("a",), "a"), (("a", "b"), "a and b"), (("a", "b", "c"), "a, b and c")]
)
def test_words_are_listed_as_people_list_them(words: tuple[str, ...], expected: str) -> None:
    assert listed(words) == expected


def test_a_range_of_one_value_is_that_value() -> None:
    assert range_of([5.0, 5.0], "g") == "5 g"
    assert range_of([6.0, 5.0], "g") == "5 to 6 g"
