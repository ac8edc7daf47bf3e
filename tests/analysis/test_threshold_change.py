"""Changes of thresholds that are known between two rungs, or only to lie above the maximal current."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numeric import numbers_in
from scipy import stats

from kindle.analysis.threshold_change import threshold_change
from kindle.analysis.thresholds import Threshold

CONTROL = [60.0, 80, 50, 100, 70, 90, 65, 85]
DRUG = [95.0, 150, 88, 160, 120, 140, 90, 130]
RUNGS = [0.0, *(50 * 1.2**k for k in range(12))]

rungs = st.integers(0, 12).map(lambda k: Threshold(RUNGS[k], RUNGS[k + 1] if k < 12 else None))
rats = st.lists(st.tuples(rungs, rungs), min_size=1, max_size=8)


def exactly(values: list[float]) -> list[Threshold]:
    return [Threshold(value, value) for value in values]


def test_ratios_that_are_known_exactly_have_students_interval() -> None:
    found = threshold_change(exactly(CONTROL), exactly(DRUG))
    logs = np.log(np.array(DRUG) / np.array(CONTROL))
    low, high = stats.t.interval(0.95, 7, logs.mean(), stats.sem(logs))
    assert found.ratio == pytest.approx(exp(logs.mean()), rel=1e-6)
    assert (found.interval.low, found.interval.high) == pytest.approx((exp(low), exp(high)), rel=1e-5)
    assert found.log_sd == pytest.approx(logs.std(), rel=1e-4)


def test_a_rat_above_the_maximal_current_raises_the_ratio_and_is_not_left_out() -> None:
    known = threshold_change(exactly(CONTROL[:6]), exactly(DRUG[:6])).ratio
    found = threshold_change(exactly(CONTROL), [*exactly(DRUG[:6]), Threshold(300, None), Threshold(300, None)])
    at_maximum = threshold_change(
        exactly(CONTROL), [*exactly(DRUG[:6]), Threshold(300, 300), Threshold(300, 300)]
    ).ratio
    assert (found.status.kind, found.status.code, found.n_censored) == ("warning", "censored", 2)
    assert known is not None
    assert at_maximum is not None
    assert found.ratio is not None
    assert known < at_maximum < found.ratio
    assert found.interval.high is not None


def test_the_likelihood_is_that_of_interval_censored_normal_ratios() -> None:
    """The maximum found by brute force over a grid of mean and standard deviation."""
    bounds = [(1.0, 1.4), (1.2, 2.0), (2.1, 2.6), (3.0, None), (0.7, 1.1)]
    drug = [Threshold(100 * low, None if high is None else 100 * high) for low, high in bounds]
    found = threshold_change(exactly([100.0] * 5), drug)
    means, sds = np.meshgrid(np.linspace(0.1, 1.2, 441), np.linspace(0.15, 1.2, 421), indexing="ij")
    total = np.zeros_like(means)
    for low, high in bounds:
        upper = 1.0 if high is None else stats.norm.cdf((log(high) - means) / sds)
        total += np.log(upper - stats.norm.cdf((log(low) - means) / sds))
    i, j = np.unravel_index(total.argmax(), total.shape)
    assert found.ratio is not None
    assert log(found.ratio) == pytest.approx(means[i, j], abs=0.0026)
    assert found.log_sd == pytest.approx(sds[i, j], abs=0.0026)


def test_rungs_too_wide_to_tell_rats_apart_give_a_range() -> None:
    control = [Threshold(value / 1.2, value) for value in CONTROL]
    found = threshold_change(control, [Threshold(value, 1.2 * value) for value in CONTROL])
    assert (found.status.kind, found.status.code) == ("status", "no_spread")
    assert found.ratio is None
    assert (found.interval.low, found.interval.high) == pytest.approx((1, 1.44), rel=1e-3)


@pytest.mark.parametrize(
    ("drug", "code"),
    [
        ([Threshold(500, None), Threshold(500, None)], "all_censored"),
        ([Threshold(0, 20), Threshold(0, 20)], "all_censored"),
        ([Threshold(500, None), Threshold(0, 20)], "spread_unbounded"),
        ([Threshold(120, 120), Threshold(160, 160)], "no_spread"),
        ([Threshold(0, None), Threshold(160, 160)], "too_few_pairs"),
    ],
)
def test_a_mean_change_that_does_not_exist_is_not_made_up(drug: list[Threshold], code: str) -> None:
    found = threshold_change(exactly([60, 80]), drug)
    assert found.status.code == code
    assert found.ratio is None
    assert found.log_sd is None


@pytest.mark.parametrize(("above", "up_to"), [(-1, 50), (80, 60), (0, 0), (float("inf"), None), (float("nan"), 3)])
def test_a_threshold_out_of_order_is_refused(above: float, up_to: float | None) -> None:
    with pytest.raises(ValueError, match="in order"):
        Threshold(above, up_to)


@settings(max_examples=15, deadline=None)
@given(rats, st.sampled_from([0.5, 3.0]))
def test_numbers_are_finite_ordered_and_free_of_the_unit(values: list[tuple[Threshold, Threshold]], c: float) -> None:
    control, drug = ([pair[side] for pair in values] for side in (0, 1))
    found = threshold_change(control, drug)
    assert np.isfinite(list(numbers_in(found.as_dict()))).all()
    if found.ratio is not None:
        assert (found.interval.low or 0) <= found.ratio <= (found.interval.high or np.inf)
    scaled = [
        [Threshold(c * t.above_ua, None if t.up_to_ua is None else c * t.up_to_ua) for t in side]
        for side in (control, drug)
    ]
    there = threshold_change(*scaled)
    assert there.status.code == found.status.code
    if found.ratio is not None:
        assert there.ratio == pytest.approx(found.ratio, rel=1e-3)
