"""The truth of the safety model keeps the stimulator's time, which is ahead of the bench's while messages are read."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.reliability.safety_asks import WIDEST
from benchmarks.reliability.safety_bench import STIMULATORS, Kind, SafetyBench
from drivers.interface import Abort, PulseTrain, Stimulator
from drivers.simulated.endpoints import MemoryWire
from kindle.dial_question import DialQuestion
from kindle.stimulators import Reach, stimulator_of

ANY_KIND = pytest.mark.parametrize("kind", list(STIMULATORS))

TRAIN = PulseTrain(current_ua=60.0, phase_us=2000.0, interphase_us=1500.0, pulse_hz=20.0, train_s=0.2)
"""Its pulses last longer than the tolerance of ``PROVEN_US``."""


@contextmanager
def stopped_at_once(bench: SafetyBench) -> Iterator[Stimulator]:
    """After so many messages that reading them takes longer than ``PROVEN_US``: a train, and its stop right after."""
    wire = MemoryWire(bench.device, bench.clock.now_us)
    stimulator = stimulator_of(bench.config, Reach(DialQuestion(), "in-process", wire=wire))
    stimulator.identify()
    for _ in range(10):
        stimulator.prepare(TRAIN)
    bench.observer.asked = (TRAIN,)
    bench.observer.triggered()
    stimulator.fire()
    proof = stimulator.abort()
    assert proof is Abort.CONFIRMED
    bench.observer.aborted(proof)
    yield stimulator
    stimulator.close()


@ANY_KIND
def test_a_stop_is_proven_no_earlier_than_the_stimulator_has_read_it(kind: Kind) -> None:
    bench = SafetyBench(kind, WIDEST, 1, float("inf"))
    with stopped_at_once(bench):
        bench.plays_on(1.0)
    assert bench.observer.violations == []


@ANY_KIND
def test_current_behind_a_proven_stop_is_found(kind: Kind) -> None:
    bench = SafetyBench(kind, WIDEST, 1, float("inf"))
    with stopped_at_once(bench) as stimulator:
        bench.plays_on(1.0)
        stimulator.prepare(TRAIN)
        stimulator.fire()
        bench.plays_on(1.0)
    (found,) = bench.observer.violations
    assert "after it was confirmed that none flows" in found
