"""Analogue output into an isolator for the contract suite, marked in each of the three ways."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from board_bench import TRAIN, Reach, reaches, set_up
from stimulator_bench import Bench, Instrument

from drivers.isolator import IsolatorOutput
from drivers.simulated.board import Board
from drivers.simulated.isolator import Isolator, PinIntoIsolator
from drivers.simulated.products import PCIE_6321, USB_6212, Product
from drivers.simulated.stimulator_output import StimulatorOutput

UA_PER_V = 1000.0

MARKERS: dict[str, Product] = {"ao1": USB_6212, "ctr0": USB_6212, "port0/line0": PCIE_6321}


def _over(how: str, marker: str) -> Callable[[ExitStack, pytest.MonkeyPatch], Bench]:
    def driver(reach: Reach, output: StimulatorOutput) -> IsolatorOutput:
        return IsolatorOutput(
            "Dev1", marker=marker, ua_per_v=UA_PER_V, max_current_ua=1000.0, remote=reach.remote, port=reach.port
        )

    def bench(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Bench:
        isolator = Isolator(UA_PER_V)
        return set_up(
            how,
            stack,
            monkeypatch,
            driver,
            lambda board: PinIntoIsolator(board, isolator, marker=marker),
            MARKERS[marker],
        )

    return bench


def isolator_at(remote: str, **settings: object) -> IsolatorOutput:
    """ao0 behind 100 uA/V, marked on ao1, of the board at a server."""
    return IsolatorOutput("Dev1", ua_per_v=100.0, max_current_ua=900.0, remote=remote, **settings)  # type: ignore[arg-type]


def volts(board: Board, pin: str = "ao0") -> float:
    """What stands at a pin now."""
    return board.outputs.line(f"Dev1/{pin}").volts_at(board.clock.now_us())


INSTRUMENTS = tuple(
    Instrument(f"isolator marked on {marker} {how}", _over(how, marker), train=TRAIN, tail_us=0)
    for number, marker in enumerate(MARKERS)
    for how in reaches(number)
)
