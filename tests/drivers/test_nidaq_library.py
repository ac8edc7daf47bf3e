"""The vendor's unmodified client, with the interpreter of a real rig, against the emulated library."""

from collections.abc import Callable, Iterator

import nidaqmx
import numpy as np
import pytest
from nidaq_bench import WIRES
from nidaqmx import _lib
from nidaqmx.constants import AcquisitionType, TerminalConfiguration
from nidaqmx.errors import DaqError, DaqFunctionNotSupportedError, DaqReadError
from nidaqmx.stream_readers import AnalogMultiChannelReader, AnalogUnscaledReader
from nidaqmx.system import System

from drivers.nidaq_device import open_channel
from drivers.simulated.board import Board
from drivers.simulated.clock import SteppedClock
from drivers.simulated.nidaq_library import NidaqLibrary
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.products import PCIE_6321


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def board(clock: SteppedClock) -> Iterator[Board]:
    board = Board(clock, WIRES)
    with NidaqLibrary([board, Board(clock, name="Dev2", product=PCIE_6321, serial_number=0xBEEF)]):
        yield board


@pytest.fixture
def task(board: Board) -> Iterator[nidaqmx.Task]:
    with nidaqmx.Task("eeg") as task:
        task.ai_channels.add_ai_voltage_chan("Dev1/ai0:3", terminal_config=TerminalConfiguration.RSE)
        task.timing.cfg_samp_clk_timing(1000.0, sample_mode=AcquisitionType.CONTINUOUS)
        yield task


def test_the_clients_private_names_are_those_that_the_table_is_put_behind() -> None:
    """Three names without a promise: a new version of the client is to fail here first."""
    assert {"_windll", "_cdll", "_encoding"} <= set(vars(_lib.lib_importer))
    assert callable(_lib.DaqFunctionImporter)


def test_the_client_is_left_as_it_was(board: Board) -> None:
    with NidaqLibrary([board]):
        inner = _lib.lib_importer._windll
    assert _lib.lib_importer._windll is not inner
    assert System.local().devices.device_names == ["Dev1", "Dev2"]


def test_devices_are_local(board: Board) -> None:
    found = {device.name: (device.product_type, device.serial_num) for device in System.local().devices}
    assert found == {"Dev1": ("USB-6212", 0x01A2B3C4), "Dev2": ("PCIe-6321", 0xBEEF)}
    device = System.local().devices["Dev1"]
    assert device.ai_voltage_rngs == [-0.2, 0.2, -1.0, 1.0, -5.0, 5.0, -10.0, 10.0]
    assert device.ai_max_multi_chan_rate == 250e3
    assert not device.ai_simultaneous_sampling_supported
    board.faults.unplug()
    assert System.local().devices.device_names == ["Dev2"]


def test_a_task_tells_what_was_made_of_its_settings(task: nidaqmx.Task) -> None:
    assert task.name == "eeg"
    assert task.channel_names == ["Dev1/ai0", "Dev1/ai1", "Dev1/ai2", "Dev1/ai3"]
    assert task.ai_channels["Dev1/ai2"].ai_rng_high == 5.0
    task.timing.cfg_samp_clk_timing(3000.0, sample_mode=AcquisitionType.CONTINUOUS)
    assert task.timing.samp_clk_rate == 80e6 / 26_667
    task.in_stream.input_buf_size = 30_000
    assert task.in_stream.input_buf_size == 30_000


def test_counts_and_volts_come_as_they_stand_on_the_wires(task: nidaqmx.Task, clock: SteppedClock) -> None:
    task.start()
    clock.advance_to(500_000)
    assert task.in_stream.avail_samp_per_chan == 500
    counts = np.empty((4, 400), np.int16)
    assert AnalogUnscaledReader(task.in_stream).read_int16(counts, 400) == 400
    terms = task.ai_channels[3].ai_dev_scaling_coeff
    volts = np.polynomial.polynomial.polyval(counts[3], terms)
    assert np.abs(volts - WIRES["Dev1/ai3"](0, 1000.0, 0, 400)).max() <= 0.5 * terms[1] * (1 + 1e-9)
    rest = np.empty((4, 100))
    assert AnalogMultiChannelReader(task.in_stream).read_many_sample(rest, nidaqmx.constants.READ_ALL_AVAILABLE) == 100
    assert task.in_stream.curr_read_pos == 500


def test_a_partial_read_is_packed_not_strided(task: nidaqmx.Task, clock: SteppedClock) -> None:
    task.start()
    clock.advance_to(30_000)
    samples = np.full((4, 100), 7777, np.int16)
    with pytest.raises(DaqReadError, match="not all samples") as early:
        AnalogUnscaledReader(task.in_stream).read_int16(samples, 100, timeout=0.01)
    assert (early.value.error_code, early.value.samps_per_chan_read) == (-200284, 30)
    expected = Board(SteppedClock(), WIRES).counts(WIRES["Dev1/ai3"](0, 1000.0, 0, 30), 5.0)
    assert np.array_equal(samples.reshape(-1)[90:120], expected)


def test_an_overrun_carries_its_code_at_every_read(task: nidaqmx.Task, clock: SteppedClock) -> None:
    task.start()
    clock.advance_to(10_001_000)
    for _ in range(2):
        with pytest.raises(DaqReadError) as late:
            task.read(10)
        assert late.value.error_code == -200279


@pytest.mark.parametrize(("physical", "code"), [("Dev7/ai0", -200220), ("Dev1/ai16", -200170)])
def test_wrong_names_have_the_vendors_codes(task: nidaqmx.Task, physical: str, code: int) -> None:
    with pytest.raises(DaqError, match=f"Status Code: {code}") as refused:
        task.ai_channels.add_ai_voltage_chan(physical)
    assert refused.value.error_code == code


def test_a_second_task_of_the_same_name_is_refused(task: nidaqmx.Task) -> None:
    with pytest.raises(DaqError) as refused:
        nidaqmx.Task("eeg")
    assert refused.value.error_code == -200089


def test_a_function_that_is_not_there_is_not_supported(task: nidaqmx.Task) -> None:
    requests: list[Callable[[], object]] = [
        lambda: task.ai_channels.add_ai_thrmcpl_chan("Dev1/ai4"),
        lambda: task.register_done_event(lambda *_: 0),
    ]
    for request in requests:
        with pytest.raises(DaqFunctionNotSupportedError):
            request()


def test_a_property_that_is_not_modelled_has_a_code(task: nidaqmx.Task) -> None:
    with pytest.raises(DaqError) as refused:
        _ = task.timing.samp_clk_timebase_rate
    assert refused.value.error_code == -200452


def test_a_board_behind_both_fronts_is_one_board(task: nidaqmx.Task, board: Board) -> None:
    task.start()
    with (
        NidaqServer([board]) as server,
        open_channel(server.address) as channel,
        nidaqmx.Task(grpc_options=nidaqmx.GrpcSessionOptions(channel, "")) as second,
    ):
        second.ai_channels.add_ai_voltage_chan("Dev1/ai5")
        with pytest.raises(DaqError) as refused:
            second.start()
    assert refused.value.error_code == -50103


def test_a_task_that_is_closed_frees_its_name_and_its_board(board: Board) -> None:
    for _ in range(2):
        with nidaqmx.Task("eeg") as task:
            task.ai_channels.add_ai_voltage_chan("Dev1/ai0")
            task.start()


def test_outputs_answer_as_they_do_behind_a_server(clock: SteppedClock, board: Board) -> None:
    with nidaqmx.Task() as wave, nidaqmx.Task() as pulses, nidaqmx.Task() as line:
        wave.ao_channels.add_ao_voltage_chan("Dev1/ao0")
        wave.timing.cfg_samp_clk_timing(10_000.0, sample_mode=AcquisitionType.FINITE, samps_per_chan=100)
        assert wave.write(np.zeros(100), auto_start=False) == 100
        pulses.co_channels.add_co_pulse_chan_time("Dev1/ctr0", low_time=0.01, high_time=0.01)
        pulses.timing.cfg_implicit_timing(samps_per_chan=5)
        line.do_channels.add_do_chan("Dev1/port0/line0")
        assert line.write(True, auto_start=True) == 1
        for task in (wave, pulses):
            task.start()
            assert not task.is_task_done()
        clock.advance_to(1_000_000)
        assert wave.is_task_done()
        assert pulses.is_task_done()
