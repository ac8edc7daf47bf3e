"""What stimulators behind the outputs of an NI board share in the contract suite: a board, and how it is reached."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from stimulator_bench import Bench, HandClock, phases_of

from drivers import board_dialogue
from drivers.daq_output import OutputPort, Pins
from drivers.interface import PulseTrain, Stimulator
from drivers.simulated.board import Board
from drivers.simulated.board_port import BoardPort
from drivers.simulated.nidaq_library import NidaqLibrary
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.products import PCIE_6321, USB_6008, USB_6212, Product
from drivers.simulated.stimulator_output import StimulatorOutput

REACHES = ("in process", "over gRPC", "through the library")
"""Without the vendor's client; with it and a device server; with it as on a computer that has the board itself."""


def reaches(number: int) -> tuple[str, str]:
    """How the wiring of this number is reached: always in process, and in turns in one of the vendor's two ways."""
    return REACHES[0], REACHES[1 + number % 2]


TRAIN = PulseTrain(current_ua=200, phase_us=1000, interphase_us=0, pulse_hz=50, train_s=1.2)
"""50 Hz: its period is a whole number of us on every clock of the board."""


@dataclass(frozen=True)
class BoardClock:
    """A clock of the bench that is moved by hand, and by whoever waits for it."""

    hand: HandClock

    def now_us(self) -> int:
        return self.hand.now_us

    def wait_until(self, t_us: int, timeout_s: float) -> bool:
        self.hand.now_us = max(self.hand.now_us, t_us)
        return True


@dataclass(frozen=True)
class Reach:
    """How a driver gets at the outputs of a board: its arguments ``remote`` and ``port``."""

    remote: str | None
    port: Callable[[Pins], OutputPort] | None


def reach(how: str, board: Board, stack: ExitStack) -> Reach:
    if how == "in process":
        return Reach(None, lambda pins: BoardPort(board, pins))
    if how == "through the library":
        stack.enter_context(NidaqLibrary([board]))
        return Reach(None, None)
    return Reach(stack.enter_context(NidaqServer([board])).address, None)


def set_up(
    how: str,
    stack: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    driver: Callable[[Reach, StimulatorOutput], Stimulator],
    behind: Callable[[Board], StimulatorOutput],
    product: Product = USB_6212,
) -> Bench:
    """``driver`` on the outputs of an emulated board, and ``behind`` what its pins command."""
    clock = HandClock()

    def connected(product: Product) -> tuple[Board, StimulatorOutput, Stimulator]:
        board = Board(BoardClock(clock), product=product)
        output = behind(board)
        stimulator = driver(reach(how, board, stack), output)
        stack.callback(stimulator.close)
        stack.callback(board.faults.release)
        return board, output, stimulator

    board, output, stimulator = connected(product)

    def hang() -> None:
        # Only now: a busy computer may be slow where nothing hangs.
        for deadline in ("OPEN_S", "CALL_S", "STOP_S"):
            monkeypatch.setattr(board_dialogue, deadline, 0.05)
        board.faults.hang()

    return Bench(
        stimulator,
        clock,
        phases_of(output),
        {"silent": hang, "garbage": board.faults.answer_nonsense, "unplugged": board.faults.unplug},
        lambda: _without_outputs(how, stack, clock, driver, behind),
    )


def _without_outputs(
    how: str,
    stack: ExitStack,
    clock: HandClock,
    driver: Callable[[Reach, StimulatorOutput], Stimulator],
    behind: Callable[[Board], StimulatorOutput],
) -> Stimulator:
    """A board that cannot time its outputs itself, under the name of one that can."""
    board = Board(BoardClock(clock), product=USB_6008)
    stimulator = driver(reach(how, board, stack), behind(Board(BoardClock(clock), product=PCIE_6321)))
    stack.callback(stimulator.close)
    return stimulator
