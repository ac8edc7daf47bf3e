"""Spearman-Kärber, plain and trimmed, against EPA's manual and its program."""

from itertools import pairwise
from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numeric import numbers_in

from kindle.analysis import spearman_karber
from kindle.analysis.isotonic import rising

TWO_SE = 0.9544997361036416
"""EPA multiplies the standard error by 2.0, not 1.96."""
DOSES = [7.8, 13, 22, 36, 60, 100]


def test_the_example_of_the_epa_manual_comes_out_with_its_control() -> None:
    """EPA-821-R-02-012, 11.2.3: LC50 45.3 (38.9, 52.8); variance with n - 1, the control smoothed in."""
    found = spearman_karber([6.25, 12.5, 25, 50, 100], [20] * 5, [1, 0, 0, 13, 20], control=(20, 1), level=TWO_SE)

    assert found.smoothed == pytest.approx((0, 0, 0, 0.6410256, 1.0), abs=1e-7)
    assert found.log10_ed50 == pytest.approx(1.6565171, rel=2e-6)
    assert found.variance == pytest.approx(0.0010975, abs=6e-8)
    assert (found.value, found.low, found.high) == pytest.approx((45.34371, 38.92781, 52.81705), rel=2e-6)
    assert found.status.code == "non_monotone"


@pytest.mark.parametrize(
    ("responded", "trim", "ed50", "low", "high"),
    [
        ([0, 0, 1, 4, 10, 10], 0, 36.14, 30.09, 43.40),
        ([0, 0, 1, 4, 10, 10], 0.05, 36.96, 30.39, 44.96),
        ([0, 0, 1, 4, 10, 10], 0.1, 37.49, 30.69, 45.81),
        ([0, 0, 1, 4, 10, 10], 0.2, 38.18, 29.41, 49.56),
        ([0, 0, 2, 7, 10, 10], 0, 29.55, 24.33, 35.88),
        ([0, 0, 2, 7, 10, 10], 0.05, 29.69, 24.04, 36.67),
        ([0, 0, 2, 7, 10, 10], 0.1, 29.79, 23.87, 37.18),
        ([0, 0, 2, 7, 10, 10], 0.2, 29.74, 24.00, 36.85),
    ],
)
def test_trimmed_estimates_are_those_of_the_epa_program(
    responded: list[int], trim: float, ed50: float, low: float, high: float
) -> None:
    """Hamilton et al. 1977, table V, by EPA's program, as the tests of the R package tsk record it."""
    found = spearman_karber(DOSES, [10] * 6, responded, trim=trim, level=0.9544997)

    assert (found.value, found.low, found.high) == pytest.approx((ed50, low, high), abs=0.0061)


def test_the_automatic_trim_is_the_least_that_the_data_need() -> None:
    found = spearman_karber([50, 100, 150, 200], [8] * 4, [1, 3, 6, 8], trim="auto")

    assert found.trim == 0.125
    assert found.value == pytest.approx(106.76, abs=0.01)


@pytest.mark.parametrize(
    ("responded", "trim", "code", "words"),
    [
        ([1, 3, 6, 8], None, "trim_needed", "0.125"),
        ([1, 3, 6, 7], 0.1, "trim_needed", "0.125"),
        ([0, 0, 1, 3], "auto", "half_not_reached", "half lies outside"),
        ([8, 8, 8, 8], "auto", "all_responded", "below 50"),
        ([0, 0, 0, 0], "auto", "none_responded", "above 200"),
        ([0, 9, 8, 8], None, "bad_counts", "r > n"),
    ],
)
def test_what_cannot_be_estimated_is_said(responded: list[int], trim: float | None, code: str, words: str) -> None:
    found = spearman_karber([50, 100, 150, 200], [8] * 4, responded, trim=trim)

    assert (found.status.kind, found.status.code) == ("error", code)
    assert words in found.status.message
    assert (found.value, found.low, found.high) == (None, None, None)


def test_without_a_partial_response_there_is_an_estimate_but_no_limit() -> None:
    found = spearman_karber([50, 100, 150, 200], [8] * 4, [0, 0, 8, 8])

    assert found.value == pytest.approx((100 * 150) ** 0.5)
    assert (found.low, found.high, found.variance) == (None, None, None)
    assert found.status.code == "no_partial_response"


def test_a_trim_of_half_is_refused() -> None:
    with pytest.raises(ValueError, match=r"below 0\.5"):
        spearman_karber([50, 100], [8, 8], [0, 8], trim=0.5)


counts = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), min_size=2, max_size=7).map(
    lambda pairs: ([n for n, _ in pairs], [min(r, n) for n, r in pairs])
)


@given(table=counts)
def test_smoothed_proportions_rise_and_keep_the_number_of_responders(table: tuple[list[int], list[int]]) -> None:
    n, responded = table
    p = rising(n, responded)

    assert all(a <= b + 1e-12 for a, b in pairwise(p))
    assert sum(q * animals for q, animals in zip(p, n, strict=True)) == pytest.approx(sum(responded))


@settings(max_examples=150)
@given(table=counts, trim=st.sampled_from([None, 0, 0.1, 0.25, 0.45, "auto"]), factor=st.sampled_from([1.0, 1e-3, 7.7]))
def test_every_table_has_a_status_finite_numbers_and_ordered_limits(
    table: tuple[list[int], list[int]], trim: float | None, factor: float
) -> None:
    n, responded = table
    doses = [2.0**k * 10 for k in range(len(n))]
    found = spearman_karber(doses, n, responded, trim=trim)
    scaled = spearman_karber([dose * factor for dose in doses], n, responded, trim=trim)

    assert all(isfinite(number) for number in numbers_in(found.as_dict()))
    assert scaled.status.code == found.status.code
    if found.value is not None:
        assert doses[0] <= found.value * (1 + 1e-9)
        assert found.value <= doses[-1] * (1 + 1e-9)
        assert scaled.value == pytest.approx(found.value * factor, rel=1e-9)
    if found.low is not None and found.high is not None:
        assert found.value is not None
        assert found.low < found.value < found.high


def test_half_that_a_correction_leaves_a_rounding_short_is_half() -> None:
    """(2/3 - 1/3)/(1 - 1/3) is 0.5 but for the last bit: nothing is left between equal trims."""
    found = spearman_karber([5, 10], [3, 1], [2, 1], control=(3, 1), trim="auto")

    assert (found.status.code, found.value) == ("half_not_reached", None)
