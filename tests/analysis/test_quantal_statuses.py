"""Tables that no line can honestly be fitted to, or whose line needs a word: each its code and its sentence."""

import pytest

from kindle.analysis import fit_quantal

FOUR = [50, 100, 150, 200]
EIGHT = [8, 8, 8, 8]


@pytest.mark.parametrize(
    ("doses", "n", "responded", "code", "words"),
    [
        (FOUR, EIGHT, [8, 8, 8, 8], "error:all_responded", ["all animals protected (32/32)", "below 50"]),
        (FOUR, EIGHT, [0, 0, 0, 0], "error:none_responded", ["no animal protected", "above 200"]),
        ([100], [8], [4], "error:one_dose", ["at least two"]),
        ([100, 100], [8, 8], [4, 5], "error:one_dose", ["at least two"]),
        ([0, 0], [8, 8], [1, 0], "error:one_dose", ["none above 0"]),
        ([0, 50, 100, 200], EIGHT, [0, 1, 4, 8], "ok:control_excluded", ["vehicle control excluded from the line"]),
        ([0, 50, 100, 200], EIGHT, [2, 1, 4, 8], "warning:control_responds", ["2/8", "natural="]),
        ([0, 50, 100, 200], EIGHT, [8, 1, 4, 8], "error:control_all_respond", ["all control animals respond"]),
        (FOUR, EIGHT, [7, 5, 3, 1], "error:non_positive_slope", ["protection falls with dose"]),
        (FOUR, EIGHT, [4, 4, 4, 4], "error:non_positive_slope", ["4/8 4/8 4/8 4/8"]),
        (FOUR, EIGHT, [8, 8, 0, 0], "error:non_positive_slope", ["protection falls with dose"]),
        (FOUR, EIGHT, [0, 0, 8, 8], "status:separated", ["no partial response", "between 100 and 150", "122.5"]),
        (FOUR, EIGHT, [0, 3, 8, 8], "status:quasi_separated", ["ED50 tied to dose 100", "slope infinite"]),
        (FOUR, EIGHT, [3, 4, 4, 5], "status:g_ge_1", ["slope not significant", "no finite Fieller limits"]),
        (FOUR, EIGHT, [1, 5, 4, 8], "warning:non_monotone", ["100 (5/8) to 150 (4/8)", "Spearman-Karber"]),
        ([50, 100], [8, 8], [2, 6], "warning:no_gof", ["two doses: no goodness of fit test"]),
        ([50, 70, 100, 150, 200], [1] * 5, [0, 1, 0, 1, 1], "status:g_ge_1", ["slope not significant"]),
        (FOUR, EIGHT, [1, 9, 6, 8], "error:bad_counts", ["r > n", "100", "row 2"]),
        ([50, 100, 150], [8, 0, 8], [1, 0, 7], "error:bad_counts", ["n = 0", "100"]),
        ([50, 100, 150], [8, 8, 8], [1, -1, 7], "error:bad_counts", ["negative", "100"]),
        ([50, 100, 150], [8, 8, 8], [1, 2.5, 7], "error:bad_counts", ["2.5", "no count"]),
        ([50, 100, 150], [8, 8, 8], [1, float("nan"), 7], "error:bad_counts", ["nan"]),
        ([50, float("nan"), 150], [8, 8, 8], [1, 2, 7], "error:bad_input", ["row 2"]),
        ([50, float("inf"), 150], [8, 8, 8], [1, 2, 7], "error:bad_input", ["row 2"]),
        ([50, 100], [8, 8, 8], [1, 2, 7], "error:bad_input", ["unequal length", "2 doses", "3 n"]),
        ([], [], [], "error:bad_input", ["no rows"]),
        ([-5, 50, 100], [8, 8, 8], [0, 4, 8], "error:negative_dose", ["-5", "negative"]),
    ],
)
def test_each_table_gets_the_code_and_the_sentence_it_deserves(
    doses: list[float], n: list[int], responded: list[int], code: str, words: list[str]
) -> None:
    fit = fit_quantal(doses, n, responded)

    assert f"{fit.status.kind}:{fit.status.code}" == code
    for word in words:
        assert word.casefold() in fit.status.message.casefold()
    if fit.status.kind == "error":
        estimate = fit.ed()
        assert (fit.slope, fit.g, estimate.value, estimate.low, estimate.high) == (None,) * 5
        assert estimate.status == fit.status


def test_one_animal_at_each_dose_is_fitted_and_its_chi2_distrusted() -> None:
    doses = [10 * k for k in range(1, 31)]
    responded = [int((k > 10 and k % 5 != 0) or k == 6) for k in range(1, 31)]
    fit = fit_quantal(doses, [1] * 30, responded)

    assert fit.slope is not None
    assert "one_animal_per_dose" in {note.code for note in fit.notes}
    assert fit.h == 1


def test_a_separated_table_has_a_bracket_and_profile_limits_but_no_slope() -> None:
    fit = fit_quantal(FOUR, EIGHT, [0, 0, 8, 8], unit="mg/kg")
    estimate = fit.ed()

    assert (fit.slope, fit.se_slope, fit.chi2, fit.p, fit.vcov) == (None,) * 5
    assert fit.bracket == (100, 150)
    assert estimate.value is None
    assert (estimate.low, estimate.high, estimate.method) == (100, 150, "profile")
    for method in ("fieller", "delta", "lw"):
        asked = fit.ed(ci=method)
        assert (asked.low, asked.high, asked.method) == (None, None, None)
    assert "100 mg/kg" in fit.status.message


def test_two_animals_a_dose_cannot_bound_the_ed50_by_the_bracket() -> None:
    """2 n ln 2 must exceed 3.84 for the doses of the bracket to be the limits: from three animals on."""
    by_two = fit_quantal(FOUR, [2] * 4, [0, 0, 2, 2]).ed()
    by_three = fit_quantal(FOUR, [3] * 4, [0, 0, 3, 3]).ed()

    assert by_two.low is not None
    assert by_two.high is not None
    assert by_two.low < 100
    assert by_two.high > 150
    assert (by_three.low, by_three.high) == (100, 150)


def test_one_partial_dose_ties_every_effective_dose_to_it() -> None:
    fit = fit_quantal(FOUR, EIGHT, [0, 3, 8, 8])

    for p in (0.1, 0.5, 0.9):
        estimate = fit.ed(p)
        assert estimate.value == 100
        assert estimate.method == "profile"
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low <= 100 <= estimate.high


def test_from_g_1_on_the_headline_is_the_profile_and_fieller_is_refused() -> None:
    fit = fit_quantal(FOUR, EIGHT, [2, 3, 5, 5])
    assert fit.g is not None
    assert fit.g >= 1

    assert fit.ed().method == "profile"
    refused = fit.ed(ci="fieller")
    assert (refused.low, refused.high, refused.method) == (None, None, None)
    assert "g >= 1" in refused.notes[-1].message


def test_an_end_that_does_not_exist_is_said_and_not_made_up() -> None:
    estimate = fit_quantal(FOUR, EIGHT, [3, 4, 4, 5]).ed()

    assert (estimate.low, estimate.high) == (None, None)
    assert {"no lower limit", "no upper limit"} <= {note.message for note in estimate.notes}


def test_an_imprecise_slope_is_a_warning_on_the_limits() -> None:
    fit = fit_quantal([60, 120, 180, 240], EIGHT, [1, 2, 5, 7])
    assert fit.g is not None
    assert 0.4 < fit.g < 1

    assert fit.status.kind == "ok"
    assert fit.ed().status.code == "slope_imprecise"
    assert fit_quantal(FOUR, EIGHT, [1, 3, 6, 8]).ed().status.kind == "ok"


def test_an_effective_dose_beyond_the_tested_doses_is_called_extrapolated() -> None:
    estimate = fit_quantal(FOUR, EIGHT, [0, 1, 2, 3], unit="mg/kg").ed()

    assert estimate.value is not None
    assert estimate.value > 200
    told = [note.message for note in estimate.notes if note.code == "extrapolated"]
    assert len(told) == 1
    assert "outside the tested doses 50-200" in told[0]


def test_abbott_says_where_it_clipped_and_that_its_limits_are_too_narrow() -> None:
    fit = fit_quantal([0, 50, 100, 150, 200], [20] * 5, [4, 2, 8, 15, 19], natural="abbott")

    codes = {note.code: note.message for note in fit.notes}
    assert "at 50: corrected to 0" in codes["abbott_clipped"]
    assert "abbott_corrected" in codes
    assert fit.natural_rate == 0.2
    assert fit_quantal(FOUR, EIGHT, [1, 3, 6, 8], natural="abbott").status.code == "no_control"


def test_a_natural_response_needs_a_third_group() -> None:
    two = fit_quantal([50, 100], [8, 8], [2, 6], natural="estimate")

    assert (two.status.kind, two.status.code) == ("error", "not_identified")
    assert fit_quantal([0, 50, 100], [8, 8, 8], [1, 3, 7], natural="estimate").natural_rate is not None


def test_a_known_rate_of_zero_changes_nothing() -> None:
    plain, known = fit_quantal(FOUR, EIGHT, [1, 3, 6, 8]), fit_quantal(FOUR, EIGHT, [1, 3, 6, 8], natural=0.0)

    assert (known.slope, known.se_slope, known.ed().low) == pytest.approx((plain.slope, plain.se_slope, plain.ed().low))


def test_a_step_above_the_natural_response_is_separated_although_responses_overlap() -> None:
    fit = fit_quantal([0, 50, 100, 150, 200], [20] * 5, [5, 5, 5, 20, 20], natural="estimate")

    assert fit.status.code == "separated"
    assert fit.bracket == (100, 150)
    assert fit.natural_rate == pytest.approx(0.25, abs=1e-6)
    assert (fit.ed().low, fit.ed().high) == (100, 150)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"link": "cauchit"}, "cauchit"),
        ({"information": "fisher"}, "expected, observed"),
        ({"heterogeneity": "p<0.2"}, "p<0.15"),
        ({"natural": 1.0}, "below 1"),
        ({"natural": "estimate", "penalty": "firth"}, "Firth"),
        ({"level": 95}, "0.95"),
    ],
)
def test_an_option_that_is_not_there_is_refused_by_name(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit_quantal(FOUR, EIGHT, [1, 3, 6, 8], **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("p", [0, 1, -0.1, float("nan")])
def test_only_a_share_between_none_and_all_has_a_dose(p: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        fit_quantal(FOUR, EIGHT, [1, 3, 6, 8]).ed(p)


def test_litchfield_and_wilcoxon_have_limits_for_the_ed50_only() -> None:
    fit = fit_quantal(FOUR, EIGHT, [1, 3, 6, 8])

    assert fit.ed(ci="lw").low == pytest.approx(72.5486, rel=1e-4)
    assert fit.ed(0.9, ci="lw").low is None


def test_heterogeneity_widens_every_interval_by_the_same_convention() -> None:
    table = [5.1, 10.0, 20.4, 30.2, 40.7, 50.1], [49, 48, 48, 49, 50, 48], [16, 18, 34, 47, 47, 48]
    applied, ignored = fit_quantal(*table), fit_quantal(*table, heterogeneity="never")

    assert applied.h == pytest.approx(12.026 / 4, abs=1e-3)
    assert applied.status.code == "non_monotone"
    assert "heterogeneity" in {note.code for note in applied.notes}
    for method in ("fieller", "delta", "profile"):
        wide, narrow = applied.ed(ci=method), ignored.ed(ci=method)  # type: ignore[arg-type]
        assert wide.value == narrow.value
        assert wide.low is not None
        assert wide.high is not None
        assert narrow.low is not None
        assert narrow.high is not None
        assert wide.high / wide.low > 1.5 * narrow.high / narrow.low


def test_a_line_that_the_data_contradict_beyond_any_number_is_no_line() -> None:
    doses, n = [1e9, 1.0000001e9, 1.0000002e9], [3104, 2290, 3107]
    fit = fit_quantal(doses, n, [0, 1985, 3104], link="cloglog")

    assert (fit.status.kind, fit.status.code, fit.slope) == ("error", "no_line", None)
    assert fit_quantal(doses, n, [0, 1985, 3104]).slope is not None
