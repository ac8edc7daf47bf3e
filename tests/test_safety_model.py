"""Rig, experimenter, faults and crashes in random order, and after each step what really flowed."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from benchmarks.reliability.safety_machine import SafetyMachine
from benchmarks.reliability.safety_tally import Tally


@pytest.fixture
def silence() -> Iterator[None]:
    """Faults by the hundred are logged by the hundred."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("silence")
def test_whatever_happens_in_any_order_no_current_flows_that_may_not() -> None:
    tally = Tally()
    machine = type("SafetyMachine", (SafetyMachine,), {"tally": tally})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=100,
            database=None,
            deadline=None,
            derandomize=True,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=tuple(HealthCheck),
        ),
    )
    assert tally.n_delivering_steps > 0.05 * tally.n_steps
    assert tally.n_second_openers > 0
    assert tally.stop_latencies_us
    assert len(tally.refused) > 5
