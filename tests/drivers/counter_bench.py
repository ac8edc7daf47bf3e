"""A counter that gates a stimulator, for the contract suite, marked in each of the two ways."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from board_bench import TRAIN, Reach, reaches, set_up
from msgspec import structs
from stimulator_bench import Bench, Instrument

from drivers.ni_counter import CounterOutput
from drivers.simulated.hand_set import HandSetStimulator
from drivers.simulated.products import PCIE_6321, USB_6212, Product
from drivers.simulated.stimulator_output import StimulatorOutput

MARKERS: dict[str, Product] = {"ao0": USB_6212, "ctr2": PCIE_6321}


def _over(how: str, marker: str) -> Callable[[ExitStack, pytest.MonkeyPatch], Bench]:
    def driver(reach: Reach, output: StimulatorOutput) -> CounterOutput:
        assert isinstance(output, HandSetStimulator)
        return CounterOutput(
            "Dev1", marker=marker, max_current_ua=1000.0, read_dial=output.set, remote=reach.remote, port=reach.port
        )

    def bench(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Bench:
        return set_up(
            how,
            stack,
            monkeypatch,
            driver,
            lambda board: HandSetStimulator(board, "pulse", marker=marker),
            MARKERS[marker],
        )

    return bench


INSTRUMENTS = tuple(
    Instrument(
        f"counter marked on {marker} {how}",
        _over(how, marker),
        train=structs.replace(TRAIN, shape="monophasic"),
        tail_us=0,
        both_polarities=False,
    )
    for number, marker in enumerate(MARKERS)
    for how in reaches(number)
)
