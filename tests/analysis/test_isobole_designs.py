"""Designs that are no isobole: one dose of each drug, a fixed partner, and median-effect lines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numeric import numbers_in

from kindle.analysis.interaction import Verdict
from kindle.analysis.isoboles import Isobole
from kindle.analysis.median_effect import MedianEffect, combination_index, median_effect
from kindle.analysis.outcome import Note
from kindle.analysis.partner_shift import partner_shift
from kindle.analysis.potencies import Inactive, Potency
from kindle.analysis.proportions import share
from kindle.analysis.single_doses import bliss, one_dose
from kindle.analysis.two_drug_designs import Arm, Interaction, Study, analyse

MAGNESIUM = Inactive("magnesium", 40, share(0, 10), "mg/kg")
counts = st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))

arms = st.builds(
    lambda a, b, counted: Arm(a, b, counted[1], counted[0]),
    st.sampled_from([0.0, 20.0, 40.0, 80.0, 160.0]),
    st.sampled_from([0.0, 10.0, 20.0, 40.0]),
    counts,
)
dose_responses = st.tuples(st.integers(0, 3), st.integers(1, 4), st.integers(4, 6), st.integers(5, 8))


def series(a: float, b: float, responded: tuple[int, ...]) -> list[Arm]:
    return [Arm(a * k, b * k, 8, r) for k, r in zip((1, 2, 4, 8), responded, strict=True)]


CHOU_1 = ([0.002, 0.004, 0.005, 0.01, 0.02], [0.429, 0.708, 0.761, 0.882, 0.932])
CHOU_2 = ([0.05, 0.1, 0.2, 0.5, 1, 2], [0.055, 0.233, 0.301, 0.559, 0.821, 0.953])
CHOU_3 = ([0.01, 0.02, 0.05, 0.1, 0.2, 0.5], [0.069, 0.213, 0.373, 0.785, 0.94, 0.991])


def test_independent_drugs() -> None:
    """Bliss 1939 (I07)."""
    found = bliss(0.3, 0.2, 0.9)
    assert (found.expected, found.excess) == pytest.approx((0.44, 0.46), abs=1e-12)


def test_one_dose_of_each_drug_can_show_potentiation_and_never_synergy() -> None:
    found = one_dose((1, 10), (0, 10), (9, 10), (0, 10), names=("valproate", "magnesium"))
    assert found.verdict == Verdict.POTENTIATION
    assert found.words.startswith("potentiation at the tested dose: valproate 1/10, magnesium 0/10, both 9/10")
    assert found.status.code == "one_dose"
    assert "no synergy" in found.status.message


def test_more_protection_than_by_one_of_the_drugs_is_not_enough() -> None:
    assert one_dose((1, 10), (6, 10), (9, 10), (0, 10)).verdict == Verdict.NONE


def test_protection_that_independent_drugs_would_give_is_no_potentiation() -> None:
    found = one_dose((40, 80), (40, 80), (60, 80), (0, 80))
    assert max(found.p_a, found.p_b) < 0.05
    assert found.bliss.excess == 0
    assert found.verdict == Verdict.NONE


def test_a_missing_vehicle_group_is_told() -> None:
    assert "no_vehicle" in [note.code for note in one_dose((1, 10), (0, 10), (9, 10)).notes]


@settings(deadline=None)
@given(counts, counts, counts)
def test_the_drugs_of_one_dose_can_be_swapped(a: tuple[int, int], b: tuple[int, int], both: tuple[int, int]) -> None:
    here, there = one_dose(a, b, both), one_dose(b, a, both)
    assert here.verdict == there.verdict
    assert here.bliss.excess == pytest.approx(there.bliss.excess)
    assert here.verdict in (Verdict.NONE, Verdict.POTENTIATION)


def test_an_inactive_partner_that_shifts_the_curve_potentiates() -> None:
    found = partner_shift(Potency(120, 0.04, name="valproate"), Potency(60, 0.05), MAGNESIUM, 40)
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(0.5)
    assert found.index is None
    assert found.verdict == Verdict.POTENTIATION
    assert found.words.startswith("potentiation at the tested dose: ED50 of valproate with magnesium 40 mg/kg / alone")


def test_a_shift_that_may_be_none_is_no_potentiation() -> None:
    assert partner_shift(Potency(120, 0.08), Potency(90, 0.08), MAGNESIUM, 40).verdict == Verdict.NONE


def test_a_partner_beyond_its_tested_doses_may_act_by_itself() -> None:
    assert partner_shift(Potency(120, 0.04), Potency(60, 0.05), MAGNESIUM, 80).status.code == "partner_not_tested"


def test_the_dose_of_an_active_partner_counts() -> None:
    """Half of each ED50 together is additive: a'/A + b/B = 1, although A's curve is shifted to a half."""
    found = partner_shift(Potency(120, 0.04), Potency(60, 0.05), Potency(80, 0.04), 40)
    assert found.ratio is not None
    assert found.ratio.excludes_1
    assert found.index is not None
    assert found.index.value == pytest.approx(1)
    assert found.verdict == Verdict.NONE


def test_an_active_partner_can_be_synergistic() -> None:
    found = partner_shift(Potency(120, 0.04), Potency(20, 0.05), Potency(80, 0.04), 20)
    assert found.index is not None
    assert found.index.value == pytest.approx(20 / 120 + 20 / 80)
    assert found.verdict == Verdict.SYNERGY


@pytest.mark.parametrize(
    ("alone", "beside", "dose", "code"),
    [
        (Potency(120, None), Potency(60, 0.1), 40.0, "no_standard_error"),
        (Potency(120, 0.1, unit="mg/kg"), Potency(60, 0.1, unit="mmol/kg"), 40.0, "units_differ"),
        (Potency(120, 0.1), Potency(60, 0.1), 0.0, "bad_input"),
    ],
)
def test_a_shift_that_cannot_be_computed_is_named(alone: Potency, beside: Potency, dose: float, code: str) -> None:
    found = partner_shift(alone, beside, MAGNESIUM, dose)
    assert (found.status.kind, found.status.code) == ("error", code)
    assert found.verdict is None


def test_the_median_effect_line_of_chou_1994() -> None:
    """JNCI 86:1517; R lm (M01)."""
    line = median_effect(*CHOU_1)
    assert (line.m, line.dm, line.r) == pytest.approx((1.24782935, 0.00216777212, 0.99013456), rel=1e-6)


def mixed(a: MedianEffect, b: MedianEffect, line: MedianEffect, share_a: float, affected: float) -> float:
    dose = line.dose(affected)
    return combination_index(a, b, share_a * dose, (1 - share_a) * dose, affected)


def test_combination_indices_of_a_mixture_one_to_a_hundred() -> None:
    """Chou and Talalay's formula on the same data (M02)."""
    a, b = median_effect(*CHOU_1), median_effect(*CHOU_2)
    doses, affected = [0.101, 0.202, 0.505, 1.01], [0.45, 0.701, 0.91, 0.968]
    line = median_effect(doses, affected)
    found = [mixed(a, b, line, 1 / 101, fa) for fa in (0.5, 0.75, 0.9, 0.95)]
    assert found == pytest.approx([0.887486342, 0.781046556, 0.690139345, 0.635908239], rel=1e-6)
    observed = [combination_index(a, b, d / 101, d * 100 / 101, fa) for d, fa in zip(doses, affected, strict=True)]
    assert observed == pytest.approx([0.900158632, 0.814577183, 0.681318359, 0.602409961], rel=1e-6)


def test_combination_indices_of_a_mixture_ten_to_one() -> None:
    """Chou and Talalay; R (M52)."""
    line = median_effect([0.055, 0.11, 0.22, 0.55, 1.1], [0.304, 0.413, 0.675, 0.924, 0.977])
    found = [mixed(median_effect(*CHOU_2), median_effect(*CHOU_3), line, 10 / 11, fa) for fa in (0.5, 0.75, 0.9, 0.95)]
    assert found == pytest.approx([0.557012007, 0.561532819, 0.569693135, 0.577421097], rel=1e-6)


@pytest.mark.parametrize("affected", [[0.0, 0.5], [0.5, 1.0], [0.5, 0.5]])
def test_shares_without_odds_have_no_median_effect(affected: list[float]) -> None:
    with pytest.raises(ValueError, match="share"):
        median_effect([1, 2], affected)


@settings(deadline=None)
@given(st.lists(arms, max_size=12))
def test_any_table_gives_finite_numbers_or_says_why_not(given_arms: list[Arm]) -> None:
    found = analyse(Study(("A", "B"), "mg/kg", tuple(given_arms)))
    if isinstance(found, Note):
        assert found.kind == "error"
        assert found.message
        return
    assert np.isfinite(list(numbers_in(found.as_dict()))).all()
    assert found.result.status.kind == "error" or found.result.words.startswith(str(found.result.verdict))


@settings(deadline=None)
@given(dose_responses, dose_responses, dose_responses, st.floats(0.01, 100))
def test_a_fixed_ratio_does_not_depend_on_the_unit_or_on_which_drug_is_called_a(
    a: tuple[int, ...], b: tuple[int, ...], both: tuple[int, ...], c: float
) -> None:
    rows = [*series(10, 0, a), *series(0, 40, b), *series(5, 20, both)]
    here = analyse(Study(("A", "B"), "mg/kg", tuple(rows)))
    swapped = analyse(Study(("A", "B"), "mg/kg", tuple(rows)).swapped())
    scaled = tuple(Arm(c * arm.dose_a, c * arm.dose_b, arm.n, arm.responded) for arm in rows)
    there = analyse(Study(("A", "B"), "mg/kg", scaled))
    for found in (here, swapped, there):
        assert isinstance(found, Interaction)
        assert isinstance(found.result, Isobole)
        assert found.result.status.code == here.result.status.code  # type: ignore[union-attr]
        values = [index.value for index in found.result.index]
        assert values == pytest.approx([index.value for index in here.result.index], rel=1e-4)  # type: ignore[union-attr]
