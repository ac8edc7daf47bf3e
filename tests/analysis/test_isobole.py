"""Isoboles and interaction indices against published tables, closed forms and by properties."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numeric import numbers_in

from kindle.analysis import isobole
from kindle.analysis.interaction import Convention, Verdict
from kindle.analysis.isobole_inputs import IsoboleKind
from kindle.analysis.potencies import Drug, Inactive, Potency
from kindle.analysis.proportions import share

Row = tuple[float, float, int]
MAGNESIUM = Inactive("magnesium", 80, share(1, 32), "mg/kg")

potencies = st.builds(
    Potency,
    st.floats(0.5, 500),
    st.floats(0.005, 0.3),
    st.integers(4, 60),
    slope=st.floats(1, 15),
    se_slope=st.floats(0.1, 5),
)
fractions = st.floats(0.05, 0.95)

LUSZCZKI_2020 = [
    # a, b, mixture; ED50add and SEMadd as printed; index; lublin t, df, p; quadrature SEM, t, p
    (
        ((72.11, 10.78, 24), (14.43, 2.16, 24), (15.06, 5.03, 16)),
        (43.27, 6.47, 44, 0.3480471458),
        (3.442246148, 54.06727686, 0.0011206260731846697),
        (5.497136518, 3.786000824, 0.0004240605806462884),
    ),
    (
        ((31.65, 7.4, 16), (72.11, 10.78, 24), (44.36, 5.51, 16)),
        (51.88, 9.09, 36, 0.8550501157),
        (0.7074590321, 49.76784593, 0.4825811497154134),
        (6.537744259, 0.8795339685, 0.38358462783926944),
    ),
    (
        ((31.65, 7.4, 16), (4.57, 1.44, 24), (8.17, 2.4, 24)),
        (18.11, 4.42, 36, 0.4511319713),
        (1.976318902, 51.82536235, 0.053452310445560605),
        (3.769403136, 2.224409548, 0.03022120818705863),
    ),
    (
        ((31.65, 7.4, 16), (29.03, 3.82, 32), (12.41, 3.32, 16)),
        (30.34, 5.61, 44, 0.4090309822),
        (2.750514430, 57.99982368, 0.007923768410279346),
        (4.163904418, 3.366846743, 0.0014170929622180383),
    ),
]


@pytest.mark.parametrize(("rows", "printed", "lublin", "tallarida"), LUSZCZKI_2020)
def test_the_six_hertz_mixtures_of_luszczki_2020(
    rows: tuple[Row, Row, Row],
    printed: tuple[float, float, int, float],
    lublin: tuple[float, float, float],
    tallarida: tuple[float, float, float],
) -> None:
    """PLoS ONE 15:e0234070, Table 1 (I01, I02, I03, I53): 1:1 mixtures, SEM of the additive dose by both rules."""
    found = isobole(*(Potency.from_sem(*row) for row in rows), fraction_of_ed50=0.5, se="lublin")
    (point,) = found.additive
    tests = {test.convention: test for test in found.tests}
    assert point.total == pytest.approx(printed[0], abs=0.0051)
    assert tests["lublin"].sem_add == pytest.approx(printed[1], abs=0.0051)
    assert point.n == printed[2]
    assert found.index[0].value == pytest.approx(printed[3], rel=0.002)
    assert tests["lublin"].df is not None
    assert (tests["lublin"].statistic, tests["lublin"].df) == pytest.approx(lublin[:2], rel=0.002)
    assert tests["lublin"].p == pytest.approx(lublin[2], rel=0.005)
    assert (tests["tallarida"].sem_add, tests["tallarida"].statistic) == pytest.approx(tallarida[:2], rel=0.002)
    assert tests["tallarida"].p == pytest.approx(tallarida[2], rel=0.02)


def test_a_star_that_depends_on_the_convention_is_told() -> None:
    """The third mixture is starred in print; Welch's p with the printed SEM is 0.0535 (I03)."""
    rows = (Potency.from_sem(31.65, 7.4, 16), Potency.from_sem(4.57, 1.44, 24), Potency.from_sem(8.17, 2.4, 24))
    by_lublin = isobole(*rows, fraction_of_ed50=0.5, se="lublin")
    by_tallarida = isobole(*rows, fraction_of_ed50=0.5, se="tallarida")
    assert by_lublin.verdict == Verdict.NONE
    assert by_tallarida.verdict == Verdict.SYNERGY
    for found in (by_lublin, by_tallarida):
        assert "conventions_disagree" in [note.code for note in found.notes]


def test_the_log_delta_interval_of_the_index() -> None:
    """Loewe; Tallarida 2002; var log Zadd = f^2 var log A + (1 - f)^2 var log B (I06)."""
    found = isobole(Potency(94.58, 0.035), Potency(400, 0.06), Potency(150, 0.04), fraction_of_ed50=0.5)
    (point,), (index,) = found.additive, found.index
    assert (point.total, point.se_log10) == pytest.approx((247.29, 0.03473111), rel=2e-6)
    assert found.mass_fraction_a == pytest.approx(0.191232965, rel=1e-8)
    assert (index.value, index.interval.low, index.interval.high) == pytest.approx(
        (0.606575276, 0.477592472, 0.770392303), rel=2e-8
    )
    assert (index.z, index.p) == pytest.approx((-4.098521719, 4.15797e-05), rel=2e-6)
    assert found.words == "synergy at this ratio: interaction index 0.607 (95% CI 0.478-0.77)"


def test_lines_that_are_not_parallel_have_two_additive_doses() -> None:
    """u + sqrt u = 1 and u = sqrt(1 - u) are solved by the golden ratio (I04)."""
    a, b = Potency(100, 0.05, slope=2), Potency(300, 0.05, slope=4)
    lower, upper = isobole(a, b, fraction_of_ed50=0.5, kind="I-nonparallel").additive
    golden = (sqrt(5) - 1) / 2
    assert (lower.total, upper.total) == pytest.approx((400 * golden**2, 400 * golden), rel=1e-9)
    assert (lower.dose_a / 100, lower.dose_b / 300) == pytest.approx((0.3819660113, 0.3819660113), rel=1e-9)


def test_between_the_two_curves_nothing_is_shown() -> None:
    a, b = Potency(100, 0.02, slope=2), Potency(300, 0.02, slope=4)

    def verdict(total: float) -> Verdict | None:
        return isobole(a, b, Potency(total, 0.02), fraction_of_ed50=0.5, kind="I-nonparallel").verdict

    assert [verdict(total) for total in (90, 200, 420)] == [Verdict.SYNERGY, Verdict.NONE, Verdict.ANTAGONISM]


def test_an_inactive_partner_only_dilutes() -> None:
    """Porreca 1990, type II: 120 +- 10 of the active drug as a quarter of the mixture (I05)."""
    found = isobole(Potency.from_sem(120, 10, 24), MAGNESIUM, Potency.from_sem(300, 30, 24), mass_fraction_a=0.25)
    assert found.kind == "II"
    assert found.additive[0].total == 480
    tests = {test.convention: test for test in found.tests}
    assert tests["lublin"].sem_add == pytest.approx(40, rel=1e-9)
    assert found.status.code == "inactive_partner"
    assert "magnesium is inactive alone (1/32 protected up to 80 mg/kg)" in found.status.message
    mirrored = isobole(MAGNESIUM, Potency.from_sem(120, 10, 24), Potency.from_sem(300, 30, 24), mass_fraction_a=0.75)
    assert mirrored.index == found.index


@pytest.mark.parametrize(
    ("a", "b", "mixture", "options", "code", "says"),
    [
        (
            Potency(100, None, name="valproate"),
            Potency(50, 0.1),
            Potency(40, 0.1),
            {},
            "no_standard_error",
            "valproate",
        ),
        (Potency(100, 0.1), Potency(50, 0.1), Potency(40, None), {}, "no_standard_error", "the mixture"),
        (Potency(-1, 0.1), Potency(50, 0.1), None, {}, "bad_input", "drug A"),
        (Potency(1, 0.1), Potency(50, float("nan")), None, {}, "bad_input", "drug B"),
        (Potency(1, 0.1, unit="mg/kg"), Potency(50, 0.1, unit="mmol/kg"), None, {}, "units_differ", "one unit"),
        (MAGNESIUM, MAGNESIUM, None, {}, "both_inactive", "both drugs"),
        (MAGNESIUM, Potency(50, 0.1), None, {}, "no_ed50", "mass_fraction_a"),
        (Potency(9, 0.1), Potency(5, 0.1), None, {"kind": "II"}, "kind_does_not_fit", "Inactive"),
        (Potency(9, 0.1), Potency(5, 0.1), None, {"kind": "I-nonparallel"}, "no_slope", "slope"),
        (Potency(9, 0.1), Potency(5, 0.1), Potency(3, 0.1), {"se": "lublin"}, "no_group_size", "number of animals"),
        (Potency(9, 0.1), Potency(5, 0.1), None, {"fraction_of_ed50": None}, "fraction_not_given", "exactly one"),
        (Potency(9, 0.1), Potency(5, 0.1), None, {"mass_fraction_a": 0.5}, "fraction_not_given", "exactly one"),
        (Potency(9, 0.1), Potency(5, 0.1), None, {"fraction_of_ed50": 1.5}, "bad_input", "between 0 and 1"),
    ],
)
def test_what_cannot_be_combined_is_named(
    a: Drug, b: Drug, mixture: Potency | None, options: dict[str, object], code: str, says: str
) -> None:
    found = isobole(a, b, mixture, **({"fraction_of_ed50": 0.5} | options))  # type: ignore[arg-type]
    assert (found.status.kind, found.status.code) == ("error", code)
    assert says in found.status.message
    assert (found.additive, found.index, found.verdict) == ((), (), None)


def test_lines_that_are_not_parallel_are_noticed() -> None:
    a, b = Potency(100, 0.05, slope=3, se_slope=0.5), Potency(300, 0.05, slope=9, se_slope=1.2)
    assert isobole(a, b, fraction_of_ed50=0.5).kind == "I-nonparallel"
    insisted = isobole(a, b, fraction_of_ed50=0.5, kind="I")
    assert (insisted.kind, insisted.status.code) == ("I", "not_parallel")


def test_without_slopes_parallel_lines_are_assumed_and_told() -> None:
    assert isobole(Potency(9, 0.1), Potency(5, 0.1), fraction_of_ed50=0.5).status.code == "parallelism_not_tested"


@settings(deadline=None)
@given(potencies, fractions)
def test_a_drug_against_itself_shows_nothing(drug: Potency, f: float) -> None:
    """Sham mixture: index 1, z 0 (Y03)."""
    found = isobole(drug, drug, drug, fraction_of_ed50=f)
    assert found.index[0].value == pytest.approx(1)
    assert found.index[0].z == pytest.approx(0, abs=1e-9)
    assert found.verdict == Verdict.NONE


@settings(deadline=None)
@given(potencies, potencies, potencies, fractions, st.sampled_from(["I", "I-nonparallel"]), st.floats(0.001, 1000))
def test_the_unit_of_dose_changes_doses_and_nothing_else(
    a: Potency, b: Potency, mixture: Potency, f: float, kind: IsoboleKind, c: float
) -> None:
    here = isobole(a, b, mixture, fraction_of_ed50=f, kind=kind)
    there = isobole(*(drug.scaled(c, "") for drug in (a, b, mixture)), fraction_of_ed50=f, kind=kind)
    assert [p.total * c for p in here.additive] == pytest.approx([p.total for p in there.additive], rel=1e-6)
    assert [i.value for i in here.index] == pytest.approx([i.value for i in there.index], rel=1e-6)
    assert [i.interval.low for i in here.index] == pytest.approx([i.interval.low for i in there.index], rel=1e-4)
    assert here.verdict == there.verdict


@settings(deadline=None)
@given(potencies, potencies, potencies, fractions, st.sampled_from(["I", "I-nonparallel"]))
def test_the_drugs_can_be_swapped(a: Potency, b: Potency, mixture: Potency, f: float, kind: IsoboleKind) -> None:
    here = isobole(a, b, mixture, fraction_of_ed50=f, kind=kind)
    there = isobole(b, a, mixture, fraction_of_ed50=1 - f, kind=kind)
    assert [i.value for i in here.index] == pytest.approx([i.value for i in there.index], rel=1e-6)
    assert sorted(i.z for i in here.index) == pytest.approx(sorted(i.z for i in there.index), rel=1e-3, abs=1e-4)


@settings(deadline=None)
@given(potencies, potencies, potencies, fractions)
def test_both_ways_to_state_the_mixture_agree(a: Potency, b: Potency, mixture: Potency, f: float) -> None:
    by_ed50 = isobole(a, b, mixture, fraction_of_ed50=f, kind="I")
    by_mass = isobole(a, b, mixture, mass_fraction_a=by_ed50.mass_fraction_a, kind="I")
    assert by_mass.fraction_of_ed50 == pytest.approx(f)
    assert by_mass.index[0].value == pytest.approx(by_ed50.index[0].value)
    assert by_ed50.additive[0].total == pytest.approx(f * a.ed50 + (1 - f) * b.ed50)


@settings(deadline=None)
@given(potencies, potencies, potencies, fractions, st.sampled_from(["log-delta", "tallarida", "lublin"]))
def test_numbers_are_finite_and_an_interaction_needs_an_interval_without_1(
    a: Potency, b: Potency, mixture: Potency, f: float, se: Convention
) -> None:
    found = isobole(a, b, mixture, fraction_of_ed50=f, kind="I", se=se)
    assert np.isfinite(list(numbers_in(found.as_dict()))).all()
    (index,), (point,) = found.index, found.additive
    assert point.interval.low is not None
    assert point.interval.high is not None
    assert point.interval.low < point.total < point.interval.high
    assert index.interval.low is not None
    assert index.interval.high is not None
    assert index.interval.low < index.value < index.interval.high
    if found.verdict != Verdict.NONE:
        assert not index.interval.low <= 1 <= index.interval.high
    assert found.words.startswith(str(found.verdict))


@settings(deadline=None)
@given(potencies, potencies, fractions)
def test_equal_slopes_make_the_two_curves_one_line(a: Potency, b: Potency, f: float) -> None:
    b = replace(b, slope=a.slope, se_slope=None)
    a = replace(a, se_slope=None)
    lower, upper = isobole(a, b, fraction_of_ed50=f, kind="I-nonparallel").additive
    (straight,) = isobole(a, b, fraction_of_ed50=f, kind="I").additive
    assert (lower.total, upper.total) == pytest.approx((straight.total,) * 2, rel=1e-9)
    assert lower.se_log10 == pytest.approx(straight.se_log10, rel=1e-3)


@settings(deadline=None)
@given(potencies, potencies, fractions)
def test_the_additive_dose_lies_between_the_curves(a: Potency, b: Potency, f: float) -> None:
    assume(a.slope != b.slope)
    lower, upper = isobole(a, b, fraction_of_ed50=f, kind="I-nonparallel").additive
    straight = isobole(a, b, fraction_of_ed50=f, kind="I").additive[0].total
    assert lower.total <= straight * (1 + 1e-9)
    assert straight <= upper.total * (1 + 1e-9)
