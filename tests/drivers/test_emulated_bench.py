"""Every kind of stimulator on the emulated bench: the rat, the marker and the monitor tell of the same train."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from nidaq_bench import INPUTS, RATE_HZ

from drivers.am4100 import AM4100
from drivers.interface import DeliveredTrain, PulseTrain, SampleSource, Stimulator
from drivers.isolator import IsolatorOutput
from drivers.manual import ManualGate
from drivers.ni_counter import CounterOutput
from drivers.nidaq import NidaqSource
from drivers.pulsepal import PulsePal
from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.board_port import BoardPort
from drivers.simulated.clock import DemandClock
from drivers.simulated.endpoints import MemoryWire, SerialDevice
from drivers.simulated.hand_set import HandSetStimulator, SimulatedHand
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.source import BoardSource
from drivers.simulated.stimulators import Kind, Wiring, place
from drivers.stimjim import StimJim

TRAIN = PulseTrain(200, 1000, 0, 50, 1.0, shape="monophasic")

Driver = Callable[[Board, SerialDevice | None], Stimulator]


def _serial(device: SerialDevice | None, board: Board) -> MemoryWire:
    assert device is not None
    return MemoryWire(device, board.clock.now_us)


def _dial(device: SerialDevice | None) -> HandSetStimulator:
    assert isinstance(device, HandSetStimulator)
    return device


DRIVERS: dict[Kind, Driver] = {
    "pulsepal": lambda board, line: PulsePal(
        "here", sync_channel=2, ua_per_v=100.0, max_current_ua=900.0, settle_s=0.0, wire=_serial(line, board)
    ),
    "stimjim": lambda board, line: StimJim("here", max_current_ua=900.0, settle_s=0.0, wire=_serial(line, board)),
    "am4100": lambda board, line: AM4100("here", max_current_ua=900.0, settle_s=0.0, wire=_serial(line, board)),
    "isolator": lambda board, line: IsolatorOutput(
        "Dev1", ua_per_v=100.0, max_current_ua=900.0, port=lambda pins: BoardPort(board, pins)
    ),
    "counter": lambda board, line: CounterOutput(
        "Dev1", max_current_ua=900.0, read_dial=_dial(line).set, port=lambda pins: BoardPort(board, pins)
    ),
    "manual": lambda board, line: ManualGate(
        "Dev1", max_current_ua=900.0, read_dial=_dial(line).set, port=lambda pins: BoardPort(board, pins)
    ),
}


def deliver(source: SampleSource, stimulator: Stimulator) -> tuple[DeliveredTrain, np.ndarray]:
    """One train, and what the board saw of it in volts and uA: shape ``(n_channels, n_samples)``."""
    source.start()
    quiet = source.read(1000)
    stimulator.identify()
    delivered = stimulator.prepare(TRAIN)
    stimulator.fire()
    seen = np.concatenate([quiet, source.read(4000)], axis=1)
    stimulator.rest()
    return delivered, seen * np.array([[channel.resolution] for channel in source.channels])


def check(delivered: DeliveredTrain, seen: np.ndarray) -> None:
    eeg_uv, _, ttl_v, monitor_ua = seen
    high = np.flatnonzero(ttl_v > 2.0)
    assert high[0] >= 1000
    assert np.array_equal(high, np.arange(high[0], high[-1] + 1))
    assert high.size / RATE_HZ == pytest.approx(delivered.train_s, abs=delivered.period_us * 1e-6)
    flows = np.abs(monitor_ua) > 10.0
    assert np.count_nonzero(flows[1:] & ~flows[:-1]) == delivered.n_pulses == 50
    assert np.abs(monitor_ua[flows]) == pytest.approx(delivered.current_ua, rel=0.02)
    assert not flows[:1000].any()
    assert abs(high[0] - np.flatnonzero(flows)[0]) <= 1
    assert np.abs(eeg_uv[flows]).max() > np.abs(eeg_uv[:1000]).max()


@pytest.mark.parametrize("kind", DRIVERS)
def test_a_train_reaches_the_rat_the_marker_and_the_monitor(kind: Kind) -> None:
    board = Board(DemandClock())
    placed = place(kind, board, Wiring())
    rat = SimulatedRat(60.0, 7, RATE_HZ)
    board.connect(Bench(rat, placed.output).wires())
    source = BoardSource(board, INPUTS, RATE_HZ)
    stimulator = DRIVERS[kind](board, placed.line)
    delivered, seen = deliver(source, stimulator)
    check(delivered, seen)
    (heard,) = rat.heard
    assert heard.n_pulses == 50
    assert heard.current_ua == pytest.approx(delivered.current_ua)
    assert abs(heard.net_charge_uc) == pytest.approx(delivered.net_charge_uc, rel=1e-3)
    assert heard.discharge_us is not None
    stimulator.close()
    source.close()


@contextmanager
def bench_process(kind: Kind, log: Path, *options: str) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "drivers.simulated", "--threshold-ua", "60", "--stimulator", kind]
    process = subprocess.Popen(
        [*command, "--log", str(log), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(20)


@pytest.mark.parametrize("kind", ["isolator", "counter", "manual"])
def test_a_bench_in_a_process_of_its_own_does_the_same(kind: Kind, tmp_path: Path) -> None:
    log = tmp_path / "heard.jsonl"
    with bench_process(kind, log) as addresses:
        remote, hand = addresses["daq"], SimulatedHand(addresses["stimulator"])
        stimulator: Stimulator
        match kind:
            case "isolator":
                assert addresses["stimulator"] == ""
                stimulator = IsolatorOutput("Dev1", ua_per_v=100.0, max_current_ua=900.0, remote=remote)
            case "counter":
                stimulator = CounterOutput("Dev1", max_current_ua=900.0, read_dial=hand, remote=remote)
            case _:
                stimulator = ManualGate("Dev1", max_current_ua=900.0, read_dial=hand, remote=remote)
        source = NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=remote)
        check(*deliver(source, stimulator))
        stimulator.close()
        source.close()
    (heard,) = (json.loads(line) for line in log.read_text().splitlines())
    assert heard["n_pulses"] == 50
    assert heard["current_ua"] == pytest.approx(200.0, rel=0.01)


def test_a_dial_that_was_never_set_gives_no_current() -> None:
    board = Board(DemandClock())
    placed = place("manual", board, Wiring())
    stimulator = ManualGate(
        "Dev1", max_current_ua=900.0, read_dial=lambda train: train.current_ua, port=lambda pins: BoardPort(board, pins)
    )
    board.connect(Bench(SimulatedRat(60.0, 7, RATE_HZ), placed.output).wires())
    source = BoardSource(board, INPUTS, RATE_HZ)
    _, seen = deliver(source, stimulator)
    assert np.count_nonzero(seen[2] > 2.0) > 1900
    assert np.abs(seen[3]).max() < 1.0
    stimulator.close()
    source.close()


def test_a_hand_that_does_not_answer_has_set_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nobody:
        def feed(self, data: bytes, now_us: int) -> bytes:
            return b""

        def poll(self, now_us: int) -> bytes:
            return b""

    hand = SimulatedHand("nobody", lambda address: MemoryWire(Nobody(), lambda: 0))
    assert hand(TRAIN) == 0.0
