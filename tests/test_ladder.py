"""The rising series of currents: what was published of them, and that none passes its maximum."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from strategies import plans

from kindle.errors import ConfigError
from kindle.protocols.ladder import MAX_RUNGS, Add, Listed, Ratio, Step, rungs
from kindle.protocols.threshold import ThresholdPlan


def test_the_hannover_ladder() -> None:
    """8 x 1.2^n as printed in the domain reference, section 3.3."""
    printed = [8, 9.6, 11.5, 13.8, 16.6, 19.9, 23.9, 28.7, 34.4, 41.3, 49.5, 59.4, 71.3, 85.6, 102.7, 123.3, 147.9]
    printed += [177.5, 213.0, 255.6, 306.7, 368.0, 441.6, 530.0, 636.0, 763.2, 915.8]
    assert [round(current_ua, 1) for current_ua in rungs(8.0, Ratio(1.2), 1000.0)] == printed
    assert round(rungs(8.0, Ratio(1.2), 1100.0)[-1]) == 1099


@pytest.mark.parametrize(("max_ua", "n"), [(500.0, 23), (1000.0, 27), (2000.0, 31), (5000.0, 36)])
def test_how_many_rungs_the_hannover_ladder_has(max_ua: float, n: int) -> None:
    """Domain reference, section 3.3."""
    assert len(rungs(8.0, Ratio(1.2), max_ua)) == n


def test_a_ratio_goes_on_from_the_exact_current() -> None:
    """Continued from rounded displays (11.5, 13.8, 16.6 ...), the series would drift away from 8 x 1.2^n."""
    assert rungs(8.0, Ratio(1.2), 5000.0) == tuple(pytest.approx(8 * 1.2**n, abs=1e-8) for n in range(36))


def test_a_maximum_that_is_a_rung_belongs_to_the_ladder() -> None:
    """In binary, 10 x 1.1 x 1.1 exceeds 12.1 and 0.1 + 2 x 0.1 exceeds 0.3."""
    assert rungs(10.0, Ratio(1.1), 12.1)[-1] == 12.1
    assert rungs(0.1, Add(0.1), 0.3) == (0.1, 0.2, 0.3)
    assert rungs(20.0, Add(20.0), 100.0) == (20.0, 40.0, 60.0, 80.0, 100.0)


def test_a_list_is_cut_at_both_ends() -> None:
    assert rungs(25.0, Listed((15.0, 25.0, 35.0, 50.0, 75.0)), 60.0) == (25.0, 35.0, 50.0)


@pytest.mark.parametrize("step", [Add(1e-20), Ratio(1.0), Ratio(1 + 1e-12)])
def test_a_ladder_that_never_ends_is_refused(step: Step) -> None:
    with pytest.raises(ConfigError, match=f"more than {MAX_RUNGS} currents"):
        rungs(8.0, step, 500.0)


@settings(deadline=None)
@given(plan=plans())
def test_every_ladder_rises_from_its_start_to_at_most_its_maximum(plan: ThresholdPlan) -> None:
    assert all(plan.start_ua - 1e-9 <= current_ua <= plan.max_ua for current_ua in plan.rungs_ua)
    assert all(lower < higher for lower, higher in pairwise(plan.rungs_ua))
