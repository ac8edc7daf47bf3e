"""An emulated rig as a process of its own: `python -m drivers.simulated`.

Prints one JSON line with the addresses of the board's gRPC server and of the stimulator, serves until its standard
input ends (so it dies with whoever started it), and writes each train that the rat heard to `--log`. The address of a
stimulator with dials is the line of the hand that sets them; an isolator has none, the board commands it.
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.clock import Clock, DemandClock, RealClock
from drivers.simulated.endpoints import PtyEndpoint, SerialDevice, TcpEndpoint
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.rat import Heard, SimulatedRat
from drivers.simulated.stimulators import KINDS, Wiring, place


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m drivers.simulated", description=__doc__)
    parser.add_argument("--threshold-ua", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate-hz", type=float, default=2000.0, help="at which the rat's EEG is made")
    parser.add_argument("--clock", choices=["demand", "real"], default="demand")
    parser.add_argument("--wire", choices=["pty", "tcp"], default="tcp" if sys.platform == "win32" else "pty")
    parser.add_argument("--log", type=Path, help="file to which each train heard is appended as a JSON line")
    parser.add_argument("--stimulator", choices=KINDS, default="pulsepal")
    parser.add_argument("--output", default="", help="channel of the stimulator, or pin of the board that commands it")
    parser.add_argument("--marker", default="", help="channel or pin that is high for the length of a train")
    parser.add_argument("--ua-per-v", type=float, default=100.0, help="of the isolator")
    parser.add_argument("--fixed-ua", type=float, help="of a stimulator without a dial")
    parser.add_argument(
        "--triggered", action="store_true", help="the TTL only starts the stimulator, and never ends it"
    )
    asked = parser.parse_args()

    # Ctrl-C at the terminal reaches this process too; the rig needs its instruments until it has made them safe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    clock: Clock = DemandClock() if asked.clock == "demand" else RealClock()
    rat = SimulatedRat(asked.threshold_ua, asked.seed, asked.rate_hz, on_heard=_logger(asked.log))
    board = Board(clock)
    wiring = Wiring(asked.output, asked.marker, asked.ua_per_v, not asked.triggered, asked.fixed_ua)
    placed = place(asked.stimulator, board, wiring)
    board.connect(Bench(rat, placed.output).wires())
    # The 4100 wants odd parity, which a pseudo-terminal refuses; it has telnet as well.
    wire = "tcp" if asked.stimulator == "am4100" else asked.wire
    with ExitStack() as stack:
        server = stack.enter_context(NidaqServer([board]))
        address = _plugged_in(placed.line, wire, clock, stack) if placed.line else ""
        print(json.dumps({"daq": server.address, "stimulator": address}), flush=True)
        sys.stdin.read()


def _plugged_in(device: SerialDevice, wire: str, clock: Clock, stack: ExitStack) -> str:
    """The address at which ``device`` can be reached until ``stack`` is closed."""
    if wire == "pty":
        return stack.enter_context(PtyEndpoint(device, clock.now_us)).address
    return stack.enter_context(TcpEndpoint(device, clock.now_us)).address


def _logger(path: Path | None) -> Callable[[Heard], None]:
    def log(heard: Heard) -> None:
        if path is not None:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(heard)) + "\n")

    return log


if __name__ == "__main__":
    main()
