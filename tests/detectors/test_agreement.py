"""Agreement against published examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.agreement import bland_altman, clopper_pearson, confusion, icc_a1
from detectors.criterion import Verdict

SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)


def test_the_icc_of_shrout_and_fleiss_1979() -> None:
    """Table 2 of the paper; ICC(2,1) there is 0.29, its interval 0.02 to 0.76."""
    icc = icc_a1(SHROUT_FLEISS)
    assert icc.value == pytest.approx(0.29, abs=0.005)
    assert icc.interval.low == pytest.approx(0.02, abs=0.005)
    assert icc.interval.high == pytest.approx(0.76, abs=0.005)


def test_an_offset_lowers_absolute_agreement() -> None:
    same = np.array([10.0, 20, 30, 40, 55])
    assert icc_a1(np.array([same, same]).T).value == pytest.approx(1)
    assert icc_a1(np.array([same, same + 20]).T).value < 0.7


@pytest.mark.parametrize(
    ("k", "n", "low", "high"), [(0, 200, 0.0, 0.0183), (8, 200, 0.0174, 0.0773), (10, 10, 0.6915, 1)]
)
def test_exact_limits_of_a_proportion(k: int, n: int, low: float, high: float) -> None:
    interval = clopper_pearson(k, n)
    assert (interval.low, interval.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_limits_hold_the_proportion(counted: tuple[int, int]) -> None:
    k, n = counted
    interval = clopper_pearson(k, n)
    assert 0 <= interval.low <= k / n <= interval.high <= 1


def test_bias_and_limits_of_agreement() -> None:
    result = bland_altman([10, 20, 30, 40], [11, 21, 33, 43])
    assert result.bias == pytest.approx(2)
    sd = np.std([1, 1, 3, 3], ddof=1)
    assert result.lower_limit == pytest.approx(2 - 1.959964 * sd)
    assert result.upper_limit == pytest.approx(2 + 1.959964 * sd)
    assert result.bias_interval.low < 2 < result.bias_interval.high
    assert result.slope > 0


def test_undetermined_is_a_verdict_of_its_own() -> None:
    yes, no, unknown = Verdict.AFTERDISCHARGE, Verdict.NONE, Verdict.UNDETERMINED
    table = confusion([yes, yes, yes, no, no, unknown], [yes, unknown, no, no, yes, no])
    assert sum(table.counts.values()) == 6
    assert table.counts[(yes, unknown)] == 1
    assert table.sensitivity is not None
    assert (table.sensitivity.k, table.sensitivity.n) == (1, 3)
    assert table.false_rate is not None
    assert table.false_rate.value == pytest.approx(0.5)


def test_no_sensitivity_without_afterdischarges() -> None:
    assert confusion([Verdict.NONE], [Verdict.NONE]).sensitivity is None


@pytest.mark.parametrize("values", [([1.0], [1.0]), ([1, 2, 3], [1, 2]), ([1, 2, float("nan")], [1, 2, 3])])
def test_pairs_that_cannot_be_compared_are_refused(values: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match="finite pairs"):
        bland_altman(*values)
