"""A fit in one line, with every convention and every warning."""

import pytest

from kindle.analysis import fit_quantal
from kindle.analysis.report_line import report_line, three_digits

DOSES, EIGHT = [50, 100, 150, 200], [8] * 4


def test_the_line_carries_every_convention_that_changes_the_numbers() -> None:
    fit = fit_quantal(DOSES, EIGHT, [1, 3, 6, 8], unit="mg/kg")

    assert report_line(fit, fit.ed(), protected="stage < 3", substance="sodium valproate") == (
        "ED50 101 mg/kg (95% CI 68.8-132, Fieller, probit, expected information, h = 1, chi2 1.55/2 df p = 0.46, "
        "g = 0.33; profile 73.4-131), slope 4.80 +/- 1.41, n = 32 (50-200 mg/kg; 1/8 3/8 6/8 8/8), "
        "protected = stage < 3, dose as sodium valproate"
    )


def test_a_warning_stands_in_the_line_itself() -> None:
    fit = fit_quantal([60, 120, 180, 240], EIGHT, [1, 2, 5, 7])

    assert report_line(fit, fit.ed()).endswith("; warning: slope imprecise (g = 0.44), limits unreliable")


def test_a_separated_table_gets_no_slope_and_an_error_its_reason() -> None:
    separated = fit_quantal(DOSES, EIGHT, [0, 0, 8, 8], unit="mg/kg")
    line = report_line(separated, separated.ed())
    assert line.startswith("ED50 between 100 and 150 mg/kg (95% CI 100-150, profile likelihood, probit")
    assert "slope " not in line.split(";")[0]

    none = fit_quantal(DOSES, EIGHT, [0, 0, 0, 0], unit="mg/kg")
    assert report_line(none, none.ed()).startswith("ED50 not estimated: no animal protected (0/32): ED50 is above 200")


def test_open_ends_are_written_in_words() -> None:
    fit = fit_quantal(DOSES, EIGHT, [3, 4, 4, 5])

    assert "95% CI without limits" in report_line(fit, fit.ed())


def test_an_estimated_natural_response_and_the_control_are_in_the_line() -> None:
    fit = fit_quantal([0, *DOSES], [8] * 5, [1, 2, 3, 6, 8], natural="estimate")
    line = report_line(fit, fit.ed())

    assert "observed information" in line
    assert "natural response 0." in line
    assert "control 1/8" in line


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (100.94, "101"),
        (4.8008, "4.80"),
        (0.06474, "0.0647"),
        (1234.5, "1230"),
        (99.96, "100"),
        (9.996, "10.0"),
        (0, "0"),
        (-1.035, "-1.03"),
        (2.5e-7, "2.5e-07"),
        (123456, "123000"),
    ],
)
def test_numbers_have_three_digits_and_no_exponent_within_reach(value: float, written: str) -> None:
    assert three_digits(value) == written
