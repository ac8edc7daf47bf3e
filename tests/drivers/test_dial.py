"""Stimulators that a person sets: what is asked, what is believed, and what is never claimed."""

from collections.abc import Callable

import pytest
from board_bench import TRAIN, BoardClock
from msgspec import structs
from stimulator_bench import HandClock, phases_of

from drivers.board_dialogue import SETTLE_S
from drivers.interface import Abort, DeliveredTrain, DeviceRefused, LinkLost, PulseTrain, Stimulator
from drivers.manual import ManualGate
from drivers.ni_counter import CounterOutput
from drivers.simulated.board import Board
from drivers.simulated.board_port import BoardPort
from drivers.simulated.hand_set import HandSetStimulator
from drivers.simulated.products import PCIE_6321, USB_6212

MONOPHASIC = structs.replace(TRAIN, shape="monophasic")


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def board(hand: HandClock) -> Board:
    return Board(BoardClock(hand), product=USB_6212)


class Experimenter:
    """Sets the dial to what is wanted, or to something else."""

    def __init__(self, stimulator: HandSetStimulator | None = None, sets: float | None = None) -> None:
        self._stimulator = stimulator
        self._sets = sets
        self.asked: list[PulseTrain] = []

    def __call__(self, train: PulseTrain) -> float:
        self.asked.append(train)
        wanted = train if self._sets is None else structs.replace(train, current_ua=self._sets)
        if self._stimulator is not None:
            self._stimulator.set(wanted)
        return wanted.current_ua


Kind = Callable[[Board, Experimenter], Stimulator]


def manual(board: Board, experimenter: Experimenter, *, gated: bool = True) -> ManualGate:
    return ManualGate(
        "Dev1", gated=gated, max_current_ua=500.0, read_dial=experimenter, port=lambda pins: BoardPort(board, pins)
    )


def counter(board: Board, experimenter: Experimenter) -> CounterOutput:
    return CounterOutput("Dev1", max_current_ua=500.0, read_dial=experimenter, port=lambda pins: BoardPort(board, pins))


BOTH = pytest.mark.parametrize("kind", [manual, counter])


@BOTH
def test_every_train_is_shown_to_the_experimenter_before_it_is_armed(kind: Kind, board: Board) -> None:
    experimenter = Experimenter()
    stimulator = kind(board, experimenter)
    stimulator.identify()
    assert experimenter.asked == []
    for current_ua in (100.0, 120.0):
        train = structs.replace(MONOPHASIC, current_ua=current_ua)
        assert stimulator.prepare(train).current_ua == current_ua
        assert experimenter.asked[-1] == train
    assert len(experimenter.asked) == 2
    stimulator.close()


@BOTH
@pytest.mark.parametrize("says", [0.0, 150.0, 203.0, float("nan")])
def test_a_dial_that_says_something_else_arms_nothing(kind: Kind, board: Board, says: float) -> None:
    experimenter = Experimenter()
    stimulator = kind(board, experimenter)
    stimulator.identify()
    stimulator.prepare(MONOPHASIC)
    experimenter._sets = says
    with pytest.raises(DeviceRefused):
        stimulator.prepare(MONOPHASIC)
    with pytest.raises(DeviceRefused):
        stimulator.fire()
    stimulator.close()


@BOTH
def test_nobody_is_asked_for_a_train_that_is_refused_anyway(kind: Kind, board: Board) -> None:
    experimenter = Experimenter()
    stimulator = kind(board, experimenter)
    with pytest.raises(DeviceRefused):
        stimulator.prepare(MONOPHASIC)
    stimulator.identify()
    for current_ua in (501.0, 0.0, -1.0, float("nan")):
        with pytest.raises(DeviceRefused):
            stimulator.prepare(structs.replace(MONOPHASIC, current_ua=current_ua))
    assert experimenter.asked == []
    stimulator.close()


@BOTH
def test_an_experimenter_who_gives_up_leaves_nothing_armed(kind: Kind, board: Board) -> None:
    class GivesUp(Experimenter):
        def __call__(self, train: PulseTrain) -> float:
            if self.asked:
                raise KeyboardInterrupt
            return super().__call__(train)

    stimulator = kind(board, GivesUp())
    stimulator.identify()
    stimulator.prepare(MONOPHASIC)
    with pytest.raises(KeyboardInterrupt):
        stimulator.prepare(MONOPHASIC)
    with pytest.raises(DeviceRefused):
        stimulator.fire()
    stimulator.close()


def test_the_record_says_that_the_dials_are_unverified(board: Board) -> None:
    stimulator = manual(board, Experimenter())
    assert "set by hand and unverified" in stimulator.identify()
    stimulator.close()


def test_a_stimulator_of_one_current_asks_nobody_and_refuses_others(board: Board) -> None:
    fixed = CounterOutput("Dev1", current_ua=200.0, max_current_ua=500.0, port=lambda pins: BoardPort(board, pins))
    fixed.identify()
    assert fixed.prepare(MONOPHASIC).current_ua == 200.0
    with pytest.raises(DeviceRefused, match="stands at 200 uA"):
        fixed.prepare(structs.replace(MONOPHASIC, current_ua=250.0))
    fixed.close()


def test_a_counter_gates_one_direction_only(board: Board) -> None:
    stimulator = counter(board, Experimenter())
    stimulator.identify()
    for other in (TRAIN, structs.replace(MONOPHASIC, polarity="anodic_first")):
        with pytest.raises(DeviceRefused, match="monophasic pulses, cathodic_first"):
            stimulator.prepare(other)
    stimulator.close()


@pytest.mark.parametrize("product", [USB_6212, PCIE_6321], ids=lambda product: product.name)
def test_what_the_counter_delivers_are_whole_ticks_of_its_board(hand: HandClock, product: object) -> None:
    """60 Hz is no whole number of ticks: what is returned is what comes, to the nanosecond."""
    board = Board(BoardClock(hand), product=product)  # type: ignore[arg-type]
    stimulator = counter(board, Experimenter())
    stimulator.identify()
    delivered = stimulator.prepare(PulseTrain(100, 1000, 0, 60, 1, shape="monophasic"))
    ticks = delivered.period_us * 1e-6 * board.product.timebase_hz
    assert ticks == pytest.approx(round(ticks), abs=1e-3)
    assert delivered.pulse_hz == pytest.approx(60.0, rel=1e-6)
    assert delivered.net_charge_uc == pytest.approx(6.0)
    stimulator.close()


def test_the_marker_of_a_counter_is_as_long_as_its_train(board: Board, hand: HandClock) -> None:
    stimulator = counter(board, Experimenter())
    stimulator.identify()
    delivered: DeliveredTrain = stimulator.prepare(PulseTrain(100, 1000, 0, 60, 1, shape="monophasic"))
    hand.now_us = 5_000
    stimulator.fire()
    marker = board.outputs.line("Dev1/ao0").between(0, 10**7)
    pulses = board.outputs.line("Dev1/ctr0").between(0, 10**7)
    assert marker.times_us[marker.volts > 1].tolist() == [5_000]
    assert marker.times_us[-1] - 5_000 == pytest.approx(delivered.train_s * 1e6, abs=100)
    assert pulses.times_us[pulses.volts > 1][0] == 5_000
    stimulator.close()


@pytest.mark.parametrize("pulse_hz", [3.0, 7.3, 60.0, 130.0])
def test_a_gate_lets_whole_pulses_through_although_two_clocks_differ(
    board: Board, hand: HandClock, pulse_hz: float
) -> None:
    """The gate falls in the middle of a gap: a stimulator that runs a little fast or slow gives the same number."""
    for drift in (0.9995, 1.0, 1.0005):
        behind = HandSetStimulator(board, "gate")
        stimulator = manual(board, Experimenter())
        stimulator.identify()
        train = PulseTrain(100, 1000, 0, pulse_hz, 1)
        stimulator.prepare(train)
        behind.set(structs.replace(train, pulse_hz=pulse_hz * drift))
        stimulator.fire()
        began_us, hand.now_us = hand.now_us, hand.now_us + 2_000_000
        current = phases_of(behind)(began_us, hand.now_us)
        assert [duration_us for _, _, duration_us in current] == [1000] * 2 * train.n_pulses
        stimulator.rest()
        stimulator.close()
        hand.now_us += 1_000_000


def test_a_triggered_stimulator_is_not_claimed_to_have_stopped_before_its_train_must_be_over(
    board: Board, hand: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    host_s = 100.0
    monkeypatch.setattr("drivers.board_dialogue.monotonic", lambda: host_s)
    behind = HandSetStimulator(board, "trigger")
    stimulator = manual(board, Experimenter(behind), gated=False)
    stimulator.identify()
    stimulator.prepare(TRAIN)
    stimulator.fire()
    hand.now_us += 100_000
    assert stimulator.abort() is Abort.UNCONFIRMED
    assert len(phases_of(behind)(0, 3_000_000)) == 2 * TRAIN.n_pulses
    host_s += TRAIN.train_s + SETTLE_S - 0.1
    assert stimulator.abort() is Abort.UNCONFIRMED
    host_s += 0.2
    assert stimulator.abort() is Abort.CONFIRMED
    stimulator.close()


def test_a_train_that_ended_by_the_boards_clock_may_be_stopped_with_proof(board: Board, hand: HandClock) -> None:
    stimulator = manual(board, Experimenter(HandSetStimulator(board, "trigger")), gated=False)
    stimulator.identify()
    stimulator.prepare(TRAIN)
    stimulator.fire()
    hand.now_us += 2_000_000
    stimulator.rest()
    assert stimulator.abort() is Abort.CONFIRMED
    stimulator.close()


def test_a_gate_that_is_lost_in_the_train_is_reported(board: Board, hand: HandClock) -> None:
    stimulator = manual(board, Experimenter(HandSetStimulator(board, "gate")))
    stimulator.identify()
    stimulator.prepare(TRAIN)
    stimulator.fire()
    hand.now_us += 100_000
    board.faults.unplug()
    with pytest.raises(LinkLost):
        stimulator.rest()
    assert stimulator.abort() is Abort.UNCONFIRMED
    stimulator.close()


def test_settings_that_cannot_be_are_refused(board: Board) -> None:
    for settings in (
        {"counter": "ao0"},
        {"marker": "ctr0"},
        {"marker": "port0/line0"},
        {"max_current_ua": 0.0},
        {"current_ua": 100.0},
        {"read_dial": None},
    ):
        given = {"max_current_ua": 500.0, "read_dial": Experimenter()} | settings
        with pytest.raises(DeviceRefused):
            CounterOutput("Dev1", **given)  # type: ignore[arg-type]
    with pytest.raises(DeviceRefused):
        ManualGate("Dev1", counter="ao0", max_current_ua=500.0, read_dial=Experimenter())
