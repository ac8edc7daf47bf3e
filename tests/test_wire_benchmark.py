"""The benchmark of the wires measures what it says: short runs, plausible figures, nothing timed against a goal."""

import pytest

from benchmarks.wire import NEED_HZ, throughput, trigger_and_stop, verdict_latency


def test_throughput_is_told_in_samples_and_as_a_multiple_of_real_time() -> None:
    figures = throughput(100, seconds=1.0)
    assert figures["times_real_time"] == pytest.approx(figures["samples_per_s"] / NEED_HZ)
    assert figures["times_real_time"] > 1


def test_the_detector_is_timed_through_trains_and_quiet() -> None:
    figures = verdict_latency(trains=1)
    assert 0 < figures["block_to_verdict_ms"] <= figures["block_to_verdict_p99_ms"]


@pytest.mark.parametrize("kind", ["pulsepal", "isolator"])
def test_no_pulse_is_measured_before_its_trigger(kind: str) -> None:
    figures = trigger_and_stop(kind, repeats=1)
    assert figures["fire_to_first_pulse_ms"] >= 0
    assert figures["abort_to_last_pulse_ms"] >= 0
    assert figures["abort_to_proof_ms"] > 0
