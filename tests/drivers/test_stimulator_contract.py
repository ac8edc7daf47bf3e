"""What every stimulator does, whatever it is and however it is reached; asserted on the current that came out."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from threading import Thread

import pytest
from pulsepal_bench import HandClock, phases

from drivers import pulsepal
from drivers.interface import (
    Abort,
    DeviceNotFound,
    DeviceRefused,
    DriverError,
    LinkLost,
    PulseTrain,
    Stimulator,
)
from drivers.pulsepal import PulsePal
from drivers.simulated.endpoints import MemoryWire, PtyEndpoint, TcpEndpoint
from drivers.simulated.faults import Faults
from drivers.simulated.pulsepal_device import PulsePalDevice

TRAIN = PulseTrain(current_ua=200, phase_us=1000, interphase_us=0, pulse_hz=60, train_s=1)
UA_PER_V = 1000.0
MAX_CURRENT_UA = 1000.0

Phase = tuple[int, float, int]
"""Start in us of bench time, current in uA, duration in us."""


@dataclass
class Bench:
    """A stimulator, the emulated instrument behind it, and what the tests may do to them."""

    stimulator: Stimulator
    clock: HandClock
    current: Callable[[int, int], list[Phase]]
    inject: Callable[[Faults], None]
    unplug: Callable[[], None]
    replug: Callable[[], None]
    other_model: Callable[[], Stimulator]
    """A stimulator of the same kind whose instrument is another model."""

    def elapse(self, seconds: float) -> list[Phase]:
        """Let time pass; the current that flowed meanwhile."""
        start_us = self.clock.now_us
        self.clock.now_us += round(seconds * 1e6)
        return self.current(start_us, self.clock.now_us)


def _pulsepal(kind: str, stack: ExitStack) -> Bench:
    clock = HandClock()

    def connected(device: PulsePalDevice) -> tuple[PulsePal, MemoryWire | PtyEndpoint | TcpEndpoint]:
        settings = {"ua_per_v": UA_PER_V, "max_current_ua": MAX_CURRENT_UA, "settle_s": 0.0}
        if kind == "memory":
            wire = MemoryWire(device, clock)
            stimulator = PulsePal("in memory", wire=wire, **settings)
            stack.callback(stimulator.close)
            return stimulator, wire
        endpoint = stack.enter_context({"pty": PtyEndpoint, "tcp": TcpEndpoint}[kind](device, clock))
        stimulator = PulsePal(endpoint.address, **settings)
        stack.callback(stimulator.close)
        return stimulator, endpoint

    device = PulsePalDevice()
    stimulator, cable = connected(device)

    def current(start_us: int, end_us: int) -> list[Phase]:
        found = phases(device, 1, start_us, end_us)
        return [(phase.start_us, phase.offset_codes / 3276.8 * UA_PER_V, phase.duration_us) for phase in found]

    return Bench(
        stimulator,
        clock,
        current,
        device.inject,
        cable.unplug,
        cable.replug,
        lambda: connected(PulsePalDevice(version=5))[0],
    )


BENCHES = {
    f"Pulse Pal over {kind}": lambda stack, kind=kind: _pulsepal(kind, stack) for kind in ("memory", "pty", "tcp")
}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    if sys.platform == "win32" and request.param.endswith("pty"):
        pytest.skip("Windows has no pseudo-terminals")
    # Silence is tested often; loopback answers within a millisecond.
    monkeypatch.setattr(pulsepal, "EXCHANGE_TIMEOUT_S", 0.15)
    monkeypatch.setattr(pulsepal, "HANDSHAKE_TIMEOUT_S", 0.15)
    with ExitStack() as stack:
        yield BENCHES[request.param](stack)


@pytest.fixture
def ready(bench: Bench) -> Bench:
    bench.stimulator.identify()
    return bench


def test_it_has_the_shape_of_a_stimulator(bench: Bench) -> None:
    assert isinstance(bench.stimulator, Stimulator)


def test_identifying_names_the_instrument_and_delivers_nothing(bench: Bench) -> None:
    assert len(bench.stimulator.identify()) > 5
    assert bench.elapse(2) == []


def test_one_shot_delivers_what_prepare_returned(ready: Bench) -> None:
    delivered = ready.stimulator.prepare(TRAIN)
    assert ready.elapse(1) == []
    ready.stimulator.fire()
    current = ready.elapse(3)
    assert len(current) == 2 * delivered.n_pulses == 120
    assert {duration_us for _, _, duration_us in current} == {delivered.phase_us}
    assert [abs(ua) for _, ua, _ in current] == pytest.approx([delivered.current_ua] * 120)
    starts_us = [start_us for start_us, _, _ in current[::2]]
    assert {second - first for first, second in pairwise(starts_us)} == {delivered.period_us}
    assert sum(ua * duration_us for _, ua, duration_us in current) == pytest.approx(delivered.net_charge_uc, abs=1e-6)


def test_polarity_is_the_sign_of_the_first_phase(ready: Bench) -> None:
    signs = []
    for polarity in ("cathodic_first", "anodic_first"):
        ready.stimulator.prepare(PulseTrain(100, 500, 100, 50, 0.1, polarity=polarity))
        ready.stimulator.fire()
        signs.append(ready.elapse(1)[0][1] > 0)
        ready.stimulator.rest()
    assert signs == [False, True]


def test_each_shot_needs_its_own_prepare(ready: Bench) -> None:
    ready.stimulator.prepare(TRAIN)
    ready.stimulator.fire()
    with pytest.raises(DeviceRefused):
        ready.stimulator.fire()
    assert len(ready.elapse(5)) == 120
    ready.stimulator.rest()
    with pytest.raises(DeviceRefused):
        ready.stimulator.fire()
    assert ready.elapse(2) == []


def test_a_train_may_run_while_nothing_else_is_asked(ready: Bench) -> None:
    ready.stimulator.prepare(TRAIN)
    ready.stimulator.fire()
    with pytest.raises(DeviceRefused):
        ready.stimulator.prepare(TRAIN)
    assert len(ready.elapse(3)) == 120


def test_nothing_is_delivered_before_it_is_identified(bench: Bench) -> None:
    for verb in (lambda: bench.stimulator.prepare(TRAIN), bench.stimulator.fire, bench.stimulator.rest):
        with pytest.raises(DeviceRefused):
            verb()
    assert bench.stimulator.abort() is Abort.UNCONFIRMED
    assert bench.elapse(2) == []


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(PulseTrain(MAX_CURRENT_UA * 1.001, 1000, 0, 60, 1), id="current above the cap"),
        pytest.param(PulseTrain(200, 1000, 0, 625, 1), id="pulses that overlap"),
        pytest.param(PulseTrain(200, 0, 0, 60, 1), id="phase of zero"),
        pytest.param(PulseTrain(200, 1000, 0, 60, 0), id="train of zero"),
        pytest.param(PulseTrain(0, 1000, 0, 60, 1), id="no current"),
        pytest.param(PulseTrain(-200, 1000, 0, 60, 1), id="negative current"),
        pytest.param(PulseTrain(float("nan"), 1000, 0, 60, 1), id="current not a number"),
        pytest.param(PulseTrain(200, 1000, 0, 60, float("inf")), id="endless train"),
    ],
)
def test_what_cannot_be_delivered_is_refused_and_disarms(ready: Bench, refused: PulseTrain) -> None:
    ready.stimulator.prepare(TRAIN)
    with pytest.raises(DeviceRefused):
        ready.stimulator.prepare(refused)
    with pytest.raises(DeviceRefused):
        ready.stimulator.fire()
    assert ready.elapse(2) == []


def test_abort_stops_a_running_train_and_disarms(ready: Bench) -> None:
    ready.stimulator.prepare(TRAIN)
    ready.stimulator.fire()
    assert ready.elapse(0.5)
    assert ready.stimulator.abort() is Abort.CONFIRMED
    after = ready.elapse(3)
    assert sum(duration_us for _, _, duration_us in after) <= 1000
    with pytest.raises(DeviceRefused):
        ready.stimulator.fire()
    assert ready.stimulator.abort() is Abort.CONFIRMED
    ready.stimulator.prepare(TRAIN)
    ready.stimulator.fire()
    assert len(ready.elapse(3)) == 120


def test_abort_may_come_from_any_thread_while_others_work(ready: Bench) -> None:
    outcomes: list[Abort] = []
    threads = [Thread(target=lambda: outcomes.append(ready.stimulator.abort())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        ready.stimulator.prepare(TRAIN)
    for thread in threads:
        thread.join()
    assert outcomes == [Abort.CONFIRMED] * 8


def test_closing_ends_everything_and_may_be_repeated(ready: Bench) -> None:
    ready.stimulator.prepare(TRAIN)
    ready.stimulator.fire()
    ready.elapse(0.5)
    ready.stimulator.close()
    ready.stimulator.close()
    assert sum(duration_us for _, _, duration_us in ready.elapse(3)) <= 1000
    with pytest.raises(DeviceRefused):
        ready.stimulator.prepare(TRAIN)


def test_a_closed_stimulator_can_be_connected_again(ready: Bench) -> None:
    ready.stimulator.close()
    ready.stimulator.identify()
    ready.stimulator.prepare(TRAIN)
    ready.stimulator.fire()
    assert len(ready.elapse(3)) == 120


def test_another_model_is_refused(bench: Bench) -> None:
    with pytest.raises(DeviceRefused):
        bench.other_model().identify()


def _break(bench: Bench, how: str) -> None:
    match how:
        case "silent":
            bench.inject(Faults(silent=True))
        case "garbage":
            bench.inject(Faults(garbage=True))
        case "unplugged":
            bench.unplug()


BREAKS = pytest.mark.parametrize("how", ["silent", "garbage", "unplugged"])


def _assert_fault(bench: Bench) -> None:
    """Only connecting again helps, and no stop is claimed."""
    assert bench.stimulator.abort() is Abort.UNCONFIRMED
    for verb in (lambda: bench.stimulator.prepare(TRAIN), bench.stimulator.fire, bench.stimulator.rest):
        with pytest.raises(DeviceRefused):
            verb()


@BREAKS
def test_what_does_not_answer_rightly_is_not_identified(bench: Bench, how: str) -> None:
    _break(bench, how)
    expected = DriverError if how == "unplugged" else DeviceNotFound
    with pytest.raises(expected):
        bench.stimulator.identify()
    _assert_fault(bench)


@BREAKS
def test_a_link_that_breaks_in_prepare_is_lost(ready: Bench, how: str) -> None:
    _break(ready, how)
    with pytest.raises(LinkLost):
        ready.stimulator.prepare(TRAIN)
    _assert_fault(ready)
    assert ready.elapse(2) == []


@BREAKS
def test_a_link_that_breaks_in_fire_leaves_the_train_unknown_and_is_never_tried_again(ready: Bench, how: str) -> None:
    ready.stimulator.prepare(TRAIN)
    _break(ready, how)
    with pytest.raises(LinkLost, match="may have been delivered"):
        ready.stimulator.fire()
    assert len(ready.elapse(3)) in (0, 120)
    _assert_fault(ready)


@BREAKS
def test_a_link_that_breaks_in_rest_is_lost(ready: Bench, how: str) -> None:
    ready.stimulator.prepare(TRAIN)
    _break(ready, how)
    with pytest.raises(LinkLost):
        ready.stimulator.rest()
    _assert_fault(ready)


@BREAKS
def test_a_stop_without_its_proof_is_unconfirmed(ready: Bench, how: str) -> None:
    ready.stimulator.prepare(TRAIN)
    ready.stimulator.fire()
    ready.elapse(0.5)
    _break(ready, how)
    assert ready.stimulator.abort() is Abort.UNCONFIRMED
    _assert_fault(ready)


@BREAKS
def test_closing_a_broken_link_does_not_raise(ready: Bench, how: str) -> None:
    ready.stimulator.prepare(TRAIN)
    _break(ready, how)
    ready.stimulator.close()
    with pytest.raises(DeviceRefused):
        ready.stimulator.prepare(TRAIN)
