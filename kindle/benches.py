"""Emulated benches in the place of a rig's instruments: inside this process, or in one of their own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import assert_never

from drivers.interface import SampleSource, Stimulator
from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.board_port import BoardPort
from drivers.simulated.clock import Clock, DemandClock, RealClock
from drivers.simulated.endpoints import MemoryWire
from drivers.simulated.hand_set import HandSetStimulator, SimulatedHand
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.source import BoardSource
from drivers.simulated.stimulators import Kind, Wiring, place
from kindle.dial_question import DialQuestion
from kindle.errors import KindleError
from kindle.inputs import inputs_of
from kindle.rig_config import BenchConfig, RigConfig
from kindle.stimulator_config import (
    Am4100Config,
    CounterConfig,
    IsolatorConfig,
    ManualConfig,
    PulsePalConfig,
    StimJimConfig,
)
from kindle.stimulators import Reach, stimulator_of


@dataclass(frozen=True, slots=True)
class Animal:
    """A simulated rat: ``seed`` fixes everything about it but its threshold."""

    seed: int
    threshold_ua: float


def in_process(config: RigConfig, bench: BenchConfig, animal: Animal) -> tuple[SampleSource, Stimulator]:
    return on_bench(config, bench, SimulatedRat(animal.threshold_ua, animal.seed, config.daq.rate_hz))


def on_bench(config: RigConfig, bench: BenchConfig, rat: SimulatedRat) -> tuple[SampleSource, Stimulator]:
    """The instruments of a bench inside this process with this rat on it."""
    clock: Clock = DemandClock() if bench.clock == "demand" else RealClock()
    board = Board(clock)
    kind, wiring = wired(config)
    placed = place(kind, board, wiring)
    board.connect(Bench(rat, placed.output, monitor_ua_per_v=_monitor_ua_per_v(config)).wires())
    by_hand = placed.line if isinstance(placed.line, HandSetStimulator) else None
    reach = Reach(
        read_dial=DialQuestion() if by_hand is None else by_hand.set,
        address="in-process",
        wire=None if placed.line is None else MemoryWire(placed.line, clock.now_us),
        port=lambda pins: BoardPort(board, pins),
    )
    return BoardSource(board, inputs_of(config), config.daq.rate_hz), stimulator_of(config, reach)


@contextmanager
def in_own_process(config: RigConfig, bench: BenchConfig, animal: Animal) -> Iterator[tuple[str, Reach]]:
    """Address of the board, and the reach of the stimulator, of a bench that lives as long as this process."""
    process = subprocess.Popen(
        _command(config, bench, animal), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        if not said:
            raise KindleError(
                f"the emulated bench did not start (exit code {process.wait()}); its message stands above"
            )
        addresses = json.loads(said)
        hand = SimulatedHand(addresses["stimulator"])
        yield addresses["daq"], Reach(hand, addresses["stimulator"], remote=addresses["daq"])
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def wired(config: RigConfig) -> tuple[Kind, Wiring]:
    """Which emulated stimulator stands on the bench, and how it is wired: as rig.toml has it."""
    match config.stimulator:
        case PulsePalConfig(channel=channel, sync_channel=sync, ua_per_v=ua_per_v):
            return "pulsepal", Wiring(str(channel), "" if sync is None else str(sync), ua_per_v=ua_per_v)
        case StimJimConfig(channel=channel):
            return "stimjim", Wiring(str(channel))
        case Am4100Config(sync=sync):
            return "am4100", Wiring(marker=str(sync))
        case IsolatorConfig(channel=pin, marker=marker, ua_per_v=ua_per_v):
            return "isolator", Wiring(pin, marker, ua_per_v=ua_per_v)
        case CounterConfig(counter=pin, marker=marker, current_ua=fixed_ua):
            return "counter", Wiring(pin, marker, fixed_ua=fixed_ua)
        case ManualConfig(counter=pin, gated=gated):
            return "manual", Wiring(pin, gated=gated)
        case _:
            assert_never(config.stimulator)


def _command(config: RigConfig, bench: BenchConfig, animal: Animal) -> list[str]:
    kind, wiring = wired(config)
    return [
        sys.executable, "-m", "drivers.simulated",
        "--threshold-ua", repr(animal.threshold_ua), "--seed", str(animal.seed),
        "--rate-hz", repr(config.daq.rate_hz), "--clock", bench.clock,
        "--stimulator", kind, "--output", wiring.output, "--marker", wiring.marker, "--ua-per-v", repr(wiring.ua_per_v),
        *(["--fixed-ua", repr(wiring.fixed_ua)] if wiring.fixed_ua is not None else []),
        *([] if wiring.gated else ["--triggered"]),
        *(["--log", bench.log] if bench.log else []),
    ]  # fmt: skip


def _monitor_ua_per_v(config: RigConfig) -> float:
    """The emulated monitor is as rig.toml says that it is."""
    monitors = [wanted.units_per_volt for wanted in inputs_of(config) if wanted.role == "current_monitor"]
    return monitors[0] if monitors else 100.0
