"""A rig with any kind of stimulator inside the test: documented file, shipped driver, emulated instrument."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from msgspec import structs

from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.board_port import BoardPort
from drivers.simulated.clock import DemandClock
from drivers.simulated.endpoints import MemoryWire
from drivers.simulated.hand_set import HandSetStimulator
from drivers.simulated.products import USB_6212, Product
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.source import BoardSource
from drivers.simulated.stimulator_output import StimulatorOutput
from drivers.simulated.stimulators import place
from kindle.assembly import Instruments
from kindle.benches import wired
from kindle.calibration import Calibration
from kindle.dial_question import DialQuestion
from kindle.inputs import inputs_of
from kindle.rig_config import RigConfig, load_rig
from kindle.stimulators import Reach, stimulator_of

RIGS = Path(__file__).parents[1] / "docs" / "rigs"
KINDS = ("pulsepal", "stimjim", "am4100", "isolator", "counter", "manual")
MEASURED = Calibration(100.0, 0.0, 10_000.0, date(2026, 3, 4), "A. Person")


@dataclass(frozen=True, slots=True)
class AnyRig:
    """``output`` is what flows at the electrode, whether or not somebody samples it."""

    clock: DemandClock
    board: Board
    output: StimulatorOutput
    rat: SimulatedRat
    instruments: Instruments


def documented(kind: str) -> RigConfig:
    return load_rig(str(RIGS / f"{kind}_nidaq.toml"))


def quick(kind: str) -> RigConfig:
    """The documented rig, calibrated, sampled more slowly and with a shorter lock-out."""
    config = documented(kind)
    return structs.replace(
        config,
        daq=structs.replace(config.daq, rate_hz=2000.0, block_s=0.5),
        limits=structs.replace(config.limits, lockout_after_afterdischarge_s=60.0),
        calibration=MEASURED,
    )


@contextmanager
def any_rig(config: RigConfig, threshold_ua: float, product: Product = USB_6212) -> Iterator[AnyRig]:
    clock = DemandClock()
    board = Board(clock, product=product)
    kind, wiring = wired(config)
    placed = place(kind, board, wiring)
    rat = SimulatedRat(threshold_ua, 7, config.daq.rate_hz)
    board.connect(Bench(rat, placed.output).wires())
    hand = placed.line.set if isinstance(placed.line, HandSetStimulator) else DialQuestion()
    wire = None if placed.line is None else MemoryWire(placed.line, clock.now_us)
    stimulator = stimulator_of(config, Reach(hand, "in-process", wire=wire, port=lambda pins: BoardPort(board, pins)))
    source = BoardSource(board, inputs_of(config), config.daq.rate_hz)
    try:
        yield AnyRig(clock, board, placed.output, rat, Instruments(source, stimulator, config.block))
    finally:
        stimulator.close()
        source.close()
