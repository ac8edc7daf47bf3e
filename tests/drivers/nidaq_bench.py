"""An emulated board behind its server, with signals whose every sample is known."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drivers.daq_input import Input
from drivers.nidaq import NidaqSource
from drivers.simulated.board import Board, Signal
from drivers.simulated.clock import Clock, DemandClock
from drivers.simulated.nidaq_library import NidaqLibrary
from drivers.simulated.nidaq_server import NidaqServer

RATE_HZ = 2000.0
RANGE_V = 5.0

INPUTS = (
    Input("ai0", "EEG", "eeg", "uV", 1000.0, RANGE_V, "differential"),
    Input("ai1", "ground", "aux", "V", 1.0, RANGE_V, "rse"),
    Input("ai2", "TTL", "stimulus_ttl", "V", 1.0, 10.0, "rse"),
    Input("ai3", "monitor", "current_monitor", "uA", 100.0, RANGE_V, "rse"),
)


def ramp(step_v: float, top_v: float = 4.9) -> Signal:
    """A sawtooth by sample index: a lost, doubled or swapped sample shows."""

    def volts(start_us: int, rate_hz: float, first: int, n: int) -> NDArray[np.float64]:
        return np.asarray((np.arange(first, first + n) * step_v + top_v) % (2 * top_v) - top_v)

    return volts


def bench_seconds(start_us: int, rate_hz: float, first: int, n: int) -> NDArray[np.float64]:
    """A tenth of a volt for each second of bench time: tells when a sample was taken."""
    return np.asarray(0.1 * (start_us * 1e-6 + np.arange(first, first + n) / rate_hz))


WIRES: dict[str, Signal] = {
    "Dev1/ai0": ramp(0.0013),
    "Dev1/ai1": bench_seconds,
    "Dev1/ai2": ramp(0.0171, 9.5),
    "Dev1/ai3": ramp(-0.0019),
}


Seam = Literal["grpc", "library"]
"""Between client and board: a device server on the loopback, or the vendor's library in this process."""

SEAMS: tuple[Seam, ...] = ("grpc", "library")


@contextmanager
def served(seam: Seam, boards: Sequence[Board]) -> Iterator[str | None]:
    """The address to give as ``remote``; ``None`` where the boards are local."""
    if seam == "library":
        with NidaqLibrary(boards):
            yield None
    else:
        with NidaqServer(boards) as server:
            yield server.address


@contextmanager
def emulated(
    seam: Seam,
    clock: Clock | None = None,
    *,
    inputs: Sequence[Input] = INPUTS,
    rate_hz: float = RATE_HZ,
    block: int = 100,
    buffer_s: float = 10.0,
) -> Iterator[tuple[Board, NidaqSource]]:
    """A started source and its board, connected through the unmodified client."""
    board = Board(clock or DemandClock(), WIRES)
    with served(seam, [board]) as remote:
        source = NidaqSource("Dev1", inputs, rate_hz, block=block, remote=remote, buffer_s=buffer_s)
        try:
            source.start()
            yield board, source
        finally:
            board.faults.release()
            source.close()


def volts_of(source: NidaqSource, counts: NDArray[np.int16]) -> NDArray[np.float64]:
    return np.stack(
        [np.polynomial.polynomial.polyval(row, terms) for row, terms in zip(counts, source.scaling, strict=True)]
    )


CHILD = """
import sys
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock
from drivers.simulated.nidaq_server import NidaqServer
with NidaqServer([Board(DemandClock())]) as server:
    print(server.address, flush=True)
    sys.stdin.read()
"""


@contextmanager
def server_process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A device server as a process of its own, and its address; it ends with this one."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()
