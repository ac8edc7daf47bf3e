"""Convulsant tests in a study's report: latencies with censoring, incidence with exact limits, deaths, doses."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from kindle.analysis import fit_quantal, latency
from kindle.analysis.proportions import share
from kindle.analysis.report_line import three_digits
from kindle.analysis.wording import words_of
from kindle.exchange import Dose
from kindle.report.section import Drawer, Section
from kindle.report.study_facts import StudyFacts, study_facts
from kindle.report.study_ptz import section
from kindle.report.study_sources import sources_of
from kindle.rows import Animal
from kindle.study import Study
from tests.reported_sessions import study_with
from tests.told_tests import OBSERVED_S, TestTeller, valproate

CONTROL_S = (45.0, 52.0, 60.0, 71.0, 88.0, 40.0, 66.0, 59.0)
DOSED_S: dict[float, tuple[float | None, ...]] = {
    100.0: (60.0, 70.0, 95.0, 300.0, 81.0, 66.0, None, 120.0),
    150.0: (None, 90.0, None, 400.0, 77.0, None, 150.0, 210.0),
    200.0: (None, None, None, 220.0, None, None, None, 90.0),
}
ToldStudy = tuple[Study, StudyFacts, Section, Drawer]


def in_report(study: Study) -> ToldStudy:
    facts, draw = study_facts(sources_of(study)), Drawer()
    found = section(facts, draw)
    assert found is not None
    return study, facts, found, draw


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToldStudy]:
    with study_with(tmp_path_factory.mktemp("told") / "study", Animal("R0")) as study:
        teller = TestTeller(study)
        n = 0
        for dose, latencies in DOSED_S.items():
            for after_s in latencies:
                n += 1
                teller.animal(f"V{n}")
                stages = [(1.0, 1.0)] if after_s is None else [(5.0, 1.0), (after_s, 4.0), (after_s + 20, 1.0)]
                teller.ptz(f"V{n}", f"valproate {dose:g}", (valproate(dose),), stages)
        for place, after_s in enumerate(CONTROL_S):
            teller.animal(f"C{place}")
            died_s = after_s + 30 if place < 2 else None
            again = [(after_s + 100, 5.0)] if died_s is None else []
            stages = [(after_s, 5.0), (after_s + 15, 1.0), *again]
            teller.ptz(f"C{place}", "control", (), stages, died_s=died_s)
        teller.animal("B1")
        teller.ptz("B1", "control", (), [], broken_off=True)
        yield in_report(study)


def written(draw: Drawer, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(draw.files[f"{name}.csv"].decode())))


def test_animals_without_a_seizure_are_censored_at_the_end_of_their_observation(told: ToldStudy) -> None:
    groups = {"control": (list(CONTROL_S), [1] * 8)}
    for dose, latencies in DOSED_S.items():
        times = [OBSERVED_S if after_s is None else after_s for after_s in latencies]
        groups[f"valproate {dose:g}"] = (times, [int(after_s is not None) for after_s in latencies])
    expected = latency(groups, cut_off=OBSERVED_S)
    assert expected.log_rank is not None
    assert words_of(expected) in told[2].body
    assert "ptz_latency.svg" in told[3].files


def test_incidence_and_deaths_have_exact_limits(told: ToldStudy) -> None:
    rows = {row["group"]: row for row in written(told[3], "ptz_groups")}
    assert list(rows) == ["control", "valproate 100", "valproate 150", "valproate 200"]
    died = share(2, 8)
    assert (rows["control"]["died"], float(rows["control"]["died to"])) == ("2", pytest.approx(died.interval.high))
    seized = share(2, 8)
    of_200 = rows["valproate 200"]
    assert (of_200["seizures"], float(of_200["share from"])) == ("2", pytest.approx(seized.interval.low))
    assert float(of_200["Fisher p"]) == pytest.approx(0.0070, abs=1e-4)
    assert rows["control"]["Fisher p"] == ""
    assert (rows["control"]["median worst stage"], rows["control"]["median number of seizures"]) == ("5.0", "2.0")


def test_a_broken_off_test_is_listed_and_counts_nowhere(told: ToldStudy) -> None:
    row = next(row for row in written(told[3], "ptz_tests") if row["animal"] == "B1")
    assert (row["seizure"], row["latency s"], row["died"]) == ("", "", "")
    assert written(told[3], "ptz_groups")[0]["n"] == "8"
    assert "1 that were broken off stand in the table only" in told[2].body


def test_doses_give_the_ed50_of_the_same_counts_and_the_controls_are_its_control(told: ToldStudy) -> None:
    protected = [sum(after_s is None for after_s in latencies) for latencies in DOSED_S.values()]
    value = fit_quantal(list(DOSED_S), [8] * 3, protected, control=(8, 0), unit="mg/kg").ed().value
    assert value is not None
    assert f"ED50 {three_digits(value)} mg/kg" in told[2].body
    assert "control 0/8" in told[2].body
    assert "ptz_dose_response.svg" in told[3].files
    prism = list(csv.reader(StringIO(told[3].files["prism_ptz_dose_response.csv"].decode())))
    assert [(row[0], row.count("1.0"), row.count("0.0")) for row in prism[2:]] == [
        (str(dose), k, 8 - k) for dose, k in zip(DOSED_S, protected, strict=True)
    ]
    assert prism[1][1:] == ["0.0"] * 8


def test_each_test_names_the_row_of_what_was_seen(told: ToldStudy) -> None:
    kinds = {row.seq: row.kind for row in told[0].journal.rows()}
    rows = written(told[3], "ptz_tests")
    assert len(rows) == 33
    assert {kinds[int(row["journal row"])] for row in rows} == {"answered"}


def test_a_shock_is_judged_by_the_extension_of_the_hindlimbs(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("R0")) as study:
        teller = TestTeller(study)
        for place in range(6):
            teller.animal(f"M{place}")
            teller.shock(f"M{place}", "control", (), 2.0)
            teller.shock(f"M{place}", "phenytoin", (Dose("phenytoin", "mg_salt", 10.0, "i.p.", 0.0),), None)
        _, _, found, draw = in_report(study)
        rows = {row["group"]: row for row in written(draw, "electroshock_groups")}
        assert (rows["control"]["seizures"], rows["phenytoin"]["seizures"]) == ("6", "0")
        assert "6 animals stand in more than one group" in found.body
        assert "tonic hindlimb extension" in found.body
        assert "Convulsant" not in found.body
        assert "electroshock_dose_response.svg" not in draw.files


def test_groups_of_different_convulsant_doses_are_told_apart(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("R0")) as study:
        teller = TestTeller(study)
        for place, mg_per_kg in enumerate((60.0, 85.0, 60.0, 85.0)):
            teller.animal(f"P{place}")
            convulsant = Dose("pentylenetetrazol", "mg_salt", mg_per_kg, "s.c.", 0.0)
            teller.ptz(f"P{place}", "control", (), [(50.0, 4.0)], convulsant=convulsant)
        _, _, _, draw = in_report(study)
        assert [row["group"] for row in written(draw, "ptz_groups")] == [
            "control, pentylenetetrazol 60 mg/kg s.c.",
            "control, pentylenetetrazol 85 mg/kg s.c.",
        ]


def test_a_study_without_such_tests_has_no_such_section(tmp_path: Path) -> None:
    with study_with(tmp_path / "study", Animal("R0")) as study:
        assert section(study_facts(sources_of(study)), Drawer()) is None
