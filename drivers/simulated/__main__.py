"""An emulated rig as a process of its own: `python -m drivers.simulated`.

Prints one JSON line with the addresses of the board's gRPC server and of the Pulse Pal, serves until its standard
input ends (so it dies with whoever started it), and writes each train that the rat heard to `--log`.
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.clock import Clock, DemandClock, RealClock
from drivers.simulated.endpoints import PtyEndpoint, TcpEndpoint
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.rat import Heard, SimulatedRat


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m drivers.simulated", description=__doc__)
    parser.add_argument("--threshold-ua", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate-hz", type=float, default=2000.0, help="at which the rat's EEG is made")
    parser.add_argument("--clock", choices=["demand", "real"], default="demand")
    parser.add_argument("--wire", choices=["pty", "tcp"], default="tcp" if sys.platform == "win32" else "pty")
    parser.add_argument("--log", type=Path, help="file to which each train heard is appended as a JSON line")
    asked = parser.parse_args()

    # Ctrl-C at the terminal reaches this process too; the rig needs its instruments until it has made them safe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    clock: Clock = DemandClock() if asked.clock == "demand" else RealClock()
    rat = SimulatedRat(asked.threshold_ua, asked.seed, asked.rate_hz, on_heard=_logger(asked.log))
    device = PulsePalDevice()
    board = Board(clock, Bench(rat, device).wires())
    endpoint = PtyEndpoint if asked.wire == "pty" else TcpEndpoint
    with NidaqServer([board]) as server, endpoint(device, clock.now_us) as wire:
        print(json.dumps({"daq": f"127.0.0.1:{server.port}", "stimulator": wire.address}), flush=True)
        sys.stdin.read()


def _logger(path: Path | None) -> Callable[[Heard], None]:
    def log(heard: Heard) -> None:
        if path is not None:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(heard)) + "\n")

    return log


if __name__ == "__main__":
    main()
