"""`kindle ed50` from the table to the report line, the figure and the exit code."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kindle import __version__
from kindle.analysis import spearman_karber
from kindle.analysis.report_line import three_digits
from kindle.commands.ed50 import ed50
from kindle.errors import ConfigError, KindleError

TWO_DRUGS = (
    "drug;dose (mg/kg);n;protected\nNaV;50;8;1\nNaV;100;8;3\nNaV;150;8;6\nNaV;200;8;8\n"
    "MgV;60;8;1\nMgV;120;8;2\nMgV;180;8;5\nMgV;240;8;7\nvehicle;0;8;0\n"
)
ONE_DRUG = "dose (mg/kg),n,protected\n50,8,1\n100,8,3\n150,8,6\n200,8,8\n"
SEPARATED = "dose (mg/kg),n,protected\n50,8,0\n100,8,0\n150,8,8\n200,8,8\n"


def run(folder: Path, text: str, *options: str) -> Result:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return CliRunner().invoke(ed50, [str(path), *options])


def test_the_report_line_and_the_counts_are_printed(tmp_path: Path) -> None:
    done = run(tmp_path, ONE_DRUG, "--protected", "stage < 3")

    assert done.exit_code == 0
    assert "ED50 101 mg/kg (95% CI 68.8-132, Fieller, probit, expected information" in done.output
    assert "protected = stage < 3" in done.output
    assert done.output.splitlines()[0].split() == ["dose", "n", "protected", "%", "limits", "%", "expected", "%"]
    assert done.output.splitlines()[2].split() == ["100", "8", "3", "38", "9-76", "49"]


def test_two_drugs_get_a_fit_each_and_their_potency(tmp_path: Path) -> None:
    done = run(tmp_path, TWO_DRUGS)

    assert done.exit_code == 0
    assert "ED50 101 mg/kg" in done.output
    assert "ED50 144 mg/kg" in done.output
    assert "control 0/8" in done.output
    assert "potency of MgV relative to NaV: 0.693 (95% CI 0.441-1.04, parallel lines, Fieller" in done.output


def test_json_is_one_object_with_every_option_and_the_version(tmp_path: Path) -> None:
    found: dict[str, Any] = json.loads(run(tmp_path, TWO_DRUGS, "--json", "--link", "logit", "--level", "0.9").output)

    assert [entry["drug"] for entry in found["fits"]] == ["NaV", "MgV"]
    first = found["fits"][0]
    assert first["fit"]["options"] == {
        "link": "logit",
        "natural": "none",
        "information": "expected",
        "heterogeneity": "p<0.05",
        "penalty": None,
        "pool": True,
        "level": 0.9,
        "unit": "mg/kg",
    }
    assert first["estimate"]["value"] == pytest.approx(103.222470)
    assert first["estimate"]["status"]["code"] == "control_excluded"
    assert first["profile"]["method"] == "profile"
    assert found["potencies"][0]["test"] == "MgV"
    assert first["fit"]["version"]


def test_options_reach_the_fit(tmp_path: Path) -> None:
    def estimate(*options: str) -> dict[str, Any]:
        return dict(json.loads(run(tmp_path, ONE_DRUG, "--json", *options).output)["fits"][0]["estimate"])

    assert estimate("--ci", "delta")["low"] == pytest.approx(77.613666)
    assert estimate("--effect", "0.16")["value"] == pytest.approx(62.65, abs=0.01)
    assert estimate("--information", "observed")["low"] != estimate()["low"]
    assert estimate("--natural", "0.1")["value"] > estimate()["value"]


def test_a_separated_table_is_a_result_and_firth_is_on_request(tmp_path: Path) -> None:
    plain = run(tmp_path, SEPARATED)
    firth = run(tmp_path, SEPARATED, "--link", "logit", "--firth")

    assert plain.exit_code == 0
    assert "ED50 between 100 and 150 mg/kg (95% CI 100-150, profile likelihood" in plain.output
    assert "Firth's penalised profile likelihood" in firth.output


def test_rats_tested_repeatedly_get_limits_over_whole_animals(tmp_path: Path) -> None:
    rows = [f"R{i},{dose},{int(dose > 60 + 14 * i)}" for i in range(10) for dose in (50, 100, 150, 200)]
    text = "animal,dose (mg/kg),protected\n" + "\n".join(rows)
    done = run(tmp_path, text, "--resamples", "100", "--seed", "5")

    assert "independence violated" in done.output
    assert "limits over whole animals: " in done.output
    assert "(10 animals, 100 resamples, seed 5)" in done.output
    assert "whole animals:" not in run(tmp_path, text, "--resamples", "0").output


def test_the_potency_in_the_same_rats_gets_limits_over_whole_rats(tmp_path: Path) -> None:
    """Ten rats that had both drugs at each dose: B acts at half the dose of A in every one of them."""
    doses = (25, 50, 100, 150, 200)
    rows = [f"A,R{i},{dose},{int(dose > 40 + 18 * i)}" for i in range(10) for dose in doses]
    rows += [f"B,R{i},{dose / 2:g},{int(dose > 40 + 18 * i)}" for i in range(10) for dose in doses]
    text = "drug,animal,dose (mg/kg),protected\n" + "\n".join(rows)
    told = run(tmp_path, text, "--resamples", "100", "--seed", "5").output
    assert "potency of B relative to A: 2.00" in told
    assert (
        "these limits take repeated tests of an animal as independent; limits over whole animals 2.00 to 2.00" in told
    )
    (found,) = json.loads(run(tmp_path, text, "--resamples", "100", "--json").output)["potencies"]
    assert found["low"] < 1.8
    assert (found["whole_animals"]["low"], found["whole_animals"]["high"]) == (pytest.approx(2.0), pytest.approx(2.0))


def test_rats_of_their_own_for_each_drug_need_no_resampling(tmp_path: Path) -> None:
    rows = [f"{drug},{drug}{i},{50 + 20 * i},{int(i > 3) if i != 5 else 0}" for drug in "AB" for i in range(9)]
    text = "drug,animal,dose (mg/kg),protected\n" + "\n".join(rows)
    (found,) = json.loads(run(tmp_path, text, "--json").output)["potencies"]
    assert found["whole_animals"] is None


def test_what_cannot_be_fitted_prints_its_counts_and_fails_with_the_reason(tmp_path: Path) -> None:
    done = run(tmp_path, "dose (mg/kg),n,protected\n50,8,8\n100,8,8\n")

    assert isinstance(done.exception, KindleError)
    assert "all animals protected (16/16): ED50 is below 50 mg/kg; test lower doses" in str(done.exception)
    assert "8" in done.output


LITTERS = "dose (mg/kg),n,protected\n50,4,0\n50,4,3\n100,4,1\n100,4,3\n150,4,2\n150,4,4\n200,4,3\n200,4,4\n"


def test_rows_of_litters_can_stay_groups_of_their_own(tmp_path: Path) -> None:
    pooled, apart = (
        json.loads(run(tmp_path, LITTERS, "--json", *options).output)["fits"][0]["fit"]
        for options in ((), ("--separate-rows",))
    )
    assert (pooled["df"], apart["df"]) == (2, 6)
    assert apart["chi2"] > pooled["chi2"]
    assert apart["slope"] == pytest.approx(pooled["slope"])
    assert "equal doses not pooled" in run(tmp_path, LITTERS, "--separate-rows").output


def test_rows_of_animals_are_no_groups(tmp_path: Path) -> None:
    done = run(tmp_path, "rat,dose (mg/kg),protected\nR1,50,0\nR2,100,1\n", "--separate-rows")
    assert isinstance(done.exception, ConfigError)
    assert "leave --separate-rows out" in str(done.exception)


@pytest.mark.parametrize("trim", ["auto", "0.2"])
def test_the_mean_tolerance_stands_beside_the_line_on_request(tmp_path: Path, trim: str) -> None:
    asked = "auto" if trim == "auto" else float(trim)
    expected = spearman_karber([50, 100, 150, 200], [8] * 4, [1, 3, 6, 8], trim=asked)  # type: ignore[arg-type]
    assert expected.value is not None
    shown = run(tmp_path, ONE_DRUG, "--spearman-karber", trim).output
    assert f"Spearman-Karber {three_digits(expected.value)} mg/kg (95% CI " in shown
    assert f"trimmed by {100 * (expected.trim or 0):.3g} %" in shown
    plain = json.loads(run(tmp_path, ONE_DRUG, "--spearman-karber", trim, "--json").output)["fits"][0]
    assert plain["spearman_karber"]["value"] == expected.value


def test_a_mean_tolerance_that_needs_trimming_says_how_much(tmp_path: Path) -> None:
    shown = run(tmp_path, ONE_DRUG, "--spearman-karber", "none").output
    assert "not 0 to 100 %: a trim of at least 0.125 is needed" in shown
    assert json.loads(run(tmp_path, ONE_DRUG, "--json").output)["fits"][0]["spearman_karber"] is None


def test_doses_of_salts_are_compared_per_mole_of_what_acts(tmp_path: Path) -> None:
    text = "salt,dose (mg/kg),n,protected\n" + "".join(
        f"{salt},{mass * mmol},8,{r}\n"
        for salt, mass in (("sodium valproate", 166.196), ("magnesium valproate", 310.717 / 2))
        for mmol, r in ((0.3, 1), (0.6, 4), (1.2, 7))
    )
    found = json.loads(run(tmp_path, text, "--basis", "mmol_active", "--json").output)
    sodium, magnesium = (entry["estimate"]["value"] for entry in found["fits"])
    assert sodium == pytest.approx(magnesium)
    assert found["fits"][0]["fit"]["options"]["unit"] == "mmol/kg"
    assert found["potencies"][0]["ratio"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("drug,dose (mg/kg),n,protected\nvalproate,50,8,1\nvalproate,100,8,5\n", "leaves the salt open"),
        ("dose (mg/kg),n,protected\n50,8,1\n100,8,5\n", "a column drug that names the salt is needed"),
        ("drug,dose,n,protected\nsodium valproate,50,8,1\nsodium valproate,90,8,5\n", "got no unit"),
    ],
)
def test_doses_that_cannot_be_converted_are_refused(tmp_path: Path, text: str, says: str) -> None:
    done = run(tmp_path, text, "--basis", "mmol_active")
    assert isinstance(done.exception, ConfigError)
    assert says in str(done.exception)


def test_the_version_is_the_last_line(tmp_path: Path) -> None:
    assert run(tmp_path, ONE_DRUG).output.splitlines()[-1] == f"kindle {__version__}"


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_figure_is_written_in_the_format_of_its_name(tmp_path: Path, suffix: str) -> None:
    figure = tmp_path / f"ed50.{suffix}"

    assert run(tmp_path, TWO_DRUGS, "--figure", str(figure)).exit_code == 0
    assert figure.read_bytes().startswith(b"<?xml" if suffix == "svg" else b"\x89PNG")


def test_a_figure_of_another_kind_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, ONE_DRUG, "--figure", str(tmp_path / "ed50.doc"))

    assert isinstance(done.exception, ConfigError)
    assert ".svg, .pdf or .png" in str(done.exception)


@pytest.mark.parametrize(
    "wrong",
    [["--natural", "1.5"], ["--natural", "some"], ["--effect", "1"], ["--link", "tobit"], ["--spearman-karber", "0.5"]],
)
def test_wrong_usage_is_exit_code_2(tmp_path: Path, wrong: list[str]) -> None:
    assert run(tmp_path, ONE_DRUG, *wrong).exit_code == 2


def test_firth_with_a_natural_response_is_refused_in_one_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, ONE_DRUG, "--firth", "--natural", "estimate")

    assert isinstance(done.exception, ConfigError)


def test_the_program_exits_with_1_and_one_line_on_a_faulty_table(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("dose,n,responded\n50,8,9\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "kindle", "ed50", str(path)], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [f"kindle: {path}, line 2, column 'responded': r > n: 9 responded of 8 animals"]
