"""The outputs of the emulated board by themselves: what its pins do, and what becomes of them when something breaks."""

import numpy as np
import pytest

from drivers.simulated.analogue_input import AnalogInput, SampleMode
from drivers.simulated.analogue_output import AnalogOutput
from drivers.simulated.board import Board
from drivers.simulated.clock import SteppedClock
from drivers.simulated.counter_output import CounterOutput
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.digital_output import DigitalOutput
from drivers.simulated.products import PCIE_6321, USB_6008, USB_6212, Terminal

CLOCK_HZ = 1000.0


def waveform_on(board: Board, volts: list[float], pins: tuple[str, ...] = ("Dev1/ao0",)) -> AnalogOutput:
    """The same volts on every pin, 1 ms each."""
    task = AnalogOutput(board)
    task.add_channels(list(pins), list(pins), -10.0, 10.0)
    task.set_clock(CLOCK_HZ, len(volts))
    task.write(np.tile(volts, (len(pins), 1)), auto_start=False)
    return task


def pulses_on(board: Board, counter: str, n_pulses: int) -> CounterOutput:
    """1 ms high, 4 ms low."""
    task = CounterOutput(board)
    task.add_channel(counter, f"Dev1/{counter}", 0.0, 0.004, 0.001)
    task.set_n_pulses(n_pulses)
    return task


def levels(board: Board, pin: str, until_us: int) -> list[tuple[int, float]]:
    steps = board.outputs.line(f"Dev1/{pin}").between(0, until_us)
    return list(zip(steps.times_us.tolist(), np.round(steps.volts, 2).tolist(), strict=True))


def code_of(refused: pytest.ExceptionInfo[BoardError]) -> int:
    return refused.value.code


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def board(clock: SteppedClock) -> Board:
    return Board(clock, product=USB_6212)


def test_a_waveform_is_played_sample_by_sample_and_the_last_one_stays(board: Board, clock: SteppedClock) -> None:
    task = waveform_on(board, [1.0, 1.0, -1.0, 0.0, 2.0])
    clock.advance_to(5_000)
    task.start()
    assert not task.done
    clock.advance_to(10_000)
    assert task.done
    task.stop()
    expected = [(0, 0.0), (5_000, 1.0), (7_000, -1.0), (8_000, 0.0), (9_000, 2.0)]
    assert levels(board, "ao0", 50_000) == expected


def test_stopping_in_the_middle_holds_the_voltage_of_that_moment(board: Board, clock: SteppedClock) -> None:
    task = waveform_on(board, [1.0, -3.0, 0.0])
    task.start()
    clock.advance_to(1_500)
    task.stop()
    assert levels(board, "ao0", 50_000)[-1] == (1_000, -3.0)


def test_the_converter_has_sixteen_bits(board: Board) -> None:
    task = waveform_on(board, [0.0001, 0.0002, 0.0])
    task.start()
    assert board.outputs.line("Dev1/ao0").volts_at(0) == 0.0
    assert board.outputs.line("Dev1/ao0").volts_at(1_000) == 20 / 2**16


def test_a_value_beyond_the_channels_limits_is_refused(board: Board) -> None:
    task = AnalogOutput(board)
    task.add_channels(["a"], ["Dev1/ao0"], -1.0, 1.0)
    task.set_clock(CLOCK_HZ, 2)
    with pytest.raises(BoardError) as refused:
        task.write(np.array([[1.001, 0.0]]), auto_start=False)
    assert code_of(refused) == DaqCode.INVALID_AO_DATA_WRITE


def test_nothing_is_driven_on_demand_while_a_waveform_holds_the_converter(board: Board, clock: SteppedClock) -> None:
    task = waveform_on(board, [1.0] * 10)
    task.start()
    zero = AnalogOutput(board)
    zero.add_channels(["z"], ["Dev1/ao0"], 0.0, 5.0)
    with pytest.raises(BoardError) as refused:
        zero.write(np.zeros((1, 1)), auto_start=True)
    assert code_of(refused) == DaqCode.PAL_RESOURCE_RESERVED
    task.unreserve()
    clock.advance_to(2_000)
    zero.write(np.zeros((1, 1)), auto_start=True)
    assert board.outputs.line("Dev1/ao0").volts_at(2_000) == 0.0


def test_a_counter_counts_its_pulses_and_ends_low(board: Board, clock: SteppedClock) -> None:
    task = pulses_on(board, "ctr0", 3)
    clock.advance_to(1_000)
    task.start()
    rises = [at_us for at_us, volts in levels(board, "ctr0", 100_000) if volts]
    assert rises == [1_000, 6_000, 11_000]
    assert levels(board, "ctr0", 100_000)[-1] == (12_000, 0.0)


def test_stopping_a_counter_lowers_its_pin(board: Board, clock: SteppedClock) -> None:
    task = pulses_on(board, "ctr0", 3)
    task.start()
    clock.advance_to(5_400)
    task.stop()
    assert levels(board, "ctr0", 100_000)[-2:] == [(5_000, 5.0), (5_400, 0.0)]


def test_a_board_of_two_counters_needs_both_for_a_train(board: Board) -> None:
    train = pulses_on(board, "ctr0", 3)
    train.start()
    with pytest.raises(BoardError) as refused:
        pulses_on(board, "ctr1", 1).start()
    assert code_of(refused) == DaqCode.PAL_RESOURCE_RESERVED
    four = Board(board.clock, product=PCIE_6321)
    pulses_on(four, "ctr0", 3).start()
    pulses_on(four, "ctr1", 3).start()


@pytest.mark.parametrize("trigger", ["/Dev1/ao/StartTrigger", "/dev1/AO/starttrigger"])
def test_an_armed_counter_begins_with_the_waveform(board: Board, clock: SteppedClock, trigger: str) -> None:
    counter = pulses_on(board, "ctr0", 1)
    counter.set_start_trigger(trigger)
    counter.start()
    clock.advance_to(7_000)
    assert not counter.done
    waveform_on(board, [1.0, 0.0]).start()
    assert levels(board, "ctr0", 100_000)[1:] == [(7_000, 5.0), (8_000, 0.0)]


def test_an_armed_output_that_was_stopped_does_not_begin(board: Board) -> None:
    counter = pulses_on(board, "ctr0", 1)
    counter.set_start_trigger("/Dev1/ao/StartTrigger")
    counter.start()
    counter.stop()
    waveform_on(board, [1.0, 0.0]).start()
    assert {volts for _, volts in levels(board, "ctr0", 100_000)} == {0.0}


def test_one_counter_starts_another(clock: SteppedClock) -> None:
    board = Board(clock, product=PCIE_6321)
    marker = pulses_on(board, "ctr2", 1)
    marker.set_start_trigger("/Dev1/Ctr0InternalOutput")
    marker.start()
    clock.advance_to(3_000)
    pulses_on(board, "ctr0", 4).start()
    assert (3_000, 5.0) in levels(board, "ctr2", 100_000)


def test_starting_the_inputs_is_an_edge_too(board: Board, clock: SteppedClock) -> None:
    counter = pulses_on(board, "ctr0", 1)
    counter.set_start_trigger("/Dev1/ai/StartTrigger")
    counter.start()
    clock.advance_to(2_000)
    inputs = AnalogInput(board)
    inputs.add_channels(["eeg"], [0], Terminal.RSE, -5.0, 5.0)
    inputs.set_clock(CLOCK_HZ, SampleMode.CONTINUOUS, 100)
    inputs.start()
    assert (2_000, 5.0) in levels(board, "ctr0", 100_000)


def test_a_line_is_clocked_by_the_waveform_and_stands_still_with_it(clock: SteppedClock) -> None:
    board = Board(clock, product=PCIE_6321)
    line = DigitalOutput(board)
    line.add_line("marker", "Dev1/port0/line0")
    line.set_clock("/Dev1/ao/SampleClock", CLOCK_HZ, 4)
    line.write(np.array([True, True, True, False]), auto_start=False)
    line.start()
    task = waveform_on(board, [1.0, 1.0, 1.0, 0.0])
    task.start()
    assert levels(board, "port0/line0", 100_000)[-1] == (3_000, 0.0)
    clock.advance_to(1_500)
    task.stop()
    assert levels(board, "port0/line0", 100_000)[-1] == (0, 5.0)


def test_lines_without_a_clock_and_outputs_without_one_are_refused(board: Board) -> None:
    line = DigitalOutput(board)
    line.add_line("marker", "Dev1/port0/line0")
    with pytest.raises(BoardError):
        line.set_clock("/Dev1/ao/SampleClock", CLOCK_HZ, 4)
    slow = AnalogOutput(Board(board.clock, product=USB_6008))
    with pytest.raises(BoardError):
        slow.set_clock(100.0, 10)


def test_a_terminal_that_does_not_exist_is_refused(board: Board) -> None:
    for terminal in ("/Dev1/PFI99", "/Dev2/ao/StartTrigger", "ao/StartTrigger", "/Dev1/Ctr2InternalOutput"):
        with pytest.raises(BoardError) as refused:
            pulses_on(board, "ctr0", 1).set_start_trigger(terminal)
        assert code_of(refused) == DaqCode.INVALID_ROUTING_SOURCE


def test_a_starved_waveform_holds_its_voltage_and_says_so_when_asked(board: Board, clock: SteppedClock) -> None:
    task = waveform_on(board, [1.0, 2.0, 3.0, 0.0])
    task.start()
    clock.advance_to(1_500)
    board.starve()
    clock.advance_to(90_000)
    assert levels(board, "ao0", 90_000)[-1] == (1_000, 2.0)
    for ask in (lambda: task.done, lambda: task.wait_until_done(1.0), task.stop):
        with pytest.raises(BoardError) as broken:
            ask()
        assert code_of(broken) == DaqCode.DAC_UNDERFLOW
    task.unreserve()


def test_a_waveform_that_the_board_holds_outlives_the_computer(board: Board, clock: SteppedClock) -> None:
    task = waveform_on(board, [1.0] * 8190 + [0.0])
    task.start()
    clock.advance_to(100_000)
    board.lose_computer()
    clock.advance_to(9_000_000)
    assert task.done
    assert levels(board, "ao0", 9_000_000)[-1] == (8_190_000, 0.0)


def test_a_waveform_that_the_board_does_not_hold_runs_dry_at_the_voltage_it_has(
    board: Board, clock: SteppedClock
) -> None:
    task = waveform_on(board, [1.0, -1.0] * 4100 + [0.0], pins=("Dev1/ao0", "Dev1/ao1"))
    task.start()
    clock.advance_to(100_000)
    board.lose_computer()
    clock.advance_to(20_000_000)
    last_us, volts = levels(board, "ao0", 20_000_000)[-1]
    assert 4_100_000 < last_us < 4_300_000
    assert abs(volts) == 1.0


def test_unplugging_takes_the_power_from_every_pin(board: Board, clock: SteppedClock) -> None:
    waveform_on(board, [1.0, 1.0, 1.0, 1.0]).start()
    pulses_on(board, "ctr0", 5).start()
    clock.advance_to(500)
    board.faults.unplug()
    for pin in ("ao0", "ctr0"):
        assert levels(board, pin, 100_000)[-1] == (500, 0.0)


def test_an_input_that_is_wired_to_an_output_sees_it_to_the_sample(board: Board, clock: SteppedClock) -> None:
    board.connect({"Dev1/ai5": board.outputs.line("Dev1/ao0").signal})
    inputs = AnalogInput(board)
    inputs.add_channels(["loop"], [5], Terminal.RSE, -5.0, 5.0)
    inputs.set_clock(10_000.0, SampleMode.CONTINUOUS, 100)
    inputs.start()
    clock.advance_to(10_000)
    waveform_on(board, [2.0, 0.0]).start()
    clock.advance_to(20_000)
    volts = inputs.read(200, 1.0).counts[0] * board.coefficients(5.0)[1]
    assert np.flatnonzero(volts > 1.0).tolist() == list(range(100, 110))
