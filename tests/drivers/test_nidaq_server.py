"""The vendor's unmodified client against the emulated device server."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import nidaqmx
import numpy as np
import pytest
from nidaq_bench import WIRES
from nidaqmx.constants import AcquisitionType, TerminalConfiguration
from nidaqmx.errors import DaqError, DaqReadError, RpcError
from nidaqmx.stream_readers import AnalogMultiChannelReader, AnalogUnscaledReader
from nidaqmx.system import System

from drivers.nidaq_device import open_channel
from drivers.simulated.board import Board
from drivers.simulated.clock import SteppedClock
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.products import PCIE_6321


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def board(clock: SteppedClock) -> Board:
    return Board(clock, WIRES)


@pytest.fixture
def options(board: Board) -> Iterator[nidaqmx.GrpcSessionOptions]:
    other = Board(board.clock, name="Dev2", product=PCIE_6321, serial_number=0xBEEF)
    with NidaqServer([board, other]) as server, open_channel(server.address) as channel:
        yield nidaqmx.GrpcSessionOptions(channel, "")


@pytest.fixture
def task(options: nidaqmx.GrpcSessionOptions) -> Iterator[nidaqmx.Task]:
    with nidaqmx.Task(grpc_options=options) as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0:3", terminal_config=TerminalConfiguration.RSE)
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=AcquisitionType.CONTINUOUS)
        yield task


def test_devices_are_found_by_name_product_and_serial_number(options: nidaqmx.GrpcSessionOptions, board: Board) -> None:
    found = {device.name: (device.product_type, device.serial_num) for device in System.remote(options).devices}
    assert found == {"Dev1": ("USB-6212", 0x01A2B3C4), "Dev2": ("PCIe-6321", 0xBEEF)}
    board.faults.unplug()
    assert System.remote(options).devices.device_names == ["Dev2"]


def test_a_device_tells_what_it_can_do(options: nidaqmx.GrpcSessionOptions) -> None:
    device = System.remote(options).devices["Dev1"]
    assert len(device.ai_physical_chans) == 16
    assert device.ai_max_single_chan_rate == device.ai_max_multi_chan_rate == 250e3
    assert not device.ai_simultaneous_sampling_supported
    assert device.ai_voltage_rngs == [-0.2, 0.2, -1.0, 1.0, -5.0, 5.0, -10.0, 10.0]


def test_a_task_tells_what_was_made_of_its_settings(task: nidaqmx.Task) -> None:
    assert task.number_of_channels == 4
    assert task.channel_names == ["Dev1/ai0", "Dev1/ai1", "Dev1/ai2", "Dev1/ai3"]
    assert task.ai_channels["Dev1/ai2"].ai_rng_high == 5.0
    task.timing.cfg_samp_clk_timing(3000.0, sample_mode=AcquisitionType.CONTINUOUS)
    assert task.timing.samp_clk_rate == 80e6 / 26_667
    assert task.in_stream.input_buf_size == 10_000
    task.in_stream.input_buf_size = 30_000
    assert task.in_stream.input_buf_size == 30_000


def test_positions_follow_the_reads(task: nidaqmx.Task, clock: SteppedClock) -> None:
    task.start()
    clock.advance_to(250_000)
    stream = task.in_stream
    assert (stream.total_samp_per_chan_acquired, stream.avail_samp_per_chan, stream.curr_read_pos) == (250, 250, 0)
    reader = AnalogMultiChannelReader(stream)
    assert reader.read_many_sample(np.empty((4, 100)), 100) == 100
    assert (stream.avail_samp_per_chan, stream.curr_read_pos) == (150, 100)
    samples = np.empty((4, 150))
    assert reader.read_many_sample(samples, nidaqmx.constants.READ_ALL_AVAILABLE) == 150


def test_volts_and_counts_agree_through_the_devices_coefficients(task: nidaqmx.Task, clock: SteppedClock) -> None:
    task.start()
    clock.advance_to(400_000)
    counts = np.empty((4, 400), np.int16)
    AnalogUnscaledReader(task.in_stream).read_int16(counts, 400)
    task.stop()
    task.start()
    clock.advance_to(800_000)
    volts = np.empty((4, 400))
    AnalogMultiChannelReader(task.in_stream).read_many_sample(volts, 400)
    for row in (0, 2, 3):  # these wires follow the sample index alone; ai1 follows bench time
        terms = task.ai_channels[row].ai_dev_scaling_coeff
        assert np.array_equal(volts[row], np.polynomial.polynomial.polyval(counts[row], terms))


def test_a_partial_read_is_packed_not_strided(task: nidaqmx.Task, clock: SteppedClock) -> None:
    task.start()
    clock.advance_to(30_000)
    samples = np.full((4, 100), 7777, np.int16)
    with pytest.raises(DaqReadError) as early:
        AnalogUnscaledReader(task.in_stream).read_int16(samples, 100, timeout=0.01)
    assert (early.value.error_code, early.value.samps_per_chan_read) == (-200284, 30)
    packed = samples.reshape(-1)[:120].reshape(4, 30)
    assert np.array_equal(packed[3], task_counts("Dev1/ai3", 30))
    assert not samples.reshape(-1)[120:].any()


def task_counts(pin: str, n: int) -> np.ndarray:
    board = Board(SteppedClock(), WIRES)
    return board.counts(WIRES[pin](0, 1000.0, 0, n), 5.0)


def test_plain_reads_work_too(task: nidaqmx.Task, clock: SteppedClock) -> None:
    task.start()
    clock.advance_to(10_000)
    rows = task.read(10)
    assert np.shape(rows) == (4, 10)


def test_an_overrun_carries_its_code_at_every_read(task: nidaqmx.Task, clock: SteppedClock) -> None:
    task.start()
    clock.advance_to(10_001_000)
    for _ in range(2):
        with pytest.raises(DaqReadError) as late:
            task.read(10)
        assert late.value.error_code == -200279


@pytest.mark.parametrize(
    ("physical", "code"),
    [("Dev7/ai0", -200220), ("Dev1/ai16", -200170), ("Dev1/ao0", -200170), ("Dev1/ai4, Dev2/ai0", -200558)],
)
def test_wrong_names_have_the_vendors_codes(task: nidaqmx.Task, physical: str, code: int) -> None:
    with pytest.raises(DaqError) as refused:
        task.ai_channels.add_ai_voltage_chan(physical)
    assert refused.value.error_code == code


def test_a_range_beyond_the_boards_is_refused(task: nidaqmx.Task) -> None:
    with pytest.raises(DaqError) as refused:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai4", min_val=-20.0, max_val=20.0)
    assert refused.value.error_code == -200077


def test_a_second_task_on_the_same_engine_is_refused(task: nidaqmx.Task, options: nidaqmx.GrpcSessionOptions) -> None:
    task.start()
    with nidaqmx.Task(grpc_options=options) as second:
        second.ai_channels.add_ai_voltage_chan("Dev1/ai5")
        with pytest.raises(DaqError) as refused:
            second.start()
    assert refused.value.error_code == -50103


def test_what_the_emulation_lacks_is_unimplemented(task: nidaqmx.Task) -> None:
    requests: list[Callable[[], object]] = [
        lambda: task.ci_channels.add_ci_count_edges_chan("Dev1/ctr0"),
        lambda: task.timing.samp_clk_timebase_rate,
    ]
    for request in requests:
        with pytest.raises(RpcError) as refused:
            request()
        assert refused.value.rpc_code == grpc.StatusCode.UNIMPLEMENTED


def test_many_blocked_reads_leave_the_server_able_to_answer(
    options: nidaqmx.GrpcSessionOptions, task: nidaqmx.Task, clock: SteppedClock
) -> None:
    task.start()
    with ThreadPoolExecutor(8) as readers:
        waiting = [readers.submit(task.read, 10, timeout=20.0) for _ in range(8)]
        assert len(System.remote(options).devices) == 2
        clock.advance_to(80_000)
        assert all(np.shape(read.result(20.0)) == (4, 10) for read in waiting)


def test_a_task_that_is_closed_frees_its_name_and_its_board(options: nidaqmx.GrpcSessionOptions) -> None:
    for _ in range(2):
        with nidaqmx.Task("eeg", grpc_options=nidaqmx.GrpcSessionOptions(options.grpc_channel, "eeg")) as task:
            task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
            task.start()
            assert task.name == "eeg"
