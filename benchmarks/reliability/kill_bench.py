"""A bench that outlives whoever acquires from it: board, stimulator and rat, reached as a real rig is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from benchmarks.reliability.kill_sessions import THRESHOLD_UA
from drivers.simulated.am4100_device import AM4100Device
from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock
from drivers.simulated.endpoints import PtyEndpoint
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.stimjim_device import StimJimDevice
from drivers.simulated.stimulators import Wiring, place

LineKind = Literal["pulsepal", "stimjim", "am4100"]
"""Stimulators that are reached over a serial line."""

LineDevice = PulsePalDevice | StimJimDevice | AM4100Device

RATE_HZ = 1000.0
PLAYS_ON_S = 20.0
"""Longer than any train and than the discharge that it evokes."""


@dataclass(frozen=True, slots=True)
class LivingBench:
    clock: DemandClock
    board: Board
    device: LineDevice
    rat: SimulatedRat
    bench: Bench
    stimulator: str = ""
    """Address of the stimulator, where it has a line of its own: whatever it says by itself goes there."""

    @contextmanager
    def daq(self) -> Iterator[str]:
        """Address of the board's device server, which keeps the tasks of a dead client until it is left itself."""
        with NidaqServer([self.board]) as server:
            yield server.address

    def heard_ua(self) -> list[float]:
        return [round(train.effective_ua, 1) for train in self.rat.heard]

    def plays_on(self) -> float:
        """Let the world go on without the program; returns for how many seconds current still flowed."""
        now_us = self.clock.now_us()
        end_us = now_us + round(PLAYS_ON_S * 1e6)
        self.clock.wait_until(end_us, 0.0)
        steps = self.bench.stimulator.output(now_us, end_us)
        flowing = np.flatnonzero(steps.ua)
        self.bench.eeg_volts(now_us, RATE_HZ, 0, round(PLAYS_ON_S * RATE_HZ))
        if flowing.size == 0:
            return 0.0
        last = flowing[-1] + 1
        end = end_us if last == steps.times_us.size else int(steps.times_us[last])
        return (end - now_us) * 1e-6


def bench_with(kind: LineKind, seed: int = 7) -> LivingBench:
    """The stimulator can be reached inside this process only."""
    clock = DemandClock()
    rat = SimulatedRat(THRESHOLD_UA, seed, RATE_HZ, discharge_s=(4.0, 5.0))
    board = Board(clock)
    placed = place(kind, board, Wiring())
    assert isinstance(placed.line, LineDevice)
    bench = Bench(rat, placed.output)
    board.connect(bench.wires())
    return LivingBench(clock, board, placed.line, rat, bench)


@contextmanager
def living_bench(seed: int = 7) -> Iterator[LivingBench]:
    """With a Pulse Pal at a serial port."""
    bench = bench_with("pulsepal", seed)
    with PtyEndpoint(bench.device, bench.clock.now_us) as line:
        yield replace(bench, stimulator=line.address)
