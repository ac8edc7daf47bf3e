"""What becomes of a train when the program that fired it ends."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from board_bench import TRAIN
from isolator_bench import isolator_at

from drivers.simulated.board import Board
from drivers.simulated.clock import RealClock
from drivers.simulated.nidaq_server import NidaqServer

CLIENT = """
import sys, time
from drivers.interface import PulseTrain
from drivers.isolator import IsolatorOutput
isolator = IsolatorOutput("Dev1", ua_per_v=100.0, max_current_ua=900.0, remote=sys.argv[1])
isolator.identify()
isolator.prepare(PulseTrain(200, 1000, 0, 50, 1.2))
isolator.fire()
print("fired", flush=True)
if sys.argv[2] == "killed":
    sys.stdin.read()
"""


@contextmanager
def fired_by_a_program(server: NidaqServer, end: str) -> Iterator[subprocess.Popen[str]]:
    """Another program that has just fired; it exits, or waits to be killed."""
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, server.address, end],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with client:
        assert client.stdout is not None
        assert client.stdout.readline() == "fired\n"
        yield client


def played(board: Board) -> tuple[int, float]:
    """Leading phases that come out if nobody intervenes any more, and the last voltage."""
    steps = board.outputs.line("Dev1/ao0").between(0, 10**12)
    return int(np.count_nonzero(steps.volts < 0)), float(steps.volts[-1])


def test_a_program_that_exits_in_the_train_stops_it() -> None:
    board = Board(RealClock(speed=0.1))
    with NidaqServer([board]) as server, fired_by_a_program(server, "exit") as client:
        client.wait(30)
        n_pulses, last_v = played(board)
        assert 0 < n_pulses < 60
        assert last_v == 0.0


def test_the_train_of_a_program_that_is_killed_ends_by_itself_or_by_the_next_program() -> None:
    """It can do nothing itself any more; the train lies with the board's server, and so does the way to stop it."""
    board = Board(RealClock(speed=0.02))
    with NidaqServer([board]) as server, fired_by_a_program(server, "killed") as client:
        client.kill()
        client.wait(30)
        assert played(board) == (60, 0.0)
        isolator = isolator_at(server.address)
        isolator.identify()
        n_pulses, last_v = played(board)
        assert n_pulses < 60
        assert last_v == 0.0
        isolator.prepare(TRAIN)
        isolator.close()
