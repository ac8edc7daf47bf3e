"""Random trains on rigs of every kind, through drivers and emulated instruments: what reaches the electrode counts."""

from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from random import Random

import numpy as np
import pytest
from msgspec import structs
from test_safety_properties import SLACK, some_limits, some_train

from drivers.interface import DriverError, PulseTrain
from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.board_port import BoardPort
from drivers.simulated.clock import DemandClock
from drivers.simulated.endpoints import MemoryWire
from drivers.simulated.hand_set import HandSetStimulator
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.source import BoardSource
from drivers.simulated.stimulator_output import StimulatorOutput
from drivers.simulated.stimulators import place
from kindle.assembly import Instruments
from kindle.benches import wired
from kindle.dial_question import DialQuestion
from kindle.dummy_load import fired_into_dummy
from kindle.errors import UnsafeStimulus
from kindle.inputs import inputs_of
from kindle.rig_config import RigConfig, load_rig
from kindle.safety import SafetyLimits
from kindle.stimulators import Reach, stimulator_of

RIGS = Path(__file__).parents[1] / "docs" / "rigs"
KINDS = ("pulsepal", "stimjim", "am4100", "isolator", "counter", "manual")
N_TRAINS = 60
LEAST_DELIVERED = 5

GRID_US = 50.0

STEP_US = 1.0
"""Emulated waveforms are told in whole microseconds: each edge may lie that far off."""


@dataclass(frozen=True, slots=True)
class Flowed:
    """The waveform at the electrode, summed over its stretches of constant current."""

    peak_ua: float
    phase_uc: float
    phase_us: float
    train_uc: float
    net_uc: float
    n_phases: int


def fired(config: RigConfig, random: Random) -> Flowed | None:
    """One random train asked of ``config``, and what flowed all the same if it was refused."""
    clock = DemandClock()
    board = Board(clock)
    kind, wiring = wired(config)
    placed = place(kind, board, wiring)
    board.connect(Bench(SimulatedRat(1e6, 1, config.daq.rate_hz), placed.output).wires())
    hand = placed.line.set if isinstance(placed.line, HandSetStimulator) else DialQuestion()
    wire = None if placed.line is None else MemoryWire(placed.line, clock.now_us)
    stimulator = stimulator_of(config, Reach(hand, "in-process", wire=wire, port=lambda pins: BoardPort(board, pins)))
    source = BoardSource(board, inputs_of(config), config.daq.rate_hz)
    train = on_grid(some_train(random, config.limits))
    if kind == "counter":
        train = structs.replace(train, shape="monophasic", polarity="cathodic_first")
    try:
        stimulator.identify()
        source.start()
        with suppress(UnsafeStimulus, DriverError):
            list(fired_into_dummy(Instruments(source, stimulator, config.block), config.limits, [train]))
    finally:
        stimulator.close()
        source.close()
    return flowed(placed.output, clock.now_us() + 1_000_000)


def on_grid(train: PulseTrain) -> PulseTrain:
    """Times that the coarsest instrument can play, where they are numbers: others it would only refuse."""
    phase_us, gap_us = (
        value // GRID_US * GRID_US if isfinite(value) and value >= GRID_US else value
        for value in (train.phase_us, train.interphase_us)
    )
    return structs.replace(train, phase_us=phase_us, interphase_us=gap_us)


def flowed(output: StimulatorOutput, until_us: int) -> Flowed | None:
    steps = output.output(0, until_us)
    lengths_us = np.diff(np.append(steps.times_us, until_us))
    on = steps.ua != 0.0
    if not on.any():
        return None
    charges_uc = steps.ua[on] * lengths_us[on] * 1e-6
    return Flowed(
        peak_ua=float(np.abs(steps.ua).max()),
        phase_uc=float(np.abs(charges_uc).max()),
        phase_us=float(lengths_us[on].max()),
        train_uc=float(np.abs(charges_uc).sum()),
        net_uc=abs(float(charges_uc.sum())),
        n_phases=int(on.sum()),
    )


def check_within(limits: SafetyLimits, found: Flowed) -> None:
    edge_uc = found.peak_ua * STEP_US * 1e-6
    assert found.peak_ua <= limits.max_current_ua * SLACK
    assert found.phase_us <= limits.max_phase_us + STEP_US
    assert found.phase_uc <= limits.max_charge_per_phase_uc * SLACK + edge_uc
    assert found.train_uc <= limits.max_charge_per_train_uc * SLACK + found.n_phases * edge_uc
    balanced_uc = 0.005 * found.train_uc / 2
    assert found.net_uc <= max(limits.max_net_charge_uc, balanced_uc) * SLACK + found.n_phases * edge_uc


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_asked_no_current_flows_beyond_a_limit(kind: str) -> None:
    random = Random(kind)
    documented = load_rig(str(RIGS / f"{kind}_nidaq.toml"))
    quick = structs.replace(documented, daq=structs.replace(documented.daq, rate_hz=2000.0, block_s=0.5))
    delivered = 0
    for _ in range(N_TRAINS):
        limits = structs.replace(some_limits(random), max_train_s=random.uniform(0.2, 3.0))
        found = fired(structs.replace(quick, limits=limits), random)
        if found is not None:
            delivered += 1
            check_within(limits, found)
    assert delivered >= LEAST_DELIVERED
