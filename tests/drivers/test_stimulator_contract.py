"""What every stimulator does, whatever it is and however it is reached; asserted on the current that came out."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from threading import Thread

import pytest
from msgspec import structs
from stimulator_bench import Bench, Instrument, Phase
from stimulator_registry import INSTRUMENTS

from drivers.interface import (
    Abort,
    DeviceNotFound,
    DeviceRefused,
    DriverError,
    LinkLost,
    PulseTrain,
    Stimulator,
)


def _only(instruments: list[Instrument]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("instrument", instruments, ids=lambda one: one.name)


@pytest.fixture(params=INSTRUMENTS, ids=lambda one: one.name)
def instrument(request: pytest.FixtureRequest) -> Instrument:
    return request.param


@pytest.fixture
def bench(instrument: Instrument, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    if sys.platform == "win32" and instrument.posix_only:
        pytest.skip("Windows has no pseudo-terminals")
    with ExitStack() as stack:
        yield instrument.set_up(stack, monkeypatch)


@pytest.fixture
def train(instrument: Instrument) -> PulseTrain:
    return instrument.train


@pytest.fixture
def ready(bench: Bench) -> Bench:
    bench.stimulator.identify()
    return bench


def test_it_has_the_shape_of_a_stimulator(bench: Bench) -> None:
    assert isinstance(bench.stimulator, Stimulator)


def test_identifying_names_the_instrument_and_delivers_nothing(bench: Bench) -> None:
    assert len(bench.stimulator.identify()) > 5
    assert bench.elapse(2) == []


def test_one_shot_delivers_what_prepare_returned(ready: Bench, train: PulseTrain) -> None:
    delivered = ready.stimulator.prepare(train)
    assert ready.elapse(1) == []
    ready.stimulator.fire()
    current = ready.elapse(3)
    assert len(current) == train.n_phases * delivered.n_pulses == train.n_phases * train.n_pulses
    assert {duration_us for _, _, duration_us in current} == {delivered.phase_us}
    assert [abs(ua) for _, ua, _ in current] == pytest.approx([delivered.current_ua] * len(current))
    starts_us = [start_us for start_us, _, _ in current[:: train.n_phases]]
    assert {second - first for first, second in pairwise(starts_us)} == {delivered.period_us}
    net_uc = sum(ua * duration_us for _, ua, duration_us in current) * 1e-6
    assert abs(net_uc) == pytest.approx(delivered.net_charge_uc, abs=1e-9)


@_only([one for one in INSTRUMENTS if one.both_polarities])
def test_polarity_is_the_sign_of_the_first_phase(ready: Bench, train: PulseTrain) -> None:
    signs = []
    for polarity in ("cathodic_first", "anodic_first"):
        ready.stimulator.prepare(structs.replace(train, polarity=polarity))
        ready.stimulator.fire()
        signs.append(ready.elapse(2)[0][1] > 0)
        ready.stimulator.rest()
    assert signs == [False, True]


def test_each_shot_needs_its_own_prepare(ready: Bench, train: PulseTrain) -> None:
    ready.stimulator.prepare(train)
    ready.stimulator.fire()
    with pytest.raises(DeviceRefused):
        ready.stimulator.fire()
    assert len(ready.elapse(5)) == train.n_phases * train.n_pulses
    ready.stimulator.rest()
    with pytest.raises(DeviceRefused):
        ready.stimulator.fire()
    assert ready.elapse(2) == []


def test_a_train_may_run_while_nothing_else_is_asked(ready: Bench, train: PulseTrain) -> None:
    ready.stimulator.prepare(train)
    ready.stimulator.fire()
    with pytest.raises(DeviceRefused):
        ready.stimulator.prepare(train)
    assert len(ready.elapse(3)) == train.n_phases * train.n_pulses


def test_one_train_follows_another(ready: Bench, train: PulseTrain) -> None:
    for _ in range(3):
        ready.stimulator.prepare(train)
        ready.stimulator.fire()
        assert len(ready.elapse(3)) == train.n_phases * train.n_pulses
        ready.stimulator.rest()
        assert ready.elapse(1) == []


def test_nothing_is_delivered_before_it_is_identified(bench: Bench, train: PulseTrain) -> None:
    _assert_refuses(bench, train)
    assert bench.stimulator.abort() is Abort.UNCONFIRMED
    assert bench.elapse(2) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"current_ua": None}, id="current above the cap"),
        pytest.param({"pulse_hz": 625.0, "phase_us": 2000.0}, id="pulses that overlap"),
        pytest.param({"phase_us": 0.0}, id="phase of zero"),
        pytest.param({"train_s": 0.0}, id="train of zero"),
        pytest.param({"current_ua": 0.0}, id="no current"),
        pytest.param({"current_ua": -200.0}, id="negative current"),
        pytest.param({"current_ua": float("nan")}, id="current not a number"),
        pytest.param({"train_s": float("inf")}, id="endless train"),
    ],
)
def test_what_cannot_be_delivered_is_refused_and_disarms(
    ready: Bench, instrument: Instrument, train: PulseTrain, change: dict[str, float | None]
) -> None:
    values = {name: instrument.max_current_ua * 1.001 if value is None else value for name, value in change.items()}
    ready.stimulator.prepare(train)
    with pytest.raises(DeviceRefused):
        ready.stimulator.prepare(structs.replace(train, **values))
    with pytest.raises(DeviceRefused):
        ready.stimulator.fire()
    assert ready.elapse(2) == []


def test_abort_stops_a_running_train_and_disarms(ready: Bench, instrument: Instrument, train: PulseTrain) -> None:
    ready.stimulator.prepare(train)
    ready.stimulator.fire()
    assert ready.elapse(0.5)
    assert ready.stimulator.abort() is instrument.proof
    assert _current_us(ready.elapse(3)) <= instrument.tail_us
    with pytest.raises(DeviceRefused):
        ready.stimulator.fire()
    assert ready.stimulator.abort() is instrument.proof


@_only([one for one in INSTRUMENTS if one.proof is Abort.CONFIRMED])
def test_after_a_proven_stop_a_whole_train_may_follow(ready: Bench, train: PulseTrain) -> None:
    ready.stimulator.prepare(train)
    ready.stimulator.fire()
    ready.elapse(0.5)
    ready.stimulator.abort()
    ready.elapse(3)
    ready.stimulator.prepare(train)
    ready.stimulator.fire()
    assert len(ready.elapse(3)) == train.n_phases * train.n_pulses


def test_abort_may_come_from_any_thread_while_others_work(
    ready: Bench, instrument: Instrument, train: PulseTrain
) -> None:
    outcomes: list[Abort] = []
    threads = [Thread(target=lambda: outcomes.append(ready.stimulator.abort())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        ready.stimulator.prepare(train)
    for thread in threads:
        thread.join()
    assert len(outcomes) == len(threads)
    # That nothing runs may be known where the end of a train could not be proven.
    assert set(outcomes) <= {Abort.CONFIRMED, instrument.proof}
    assert ready.elapse(2) == []


def test_closing_ends_everything_and_may_be_repeated(ready: Bench, instrument: Instrument, train: PulseTrain) -> None:
    ready.stimulator.prepare(train)
    ready.stimulator.fire()
    ready.elapse(0.5)
    ready.stimulator.close()
    ready.stimulator.close()
    assert _current_us(ready.elapse(3)) <= instrument.tail_us
    with pytest.raises(DeviceRefused):
        ready.stimulator.prepare(train)


def test_a_closed_stimulator_can_be_connected_again(ready: Bench, train: PulseTrain) -> None:
    ready.stimulator.close()
    ready.stimulator.identify()
    ready.stimulator.prepare(train)
    ready.stimulator.fire()
    assert len(ready.elapse(3)) == train.n_phases * train.n_pulses


@_only([one for one in INSTRUMENTS if one.tells_models_apart])
def test_another_model_is_refused(bench: Bench) -> None:
    assert bench.other_model is not None
    with pytest.raises(DeviceRefused):
        bench.other_model().identify()


def _current_us(current: list[Phase]) -> int:
    return sum(duration_us for _, _, duration_us in current)


BREAKS = pytest.mark.parametrize(
    ("instrument", "how"),
    [pytest.param(one, how, id=f"{one.name}, {how}") for one in INSTRUMENTS for how in one.breaks],
)


def _assert_fault(bench: Bench, train: PulseTrain) -> None:
    """Only connecting again helps, and no stop is claimed."""
    assert bench.stimulator.abort() is Abort.UNCONFIRMED
    _assert_refuses(bench, train)


def _assert_refuses(bench: Bench, train: PulseTrain) -> None:
    for verb in (lambda: bench.stimulator.prepare(train), bench.stimulator.fire, bench.stimulator.rest):
        with pytest.raises(DeviceRefused):
            verb()


@BREAKS
def test_what_does_not_answer_rightly_is_not_identified(bench: Bench, train: PulseTrain, how: str) -> None:
    bench.breaks[how]()
    expected = DriverError if how == "unplugged" else DeviceNotFound
    with pytest.raises(expected):
        bench.stimulator.identify()
    _assert_fault(bench, train)


@BREAKS
def test_a_link_that_breaks_in_prepare_is_lost(ready: Bench, train: PulseTrain, how: str) -> None:
    ready.breaks[how]()
    with pytest.raises(LinkLost):
        ready.stimulator.prepare(train)
    _assert_fault(ready, train)
    assert ready.elapse(2) == []


@BREAKS
def test_a_link_that_breaks_in_fire_leaves_the_train_unknown_and_is_never_tried_again(
    ready: Bench, train: PulseTrain, how: str
) -> None:
    ready.stimulator.prepare(train)
    ready.breaks[how]()
    with pytest.raises(LinkLost, match="may have been delivered"):
        ready.stimulator.fire()
    assert len(ready.elapse(3)) in (0, train.n_phases * train.n_pulses)
    _assert_fault(ready, train)


@BREAKS
def test_a_link_that_breaks_in_rest_is_lost(ready: Bench, train: PulseTrain, how: str) -> None:
    ready.stimulator.prepare(train)
    ready.breaks[how]()
    with pytest.raises(LinkLost):
        ready.stimulator.rest()
    _assert_fault(ready, train)


@BREAKS
def test_a_stop_without_its_proof_is_unconfirmed(ready: Bench, train: PulseTrain, how: str) -> None:
    ready.stimulator.prepare(train)
    ready.stimulator.fire()
    ready.elapse(0.5)
    ready.breaks[how]()
    assert ready.stimulator.abort() is Abort.UNCONFIRMED
    _assert_fault(ready, train)


@BREAKS
def test_closing_a_broken_link_does_not_raise(ready: Bench, train: PulseTrain, how: str) -> None:
    ready.stimulator.prepare(train)
    ready.breaks[how]()
    ready.stimulator.close()
    with pytest.raises(DeviceRefused):
        ready.stimulator.prepare(train)


@pytest.mark.parametrize(
    ("instrument", "how"),
    [pytest.param(one, how, id=f"{one.name}, {how}") for one in INSTRUMENTS if one.mends for how in one.breaks],
)
def test_when_the_link_is_back_connecting_again_is_needed_and_enough(ready: Bench, train: PulseTrain, how: str) -> None:
    assert ready.mend is not None
    ready.stimulator.prepare(train)
    ready.stimulator.fire()
    ready.elapse(0.5)
    ready.breaks[how]()
    assert ready.stimulator.abort() is Abort.UNCONFIRMED
    ready.elapse(3)
    ready.mend()
    _assert_refuses(ready, train)
    ready.stimulator.identify()
    assert ready.elapse(3) == []
    ready.stimulator.prepare(train)
    ready.stimulator.fire()
    assert len(ready.elapse(3)) == train.n_phases * train.n_pulses
