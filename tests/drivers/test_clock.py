"""Bench time, in its three kinds."""

import threading
import time

import pytest

from drivers.simulated.clock import DemandClock, RealClock, SteppedClock


def test_demanded_time_passes_at_once_and_only_when_waited_for() -> None:
    clock = DemandClock()
    assert clock.now_us() == 0
    began_s = time.monotonic()
    assert clock.wait_until(3_600_000_000, timeout_s=0.0)
    assert time.monotonic() - began_s < 1.0
    assert clock.now_us() == 3_600_000_000


def test_demanded_time_never_goes_back() -> None:
    clock = DemandClock()
    clock.wait_until(500, 1.0)
    assert clock.wait_until(200, 1.0)
    assert clock.now_us() == 500


def test_real_time_can_run_faster_than_the_wall() -> None:
    clock = RealClock(speed=100.0)
    began_s = time.monotonic()
    assert clock.wait_until(clock.now_us() + 2_000_000, timeout_s=10.0)
    passed_s = time.monotonic() - began_s
    assert 0.02 <= passed_s < 1.0


def test_waiting_for_real_time_gives_up_at_the_timeout() -> None:
    clock = RealClock()
    began_s = time.monotonic()
    assert not clock.wait_until(clock.now_us() + 60_000_000, timeout_s=0.02)
    assert 0.02 <= time.monotonic() - began_s < 1.0


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_a_clock_needs_a_positive_speed(speed: float) -> None:
    with pytest.raises(ValueError, match="positive speed"):
        RealClock(speed)


def test_a_stepped_clock_wakes_whoever_waits_for_the_step() -> None:
    clock = SteppedClock()
    reached: list[bool] = []
    waiter = threading.Thread(target=lambda: reached.append(clock.wait_until(1000, timeout_s=10.0)))
    waiter.start()
    clock.advance_to(999)
    assert not clock.wait_until(1000, timeout_s=0.01)
    clock.advance_to(1000)
    waiter.join(10.0)
    assert reached == [True]


def test_a_stepped_clock_refuses_to_go_back() -> None:
    clock = SteppedClock()
    clock.advance_to(10)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance_to(9)
