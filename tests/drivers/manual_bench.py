"""Stimulators set by hand and started by a TTL, for the contract suite: gated by it, and only triggered."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from board_bench import TRAIN, Reach, reaches, set_up
from stimulator_bench import Bench, Instrument

from drivers.interface import Abort
from drivers.manual import ManualGate
from drivers.simulated.hand_set import HandSetStimulator
from drivers.simulated.stimulator_output import StimulatorOutput


def _over(how: str, gated: bool) -> Callable[[ExitStack, pytest.MonkeyPatch], Bench]:
    def driver(reach: Reach, output: StimulatorOutput) -> ManualGate:
        assert isinstance(output, HandSetStimulator)
        return ManualGate(
            "Dev1", gated=gated, max_current_ua=1000.0, read_dial=output.set, remote=reach.remote, port=reach.port
        )

    def bench(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Bench:
        return set_up(
            how,
            stack,
            monkeypatch,
            driver,
            lambda board: HandSetStimulator(board, "gate" if gated else "trigger"),
        )

    return bench


INSTRUMENTS = tuple(
    Instrument(
        f"set by hand, {'gated' if gated else 'triggered'} {how}",
        _over(how, gated),
        train=TRAIN,
        tail_us=0 if gated else 1_200_000,
        proof=Abort.CONFIRMED if gated else Abort.UNCONFIRMED,
    )
    for number, gated in enumerate((True, False))
    for how in reaches(number)
)
