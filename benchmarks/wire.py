"""Speed of the wires on emulated instruments: `python -m benchmarks.wire [--json]`. Ratios, not timed tests.

Throughput and CPU of the real nidaqmx client over loopback gRPC, against what 8 channels at 5 kHz need; from the
arrival of a block to the verdict of the detector; from fire() to the first pulse, and from abort() to the end of the
last, on the clock that board and stimulator share (0: no pulse was on, and none came). Times belong to the machine of
the day and to emulated instruments: USB adds its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np

from detectors.criterion import Criterion
from drivers.daq_input import Input
from drivers.interface import Block, PulseTrain, Role, Stimulator
from drivers.nidaq import NidaqSource
from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock, RealClock
from drivers.simulated.endpoints import PtyEndpoint, TcpEndpoint
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.source import BoardSource
from drivers.simulated.stimulator_output import StimulatorOutput
from drivers.simulated.stimulators import place
from kindle.benches import wired
from kindle.progress import unheard
from kindle.recording import RecordingWriter
from kindle.rig_config import RigConfig, load_rig
from kindle.stimulators import Reach, stimulator_of
from kindle.stream import Stream

N_CHANNELS = 8
RATE_HZ = 5000.0
NEED_HZ = N_CHANNELS * RATE_HZ
"""Samples a second that real time asks for."""

RIGS = Path(__file__).parents[1] / "docs" / "rigs"
TRAIN = PulseTrain(current_ua=100.0, phase_us=1000.0, interphase_us=0.0, pulse_hz=50.0, train_s=1.0)
ROLES: dict[int, Role] = {0: "eeg", 2: "stimulus_ttl", 3: "current_monitor"}

Figures = dict[str, float]


def inputs() -> list[Input]:
    """As on the emulated bench: EEG, ground, TTL and monitor, then open inputs."""
    return [
        Input(f"ai{n}", f"in {n}", ROLES.get(n, "aux"), "V" if n == 2 else "µV", 1.0 if n == 2 else 1000.0, 10.0, "rse")
        for n in range(N_CHANNELS)
    ]


@contextmanager
def bench_process(clock: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Address of an emulated board in a process of its own."""
    command = [sys.executable, "-m", "drivers.simulated", "--threshold-ua", "60", "--rate-hz", repr(RATE_HZ)]
    process = subprocess.Popen([*command, "--clock", clock], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["daq"], process
    finally:
        process.stdin.close()
        process.wait(10)


def throughput(block_ms: int, seconds: float = 20.0) -> Figures:
    """As fast as it goes; the emulation of the board is in it, so this is the least that the path can do."""
    block = round(block_ms * 1e-3 * RATE_HZ)
    with bench_process("demand") as (daq, _):
        source = NidaqSource("Dev1", inputs(), RATE_HZ, block=block, remote=daq)
        source.start()
        source.read(block)
        latencies = []
        cpu_s, began_s = time.process_time(), time.perf_counter()
        for _ in range(round(seconds * RATE_HZ / block)):
            asked_s = time.perf_counter()
            source.read(block)
            latencies.append(time.perf_counter() - asked_s)
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
        source.close()
    samples_hz = len(latencies) * block * N_CHANNELS / took_s
    return {
        "samples_per_s": samples_hz,
        "times_real_time": samples_hz / NEED_HZ,
        "client_cpu_share_of_real_time": cpu_s / seconds,
        **_milliseconds("read", latencies),
    }


def cpu_at_real_speed(block_ms: int = 100, seconds: float = 5.0) -> Figures:
    """What the reading side costs while samples come at their own pace."""
    block = round(block_ms * 1e-3 * RATE_HZ)
    with bench_process("real") as (daq, process):
        source = NidaqSource("Dev1", inputs(), RATE_HZ, block=block, remote=daq)
        source.start()
        source.read(block)
        cpu_s, server_s, began_s = time.process_time(), _cpu_of(process.pid), time.perf_counter()
        for _ in range(round(seconds * RATE_HZ / block)):
            source.read(block)
        took_s = time.perf_counter() - began_s
        figures = {"client_cpu_share": (time.process_time() - cpu_s) / took_s}
        if server_s is not None:
            figures["emulated_board_cpu_share"] = ((_cpu_of(process.pid) or 0.0) - server_s) / took_s
        source.close()
    return figures


def verdict_latency(block_ms: int = 100, trains: int = 8) -> Figures:
    """From a block in hand, to disk and through the detector of one electrode, up to the verdict as it then stands."""
    clock = DemandClock()
    config = load_rig("simulated")
    board = Board(clock)
    kind, wiring = wired(config)
    placed = place(kind, board, wiring)
    board.connect(Bench(SimulatedRat(60.0, 7, RATE_HZ), placed.output).wires())
    block = round(block_ms * 1e-3 * RATE_HZ)
    source = _Stamped(BoardSource(board, inputs(), RATE_HZ))
    costs = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "recording"
        recording = stack.enter_context(
            RecordingWriter.create(folder, source.channels, source.rate_hz, datetime.now(UTC))
        )
        assert placed.line is not None
        wire = stack.enter_context(TcpEndpoint(placed.line, clock.now_us))
        stimulator = stimulator_of(config, Reach(_no_dial, wire.address))
        stack.callback(stimulator.close)
        stimulator.identify()
        source.start()
        stream = Stream(source, recording, Criterion(), block, unheard)
        for _ in range(trains):
            _advance(stream, 12.0)
            stimulator.prepare(TRAIN)
            stimulator.fire()
            for _ in range(round(30 * RATE_HZ / block)):
                stream.advance(block)
                stream.judgement()
                costs.append(time.perf_counter() - source.arrived_s)
            stimulator.rest()
    return {
        **_milliseconds("block_to_verdict", costs),
        "p99_share_of_block": float(np.percentile(costs, 99)) / (block_ms * 1e-3),
    }


def trigger_and_stop(kind: str, repeats: int = 20) -> Figures:
    """On the bench clock, which is the sample clock: real pyserial or nidaqmx, and an instrument in this process."""
    config = load_rig(str(RIGS / f"{kind}_nidaq.toml"))
    to_first, to_last, proofs = [], [], []
    with real_bench(config) as (stimulator, output, clock):
        for _ in range(repeats):
            stimulator.prepare(TRAIN)
            fired_us = clock.now_us()
            stimulator.fire()
            time.sleep(0.2)
            abort_us, abort_s = clock.now_us(), time.perf_counter()
            stimulator.abort()
            proofs.append(time.perf_counter() - abort_s)
            time.sleep(0.05)
            steps = output.output(fired_us, clock.now_us())
            flowing = np.flatnonzero(steps.ua)
            ends_us = np.append(steps.times_us[1:], clock.now_us())
            to_first.append((int(steps.times_us[flowing[0]]) - fired_us) * 1e-6)
            to_last.append(max(0, int(ends_us[flowing[-1]]) - abort_us) * 1e-6)
    return {
        **_milliseconds("fire_to_first_pulse", to_first),
        **_milliseconds("abort_to_last_pulse", to_last),
        **_milliseconds("abort_to_proof", proofs),
    }


@contextmanager
def real_bench(config: RigConfig) -> Iterator[tuple[Stimulator, StimulatorOutput, RealClock]]:
    clock = RealClock()
    board = Board(clock)
    kind, wiring = wired(config)
    placed = place(kind, board, wiring)
    with ExitStack() as stack:
        server = stack.enter_context(NidaqServer([board]))
        address = ""
        if placed.line is not None:
            on_pty = sys.platform != "win32"
            wire = (PtyEndpoint if on_pty else TcpEndpoint)(placed.line, clock.now_us)
            address = stack.enter_context(wire).address
        stimulator = stimulator_of(config, Reach(_no_dial, address, remote=server.address))
        stack.callback(stimulator.close)
        stimulator.identify()
        yield stimulator, placed.output, clock


class _Stamped:
    """A source that notes when each block came."""

    def __init__(self, source: BoardSource) -> None:
        self._source = source
        self.arrived_s = 0.0
        self.channels, self.rate_hz = source.channels, source.rate_hz
        self.identify, self.start, self.close = source.identify, source.start, source.close

    def read(self, n_samples: int) -> Block:
        block = self._source.read(n_samples)
        self.arrived_s = time.perf_counter()
        return block


def _no_dial(train: PulseTrain) -> float:
    return 0.0


def _advance(stream: Stream, seconds: float) -> None:
    end = stream.n_samples + round(seconds * stream.rate_hz)
    while stream.n_samples < end:
        stream.advance(end - stream.n_samples)


def _milliseconds(name: str, seconds: list[float]) -> Figures:
    return {f"{name}_ms": 1e3 * median(seconds), f"{name}_p99_ms": 1e3 * float(np.percentile(seconds, 99))}


def _cpu_of(pid: int) -> float | None:
    """Seconds of processor time of another process, where the system tells."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wire", description=__doc__)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    result: dict[str, Figures] = {
        **{f"nidaqmx, blocks of {ms} ms": throughput(ms) for ms in (20, 100, 500)},
        "nidaqmx at real speed": cpu_at_real_speed(),
        "detector": verdict_latency(),
        **{kind: trigger_and_stop(kind) for kind in ("pulsepal", "stimjim", "isolator")},
    }
    if asked.json:
        print(json.dumps(result))
        return
    for part, figures in result.items():
        print(part)
        for name, value in figures.items():
            print(f"  {name:32} {value:.4g}")


if __name__ == "__main__":
    main()
