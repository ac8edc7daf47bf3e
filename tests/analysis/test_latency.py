"""Latencies with censoring, against Cox's leukaemia data and by properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numeric import numbers_in
from scipy import stats
from statsmodels.duration.survfunc import survdiff

from kindle.analysis import latency

SIX_MP = (
    [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
    [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
)
PLACEBO = ([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], [1] * 21)

animals = st.lists(st.tuples(st.integers(0, 12).map(float), st.booleans()), min_size=1, max_size=10)
Animals = list[tuple[float, bool]]


def columns(of: Animals) -> tuple[list[float], list[bool]]:
    return [time for time, _ in of], [event for _, event in of]


def test_the_leukaemia_trial_of_freireich() -> None:
    """Cox 1972; R survival, scipy, statsmodels and lifelines agree on every number (L01)."""
    found = latency({"6-MP": SIX_MP, "placebo": PLACEBO})
    drug, placebo = found.groups
    assert found.log_rank is not None
    assert (found.log_rank.chi2, found.log_rank.p) == pytest.approx((16.79294099, 4.168809109e-05), rel=1e-6)
    assert (drug.median, placebo.median) == (23, 8)
    at = {step.time: step.survival for step in drug.curve}
    assert [at[6], at[10], at[22]] == pytest.approx([0.85714286, 0.75294118, 0.53781513], rel=1e-6)
    hazard = found.comparisons[0].hazard_ratio
    assert hazard is not None
    assert (hazard.log_value, hazard.se_log) == pytest.approx((1.57212515, 0.41239672), rel=1e-6)
    assert (drug.n_events, drug.n) == (9, 21)


def test_the_limits_of_the_medians_depend_on_the_transformation() -> None:
    """R's survfit prints 16 to NA and 4 to 12 on the log scale, SAS 13 and 4 to 11 on the log-log scale."""
    by_log = latency({"6-MP": SIX_MP, "placebo": PLACEBO}, transform="log").groups
    by_log_log = latency({"6-MP": SIX_MP, "placebo": PLACEBO}).groups
    assert [(g.median_interval.low, g.median_interval.high) for g in by_log] == [(16, None), (4, 12)]
    assert [(g.median_interval.low, g.median_interval.high) for g in by_log_log] == [(13, None), (4, 11)]


def test_the_rule_of_the_median_is_the_midpoint_unless_told_otherwise() -> None:
    group = {"drug": ([5.0, 10.0, 20.0, 30.0], [True] * 4)}
    assert latency(group).groups[0].median == 15
    assert latency(group, median="left").groups[0].median == 10


def test_an_animal_without_a_seizure_is_censored_at_the_cut_off() -> None:
    found = latency({"drug": ([12.0, 45.0, 50.0], [True, True, False])}, cut_off=30.0)
    assert found.groups[0].n_events == 1
    assert found.groups[0].censored_at == (30.0, 30.0)
    assert found.groups[0].median is None
    assert found.cut_off == 30


def test_an_event_at_the_cut_off_is_an_event() -> None:
    assert latency({"drug": ([30.0], [True])}, cut_off=30.0).groups[0].n_events == 1


def test_a_group_without_events_has_no_hazard_ratio_but_a_log_rank_test() -> None:
    found = latency({"vehicle": ([3.0, 5.0, 9.0], [True] * 3), "drug": ([30.0] * 3, [False] * 3)}, cut_off=30)
    assert (found.status.kind, found.status.code) == ("warning", "hazard_ratio_infinite")
    assert "no events" in found.status.message
    assert "median not reached" in found.status.message
    assert found.comparisons[0].hazard_ratio is None
    assert found.log_rank is not None
    assert found.log_rank.p < 0.05


def test_groups_whose_events_never_overlap_have_no_hazard_ratio() -> None:
    found = latency({"vehicle": ([1.0, 2.0], [True, True]), "drug": ([8.0, 9.0], [True, True])})
    assert found.comparisons[0].hazard_ratio is None
    assert found.status.code == "hazard_ratio_infinite"


def test_several_groups_are_compared_with_the_first_and_adjusted() -> None:
    groups = {"vehicle": PLACEBO, "low": SIX_MP, "high": SIX_MP}
    found = latency(groups)
    assert found.log_rank is not None
    assert found.log_rank.df == 2
    assert [one.group for one in found.comparisons] == ["low", "high"]
    times = np.concatenate([np.array(t, float) for t, _ in groups.values()])
    events = np.concatenate([np.array(e) for _, e in groups.values()])
    chi2, p = survdiff(times, events, np.repeat([0, 1, 2], 21))
    assert (found.log_rank.chi2, found.log_rank.p) == pytest.approx((chi2, p))
    for one in found.comparisons:
        assert one.log_rank is not None
        assert one.p_holm == pytest.approx(2 * one.log_rank.p)


@pytest.mark.parametrize(
    ("groups", "says"),
    [
        ({}, "no group"),
        ({"drug": ([1.0], [True, False])}, "drug: 1 times and 2 events"),
        ({"drug": ([], [])}, "drug: no animals"),
        ({"drug": ([1.0, -2.0], [True, True])}, "drug, animal 2"),
        ({"drug": ([1.0, float("inf")], [True, True])}, "drug, animal 2"),
    ],
)
def test_times_that_are_none_are_named(groups: dict[str, tuple[list[float], list[bool]]], says: str) -> None:
    found = latency(groups)
    assert (found.status.kind, found.status.code) == ("error", "bad_input")
    assert says in found.status.message


@settings(deadline=None)
@given(animals, animals)
def test_numbers_are_finite_and_curves_fall_between_their_limits(a: Animals, b: Animals) -> None:
    found = latency({"a": columns(a), "b": columns(b)})
    assert np.isfinite(list(numbers_in(found.as_dict()))).all()
    for group in found.groups:
        assert group.n_events + len(group.censored_at) == group.n
        survival = [1.0, *(step.survival for step in group.curve)]
        assert survival == sorted(survival, reverse=True)
        for step in group.curve:
            if step.interval.low is not None and step.interval.high is not None:
                assert step.interval.low - 1e-12 <= step.survival <= step.interval.high + 1e-12


@settings(deadline=None)
@given(animals, animals)
def test_the_log_rank_test_is_scipys_and_does_not_depend_on_the_order(a: Animals, b: Animals) -> None:
    here = latency({"a": columns(a), "b": columns(b)}).log_rank
    there = latency({"b": columns(b[::-1]), "a": columns(a[::-1])}).log_rank
    if here is None or there is None:
        assert here == there
        return
    assert here.p == pytest.approx(there.p)
    sides = [
        stats.CensoredData(uncensored=[t for t, e in side if e], right=[t for t, e in side if not e]) for side in (a, b)
    ]
    assert here.p == pytest.approx(stats.logrank(*sides).pvalue)


@settings(deadline=None)
@given(animals, animals)
def test_swapping_the_groups_inverts_the_hazard_ratio(a: Animals, b: Animals) -> None:
    here = latency({"a": columns(a), "b": columns(b)}).comparisons[0].hazard_ratio
    there = latency({"b": columns(b), "a": columns(a)}).comparisons[0].hazard_ratio
    if here is None or there is None:
        assert here == there
        return
    assert here.value * there.value == pytest.approx(1)
    assert here.interval.low is not None
    assert here.interval.high is not None
    assert here.interval.low < here.value < here.interval.high
