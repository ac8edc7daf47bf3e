"""The vendor's unmodified client drives the outputs of the emulated board."""

from collections.abc import Iterator

import nidaqmx
import numpy as np
import pytest
from nidaqmx.constants import AcquisitionType, LineGrouping, TaskMode
from nidaqmx.errors import DaqError, DaqWriteError
from nidaqmx.stream_writers import AnalogMultiChannelWriter
from nidaqmx.system import System

from drivers.nidaq_device import open_channel
from drivers.simulated.board import Board
from drivers.simulated.clock import SteppedClock
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.products import PCIE_6321, USB_6008

FINITE = AcquisitionType.FINITE


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def board(clock: SteppedClock) -> Board:
    return Board(clock, product=PCIE_6321)


@pytest.fixture
def options(board: Board) -> Iterator[nidaqmx.GrpcSessionOptions]:
    slow = Board(board.clock, name="Dev2", product=USB_6008)
    with NidaqServer([board, slow]) as server, open_channel(server.address) as channel:
        yield nidaqmx.GrpcSessionOptions(channel, "")


@pytest.fixture
def task(options: nidaqmx.GrpcSessionOptions) -> Iterator[nidaqmx.Task]:
    with nidaqmx.Task(grpc_options=options) as task:
        yield task


@pytest.fixture
def other(options: nidaqmx.GrpcSessionOptions) -> Iterator[nidaqmx.Task]:
    with nidaqmx.Task(grpc_options=options) as task:
        yield task


def volts_at(board: Board, pin: str, at_us: int) -> float:
    return board.outputs.line(f"Dev1/{pin}").volts_at(at_us)


def test_a_device_tells_what_it_can_put_out(options: nidaqmx.GrpcSessionOptions) -> None:
    board, slow = System.remote(options).devices
    assert board.ao_physical_chans.channel_names == ["Dev1/ao0", "Dev1/ao1"]
    assert board.co_physical_chans.channel_names == [f"Dev1/ctr{n}" for n in range(4)]
    assert board.do_lines.channel_names[0] == "Dev1/port0/line0"
    assert (board.ao_samp_clk_supported, slow.ao_samp_clk_supported) == (True, False)
    assert slow.ao_voltage_rngs == [0.0, 5.0]


def test_two_channels_are_played_together_and_the_task_tells_when_it_is_done(
    task: nidaqmx.Task, board: Board, clock: SteppedClock
) -> None:
    task.ao_channels.add_ao_voltage_chan("Dev1/ao0:1", min_val=-5.0, max_val=5.0)
    task.timing.cfg_samp_clk_timing(3000.0, sample_mode=FINITE, samps_per_chan=3)
    assert task.timing.samp_clk_rate == 100e6 / 33_333
    assert task.out_stream.output_onbrd_buf_size == 4095
    assert task.ao_channels[0].ao_resolution == 16.0
    writer = AnalogMultiChannelWriter(task.out_stream)
    assert writer.write_many_sample(np.array([[1.0, -2.5, 0.0], [5.0, 5.0, 0.0]])) == 3
    task.start()
    assert not task.is_task_done()
    assert volts_at(board, "ao0", 400) == -2.5
    assert volts_at(board, "ao0", 700) == volts_at(board, "ao1", 700) == 0.0
    with pytest.raises(DaqError) as early:
        task.wait_until_done(0.0)
    assert early.value.error_code == -200560
    clock.advance_to(2_000)
    task.wait_until_done(1.0)
    assert task.is_task_done()


def test_a_single_value_is_there_at_once_and_stays(task: nidaqmx.Task, board: Board, clock: SteppedClock) -> None:
    task.ao_channels.add_ao_voltage_chan("Dev1/ao1")
    clock.advance_to(100)
    AnalogMultiChannelWriter(task.out_stream).write_one_sample(np.array([2.5]))
    task.close()
    clock.advance_to(10**9)
    assert volts_at(board, "ao1", 99) == 0.0
    assert volts_at(board, "ao1", 10**9) == 2.5


def test_a_counter_and_a_line_start_with_the_waveform(
    task: nidaqmx.Task, other: nidaqmx.Task, options: nidaqmx.GrpcSessionOptions, board: Board, clock: SteppedClock
) -> None:
    channel = other.co_channels.add_co_pulse_chan_time("Dev1/ctr0", low_time=0.015667, high_time=0.001)
    other.timing.cfg_implicit_timing(sample_mode=FINITE, samps_per_chan=60)
    other.triggers.start_trigger.cfg_dig_edge_start_trig("/Dev1/ao/StartTrigger")
    assert channel.co_pulse_high_time == 0.001
    other.start()
    task.ao_channels.add_ao_voltage_chan("Dev1/ao0")
    task.timing.cfg_samp_clk_timing(1000.0, sample_mode=FINITE, samps_per_chan=3)
    AnalogMultiChannelWriter(task.out_stream).write_many_sample(np.array([[1.0, 1.0, 0.0]]))
    with nidaqmx.Task(grpc_options=options) as line:
        line.do_channels.add_do_chan("Dev1/port0/line3", line_grouping=LineGrouping.CHAN_PER_LINE)
        line.timing.cfg_samp_clk_timing(1000.0, source="/Dev1/ao/SampleClock", sample_mode=FINITE, samps_per_chan=3)
        assert line.write(np.array([True, True, False])) == 3
        line.start()
        clock.advance_to(5_000)
        task.start()
        steps = board.outputs.line("Dev1/ctr0").between(0, 10**7)
        assert steps.times_us[steps.volts > 0].tolist() == [5_000 + round(n * 16_667) for n in range(60)]
        assert volts_at(board, "port0/line3", 6_999) == 5.0
        assert volts_at(board, "port0/line3", 7_000) == 0.0


def test_a_committed_counter_holds_its_pin(task: nidaqmx.Task, other: nidaqmx.Task) -> None:
    for one in (task, other):
        one.co_channels.add_co_pulse_chan_time("Dev1/ctr1")
    task.control(TaskMode.TASK_COMMIT)
    with pytest.raises(DaqError) as taken:
        other.control(TaskMode.TASK_COMMIT)
    assert taken.value.error_code == -50103
    task.close()
    other.control(TaskMode.TASK_COMMIT)


def test_what_a_board_refuses_has_the_vendors_codes(task: nidaqmx.Task, other: nidaqmx.Task, board: Board) -> None:
    task.ao_channels.add_ao_voltage_chan("Dev1/ao0", min_val=-1.0, max_val=1.0)
    task.timing.cfg_samp_clk_timing(1000.0, sample_mode=FINITE, samps_per_chan=2)
    writer = AnalogMultiChannelWriter(task.out_stream)
    with pytest.raises(DaqWriteError) as beyond:
        writer.write_many_sample(np.array([[1.5, 0.0]]))
    with pytest.raises(DaqError) as empty:
        task.start()
    with pytest.raises(DaqError) as mixed:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
    with pytest.raises(DaqError) as missing:
        other.ao_channels.add_ao_voltage_chan("Dev1/ao2")
    board.faults.fail_next_write(-200018)
    with pytest.raises(DaqWriteError) as failed:
        writer.write_many_sample(np.array([[0.5, 0.0]]))
    codes = [caught.value.error_code for caught in (beyond, empty, mixed, missing, failed)]
    assert codes == [-200561, -200462, -200559, -200170, -200018]


def test_a_waveform_that_broke_off_says_so_when_it_is_stopped(
    task: nidaqmx.Task, board: Board, clock: SteppedClock
) -> None:
    task.ao_channels.add_ao_voltage_chan("Dev1/ao0")
    task.timing.cfg_samp_clk_timing(1000.0, sample_mode=FINITE, samps_per_chan=100)
    AnalogMultiChannelWriter(task.out_stream).write_many_sample(np.ones((1, 100)))
    task.start()
    clock.advance_to(50_000)
    board.starve()
    for ask in (task.is_task_done, task.stop):
        with pytest.raises(DaqError) as broken:
            ask()
        assert broken.value.error_code == -200018
