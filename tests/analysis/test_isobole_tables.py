"""`kindle isobole` on tables as laboratories write them, and what it says of those that it cannot read."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kindle.analysis import convert_dose
from kindle.analysis.two_drug_designs import Arm, Choices, Study, analyse
from kindle.commands.ed50 import ed50
from kindle.commands.isobole import isobole
from kindle.errors import ConfigError, KindleError
from kindle.two_drug_tables import Potencies, read_two_drugs

VALPROATE = Path(__file__).parents[2] / "fixtures" / "valproate"

WIDE = """drug A (mg/kg),drug B (mg/kg),n,protected
50,0,8,1
100,0,8,3
150,0,8,6
200,0,8,8
0,20,8,1
0,40,8,4
0,80,8,6
0,160,8,8
25,10,8,2
37.5,15,8,4
50,20,8,6
75,30,8,7
"""
LONG = """drug;dose (mg/kg);n;protected
drug A;50;8;1
drug A;100;8;3
drug A;150;8;6
drug A;200;8;8
drug B;20;8;1
drug B;40;8;4
drug B;80;8;6
drug B;160;8;8
A + B;35;8;2
A + B;52,5;8;4
A + B;70;8;6
A + B;105;8;7
"""
FINISHED = """drug,ED50 (mg/kg),SEM,n
A,31.65,7.4,16
B,4.57,1.44,24
mixture,8.17,2.4,24
"""


@pytest.fixture
def table(tmp_path: Path) -> Any:
    def written(text: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def told(*words: object) -> str:
    done = CliRunner().invoke(isobole, [*map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def result(*words: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told(*words, "--json"))
    return found


def test_a_column_for_each_drug_says_what_was_mixed(table: Any) -> None:
    found = result(table(WIDE))
    assert found["design"] == "fixed ratio"
    assert found["result"]["mass_fraction_a"] == pytest.approx(50 / 70)
    index = found["result"]["index"][0]
    assert index["value"] == pytest.approx(0.702, abs=5e-4)
    assert found["result"]["verdict"] == "no interaction shown"
    assert [name for name, _ in found["fits"]] == ["drug A", "drug B", "drug A + drug B"]
    assert found["result"]["parallelism"]["method"] == "likelihood ratio"


def test_one_drug_a_row_gives_the_same_numbers(table: Any) -> None:
    wide = result(table(WIDE))["result"]
    long = result(table(LONG), "--mass-fraction-a", 5 / 7)["result"]
    for part in ("value", "se_log10", "z", "p"):
        assert long["index"][0][part] == pytest.approx(wide["index"][0][part])
    assert long["additive"][0]["total"] == pytest.approx(wide["additive"][0]["total"])


def test_one_row_for_each_animal_gives_the_same_numbers(table: Any) -> None:
    rows = [line.split(",") for line in WIDE.splitlines()[1:]]
    animals = [f"{a};{b};{'yes' if i < int(r) else 'no'}" for a, b, n, r in rows for i in range(int(n))]
    by_animal = result(table("\n".join(["drug A (mg/kg);drug B (mg/kg);protected", *animals])))
    assert by_animal["result"] == result(table(WIDE))["result"]


def test_the_order_of_the_rows_does_not_matter(table: Any) -> None:
    head, *rows = WIDE.splitlines()
    assert result(table("\n".join([head, *reversed(rows)]))) == result(table(WIDE))


def test_finished_ed50s_need_the_fraction(table: Any) -> None:
    found = result(table(FINISHED), "--fraction-of-ed50", 0.5, "--se", "lublin")
    assert found["result"]["verdict"] == "no interaction shown"
    assert found["result"]["index"][0]["value"] == pytest.approx(0.451132, rel=1e-5)
    with pytest.raises(ConfigError, match="--fraction-of-ed50 or by --mass-fraction-a"):
        told(table(FINISHED))


def test_ed50s_without_errors_cannot_be_combined(table: Any) -> None:
    with pytest.raises(KindleError, match="A has no standard error"):
        told(table("drug,ED50 (mg/kg)\nA,31.65\nB,4.57\nmixture,8.17\n"), "--fraction-of-ed50", 0.5)


def test_the_verdict_comes_first_and_warnings_are_in_the_text(table: Any) -> None:
    lines = told(table(FINISHED), "--fraction-of-ed50", 0.5).splitlines()
    assert lines[0].startswith("synergy at this ratio: interaction index 0.451 (95% CI 0.226-0.902)")
    assert any("warning: the verdict depends on the convention" in line for line in lines)
    assert any("warning: the slopes are not known" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dose (mg/kg),n,protected\n10,8,1\n", "two columns of doses expected"),
        ("a (mg/kg),b (mmol/kg),n,protected\n10,0,8,1\n", "different units"),
        ("a (mg/kg),b (mg/kg),n\n10,0,8\n", "no column for how many animals responded"),
        ("a (mg/kg),b (mg/kg),n,protected\n10,0,8,9\n", "line 2, column 'protected': r > n: 9 responded of 8"),
        ("a (mg/kg),b (mg/kg),n,protected\n10,0,8,1\n0,-5,8,1\n", "line 3, column 'b .mg/kg.': a dose cannot be neg"),
        ("a (mg/kg),b (mg/kg),n,protected\n10,0,0,0\n", "line 2, column 'n': n = 0"),
        ("a (mg/kg),b (mg/kg),protected\n10,0,perhaps\n", "line 2, column 'protected': 'perhaps' does not say"),
        ("drug,dose (mg/kg),n,protected\nA,10,8,1\n", "two drugs and their mixture expected"),
        ("drug,ED50 (mg/kg),SEM\nA,10,1\nB,-3,1\nmixture,4,1\n", "line 3, column 'ED50 .mg/kg.': an ED50 lies above 0"),
        ("drug,ED50 (mg/kg),SEM\nA,10,1\nB,3,1\n", "one for their mixture expected"),
    ],
)
def test_what_is_wrong_in_a_table_is_told_by_row_and_column(table: Any, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_two_drugs(table(text))


def test_total_doses_of_a_mixture_need_the_share_of_drug_a(table: Any) -> None:
    with pytest.raises(ConfigError, match="say how much of them is drug A"):
        read_two_drugs(table(LONG))


@pytest.mark.parametrize("share", ["0", "1", "-0.2"])
def test_a_share_that_is_none_is_refused(table: Any, share: str) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        told(table(LONG), "--mass-fraction-a", share)


def test_a_share_that_the_doses_say_already_is_refused(table: Any) -> None:
    with pytest.raises(ConfigError, match="leave the mass fraction out"):
        told(table(WIDE), "--mass-fraction-a", 0.5)


def test_limits_that_are_printed_serve_for_a_missing_error(table: Any) -> None:
    read = read_two_drugs(table("drug,ED50,lower,upper\nA,10,5,20\nB,20,10,40\nmixture,9,6,13.5\n"))
    assert isinstance(read, Potencies)
    assert read.a.se_log10 == pytest.approx(0.6020599913 / (2 * 1.959963985))


def test_doses_of_salts_are_expressed_in_what_acts(table: Any) -> None:
    """310.717 g/mol of magnesium valproate carry two valproates, 166.196 g/mol of the sodium salt one."""
    text = "sodium valproate (mg/kg),magnesium valproate (mg/kg),n,protected\n166.196,310.717,8,4\n"
    read = read_two_drugs(table(text), basis="mmol_active")
    assert isinstance(read, Study)
    assert (read.arms[0].dose_a, read.arms[0].dose_b) == pytest.approx((1, 2))
    assert read.unit == "mmol/kg"


def test_a_salt_that_is_left_open_is_told_and_not_converted(table: Any) -> None:
    text = "valproate (mg/kg),magnesium sulfate heptahydrate (mg/kg),n,protected\n100,40,8,4\n"
    read = read_two_drugs(table(text))
    assert isinstance(read, Study)
    assert [note.code for note in read.notes] == ["salt_open"]
    with pytest.raises(ConfigError, match="leaves the salt open"):
        read_two_drugs(table(text), basis="mmol_active")


def study(*arms: tuple[float, float, int, int]) -> Study:
    return Study(("A", "B"), "mg/kg", tuple(Arm(*arm) for arm in arms))


A_ALONE = ((50, 0, 8, 1), (100, 0, 8, 3), (150, 0, 8, 6), (200, 0, 8, 8))
A_WITH_20 = ((20, 20, 8, 1), (40, 20, 8, 4), (80, 20, 8, 7))


@pytest.mark.parametrize(
    ("arms", "code"),
    [
        (A_ALONE, "no_mixture"),
        ((*A_ALONE, (20, 20, 8, 1), (40, 30, 8, 4), (80, 35, 8, 6)), "no_series"),
        ((*A_ALONE, *A_WITH_20), "no_partner_alone"),
        ((*A_ALONE, (60, 20, 8, 6)), "no_dose_alone"),
        ((*A_ALONE, (0, 20, 8, 0), (20, 20, 8, 0), (40, 20, 8, 0)), "none_responded"),
    ],
)
def test_a_study_that_no_analysis_fits_is_told_why(arms: tuple[tuple[float, float, int, int], ...], code: str) -> None:
    found = analyse(study(*arms))
    assert getattr(found, "code", None) == code


def test_a_fixed_dose_of_either_drug_shifts_the_curve_of_the_other() -> None:
    here = analyse(study(*A_ALONE, *A_WITH_20, (0, 20, 8, 0)))
    there = analyse(study(*((b, a, n, r) for a, b, n, r in (*A_ALONE, *A_WITH_20, (0, 20, 8, 0)))))
    assert getattr(here, "design", "") == getattr(there, "design", "") == "fixed dose"
    assert here.result.ratio == there.result.ratio  # type: ignore[union-attr]


def test_a_partner_that_protected_one_animal_can_be_declared_inactive() -> None:
    arms = (*A_ALONE, *A_WITH_20, (0, 20, 8, 1))
    assert getattr(analyse(study(*arms)), "code", None) == "one_dose"
    assert getattr(analyse(study(*arms), Choices(inactive="B")), "design", "") == "fixed dose"


def test_a_slope_that_is_not_significant_gives_no_verdict(table: Any) -> None:
    flat = WIDE.replace("50,0,8,1", "50,0,8,3").replace("100,0,8,3", "100,0,8,4").replace("150,0,8,6", "150,0,8,4")
    with pytest.raises(KindleError, match=r"drug A has no standard error.*slope not significant"):
        told(table(flat.replace("200,0,8,8", "200,0,8,5")))


REPEATED = "rat,a (mg/kg),b (mg/kg),protected\n" + "".join(
    f"{line}{rat},{a * step},{b * step},{int(step * gain > 2 + rat)}\n"
    for line, (a, b), gain in (("A", (10, 0), 1.0), ("B", (0, 20), 1.0), ("M", (5, 10), 2.5))
    for rat in range(6)
    for step in (1, 2, 3, 4, 5, 6, 8)
)


def test_rats_tested_at_all_doses_of_a_line_get_limits_over_whole_animals(table: Any) -> None:
    found = result(table(REPEATED), "--resamples", 100, "--seed", 4)
    assert (found["resampled"]["n_animals"], found["resampled"]["seed"]) == (18, 4)
    assert found["resampled"]["interval"]["low"] < found["result"]["index"][0]["value"]
    assert "limits over whole animals" in told(table(REPEATED), "--resamples", 100).splitlines()[0]
    assert result(table(REPEATED), "--resamples", 0)["resampled"] is None
    with pytest.raises(ConfigError, match="--resamples 7 is too few"):
        told(table(REPEATED), "--resamples", 7)


def test_conventions_reach_every_line(table: Any) -> None:
    found = result(table(WIDE), "--information", "observed", "--heterogeneity", "never", "--link", "logit")
    options = [fit["options"] for _, fit in found["fits"]]
    assert {(one["information"], one["heterogeneity"], one["link"]) for one in options} == {
        ("observed", "never", "logit")
    }


def test_an_animal_tested_twice_is_told(table: Any) -> None:
    text = "rat,a (mg/kg),b (mg/kg),protected\nR1,10,0,yes\nR2,10,0,no\nR1,0,20,yes\n"
    read = read_two_drugs(table(text))
    assert isinstance(read, Study)
    assert read.repeated
    assert [arm.animal for arm in read.arms] == ["R1", "R2", "R1"]


def test_an_animal_with_its_vehicle_day_is_tested_once(table: Any) -> None:
    text = "rat,a (mg/kg),b (mg/kg),protected\nR1,0,0,no\nR1,10,0,yes\nR2,0,20,no\n"
    read = read_two_drugs(table(text))
    assert isinstance(read, Study)
    assert not read.repeated


def test_the_reported_ed50s_are_converted_as_the_table_says() -> None:
    """mmol valproate/kg, if the milligrams were of the salt (N01)."""
    with (VALPROATE / "reported.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            mmol = convert_dose(float(row["ED50 (mg/kg)"]), row["salt"], "mmol valproate/kg", "mg_salt")
            assert mmol == pytest.approx(float(row["valproate (mmol/kg)"]), abs=1.1e-4)


@pytest.mark.parametrize("seizures", ["generalised", "partial"])
def test_the_constructed_dose_responses_lie_near_the_reported_ed50s(seizures: str) -> None:
    done = CliRunner().invoke(ed50, [str(VALPROATE / f"{seizures}.csv"), "--json"])
    assert done.exit_code == 0, done.output
    with (VALPROATE / "reported.csv").open(encoding="utf-8") as file:
        reported = {row["salt"]: row for row in csv.DictReader(file) if row["seizure"] == seizures}
    fits = json.loads(done.stdout)["fits"]
    assert {fit["drug"] for fit in fits} == set(reported)
    for fit in fits:
        assert fit["estimate"]["value"] == pytest.approx(float(reported[fit["drug"]]["ED50 (mg/kg)"]), rel=0.03)


def test_per_mole_of_valproate_the_order_of_the_generalised_pair_is_reversed() -> None:
    def ratio(*options: str) -> dict[str, Any]:
        done = CliRunner().invoke(ed50, [str(VALPROATE / "generalised.csv"), "--json", *options])
        potency: dict[str, Any] = json.loads(done.stdout)["potencies"][0]
        return potency

    by_mass, by_mole = ratio(), ratio("--basis", "mmol_active")
    assert by_mole["ratio"] < 1 < by_mass["ratio"]
    assert by_mole["ratio"] / by_mass["ratio"] == pytest.approx(310.717 / 2 / 166.196)
    for found in (by_mass, by_mole):
        assert found["low"] < 1 < found["high"]


@pytest.mark.parametrize("seizures", ["generalised", "partial"])
@pytest.mark.parametrize(("unit", "options"), [("mg/kg", ()), ("mmol valproate/kg", ("--basis", "mmol_active"))])
def test_the_figures_of_the_example_are_those_of_the_commands(
    seizures: str, unit: str, options: tuple[str, ...]
) -> None:
    lines = (VALPROATE / "README.md").read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in lines if line.startswith(f"| {seizures}, {unit} |")]
    shown = CliRunner().invoke(ed50, [str(VALPROATE / f"{seizures}.csv"), *options]).stdout
    magnesium, sodium, potency = (cell.strip() for cell in row.strip("| ").split("|")[1:])
    for cell in (magnesium, sodium):
        value, limits = cell.removesuffix(")").split(" (")
        assert f"ED50 {value} {unit.removeprefix('mmol valproate')}" in shown.replace("mmol/kg", "/kg")
        assert f"95% CI {limits}, Fieller" in shown
    found = json.loads(CliRunner().invoke(ed50, [str(VALPROATE / f"{seizures}.csv"), "--json", *options]).stdout)
    ratio = found["potencies"][0]
    assert potency == f"{ratio['ratio']:.2f} ({ratio['low']:.2f}-{ratio['high']:.2f})"


def test_the_valproate_examples_say_what_they_can_bear() -> None:
    one_dose = told(VALPROATE / "ptz_one_dose.csv")
    assert one_dose.startswith("potentiation at the tested dose: valproate 100 mg/kg 1/10, magnesium 40 mg/kg 0/10")
    assert "no synergy can be derived" in one_dose
    assert "'valproate' leaves the salt open" in one_dose
    by_mass, by_mole = (result(VALPROATE / "fixed_magnesium.csv", *basis) for basis in ((), ("--basis", "mmol_active")))
    assert by_mass["result"]["verdict"] == "potentiation at the tested dose"
    assert by_mole["result"]["ratio"]["value"] == pytest.approx(by_mass["result"]["ratio"]["value"])
    assert by_mole["result"]["alone"]["ed50"] == pytest.approx(by_mass["result"]["alone"]["ed50"] / 166.196)


def test_a_figure_is_written_where_there_is_an_isobole(table: Any, tmp_path: Path) -> None:
    told(table(WIDE), "--figure", tmp_path / "isobole.svg")
    assert "<svg" in (tmp_path / "isobole.svg").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="a figure ends in"):
        told(table(WIDE), "--figure", tmp_path / "isobole.docx")
    with pytest.raises(ConfigError, match="fixed ratio"):
        told(VALPROATE / "ptz_one_dose.csv", "--figure", tmp_path / "other.svg")
