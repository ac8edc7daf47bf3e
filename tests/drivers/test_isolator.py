"""The isolator's driver where something breaks: what flows, what is claimed, and what no software can do."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event, Thread

import numpy as np
import pytest
from board_bench import TRAIN, BoardClock
from isolator_bench import isolator_at, volts
from msgspec import structs
from stimulator_bench import HandClock

from drivers import board_dialogue
from drivers.interface import Abort, DeviceNotFound, DeviceRefused, LinkLost
from drivers.isolator import IsolatorOutput
from drivers.simulated.analogue_output import AnalogOutput
from drivers.simulated.board import Board
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.products import PCIE_6351, USB_6008


@pytest.fixture
def hand() -> HandClock:
    return HandClock()


@pytest.fixture
def board(hand: HandClock) -> Board:
    return Board(BoardClock(hand))


@pytest.fixture
def server(board: Board) -> Iterator[NidaqServer]:
    with NidaqServer([board]) as server:
        yield server


@pytest.fixture
def isolator(server: NidaqServer, board: Board) -> Iterator[IsolatorOutput]:
    isolator = isolator_at(server.address)
    try:
        yield isolator
    finally:
        board.faults.release()
        isolator.close()


def hang(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only now are the deadlines short: a busy computer may be slow where nothing hangs."""
    for deadline in ("OPEN_S", "CALL_S", "STOP_S"):
        monkeypatch.setattr(board_dialogue, deadline, 0.2)
    board.faults.hang()


def fired(isolator: IsolatorOutput, hand: HandClock, elapsed_us: int = 300_400) -> None:
    """A train of 1.2 s, now in the middle of a phase."""
    isolator.identify()
    isolator.prepare(TRAIN)
    isolator.fire()
    hand.now_us += elapsed_us


def test_the_outputs_that_an_earlier_program_left_are_at_rest_after_connecting(
    isolator: IsolatorOutput, board: Board
) -> None:
    left = AnalogOutput(board)
    left.add_channels(["a", "b"], ["Dev1/ao0", "Dev1/ao1"], -10.0, 10.0)
    left.write(np.array([[-7.0], [5.0]]), auto_start=True)
    left.unreserve()
    assert volts(board) == pytest.approx(-7.0, abs=1e-3)
    identity = isolator.identify()
    assert (volts(board), volts(board, "ao1")) == (0.0, 0.0)
    assert "USB-6212" in identity
    assert "100 uA/V" in identity


def test_every_train_leaves_both_pins_at_rest_by_itself(
    isolator: IsolatorOutput, board: Board, hand: HandClock
) -> None:
    fired(isolator, hand)
    assert volts(board, "ao1") == 5.0
    hand.now_us += 2_000_000
    assert (volts(board), volts(board, "ao1")) == (0.0, 0.0)
    isolator.rest()


def test_a_stop_in_the_middle_of_a_phase_leaves_no_voltage(
    isolator: IsolatorOutput, board: Board, hand: HandClock
) -> None:
    fired(isolator, hand)
    assert volts(board) == pytest.approx(-2.0, abs=1e-3)
    assert isolator.abort() is Abort.CONFIRMED
    assert (volts(board), volts(board, "ao1")) == (0.0, 0.0)


def test_the_board_is_free_for_others_after_closing(isolator: IsolatorOutput, board: Board, hand: HandClock) -> None:
    fired(isolator, hand)
    isolator.close()
    assert (volts(board), volts(board, "ao1")) == (0.0, 0.0)
    board.reserve("ao", object())


def test_a_waveform_that_runs_dry_is_reported_and_made_safe(
    isolator: IsolatorOutput, board: Board, hand: HandClock
) -> None:
    fired(isolator, hand)
    board.starve()
    hand.now_us += 2_000_000
    assert volts(board) == pytest.approx(-2.0, abs=1e-3)
    with pytest.raises(LinkLost, match="broke off in the middle of the train"):
        isolator.rest()
    assert isolator.abort() is Abort.CONFIRMED
    assert (volts(board), volts(board, "ao1")) == (0.0, 0.0)


def test_resting_before_the_train_is_over_cuts_nothing(isolator: IsolatorOutput, board: Board, hand: HandClock) -> None:
    fired(isolator, hand)
    with pytest.raises(LinkLost, match="still playing"):
        isolator.rest()
    assert volts(board, "ao1") == 5.0


@pytest.mark.parametrize("fault", ["refused", "partial"])
def test_a_train_that_the_board_did_not_take_is_not_armed(isolator: IsolatorOutput, board: Board, fault: str) -> None:
    isolator.identify()
    if fault == "refused":
        board.faults.fail_next_write(-200018)
    else:
        board.faults.partial_next_write(700)
    with pytest.raises(DeviceRefused):
        isolator.prepare(TRAIN)
    with pytest.raises(DeviceRefused):
        isolator.fire()
    isolator.prepare(TRAIN)


def test_a_start_that_fails_counts_as_a_train_and_leaves_no_voltage(
    isolator: IsolatorOutput, board: Board, hand: HandClock
) -> None:
    isolator.identify()
    isolator.prepare(TRAIN)
    board.faults.fail_next_start(-201003)
    with pytest.raises(LinkLost, match="may have been delivered"):
        isolator.fire()
    hand.now_us += 100_000
    assert (volts(board), volts(board, "ao1")) == (0.0, 0.0)


def test_a_server_that_hangs_in_the_train_cannot_be_stopped_and_the_train_ends_by_itself(
    isolator: IsolatorOutput, board: Board, hand: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fired(isolator, hand)
    hang(board, monkeypatch)
    assert isolator.abort() is Abort.UNCONFIRMED
    hand.now_us += 2_000_000
    assert (volts(board), volts(board, "ao1")) == (0.0, 0.0)


def test_a_start_that_hangs_is_stopped_as_soon_as_it_comes_after_all(
    isolator: IsolatorOutput, board: Board, hand: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    isolator.identify()
    isolator.prepare(TRAIN)
    hang(board, monkeypatch)
    with pytest.raises(LinkLost, match="may have been delivered"):
        isolator.fire()
    monkeypatch.setattr(board_dialogue, "STOP_S", 10.0)
    board.faults.release()
    assert isolator.abort() is Abort.CONFIRMED
    hand.now_us += 5_000
    assert (volts(board), volts(board, "ao1")) == (0.0, 0.0)


def test_a_board_that_is_unplugged_in_the_train_stops_and_can_be_connected_again(
    isolator: IsolatorOutput, board: Board, hand: HandClock
) -> None:
    fired(isolator, hand)
    board.faults.unplug()
    assert isolator.abort() is Abort.UNCONFIRMED
    assert volts(board) == 0.0
    with pytest.raises(DeviceNotFound):
        isolator.identify()
    board.faults.replug()
    isolator.identify()
    isolator.prepare(TRAIN)
    isolator.fire()


def test_a_server_that_is_killed_in_the_train_leaves_its_voltage_and_nobody_claims_otherwise(
    board: Board, hand: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The driver's process is gone and with it its tasks; the converter keeps its value until a person acts."""
    with ExitStack() as stack:
        server = stack.enter_context(NidaqServer([board]))
        isolator = isolator_at(server.address)
        fired(isolator, hand)
        stack.close()
    hand.now_us += 2_000_000
    assert volts(board) == pytest.approx(-2.0, abs=1e-3)
    with caplog.at_level(logging.ERROR):
        assert isolator.abort() is Abort.UNCONFIRMED
    assert "the stop is not proven" in caplog.text
    with pytest.raises(DeviceNotFound):
        isolator.identify()
    isolator.close()


def test_another_board_in_its_place_is_refused(hand: HandClock) -> None:
    with NidaqServer([Board(BoardClock(hand), serial_number=0xBEEF)]) as server:
        isolator = isolator_at(server.address, serial_number=0xCAFE)
        with pytest.raises(DeviceNotFound, match="0000CAFE was expected"):
            isolator.identify()
    with NidaqServer([Board(BoardClock(hand), product=USB_6008)]) as server:
        isolator = isolator_at(server.address)
        with pytest.raises(DeviceRefused, match="no sample clock"):
            isolator.identify()


def test_a_pin_that_the_board_does_not_have_is_refused(server: NidaqServer) -> None:
    isolator = isolator_at(server.address, marker="ao7")
    with pytest.raises(DeviceRefused, match="has no output ao7; it has ao0, ao1"):
        isolator.identify()


def test_a_second_program_takes_the_outputs_over_and_the_first_can_do_nothing_more(
    isolator: IsolatorOutput, server: NidaqServer, board: Board, hand: HandClock
) -> None:
    """Nobody can tell a program that lives from one that died with its tasks left at the server."""
    fired(isolator, hand)
    second = isolator_at(server.address)
    second.identify()
    assert (volts(board), volts(board, "ao1")) == (0.0, 0.0)
    second.prepare(TRAIN)
    with pytest.raises(LinkLost):
        isolator.rest()
    second.fire()
    hand.now_us += 2_000_000
    second.rest()
    second.close()


def test_outputs_that_another_kind_of_program_holds_are_not_claimed(server: NidaqServer, board: Board) -> None:
    board.reserve("ao", object())
    isolator = isolator_at(server.address)
    with pytest.raises(LinkLost, match="another task holds its outputs"):
        isolator.identify()
    assert isolator.abort() is Abort.UNCONFIRMED
    isolator.close()


def test_a_board_with_several_ranges_gives_what_was_asked(hand: HandClock) -> None:
    board = Board(BoardClock(hand), product=PCIE_6351)
    with NidaqServer([board]) as server:
        isolator = isolator_at(server.address)
        isolator.identify()
        delivered = isolator.prepare(structs.replace(TRAIN, current_ua=800.0))
        isolator.fire()
        assert delivered.current_ua == pytest.approx(800.0, abs=0.02)
        assert volts(board) == pytest.approx(-8.0, abs=2e-4)
        isolator.close()


def test_a_stop_from_another_thread_does_not_wait_for_an_exchange_that_hangs(
    isolator: IsolatorOutput, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    isolator.identify()
    hang(board, monkeypatch)
    hung = Event()

    def prepare() -> None:
        with pytest.raises(LinkLost):
            isolator.prepare(TRAIN)
        hung.set()

    thread = Thread(target=prepare)
    thread.start()
    assert isolator.abort() is Abort.UNCONFIRMED
    thread.join(10)
    assert hung.is_set()


def test_a_stop_works_again_as_soon_as_a_bad_cable_lets_it_through(
    isolator: IsolatorOutput, board: Board, hand: HandClock
) -> None:
    fired(isolator, hand)
    board.faults.answer_nonsense()
    assert isolator.abort() is Abort.UNCONFIRMED
    assert volts(board) != 0.0
    board.faults.answer_again()
    assert isolator.abort() is Abort.CONFIRMED
    assert (volts(board), volts(board, "ao1")) == (0.0, 0.0)
