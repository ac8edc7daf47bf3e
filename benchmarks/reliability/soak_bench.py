"""A bench with all sixteen inputs of the board in use, one of them a count of the samples; here, or as a process.

`python -m benchmarks.reliability.soak_bench` prints one JSON line with the addresses of board and stimulator, plays in
real time, and ends with its standard input.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.bench import Bench
from drivers.simulated.board import Board, Signal
from drivers.simulated.clock import Clock, DemandClock, RealClock
from drivers.simulated.eeg import Background
from drivers.simulated.endpoints import MemoryWire, PtyEndpoint, SerialDevice
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.products import PCIE_6351
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.source import BoardSource
from drivers.simulated.stimulators import Wiring, place
from kindle.assembly import Instruments
from kindle.dial_question import DialQuestion
from kindle.inputs import inputs_of
from kindle.rig_config import RigConfig, load_rig
from kindle.stimulators import Reach, stimulator_of

RATE_HZ = 5000.0
N_INPUTS = 16
ELECTRODES = (0, *range(4, 15))
"""Pins of the board; the first is the stimulated one. Between them lie ground, TTL and current monitor."""
COUNTER_PIN, COUNTER_NAME = 15, "Samples"
COUNTER_PERIOD = 30_011
"""A prime, so that no usual block is a multiple of it; its largest count lies within the converter's range of 10 V."""
THRESHOLD_UA, SEED, DISCHARGE_S = 60.0, 7, (6.0, 12.0)
SPREAD = 0.6
"""Share of a discharge that reaches the other electrodes."""

_RIG = """\
name = "soak"
[daq]
kind = "nidaq"
device = "Dev1"
rate_hz = {rate_hz}
block_s = 0.1
remote = "{daq}"
{inputs}
[stimulator]
kind = "pulsepal"
channel = 1
sync_channel = 2
ua_per_v = 100.0
address = "{stimulator}"
[calibration]
ua_per_v = 100.0
offset_ua = 0.0
load_ohm = 20000.0
date = {today}
author = "the emulation, whose isolator is exact"
[limits]
max_current_ua = 950.0
max_phase_us = 2000.0
max_pulse_hz = 130.0
max_train_s = 10.0
max_charge_per_phase_uc = 1.0
max_net_charge_uc = 50.0
max_charge_per_train_uc = 1000.0
max_charge_per_session_uc = 5000.0
max_charge_per_day_uc = 10000.0
max_trains_per_session = 1000
min_interval_s = 10.0
lockout_after_afterdischarge_s = 10.0
"""


@dataclass(frozen=True, slots=True)
class WideBench:
    board: Board
    line: SerialDevice
    """Of the Pulse Pal."""


def wide_bench(clock: Clock) -> WideBench:
    # At 5 kHz a slower converter would not settle on sixteen inputs.
    board = Board(clock, product=PCIE_6351)
    placed = place("pulsepal", board, Wiring("1", "2"))
    if placed.line is None:
        raise RuntimeError("the emulated Pulse Pal has no serial line")
    rat = SimulatedRat(THRESHOLD_UA, SEED, RATE_HZ, discharge_s=DISCHARGE_S)
    board.connect(Bench(rat, placed.output).wires())
    board.connect({f"Dev1/ai{pin}": electrode(rat, pin) for pin in ELECTRODES[1:]})
    board.connect({f"Dev1/ai{COUNTER_PIN}": counter_volts(board)})
    return WideBench(board, placed.line)


def electrode(rat: SimulatedRat, seed: int) -> Signal:
    """Elsewhere in the same rat, behind an amplifier of gain 1000: a background of its own, and part of a discharge."""
    background = Background(rat.rate_hz, rat.seed + seed)

    def volts(start_us: int, rate_hz: float, first: int, n: int) -> NDArray[np.float64]:
        uv = background.uv(first, n)
        rat.add_evoked(uv, first, start_us, rate_hz, share=SPREAD)
        return uv * 1e-3

    return volts


def counter_volts(board: Board) -> Signal:
    """Sample k becomes ``k % COUNTER_PERIOD`` counts of the converter."""
    offset_v, volts_per_count, *_ = board.coefficients(10.0)

    def volts(start_us: int, rate_hz: float, first: int, n: int) -> NDArray[np.float64]:
        return offset_v + volts_per_count * (np.arange(first, first + n) % COUNTER_PERIOD)

    return volts


def rig(folder: Path, *, daq: str = "", stimulator: str = "in-process") -> tuple[Path, RigConfig]:
    """A laboratory's own rig file, made in ``folder``: nothing in it says that the instruments are emulated."""
    path = folder / "rig.toml"
    inputs = "\n".join(_input(pin) for pin in range(N_INPUTS))
    path.write_text(
        _RIG.format(rate_hz=RATE_HZ, daq=daq, stimulator=stimulator, inputs=inputs, today=date.today()),
        encoding="utf-8",
    )
    return path, load_rig(str(path))


@contextmanager
def in_process(config: RigConfig) -> Iterator[Instruments]:
    """As fast as it computes."""
    clock = DemandClock()
    bench = wide_bench(clock)
    reach = Reach(DialQuestion(), "in-process", wire=MemoryWire(bench.line, clock.now_us))
    source = BoardSource(bench.board, inputs_of(config), config.daq.rate_hz)
    stimulator = stimulator_of(config, reach)
    try:
        yield Instruments(source, stimulator, config.block)
    finally:
        stimulator.close()
        source.close()


def _input(pin: int) -> str:
    match pin:
        case 1:
            what = 'name = "Ground"\nrole = "aux"\nunit = "V"\nunits_per_volt = 1.0'
        case 2:
            what = 'name = "TTL"\nrole = "stimulus_ttl"\nunit = "V"\nunits_per_volt = 1.0'
        case 3:
            what = 'name = "Current"\nrole = "current_monitor"\nunit = "µA"\nunits_per_volt = 100.0'
        case _ if pin == COUNTER_PIN:
            what = f'name = "{COUNTER_NAME}"\nrole = "aux"\nunit = "V"\nunits_per_volt = 1.0'
        case _:
            what = f'name = "EEG {pin}"\nrole = "eeg"\nunit = "µV"\nunits_per_volt = 1000.0\nclips_at_v = 5.0'
    return f'[[daq.inputs]]\nphysical = "ai{pin}"\n{what}\n'


def main() -> None:
    clock = RealClock()
    bench = wide_bench(clock)
    with ExitStack() as stack:
        server = stack.enter_context(NidaqServer([bench.board]))
        line = stack.enter_context(PtyEndpoint(bench.line, clock.now_us))
        print(json.dumps({"daq": server.address, "stimulator": line.address}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
