"""What goes wrong with a board in mid-recording, the same for all ways to it: nothing is lost in silence."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest
from nidaq_bench import INPUTS, RATE_HZ, WIRES, bench_seconds, served, server_process
from numpy.typing import NDArray

from drivers.interface import (
    Block,
    Buffered,
    DeviceNotFound,
    DeviceRefused,
    DriverError,
    LinkLost,
    Reopenable,
    SamplesLost,
)
from drivers.nidaq import Input, NidaqSource
from drivers.simulated.board import Board, Signal
from drivers.simulated.clock import Clock, DemandClock, SteppedClock
from drivers.simulated.source import BoardSource

Source = NidaqSource | BoardSource
Opened = AbstractContextManager[tuple[Board, Source]]


@contextmanager
def over(
    seam: str, clock: Clock, *, buffer_s: float = 10.0, wires: Mapping[str, Signal] = WIRES
) -> Iterator[tuple[Board, Source]]:
    board = Board(clock, wires)
    if seam == "in process":
        yield board, started(BoardSource(board, INPUTS, RATE_HZ, buffer_s=buffer_s))
        return
    with served("grpc" if seam == "grpc" else "library", [board]) as remote:
        source = NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=remote, buffer_s=buffer_s)
        try:
            yield board, started(source)
        finally:
            board.faults.release()
            source.close()


def started(source: Source) -> Source:
    source.start()
    return source


@pytest.fixture(params=["in process", "grpc", "library"])
def opened(request: pytest.FixtureRequest) -> Callable[..., Opened]:
    return lambda clock, **settings: over(request.param, clock, **settings)


@pytest.fixture(params=["grpc", "library"])
def remote(request: pytest.FixtureRequest) -> Callable[..., Opened]:
    """Where a call can hang."""
    return lambda clock, **settings: over(request.param, clock, **settings)


def taken_at_s(source: Source, block: Block) -> NDArray[np.float64]:
    """Bench time at which the samples were taken, which one input shows."""
    return np.asarray(block[1] * source.channels[1].resolution * 10)


def partial_of(failed: pytest.ExceptionInfo[DriverError]) -> Block:
    assert failed.value.partial is not None
    return failed.value.partial


def unplug_and_replug(board: Board, source: Source) -> None:
    board.faults.unplug()
    with pytest.raises(LinkLost):
        source.read(100)
    board.faults.replug()


def test_after_an_overrun_reading_goes_on_with_what_is_sampled_now(opened: Callable[..., Opened]) -> None:
    clock = SteppedClock()
    with opened(clock, buffer_s=0.5) as (_, source):
        clock.advance_to(100_000)
        source.read(200)
        clock.advance_to(2_100_000)
        with pytest.raises(SamplesLost) as gap:
            source.read(200)
        assert gap.value.n_estimated == pytest.approx(4000, abs=5)
        clock.advance_to(2_200_000)
        taken_s = taken_at_s(source, source.read(200))
        assert np.allclose(taken_s, 2.1 + np.arange(200) / RATE_HZ, atol=2e-3)


def test_ten_seconds_without_a_read_lose_nothing(opened: Callable[..., Opened]) -> None:
    clock = SteppedClock()
    with opened(clock) as (_, source):
        clock.advance_to(9_999_500)
        taken_s = taken_at_s(source, np.concatenate([source.read(1000) for _ in range(19)], axis=1))
        assert np.allclose(taken_s, np.arange(19_000) / RATE_HZ, atol=2e-3)


def test_a_source_tells_how_many_samples_nobody_has_read(opened: Callable[..., Opened]) -> None:
    clock = SteppedClock()
    with opened(clock) as (board, source):
        assert isinstance(source, Buffered)
        clock.advance_to(100_000)
        source.read(50)
        assert source.n_unread() == 150
        clock.advance_to(3_100_000)
        assert source.n_unread() == 6150
        board.faults.unplug()
        assert source.n_unread() in (0, 6150)


def test_a_board_that_hangs_tells_nothing_and_is_given_up(remote: Callable[..., Opened]) -> None:
    with remote(DemandClock()) as (board, source):
        source.read(100)
        board.faults.hang()
        assert isinstance(source, Buffered)
        with pytest.raises(LinkLost, match="hangs: no answer within 2 s"):
            source.n_unread()


def test_an_overrun_between_two_halves_of_a_read_hands_over_the_first_half(opened: Callable[..., Opened]) -> None:
    boards: list[Board] = []

    def overrun_next(start_us: int, rate_hz: float, first: int, n: int) -> NDArray[np.float64]:
        boards[0].faults.overrun_now()
        return bench_seconds(start_us, rate_hz, first, n)

    clock = SteppedClock()
    with opened(clock, wires=WIRES | {"Dev1/ai1": overrun_next}) as (board, source):
        boards.append(board)
        clock.advance_to(100_000)
        board.faults.partial_next_read(60)
        with pytest.raises(SamplesLost) as gap:
            source.read(100)
        assert np.allclose(taken_at_s(source, partial_of(gap)), np.arange(60) / RATE_HZ, atol=2e-3)


def test_a_read_that_ends_early_is_completed_without_a_seam(opened: Callable[..., Opened]) -> None:
    with opened(DemandClock()) as (board, source):
        board.faults.partial_next_read(30)
        halves = source.read(100)
        board.faults.partial_next_read(0)
        taken_s = taken_at_s(source, np.concatenate([halves, source.read(100)], axis=1))
        assert np.allclose(taken_s, np.arange(200) / RATE_HZ, atol=2e-3)


def test_a_silent_board_is_given_up_with_what_had_come(opened: Callable[..., Opened]) -> None:
    with opened(DemandClock()) as (board, source):
        source.read(100)
        board.clock.wait_until(board.clock.now_us() + 20_000, 0.0)
        board.faults.stop_delivering()
        with pytest.raises(LinkLost, match="3 reads in a row") as lost:
            source.read(100)
        assert partial_of(lost).shape == (4, 40)


def test_a_board_that_was_unplugged_is_had_back_once_it_is_plugged_in_again(opened: Callable[..., Opened]) -> None:
    clock = SteppedClock()
    with opened(clock) as (board, source):
        assert isinstance(source, Reopenable)
        clock.advance_to(100_000)
        source.read(200)
        board.faults.unplug()
        with pytest.raises(LinkLost):
            source.read(200)
        for _ in range(2):
            with pytest.raises(DeviceNotFound, match=r"cable"):
                source.reopen()
        clock.advance_to(5_000_000)
        board.faults.replug()
        source.reopen()
        clock.advance_to(5_100_000)
        assert np.allclose(taken_at_s(source, source.read(200)), 5.0 + np.arange(200) / RATE_HZ, atol=2e-3)


def test_a_board_unplugged_in_mid_read_is_lost_at_once(opened: Callable[..., Opened]) -> None:
    with opened(SteppedClock()) as (board, source):
        unplugging = threading.Timer(0.05, board.faults.unplug)
        unplugging.start()
        began_s = time.monotonic()
        with pytest.raises(LinkLost):
            source.read(100)
        assert time.monotonic() - began_s < 0.9


def test_another_board_under_the_same_name_is_not_taken_for_the_lost_one(opened: Callable[..., Opened]) -> None:
    with opened(DemandClock()) as (board, source):
        unplug_and_replug(board, source)
        before, board.serial_number = board.serial_number, 0xBEEF
        with pytest.raises(DeviceNotFound, match=r"BEEF"):
            source.reopen()
        board.serial_number = before
        source.reopen()
        assert source.read(100).shape == (4, 100)


def test_a_source_that_was_closed_stays_closed(opened: Callable[..., Opened]) -> None:
    with opened(DemandClock()) as (_, source):
        source.close()
        with pytest.raises(LinkLost, match="closed"):
            source.reopen()
        with pytest.raises(LinkLost, match="closed"):
            source.read(1)


def test_a_source_can_be_had_back_again_and_again(opened: Callable[..., Opened]) -> None:
    with opened(DemandClock()) as (board, source):
        identity, channels = source.identify(), source.channels
        for _ in range(3):
            unplug_and_replug(board, source)
            source.reopen()
            assert source.read(100).shape == (4, 100)
        assert (source.identify(), source.channels) == (identity, channels)


def test_a_board_that_hung_is_had_back_and_nothing_late_is_taken_for_new(remote: Callable[..., Opened]) -> None:
    """The call that hung ends after all, in its own thread: its samples belong to nobody."""
    clock = SteppedClock()
    with remote(clock) as (board, source):
        clock.advance_to(100_000)
        source.read(100)
        board.faults.hang()
        with pytest.raises(LinkLost, match="hangs"):
            source.read(100)
        board.faults.release()
        clock.advance_to(3_000_000)
        reopen_within(source, 5.0)
        clock.advance_to(3_200_000)
        taken_s = taken_at_s(source, source.read(400))
        assert np.allclose(taken_s, 3.0 + np.arange(400) / RATE_HZ, atol=2e-3)


def test_the_board_in_this_process_refuses_a_rate_at_which_its_inputs_do_not_settle() -> None:
    many = [Input(f"ai{pin}", f"in{pin}", "aux", "V", 1.0, 5.0, "rse") for pin in range(8)]
    with pytest.raises(DeviceRefused, match=r"8 channels at 10000 Hz; .* 8928 Hz"):
        BoardSource(Board(DemandClock()), many, 10_000.0)
    BoardSource(Board(DemandClock()), many, 8928.0).close()


def test_a_killed_server_is_not_found_again_until_it_is_there() -> None:
    with server_process() as (process, address):
        source = started(NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=address))
        source.read(100)
        process.kill()
        process.wait(10.0)
        with pytest.raises(LinkLost):
            source.read(100)
        with pytest.raises(DeviceNotFound, match="no NI device server answers"):
            source.reopen()
        source.close()


@pytest.mark.skipif(os.name == "nt", reason="a process cannot be stopped there")
def test_a_server_that_stands_still_is_given_up_and_its_leftover_task_is_cleared_later() -> None:
    with server_process() as (process, address):
        source = started(NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=address))
        source.read(100)
        process.send_signal(signal.SIGSTOP)
        # The signal is sent before it takes effect: a quick server might answer once more.
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        began_s = time.monotonic()
        try:
            with pytest.raises(LinkLost, match="hangs"):
                source.read(100)
            assert time.monotonic() - began_s < 10.0
        finally:
            process.send_signal(signal.SIGCONT)
        source.reopen()
        assert source.read(100).shape == (4, 100)
        source.close()


def reopen_within(source: Source, seconds: float) -> None:
    """The call that hung may need a moment to end before its board is free."""
    deadline_s = time.monotonic() + seconds
    while True:
        try:
            return source.reopen()
        except DriverError:
            if time.monotonic() > deadline_s:
                raise
