"""The emulated board by itself: clock, converter, ring and faults, as the vendor's driver shows them."""

import threading

import numpy as np
import pytest
from nidaq_bench import WIRES, bench_seconds, ramp

from drivers.simulated.analogue_input import AnalogInput, SampleMode
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock, SteppedClock
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.daqmx import Daqmx, expand
from drivers.simulated.products import USB_6212, USB_6356, Product, Terminal
from drivers.simulated.sample_clock import SampleClock, default_buffer_size

CONTINUOUS = SampleMode.CONTINUOUS


def task_on(board: Board, pins: tuple[int, ...] = (0,), rate_hz: float = 1000.0, range_v: float = 5.0) -> AnalogInput:
    task = AnalogInput(board)
    for pin in pins:
        task.add_channels([f"in{pin}"], [pin], Terminal.RSE, -range_v, range_v)
    task.set_clock(rate_hz, CONTINUOUS, 1000)
    return task


class WatchedClock(SteppedClock):
    """Tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_for = threading.Event()

    def wait_until(self, t_us: int, timeout_s: float) -> bool:
        self.waited_for.set()
        return super().wait_until(t_us, timeout_s)


def code_of(refused: pytest.ExceptionInfo[BoardError]) -> int:
    return refused.value.code


@pytest.mark.parametrize(
    ("timebase_hz", "asked_hz", "divisor"), [(80_000_000, 3000.0, 26_667), (80_000_000, 2000.0, 40_000), (100, 99.0, 1)]
)
def test_the_rate_is_the_timebase_over_a_whole_number(timebase_hz: int, asked_hz: float, divisor: int) -> None:
    clock = SampleClock.nearest(timebase_hz, asked_hz)
    assert clock.divisor == divisor
    assert clock.rate_hz == timebase_hz / divisor


def test_samples_are_counted_without_drift_for_days() -> None:
    clock = SampleClock(80_000_000, 26_667)
    n_samples = 10**9
    assert clock.n_periods(clock.duration_us(n_samples)) == n_samples
    assert clock.n_periods(clock.duration_us(n_samples) - 1) == n_samples - 1


@pytest.mark.parametrize(
    ("rate_hz", "size"), [(100, 1_000), (101, 10_000), (10_000, 10_000), (10_001, 100_000), (1_000_001, 1_000_000)]
)
def test_buffers_have_the_vendors_default_sizes(rate_hz: float, size: int) -> None:
    assert default_buffer_size(rate_hz) == size


@pytest.mark.parametrize(("asked_v", "range_v"), [(0.1, 0.2), (0.2, 0.2), (0.21, 1.0), (4.0, 5.0), (10.0, 10.0)])
def test_the_smallest_range_that_holds_the_signal_is_taken(asked_v: float, range_v: float) -> None:
    assert Board(DemandClock()).range_v(-asked_v, asked_v) == range_v


def test_the_converter_rounds_to_half_a_step_and_clips_at_the_range() -> None:
    board = Board(DemandClock(), offset_v=0.002)
    offset_v, step_v, *_ = board.coefficients(5.0)
    volts = np.linspace(-5.0, 5.0, 10_001)
    counts = board.counts(volts, 5.0)
    assert np.abs(offset_v + step_v * counts - volts).max() <= 0.5 * step_v * (1 + 1e-9)
    assert np.array_equal(board.counts(np.array([-80.0, 80.0]), 5.0), counts[[0, -1]])


def test_an_open_input_reads_a_little_noise_that_never_changes() -> None:
    board = Board(DemandClock())
    whole = board.volts(3, Terminal.RSE, 0, 1000.0, 0, 5000)
    assert np.array_equal(board.volts(3, Terminal.RSE, 0, 1000.0, 1234, 100), whole[1234:1334])
    assert 0 < np.abs(whole).max() < 0.005
    assert not np.array_equal(board.volts(4, Terminal.RSE, 0, 1000.0, 0, 5000), whole)


def test_a_differential_input_subtracts_its_partner() -> None:
    board = Board(DemandClock(), {"Dev1/ai0": ramp(0.01), "Dev1/ai8": ramp(0.003)})
    plus, minus = (board.volts(pin, Terminal.RSE, 0, 1000.0, 0, 50) for pin in (0, 8))
    assert np.array_equal(board.volts(0, Terminal.DIFFERENTIAL, 0, 1000.0, 0, 50), plus - minus)


@pytest.mark.parametrize(
    ("product", "pin", "asked"),
    [
        (USB_6212, 8, Terminal.DIFFERENTIAL),
        (USB_6212, 0, Terminal.PSEUDODIFFERENTIAL),
        (USB_6356, 0, Terminal.RSE),
    ],
)
def test_terminals_that_a_product_does_not_have_are_refused(product: Product, pin: int, asked: Terminal) -> None:
    board = Board(DemandClock(), product=product)
    with pytest.raises(BoardError) as refused:
        board.terminal(pin, asked)
    assert code_of(refused) == DaqCode.INVALID_ATTRIBUTE_VALUE


def test_a_wire_to_an_input_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="Dev1/ai16"):
        Board(DemandClock(), {"Dev1/ai16": bench_seconds})


def test_reading_is_what_moves_a_demand_clock_and_loses_nothing() -> None:
    clock = DemandClock()
    task = task_on(Board(clock, WIRES), rate_hz=2000.0)
    task.set_buffer_size(100)
    blocks = [task.read(n, 10.0).counts for n in (400, 1, 99)]
    expected = task.board.counts(WIRES["Dev1/ai0"](0, 2000.0, 0, 500), 5.0)
    assert np.array_equal(np.concatenate(blocks, axis=1)[0], expected)
    assert clock.now_us() == 250_000


def test_samples_that_nobody_read_in_time_are_gone_until_a_restart() -> None:
    clock = SteppedClock()
    task = task_on(Board(clock, {"Dev1/ai0": bench_seconds}))
    task.set_buffer_size(500)
    task.start()
    clock.advance_to(500_000)
    assert task.read(100, 1.0).code == 0
    clock.advance_to(601_000)
    for _ in range(2):
        with pytest.raises(BoardError) as refused:
            task.read(10, 1.0)
        assert code_of(refused) == DaqCode.SAMPLES_NO_LONGER_AVAILABLE
    task.stop()
    task.start()
    clock.advance_to(701_000)
    volts = task.read(100, 1.0).counts[0] * task.board.coefficients(5.0)[1]
    assert volts[0] == pytest.approx(0.0601, abs=1e-4)


def test_a_full_buffer_is_not_yet_an_overrun() -> None:
    clock = SteppedClock()
    task = task_on(Board(clock))
    task.set_buffer_size(500)
    task.start()
    clock.advance_to(500_000)
    assert task.read(500, 1.0).counts.shape == (1, 500)


def test_a_read_that_times_out_hands_out_what_there_is_and_goes_on_from_there() -> None:
    clock = SteppedClock()
    task = task_on(Board(clock, WIRES))
    task.start()
    clock.advance_to(30_000)
    early = task.read(100, 0.02)
    assert early.code == DaqCode.SAMPLES_NOT_YET_AVAILABLE
    clock.advance_to(100_000)
    late = task.read(70, 0.02)
    assert late.code == 0
    expected = task.board.counts(WIRES["Dev1/ai0"](0, 1000.0, 0, 100), 5.0)
    assert np.array_equal(np.concatenate([early.counts, late.counts], axis=1)[0], expected)


def test_a_finite_task_ends_and_says_so() -> None:
    task = task_on(Board(DemandClock(), WIRES))
    task.set_clock(1000.0, SampleMode.FINITE, 50)
    task.start()
    assert not task.done
    task.wait_until_done(1.0)
    assert task.done
    assert task.read(30, 1.0).counts.shape == (1, 30)
    assert task.read(-1, 1.0).counts.shape == (1, 20)
    with pytest.raises(BoardError) as refused:
        task.read(1, 1.0)
    assert code_of(refused) == DaqCode.SAMPLES_WILL_NEVER_BE_AVAILABLE


def test_one_timing_engine_serves_one_task() -> None:
    board = Board(DemandClock())
    first, second = task_on(board), task_on(board, (1,))
    first.start()
    with pytest.raises(BoardError) as refused:
        second.start()
    assert code_of(refused) == DaqCode.PAL_RESOURCE_RESERVED
    first.stop()
    second.start()


def test_the_aggregate_rate_of_a_multiplexed_board_is_limited() -> None:
    task = task_on(Board(DemandClock()), tuple(range(8)), rate_hz=40_000.0)
    with pytest.raises(BoardError) as refused:
        task.start()
    assert code_of(refused) == DaqCode.INVALID_ATTRIBUTE_VALUE


def test_a_task_does_not_survive_its_board_being_unplugged() -> None:
    board = Board(DemandClock())
    daqmx = Daqmx([board])
    task = task_on(board)
    task.start()
    board.faults.unplug()
    assert daqmx.device_names == []
    with pytest.raises(BoardError) as gone:
        daqmx.board("Dev1")
    assert code_of(gone) == DaqCode.INVALID_DEVICE_ID
    board.faults.replug()
    with pytest.raises(BoardError) as dead:
        task.read(10, 1.0)
    assert code_of(dead) == DaqCode.DEV_CANNOT_BE_ACCESSED
    task.unreserve()
    assert task_on(board).read(10, 1.0).code == 0


@pytest.mark.parametrize("end", ["unplug", "stop"])
def test_a_blocked_read_wakes_when_its_task_ends(end: str) -> None:
    clock = WatchedClock()
    board = Board(clock)
    task = task_on(board)
    task.start()
    codes: list[int] = []

    def read() -> None:
        try:
            task.read(10, 60.0)
        except BoardError as error:
            codes.append(error.code)

    reader = threading.Thread(target=read)
    reader.start()
    assert clock.waited_for.wait(10.0)
    if end == "unplug":
        board.faults.unplug()
    else:
        task.stop()
    reader.join(10.0)
    assert codes == [DaqCode.DEV_CANNOT_BE_ACCESSED if end == "unplug" else DaqCode.RUNTIME_ABORTED]


def test_two_readers_of_one_task_share_the_samples_without_doubles() -> None:
    task = task_on(Board(DemandClock(), {"Dev1/ai0": ramp(0.001)}))
    blocks: list[bytes] = []
    readers = [
        threading.Thread(target=lambda: blocks.extend(task.read(10, 1.0).counts.tobytes() for _ in range(40)))
        for _ in range(2)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(set(blocks)) == 80


def test_what_a_board_holds_back_is_late_but_not_lost() -> None:
    clock = SteppedClock()
    board = Board(clock, WIRES)
    task = task_on(board)
    task.start()
    clock.advance_to(20_000)
    board.faults.stop_delivering()
    clock.advance_to(100_000)
    assert task.read(100, 0.01).counts.shape == (1, 20)
    board.faults.deliver_again()
    assert task.read(80, 0.01).code == 0


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("Dev1/ai0", ["Dev1/ai0"]),
        ("Dev1/ai0:2, Dev1/ai7", ["Dev1/ai0", "Dev1/ai1", "Dev1/ai2", "Dev1/ai7"]),
        ("Dev1/ai2:dev1/ai1", ["Dev1/ai2", "Dev1/ai1"]),
    ],
)
def test_ranges_of_channels_are_written_with_a_colon(names: str, expected: list[str]) -> None:
    assert expand(names) == expected


def test_a_malformed_range_is_refused() -> None:
    with pytest.raises(BoardError) as refused:
        expand("Dev1/ai0:b")
    assert code_of(refused) == DaqCode.INVALID_RANGE_SYNTAX
