"""rig.toml -> instruments; the only code that chooses hardware."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from drivers.daq_input import Input
from drivers.interface import SampleSource, Stimulator
from drivers.nidaq import NidaqSource
from drivers.pulsepal import PulsePal
from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.clock import Clock, DemandClock, RealClock
from drivers.simulated.endpoints import MemoryWire
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.source import BoardSource
from kindle.errors import KindleError
from kindle.rig_config import BenchConfig, RigConfig, StimulatorConfig


@dataclass(frozen=True, slots=True)
class Instruments:
    source: SampleSource
    stimulator: Stimulator
    block: int
    """Samples read at a time."""


@contextmanager
def assembled(config: RigConfig, animal: str) -> Iterator[Instruments]:
    """The instruments of ``config``, closed at the end with the stimulator made safe first.

    A simulated rat is the animal's own: its name draws it, the same each time.
    """
    with ExitStack() as cleanup:
        match config.bench:
            case None:
                source, stimulator = _hardware(config, config.daq.remote, config.stimulator.address)
            case BenchConfig(where="process"):
                daq, wire = cleanup.enter_context(_bench_process(config, config.bench, animal))
                source, stimulator = _hardware(config, daq, wire)
            case BenchConfig():
                source, stimulator = _in_process(config, config.bench, animal)
        cleanup.callback(source.close)
        cleanup.callback(stimulator.close)
        yield Instruments(source, stimulator, config.block)


def rat_of(bench: BenchConfig, animal: str) -> tuple[int, float]:
    """Seed and threshold in uA of a simulated animal: log-normal around 75 uA, unless the rig plants a threshold."""
    digest = hashlib.sha256(f"{bench.seed}/{animal}".encode()).digest()
    seed = int.from_bytes(digest[:4], "little")
    drawn_ua = float(np.exp(np.random.default_rng(seed).normal(np.log(75.0), 0.6)))
    return seed, bench.threshold_ua if bench.threshold_ua is not None else min(max(drawn_ua, 10.0), 600.0)


def _hardware(config: RigConfig, daq: str, stimulator: str) -> tuple[SampleSource, Stimulator]:
    # A Pulse Pal opens its port when it is identified; the board opens now, so it comes last.
    pulsepal = _pulsepal(config, stimulator, None)
    source = NidaqSource(
        config.daq.device, inputs_of(config), config.daq.rate_hz, block=config.block, remote=daq or None
    )
    return source, pulsepal


def _in_process(config: RigConfig, bench: BenchConfig, animal: str) -> tuple[SampleSource, Stimulator]:
    clock: Clock = DemandClock() if bench.clock == "demand" else RealClock()
    seed, threshold_ua = rat_of(bench, animal)
    device = PulsePalDevice()
    world = Bench(SimulatedRat(threshold_ua, seed, config.daq.rate_hz), device)
    board = Board(clock, world.wires())
    source = BoardSource(board, inputs_of(config), config.daq.rate_hz)
    return source, _pulsepal(config, "in-process", MemoryWire(device, clock.now_us))


def _pulsepal(config: RigConfig, address: str, wire: MemoryWire | None) -> PulsePal:
    wanted: StimulatorConfig = config.stimulator
    return PulsePal(
        address,
        channel=wanted.channel,
        sync_channel=wanted.sync_channel,
        ua_per_v=wanted.ua_per_v,
        max_current_ua=config.limits.max_current_ua,
        positive_is_cathodic=wanted.positive_is_cathodic,
        wire=wire,
    )


def inputs_of(config: RigConfig) -> list[Input]:
    return [
        Input(
            physical=wanted.physical,
            name=wanted.name,
            role=wanted.role,
            unit=wanted.unit,
            units_per_volt=wanted.units_per_volt,
            range_v=wanted.range_v,
            terminal=wanted.terminal,
            clips_at_v=wanted.clips_at_v,
        )
        for wanted in config.daq.inputs
    ]


@contextmanager
def _bench_process(config: RigConfig, bench: BenchConfig, animal: str) -> Iterator[tuple[str, str]]:
    """Addresses of board and stimulator of an emulated bench that lives as long as this process."""
    seed, threshold_ua = rat_of(bench, animal)
    command = [
        sys.executable, "-m", "drivers.simulated",
        "--threshold-ua", repr(threshold_ua), "--seed", str(seed),
        "--rate-hz", repr(config.daq.rate_hz), "--clock", bench.clock,
        *(["--log", bench.log] if bench.log else []),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        if not said:
            raise KindleError(
                f"the emulated bench did not start (exit code {process.wait()}); its message stands above"
            )
        addresses = json.loads(said)
        yield addresses["daq"], addresses["stimulator"]
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
