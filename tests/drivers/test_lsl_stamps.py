"""Gaps and drift from time stamps alone."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.lsl_stamps import Gap, Stamps, StampWatch

RATE_HZ = 1000.0


def stamps(n: int, first: int = 0, rate_hz: float = RATE_HZ) -> Stamps:
    return 77.0 + np.arange(first, first + n) / rate_hz


@given(n_lost=st.integers(11, 100_000), before=st.integers(1, 3000), split=st.integers(1, 3000))
def test_the_count_of_lost_samples_is_exact_where_stamps_are(n_lost: int, before: int, split: int) -> None:
    watch = StampWatch(RATE_HZ, 0.010)
    whole = np.concatenate([stamps(before), stamps(50, before + n_lost)])
    first, second = whole[:split], whole[split:]
    found = watch.first_gap(first)
    if found is None:
        found = watch.first_gap(second)
        assert found is not None
        found = Gap(found.at + first.size, found.n_lost)
    assert found == Gap(before, n_lost)


@given(seed=st.integers(0, 1000))
def test_stamps_that_come_late_by_less_than_the_jitter_mean_nothing(seed: int) -> None:
    late_s = np.random.default_rng(seed).uniform(0, 0.009, 20_000)
    watch = StampWatch(RATE_HZ, 0.010)
    jittered = stamps(20_000) + late_s
    assert all(watch.first_gap(part) is None for part in np.split(jittered, 200))
    assert watch.measured_rate_hz == pytest.approx(RATE_HZ, rel=1e-3)


def test_small_losses_are_found_when_they_have_added_up() -> None:
    """Two samples of a hundred, again and again: none of them is longer than the jitter."""
    watch = StampWatch(RATE_HZ, 0.010)
    found = [watch.first_gap(stamps(98, 100 * part)) for part in range(10)]
    gaps = [gap for gap in found if gap is not None]
    assert len(gaps) >= 1
    assert gaps[0].n_lost is not None
    assert 10 < gaps[0].n_lost <= 13
    assert found.index(gaps[0]) in (5, 6)


def test_a_clock_that_drifts_loses_nothing_and_is_told() -> None:
    watch = StampWatch(RATE_HZ, 0.010)
    drifting = stamps(300_000, rate_hz=RATE_HZ * (1 + 5e-4))
    assert all(watch.first_gap(part) is None for part in np.split(drifting, 3000))
    assert watch.drift == pytest.approx(5e-4, rel=1e-3)


def test_what_jitter_explains_is_no_drift() -> None:
    watch = StampWatch(RATE_HZ, 0.010)
    late = stamps(1000)
    late[-1] += 0.009
    assert watch.first_gap(late) is None
    assert watch.drift == 0.0


@pytest.mark.parametrize("wrong", [60.0, float("nan")])
def test_stamps_that_go_back_or_are_none_leave_the_loss_unknown(wrong: float) -> None:
    watch = StampWatch(RATE_HZ, 0.010)
    went = stamps(100)
    went[40:] = wrong
    assert watch.first_gap(went) == Gap(40, None)


def test_after_a_gap_counting_begins_anew() -> None:
    watch = StampWatch(RATE_HZ, 0.010)
    assert watch.first_gap(stamps(100)) is None
    watch.begin_segment()
    assert isnan(watch.measured_rate_hz)
    assert watch.first_gap(stamps(100, 5000)) is None
    assert watch.measured_rate_hz == pytest.approx(RATE_HZ)


def test_nothing_read_changes_nothing() -> None:
    watch = StampWatch(RATE_HZ, 0.010)
    assert watch.first_gap(stamps(0)) is None
    assert watch.first_gap(stamps(10)) is None
