"""The driver over the unmodified client and loopback gRPC: nothing is lost in silence, and nothing hangs."""

import signal
import sys
import threading
import time
from ctypes.util import find_library
from dataclasses import replace

import nidaqmx
import numpy as np
import pytest
from nidaq_bench import INPUTS, RATE_HZ, SEAMS, WIRES, Seam, bench_seconds, emulated, served, server_process, volts_of
from numpy.typing import NDArray

from drivers.interface import Block, DeviceNotFound, DeviceRefused, DriverError, LinkLost, SamplesLost
from drivers.nidaq import Input, NidaqSource, highest_safe_rate_hz
from drivers.nidaq_device import open_channel
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock, SteppedClock
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.products import USB_6356

MANY = [Input(f"ai{pin}", f"in{pin}", "aux", "V", 1.0, 5.0, "rse") for pin in range(8)]

DRIVER_INSTALLED = sys.platform == "win32" or find_library("nidaqmx") is not None


@pytest.fixture(params=SEAMS)
def seam(request: pytest.FixtureRequest) -> Seam:
    return request.param  # type: ignore[no-any-return]


def saved(failed: pytest.ExceptionInfo[DriverError]) -> Block:
    """The samples that came along with the error."""
    assert failed.value.partial is not None
    return failed.value.partial


def test_every_sample_of_a_known_signal_comes_back_to_half_a_step(seam: Seam) -> None:
    with emulated(seam) as (_, source):
        counts = np.concatenate([source.read(n) for n in (100, 1, 333, 2500, 66)], axis=1)
        volts = volts_of(source, counts)
    for row, wanted in zip(volts, INPUTS, strict=True):
        expected = WIRES[f"Dev1/{wanted.physical}"](0, RATE_HZ, 0, 3000)
        step_v = 1.05 * wanted.range_v / 32768
        assert np.abs(row - expected).max() <= 0.5 * step_v * (1 + 1e-9)


def test_counts_times_resolution_are_the_unit_of_the_channel(seam: Seam) -> None:
    with emulated(seam) as (_, source):
        eeg_uv = source.read(50)[0] * source.channels[0].resolution
    assert np.allclose(eeg_uv, WIRES["Dev1/ai0"](0, RATE_HZ, 0, 50) * 1000.0, atol=0.09)


def test_channels_carry_the_names_and_rails_of_their_inputs(seam: Seam) -> None:
    with emulated(seam) as (_, source):
        assert [channel.name for channel in source.channels] == ["EEG", "ground", "TTL", "monitor"]
        assert all(channel.rail_counts == (-31208, 31208) for channel in source.channels)
        assert source.identify() == "USB-6212 (serial 01A2B3C4) as Dev1, 4 inputs at 2000 Hz"


def test_a_name_may_hold_commas_and_colons(seam: Seam) -> None:
    with emulated(seam, inputs=[replace(INPUTS[0], name="EEG: amygdala, left")]) as (_, source):
        assert source.channels[0].name == "EEG: amygdala, left"
        assert source.read(10).shape == (1, 10)


def test_an_input_beyond_its_range_lies_on_the_rails(seam: Seam) -> None:
    wires = {"Dev1/ai0": lambda start_us, rate_hz, first, n: np.resize([-70.0, 70.0], n)}
    with served(seam, [Board(DemandClock(), wires, offset_v=0.004)]) as remote:
        source = NidaqSource("Dev1", INPUTS[:1], RATE_HZ, block=100, remote=remote)
        source.start()
        assert tuple(source.read(2)[0]) == source.channels[0].rail_counts
        assert source.scaling[0][0] == 0.004
        source.close()


def test_the_rate_is_what_the_board_made_of_it(seam: Seam) -> None:
    with emulated(seam, rate_hz=3000.0) as (_, source):
        assert source.rate_hz == 80e6 / 26_667


def test_two_runs_give_the_same_samples(seam: Seam) -> None:
    runs = []
    for _ in range(2):
        with emulated(seam) as (board, source):
            runs.append(np.concatenate([source.read(100) for _ in range(30)], axis=1))
            assert board.clock.now_us() == 1_500_000
    assert np.array_equal(runs[0], runs[1])


def test_a_read_that_ends_early_is_completed_without_a_seam(seam: Seam) -> None:
    with emulated(seam) as (board, source):
        board.faults.partial_next_read(30)
        counts = source.read(100)
        board.faults.partial_next_read(0)
        counts = np.concatenate([counts, source.read(100)], axis=1)
    with emulated(seam) as (_, undisturbed):
        assert np.array_equal(counts, undisturbed.read(200))


def test_a_board_that_falls_silent_is_given_up_after_three_early_reads_and_keeps_what_came(seam: Seam) -> None:
    with emulated(seam) as (board, source):
        source.read(100)
        board.clock.wait_until(board.clock.now_us() + 20_000, 0.0)
        board.faults.stop_delivering()
        with pytest.raises(LinkLost, match=r"3 reads in a row ended early.*check its cable") as lost:
            source.read(100)
        assert saved(lost).shape == (4, 40)
        with pytest.raises(LinkLost, match="3 reads in a row"):
            source.read(1)


def test_an_overrun_is_a_gap_with_its_length_and_reading_goes_on_after_it(seam: Seam) -> None:
    clock = SteppedClock()
    with emulated(seam, clock, buffer_s=0.5) as (_, source):
        clock.advance_to(100_000)
        source.read(200)
        clock.advance_to(2_100_000)
        with pytest.raises(SamplesLost, match=r"about \d+ samples per channel .* lost") as gap:
            source.read(200)
        assert gap.value.n_estimated == pytest.approx(4000, abs=5)
        assert saved(gap).shape == (4, 0)
        clock.advance_to(2_200_000)
        after = volts_of(source, source.read(200))
        assert np.allclose(after[1], bench_seconds(2_100_000, RATE_HZ, 0, 200), atol=1e-4)


def test_the_samples_before_an_overrun_are_handed_over_with_it(seam: Seam) -> None:
    def overrun_next(start_us: int, rate_hz: float, first: int, n: int) -> NDArray[np.float64]:
        if first == 0:
            board.faults.overrun_now()
        return np.full(n, 0.5)

    board = Board(DemandClock(), {"Dev1/ai0": overrun_next})
    with served(seam, [board]) as remote:
        source = NidaqSource("Dev1", INPUTS[:1], RATE_HZ, block=100, remote=remote)
        source.start()
        board.faults.partial_next_read(60)
        with pytest.raises(SamplesLost) as gap:
            source.read(100)
        assert saved(gap).shape == (1, 60)
        source.close()


def test_samples_that_somebody_else_took_are_missed_within_a_second() -> None:
    with NidaqServer([Board(DemandClock(), WIRES)]) as server, open_channel(server.address) as channel:
        source = NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=server.address)
        source.start()
        source.read(100)
        name = source.task_name
        nidaqmx.Task(name, grpc_options=nidaqmx.GrpcSessionOptions(channel, name)).read(7)
        with pytest.raises(SamplesLost, match="skipped 7 samples") as gap:
            source.read(4000)
        assert gap.value.n_estimated == 7
        assert saved(gap).shape == (4, 2000)
        source.close()


@pytest.mark.parametrize("code", [-50405, -201003, -88710, -200324])
def test_the_loss_of_the_device_names_its_code(seam: Seam, code: int) -> None:
    with emulated(seam) as (board, source):
        board.faults.fail_next_read(code)
        with pytest.raises(LinkLost, match=rf"code {code}\); check its cable"):
            source.read(100)


@pytest.mark.parametrize("code", [-200279, -200361, -200010, -200222, -200714])
def test_every_code_of_the_overrun_family_begins_a_new_segment(seam: Seam, code: int) -> None:
    with emulated(seam) as (board, source):
        board.faults.fail_next_read(code)
        with pytest.raises(SamplesLost):
            source.read(100)
        assert source.read(100).shape == (4, 100)


def test_an_unplugged_board_is_lost_at_once(seam: Seam) -> None:
    with emulated(seam) as (board, source):
        source.read(100)
        board.faults.unplug()
        with pytest.raises(LinkLost, match=r"Dev1 .*stopped answering"):
            source.read(100)


def test_a_board_unplugged_during_a_read_is_lost_before_the_deadline(seam: Seam) -> None:
    with emulated(seam, SteppedClock()) as (board, source):
        unplugging = threading.Timer(0.05, board.faults.unplug)
        unplugging.start()
        began_s = time.monotonic()
        with pytest.raises(LinkLost, match="code -201003"):
            source.read(100)
        assert time.monotonic() - began_s < 0.6


def test_a_board_that_hangs_is_given_up_at_the_deadline_and_closing_does_not_wait(seam: Seam) -> None:
    with emulated(seam) as (board, source):
        source.read(100)
        board.faults.hang()
        began_s = time.monotonic()
        with pytest.raises(LinkLost, match=r"hangs: no answer within 2\.05 s"):
            source.read(100)
        source.close()
        assert 2.0 < time.monotonic() - began_s < 3.0


def test_a_board_that_hangs_while_it_is_opened_is_given_up(seam: Seam, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.nidaq_connection.OPEN_S", 0.2)
    board = Board(DemandClock())
    with served(seam, [board]) as remote:
        board.faults.hang()
        with pytest.raises(DeviceNotFound, match=r"no answer within 0\.2 s"):
            NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=remote)


def test_closing_a_source_ends_a_read_that_waits_in_another_thread(seam: Seam) -> None:
    with emulated(seam, SteppedClock()) as (_, source):
        closing = threading.Timer(0.05, source.close)
        closing.start()
        began_s = time.monotonic()
        with pytest.raises(LinkLost):
            source.read(100)
        closing.join(10.0)
        assert time.monotonic() - began_s < 3.0


@pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C reaches a waiting thread only afterwards")
def test_ctrl_c_during_a_read_loses_no_sample(seam: Seam) -> None:
    clock = SteppedClock()
    with emulated(seam, clock) as (_, source):
        pressing = threading.Timer(0.05, signal.pthread_kill, (threading.get_ident(), signal.SIGINT))
        pressing.start()
        with pytest.raises(KeyboardInterrupt):
            source.read(100)
        clock.advance_to(100_000)
        volts = volts_of(source, source.read(200))
        assert np.allclose(volts[1], bench_seconds(0, RATE_HZ, 0, 200), atol=1e-4)


def test_a_server_process_that_is_killed_is_a_lost_link_within_the_deadline() -> None:
    with server_process() as (process, address):
        source = NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=address)
        source.start()
        source.read(100)
        process.kill()
        process.wait(10.0)
        began_s = time.monotonic()
        with pytest.raises(LinkLost, match="Dev1 at"):
            source.read(100)
        source.close()
        assert time.monotonic() - began_s < 2.2


def test_without_a_server_the_device_is_not_found() -> None:
    with NidaqServer([]) as server:
        address = server.address
    with pytest.raises(DeviceNotFound, match=r"no NI device server answers for Dev1 at 127\.0\.0\.1"):
        NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=address)


@pytest.mark.skipif(DRIVER_INSTALLED, reason="the NI-DAQmx driver is installed here")
def test_without_the_vendors_driver_a_local_device_is_not_found() -> None:
    with pytest.raises(DeviceNotFound, match="NI-DAQmx driver is not installed"):
        NidaqSource("Dev1", INPUTS, RATE_HZ, block=100)


@pytest.mark.parametrize(
    ("device", "physical", "serial_number", "message"),
    [
        ("Dev9", "ai0", None, "no NI device Dev9.* present: Dev1, Dev2"),
        ("Dev1", "ai16", None, "no input 'ai16' for EEG; choose one of ai0, ai1, .* ai15"),
        ("Dev1", "Dev1/ai0", None, "no input 'Dev1/ai0'"),
        ("Dev1", "ai0", 0xBEEF, "serial number 01A2B3C4, 0000BEEF was expected; Dev2 has it"),
        ("Dev1", "ai0", 0xF00, "serial number 01A2B3C4, 00000F00 was expected; no other device has it"),
    ],
)
def test_a_wrong_name_or_number_is_answered_with_the_right_ones(
    seam: Seam, device: str, physical: str, serial_number: int | None, message: str
) -> None:
    clock = DemandClock()
    with served(seam, [Board(clock), Board(clock, name="Dev2", serial_number=0xBEEF)]) as remote:
        wanted = [replace(INPUTS[0], physical=physical)]
        with pytest.raises(DeviceNotFound, match=message):
            NidaqSource(device, wanted, RATE_HZ, block=100, remote=remote, serial_number=serial_number)


def test_a_rate_at_which_the_inputs_do_not_settle_is_refused_with_the_highest_that_they_do(seam: Seam) -> None:
    with served(seam, [Board(DemandClock())]) as remote:
        with pytest.raises(DeviceRefused, match=r"8 channels at 10000 Hz; .* 8928 Hz"):
            NidaqSource("Dev1", MANY, 10_000.0, block=100, remote=remote)
        NidaqSource("Dev1", MANY, 8928.0, block=100, remote=remote).close()


def test_a_board_with_a_converter_for_each_input_needs_no_settling(seam: Seam) -> None:
    wanted = [replace(each, terminal="pseudodifferential") for each in MANY]
    with served(seam, [Board(DemandClock(), product=USB_6356)]) as remote:
        NidaqSource("Dev1", wanted, 500_000.0, block=1000, remote=remote).close()


@pytest.mark.parametrize(("n_channels", "safe_hz"), [(1, 250_000), (4, 17_857), (8, 8_928), (16, 4_464)])
def test_the_safe_rate_follows_spikeglx(n_channels: int, safe_hz: int) -> None:
    """71 428 / channels for a 250 kS/s board."""
    assert int(highest_safe_rate_hz(n_channels, 250e3, 250e3, simultaneous=False)) == safe_hz


def test_a_terminal_that_the_board_lacks_is_refused(seam: Seam) -> None:
    wanted = [replace(INPUTS[0], physical="ai8")]
    with served(seam, [Board(DemandClock())]) as remote, pytest.raises(DeviceRefused, match="code -200077"):
        NidaqSource("Dev1", wanted, RATE_HZ, block=100, remote=remote)


def test_a_second_source_on_the_same_board_is_refused_and_harms_nothing(seam: Seam) -> None:
    with served(seam, [Board(DemandClock(), WIRES)]) as remote:
        first, second = (NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=remote) for _ in range(2))
        first.start()
        with pytest.raises(DeviceRefused, match="code -50103"):
            second.start()
        assert first.read(100).shape == (4, 100)
        first.close()
        second.start()
        assert second.read(100).shape == (4, 100)
        second.close()


@pytest.mark.parametrize(
    ("inputs", "rate_hz", "block", "message"),
    [
        ([], 2000.0, 100, "no inputs"),
        ([INPUTS[0], replace(INPUTS[1], name="EEG")], 2000.0, 100, "name 'EEG' is used twice"),
        ([INPUTS[0], replace(INPUTS[1], physical="ai0")], 2000.0, 100, "input 'ai0' is used twice"),
        ([replace(INPUTS[0], units_per_volt=0.0)], 2000.0, 100, "must not be 0"),
        (INPUTS, float("nan"), 100, "positive number"),
        (INPUTS, 2000.0, 0, "positive number"),
    ],
)
def test_settings_that_no_board_can_honour_are_refused(
    inputs: list[Input], rate_hz: float, block: int, message: str
) -> None:
    with pytest.raises(DeviceRefused, match=message):
        NidaqSource("Dev1", inputs, rate_hz, block=block, remote="127.0.0.1:1")
