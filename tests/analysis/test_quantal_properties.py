"""What must hold for every table, not only for those that someone published."""

from itertools import product
from math import comb, isclose, isfinite, log, log10

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numeric import numbers_in
from scipy.special import ndtr

from kindle.analysis import fit_quantal
from kindle.analysis.fit import Estimate, Fit
from kindle.analysis.links import LINK_NAMES, LINKS
from kindle.analysis.quantal_options import CIS

CODES = {
    "ok": {"ok", "control_excluded"},
    "warning": {"no_gof", "control_responds", "non_monotone", "one_animal_per_dose", "heterogeneity"}
    | {"abbott_clipped", "abbott_corrected", "no_control"},
    "status": {"separated", "quasi_separated", "g_ge_1"},
    "error": {"all_responded", "none_responded", "one_dose", "control_all_respond", "non_positive_slope", "no_control"}
    | {"no_line", "not_identified", "not_converged"},
}
Rows = list[tuple[float, int, int]]

group = st.tuples(st.sampled_from([0.0, 1.0, 2.5, 5.0, 7.3, 10.0, 50.0, 1000.0]), st.integers(1, 12)).flatmap(
    lambda dose_n: st.tuples(st.just(dose_n[0]), st.just(dose_n[1]), st.integers(0, dose_n[1]))
)
tables = st.lists(group, min_size=1, max_size=7)
rising = st.lists(st.integers(0, 10), min_size=3, max_size=6).map(
    lambda counts: [(10.0 * 1.6**i, 10, r) for i, r in enumerate(sorted(counts))]
)
naturals = st.sampled_from(["none", "none", "none", "abbott", 0.15, "estimate"])


@settings(max_examples=100, deadline=None)
@given(
    rows=st.one_of(tables, rising),
    link=st.sampled_from(LINK_NAMES),
    natural=naturals,
    p=st.sampled_from([0.01, 0.16, 0.5, 0.9]),
    pool=st.booleans(),
)
def test_every_table_has_a_status_and_no_number_that_is_not_one(
    rows: Rows, link: str, natural: str | float, p: float, pool: bool
) -> None:
    fit = fit_quantal(*columns(rows), link=link, natural=natural, pool=pool)  # type: ignore[arg-type]

    assert fit.status.code in CODES[fit.status.kind]
    assert fit.status.code == "ok" or fit.status.message
    assert all(isfinite(number) for number in numbers_in(fit.as_dict()))
    for ci in CIS:
        estimate = fit.ed(p, ci=ci)
        assert all(isfinite(number) for number in numbers_in(estimate.as_dict()))
        holds_together(fit, estimate)


@settings(max_examples=60, deadline=None)
@given(rows=st.one_of(tables, rising), link=st.sampled_from(LINK_NAMES), p=st.sampled_from([0.1, 0.5]))
def test_firths_penalty_never_fails_either(rows: Rows, link: str, p: float) -> None:
    fit = fit_quantal(*columns(rows), link=link, penalty="firth")  # type: ignore[arg-type]

    assert all(isfinite(number) for number in numbers_in(fit.as_dict()))
    estimate = fit.ed(p)
    assert all(isfinite(number) for number in numbers_in(estimate.as_dict()))
    if estimate.value is not None:
        holds_together(fit, estimate)


@settings(max_examples=100, deadline=None)
@given(rows=st.one_of(tables, rising), factor=st.sampled_from([1e-6, 0.37, 2.0, 166.196, 1e6]), natural=naturals)
def test_the_unit_of_the_dose_changes_the_dose_only(rows: Rows, factor: float, natural: str | float) -> None:
    here = fit_quantal(*columns(rows), natural=natural)  # type: ignore[arg-type]
    there = fit_quantal(*columns([(dose * factor, n, r) for dose, n, r in rows]), natural=natural)  # type: ignore[arg-type]

    assert here.status.code == there.status.code
    rel = 1e-9 if natural in ("none", "abbott") else 1e-5
    for name in ("slope", "se_slope", "chi2", "g", "loglik", "h"):
        assert close(getattr(here, name), getattr(there, name), rel)
    for ci in ("auto", "profile"):
        a, b = here.ed(ci=ci), there.ed(ci=ci)
        for x, y in ((a.value, b.value), (a.low, b.low), (a.high, b.high)):
            # Limits far beyond the doses hang on the last digits of the slope.
            if x is not None and y is not None and abs(log10(x)) < 12:
                assert y == pytest.approx(x * factor, rel=max(rel, 1e-7 if ci == "profile" else rel))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), rows=st.one_of(tables, rising), pool=st.booleans())
def test_the_order_of_the_rows_does_not_matter(data: st.DataObject, rows: Rows, pool: bool) -> None:
    shuffled = data.draw(st.permutations(rows))

    here, there = fit_quantal(*columns(rows), pool=pool), fit_quantal(*columns(shuffled), pool=pool)

    assert here == there


@settings(max_examples=60, deadline=None)
@given(rows=st.one_of(tables, rising), at=st.integers(0, 6), data=st.data())
def test_splitting_a_group_into_two_rows_does_not_matter(rows: Rows, at: int, data: st.DataObject) -> None:
    dose, n, r = rows[at % len(rows)]
    assume(n > 1)
    first = data.draw(st.integers(1, n - 1))
    of_first = data.draw(st.integers(max(0, r - (n - first)), min(first, r)))
    rest = [row for i, row in enumerate(rows) if i != at % len(rows)]
    split = [*rest, (dose, first, of_first), (dose, n - first, r - of_first)]

    assert fit_quantal(*columns(rows)) == fit_quantal(*columns(split))
    apart = fit_quantal(*columns(split), pool=False)
    whole = fit_quantal(*columns(rows))
    assert close(apart.slope, whole.slope, 1e-7)


def test_natural_and_common_logarithms_give_the_same_ed50() -> None:
    doses, n, responded = [50, 100, 150, 200], [8] * 4, [1, 3, 6, 8]
    design = sm.add_constant(np.log(doses))
    counts = np.column_stack([responded, np.subtract(n, responded)])
    fitted = sm.GLM(counts, design, family=sm.families.Binomial(sm.families.links.Probit())).fit(tol=1e-14)

    ours = fit_quantal(doses, n, responded)
    assert ours.slope is not None
    assert ours.ed().value == pytest.approx(float(np.exp(-fitted.params[0] / fitted.params[1])), rel=1e-8)
    assert ours.slope == pytest.approx(float(fitted.params[1]) * log(10), rel=1e-8)


OF_STATSMODELS = {
    "probit": sm.families.links.Probit(),
    "logit": sm.families.links.Logit(),
    "cloglog": sm.families.links.CLogLog(),
}


@pytest.mark.parametrize("link", LINK_NAMES)
@pytest.mark.parametrize("responded", [[1, 3, 6, 8], [0, 1, 7, 8], [3, 2, 6, 7], [1, 1, 2, 4]])
def test_lines_and_both_kinds_of_error_are_those_of_statsmodels(link: str, responded: list[int]) -> None:
    doses, n = [50, 80, 125, 200], [8, 8, 8, 8]
    design = sm.add_constant(np.log10(doses))
    model = sm.GLM(
        np.column_stack([responded, np.subtract(n, responded)]),
        design,
        family=sm.families.Binomial(OF_STATSMODELS[link]),
    )
    scored = model.fit(tol=1e-14, maxiter=300)
    newton = model.fit(method="newton", start_params=scored.params, tol=1e-12)

    expected = fit_quantal(doses, n, responded, link=link)  # type: ignore[arg-type]
    observed = fit_quantal(doses, n, responded, link=link, information="observed")  # type: ignore[arg-type]

    assert (expected.intercept, expected.slope) == pytest.approx(tuple(scored.params), rel=1e-6)
    assert (expected.se_intercept, expected.se_slope) == pytest.approx(tuple(scored.bse), rel=1e-5)
    assert (observed.se_intercept, observed.se_slope) == pytest.approx(tuple(newton.bse), rel=1e-4)
    assert (expected.deviance, expected.loglik) == pytest.approx((scored.deviance, scored.llf), rel=1e-7)


@pytest.mark.parametrize("link", LINK_NAMES)
def test_the_tails_of_a_link_stay_finite_and_their_slopes_are_its_derivatives(link: str) -> None:
    of = LINKS[link]  # type: ignore[index]
    far = of.tails(np.array([-1e9, -400.0, -38.0, 0.0, 38.0, 400.0, 1e9]))
    for values in (far.hit, far.miss, far.d_hit, far.d_miss):
        assert np.isfinite(values).all()
    eta = np.linspace(-4, 1.2, 41)
    step = 1e-5
    up, down, at = of.tails(eta + step), of.tails(eta - step), of.tails(eta)
    for log_p, slope, sign in (("log_p", at.hit, 1), ("log_q", at.miss, -1)):
        numeric = (getattr(up, log_p) - getattr(down, log_p)) / (2 * step)
        assert numeric * sign == pytest.approx(slope, rel=1e-5, abs=1e-7)
    assert (up.hit - down.hit) / (2 * step) == pytest.approx(at.d_hit, rel=1e-4, abs=1e-6)
    assert (up.miss - down.miss) / (2 * step) == pytest.approx(at.d_miss, rel=1e-4, abs=1e-6)


def test_intervals_hold_the_true_ed50_as_often_as_published_for_six_animals_a_dose() -> None:
    """All tables of 6 animals at 50, 80, 125 and 200, probit slope 6, ED50 95, enumerated independently."""
    doses, n, true = (50, 80, 125, 200), 6, 95.0
    p = [float(ndtr(6.0 * (log10(dose) - log10(true)))) for dose in doses]
    methods = ("fieller", "delta", "profile", "lw")
    held, has = dict.fromkeys(methods, 0.0), dict.fromkeys(methods, 0.0)
    steep = imprecise = 0.0
    for responded in product(range(n + 1), repeat=4):
        weight = float(np.prod([comb(n, r) * q**r * (1 - q) ** (n - r) for r, q in zip(responded, p, strict=True)]))
        if weight < 1e-6:
            continue
        fit = fit_quantal(doses, [n] * 4, responded, heterogeneity="never")
        steep += weight * (fit.bracket is not None)
        imprecise += weight * (fit.g is not None and fit.g > 0.4)
        for method in methods if fit.status.kind != "error" else ():
            estimate = fit.ed(ci=method)  # type: ignore[arg-type]
            has[method] += weight * (estimate.method is not None)
            if estimate.method is not None:
                held[method] += weight * ((estimate.low or 0) <= true <= (estimate.high or float("inf")))

    assert (steep, imprecise) == pytest.approx((0.173, 0.83), abs=0.006)
    assert [held[method] / has[method] for method in methods] == pytest.approx([0.986, 0.963, 0.931, 0.990], abs=0.001)


def close(a: float | None, b: float | None, rel: float) -> bool:
    return a is b or (a is not None and b is not None and isclose(a, b, rel_tol=rel, abs_tol=1e-9))


def columns(rows: Rows) -> tuple[list[float], list[int], list[int]]:
    return [dose for dose, _, _ in rows], [n for _, n, _ in rows], [r for _, _, r in rows]


def holds_together(fit: Fit, estimate: Estimate) -> None:
    low, high = estimate.low, estimate.high
    if low is not None and high is not None:
        assert low <= high
    if estimate.value is not None:
        assert low is None or low <= estimate.value
        assert high is None or estimate.value <= high
    if fit.status.kind == "error":
        assert (estimate.value, low, high) == (None, None, None)
    if estimate.method == "fieller":
        assert fit.g is not None
        assert fit.g < 1
        assert low is not None
        assert high is not None
    if (low is None or high is None) and fit.status.kind != "error":
        assert {note.kind for note in estimate.notes} & {"status", "error"}
