"""The same rats with and without the drug, against published examples and by properties."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numeric import numbers_in

from kindle.analysis import paired
from kindle.analysis.proportions import fisher, mcnemar, share
from kindle.analysis.signed_rank import Zeros, hodges_lehmann, signed_rank

HOLLANDER_CONTROL = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3]
HOLLANDER_DRUG = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
STAGES = [5, 5, 5, 5, 4, 5, 5, 5, 5, 5], [0, 3, 5, 1, 0, 2, 5, 4, 1, 0]
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]

small_values = st.integers(-6, 6).map(float)
pairs = st.lists(st.tuples(st.integers(0, 80).map(float), st.integers(0, 80).map(float)), min_size=1, max_size=12)


def test_the_depression_scores_of_hollander_and_wolfe() -> None:
    """R's example of wilcox.test; the interval is the 6th smallest and the 6th largest of 45 Walsh averages (D01)."""
    found = paired(HOLLANDER_CONTROL, HOLLANDER_DRUG)
    assert found.signed_rank is not None
    assert found.shift is not None
    assert found.shift.interval is not None
    assert found.signed_rank.v == 40
    assert found.signed_rank.p == pytest.approx(0.0390625, abs=1e-12)
    assert found.signed_rank.p_greater == pytest.approx(0.01953125, abs=1e-12)
    assert found.shift.value == pytest.approx(0.46, abs=1e-9)
    assert (found.shift.interval.low, found.shift.interval.high) == pytest.approx((0.01, 0.786), abs=5e-4)
    assert found.shift.achieved == pytest.approx(1 - 2 * 10 / 512)


@pytest.mark.parametrize("zeros", ["wilcoxon", "pratt"])
def test_seizure_stages_with_ties_and_zeros_have_an_exact_p(zeros: Zeros) -> None:
    """R exactRankTests and coin (D02); the normal approximation would give 0.0137."""
    found = paired(*STAGES, kind="ordinal", zeros=zeros)
    assert found.signed_rank is not None
    assert found.signed_rank.n == 8
    assert found.signed_rank.n_zero == 2
    assert found.signed_rank.p == pytest.approx(0.0078125, abs=1e-12)
    assert found.signed_rank.v == (36 if zeros == "wilcoxon" else 52)
    assert found.control_counts == ((4.0, 1), (5.0, 9))
    assert found.drug_counts == ((0.0, 3), (1.0, 2), (2.0, 1), (3.0, 1), (4.0, 1), (5.0, 2))
    assert (found.control_median, found.drug_median) == (5, 1.5)


def test_fifteen_differences_with_ties_are_still_exact() -> None:
    """0.00452, where scipy's default gives 0.00604 and its "exact", which ignores ties, 0.00427."""
    differences = np.array([5, 4, 4, 3, 3, 3, 2, 2, 2, 2, 1, 1, -1, -1, -2], float)
    assert signed_rank(differences).p == pytest.approx(0.0045166, abs=1e-7)


def test_students_sleep_data() -> None:
    """Student 1908, as R's t.test gives them (D03)."""
    t = paired(SLEEP_1, SLEEP_2).t
    assert t is not None
    assert (t.t, t.df, t.p, t.mean) == pytest.approx((-4.062127683, 9, 0.0028328902, -1.58), rel=1e-7)
    assert (t.interval.low, t.interval.high) == pytest.approx((-2.459885763, -0.700114237), rel=1e-7)


def test_fishers_tea_and_a_protected_group() -> None:
    """D04; R fisher.test."""
    assert fisher(share(3, 4), share(1, 4)) == pytest.approx(0.4857142857, rel=1e-7)
    assert fisher(share(8, 10), share(1, 10)) == pytest.approx(0.0054774946, rel=1e-7)


def test_rats_that_do_not_change_are_told_so() -> None:
    found = paired([5, 5, 5, 5], [5, 5, 5, 5])
    assert (found.status.kind, found.status.code) == ("error", "no_differences")
    assert "all differences are zero" in found.status.message
    assert found.signed_rank is None


def test_five_rats_cannot_reach_significance() -> None:
    found = paired([5, 5, 5, 5, 5], [0, 1, 2, 0, 1])
    assert (found.status.kind, found.status.code) == ("warning", "cannot_reach_0.05")
    assert "0.0625" in found.status.message
    assert found.signed_rank is not None
    assert found.signed_rank.p == 0.0625
    assert found.shift is not None
    assert found.shift.interval is None


def test_the_ratio_of_thresholds_is_geometric() -> None:
    found = paired([60, 80, 50, 100, 70, 90], [120, 160, 100, 200, 140, 181], kind="threshold")
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(2 * (181 / 180) ** (1 / 6))
    assert found.ratio.interval.low is not None
    assert found.ratio.interval.low < found.ratio.value
    assert (found.n_raised, found.n_lowered, found.p_sign) == (6, 0, 0.03125)


def test_a_threshold_above_the_maximal_current_leaves_only_its_direction() -> None:
    found = paired(
        [60, 80, 50, 100, 500, 90],
        [500, 160, 500, 90, 500, 500],
        kind="threshold",
        control_above=[False, False, False, False, True, False],
        drug_above=[True, False, True, False, True, True],
    )
    assert found.status.code == "censored"
    assert (found.ratio, found.signed_rank) == (None, None)
    assert (found.n_raised, found.n_lowered, found.n_undecided) == (4, 1, 1)
    assert found.p_sign == pytest.approx(2 * 6 / 32)


def test_a_threshold_known_only_to_exceed_a_smaller_current_is_undecided() -> None:
    found = paired([300.0], [200.0], kind="threshold", drug_above=[True])
    assert (found.n_raised, found.n_lowered, found.n_undecided) == (0, 0, 1)


def test_incidence_in_the_same_rats() -> None:
    """McNemar's exact test is a binomial test of the discordant rats: 2 * (1 + 8) / 2^8."""
    found = paired([1] * 7 + [0] + [1] * 4, [0] * 7 + [1] + [1] * 4, kind="incidence")
    assert (found.n_control_only, found.n_drug_only) == (7, 1)
    assert found.p == pytest.approx(2 * 9 / 256)
    assert found.control is not None
    assert str(found.control) == "11/12"
    assert mcnemar(0, 0) == 1


@pytest.mark.parametrize(
    ("control", "drug", "kind", "code", "says"),
    [
        ([1, 2], [1], "duration", "bad_input", "control has 2 values and drug 1"),
        ([], [], "ordinal", "bad_input", "no values"),
        ([1, float("nan")], [1, 2], "duration", "bad_input", "control, rat 2"),
        ([60, 70], [80, 0], "threshold", "log_of_nonpositive", "drug, rat 2"),
        ([1, 0], [2, 0], "incidence", "bad_input", "drug, rat 1: 0 or 1"),
    ],
)
def test_values_that_cannot_be_compared_are_named(
    control: list[float], drug: list[float], kind: str, code: str, says: str
) -> None:
    found = paired(control, drug, kind=kind)  # type: ignore[call-overload]
    assert (found.status.kind, found.status.code) == ("error", code)
    assert says in found.status.message


@settings(deadline=None)
@given(st.lists(small_values, min_size=1, max_size=8).filter(any), st.sampled_from(["wilcoxon", "pratt"]))
def test_the_counted_distribution_is_that_of_all_signs(differences: list[float], zeros: Zeros) -> None:
    found = signed_rank(np.array(differences), zeros)
    values = np.array(differences)
    sums = [
        signed_rank(np.abs(values) * np.array(signs), zeros).v for signs in product((1, -1), repeat=len(differences))
    ]
    assert found.p_greater == pytest.approx(np.mean([v >= found.v for v in sums]))
    assert found.p_less == pytest.approx(np.mean([v <= found.v for v in sums]))


@settings(deadline=None)
@given(st.lists(small_values, min_size=1, max_size=12), st.integers(-9, 9))
def test_the_shift_moves_with_the_differences(differences: list[float], by: int) -> None:
    here, moved = hodges_lehmann(np.array(differences)), hodges_lehmann(np.array(differences) + by)
    assert moved.value == pytest.approx(here.value + by)
    if here.interval is None or moved.interval is None:
        assert here.interval == moved.interval
        return
    assert here.interval.low is not None
    assert here.interval.high is not None
    assert here.interval.low <= here.value <= here.interval.high
    assert moved.interval.low == pytest.approx(here.interval.low + by)
    assert here.achieved is not None
    assert here.achieved >= 0.95


@settings(deadline=None)
@given(pairs, st.sampled_from(["duration", "threshold", "ordinal"]))
def test_every_number_is_finite_and_the_sides_can_be_swapped(values: list[tuple[float, float]], kind: str) -> None:
    control, drug = ([pair[side] for pair in values] for side in (0, 1))
    found = paired(control, drug, kind=kind)  # type: ignore[call-overload]
    swapped = paired(drug, control, kind=kind)  # type: ignore[call-overload]
    assert np.isfinite(list(numbers_in(found.as_dict()))).all()
    assert found.status.code == swapped.status.code
    if found.signed_rank is not None:
        assert found.signed_rank.p == pytest.approx(swapped.signed_rank.p)
        assert 0 < found.signed_rank.p <= 1


@settings(deadline=None)
@given(pairs)
def test_the_order_of_the_rats_does_not_matter(values: list[tuple[float, float]]) -> None:
    forward = paired([c for c, _ in values], [d for _, d in values])
    backward = paired([c for c, _ in reversed(values)], [d for _, d in reversed(values)])
    assert list(numbers_in(forward.as_dict())) == pytest.approx(list(numbers_in(backward.as_dict())))
