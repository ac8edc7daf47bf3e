"""From Stop to the last current through the real clients: gRPC to the board, a serial line to the stimulator."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from msgspec import structs

from benchmarks.reliability.safety_bench import STIMULATORS, Kind
from benchmarks.reliability.safety_observer import STOPPED_US
from benchmarks.reliability.safety_person import Person
from benchmarks.reliability.safety_programs import CRITERION
from drivers.interface import Abort, PulseTrain
from drivers.nidaq import NidaqSource
from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock
from drivers.simulated.endpoints import TcpEndpoint
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.stimulator_output import StimulatorOutput
from drivers.simulated.stimulators import place
from kindle.assembly import Instruments
from kindle.benches import wired
from kindle.dial_question import DialQuestion
from kindle.exchange import Stimulate
from kindle.inputs import inputs_of
from kindle.interrupted import Unrecorded
from kindle.progress import Fired, Progress, Read
from kindle.rig import Rig, StoppedByExperimenter
from kindle.rig_config import DaqConfig, load_rig
from kindle.safety import Exposure
from kindle.stimulators import Reach, stimulator_of
from kindle.stream import Stream

TRAIN = PulseTrain(current_ua=100.0, phase_us=1000.0, interphase_us=0.0, pulse_hz=125.0, train_s=1.0)
NEVER_UA = 1e6
"""A threshold: this rat does not discharge."""


@dataclass
class StopsOnWire:
    """Of one kind of stimulator; ``latencies_us`` are in signal time."""

    kind: Kind
    latencies_us: list[int] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return not self.findings and all(one <= STOPPED_US for one in self.latencies_us)

    def __str__(self) -> str:
        most_ms = max(self.latencies_us, default=0) * 1e-3
        told = f"{self.kind} over its wire: {len(self.latencies_us)} stops in a train, the last current"
        return "; ".join((f"{told} at most {most_ms:.1f} ms after Stop (allowed 50)", *self.findings))

    def tell(self, what: int | str) -> None:
        if isinstance(what, str):
            self.findings.append(what)
        else:
            self.latencies_us.append(what)


@dataclass(frozen=True, slots=True)
class WiredBench:
    clock: DemandClock
    output: StimulatorOutput
    instruments: Instruments


def stops_on_wire(n_each: int, seed: int = 1) -> Iterator[StopsOnWire]:
    """Stop between two looks of the rig at random instants of trains."""
    draw = random.Random(seed)
    for kind in STIMULATORS:
        found = StopsOnWire(kind)
        with wired_bench(kind) as bench:
            bench.instruments.stimulator.identify()
            bench.instruments.source.start()
            for _ in range(n_each):
                found.tell(stopped_once(bench, draw.uniform(0.02, TRAIN.train_s)))
        yield found


@contextmanager
def wired_bench(kind: Kind) -> Iterator[WiredBench]:
    """The emulated rig with this stimulator, each instrument at the end of its own wire."""
    emulated = load_rig("emulated")
    assert isinstance(emulated.daq, DaqConfig)
    config = structs.replace(emulated, stimulator=STIMULATORS[kind])
    clock = DemandClock()
    board = Board(clock)
    placed = place(kind, board, wired(config)[1])
    assert placed.line is not None
    board.connect(Bench(SimulatedRat(NEVER_UA, 1, emulated.daq.rate_hz), placed.output).wires())
    with TcpEndpoint(placed.line, clock.now_us) as line, NidaqServer([board]) as server:
        source = NidaqSource(
            emulated.daq.device, inputs_of(config), emulated.daq.rate_hz, block=config.block, remote=server.address
        )
        stimulator = stimulator_of(config, Reach(DialQuestion(), line.address, remote=server.address))
        try:
            yield WiredBench(clock, placed.output, Instruments(source, stimulator, config.block))
        finally:
            stimulator.close()
            source.close()


def stopped_once(bench: WiredBench, after_s: float) -> int | str:
    """From Stop to the last current in us; or what was wrong. 0 where none flowed any more."""
    person = Person(bench.clock)
    person_stops = StopsAfter(person, bench.clock, after_s)
    stream = Stream(bench.instruments.source, Unrecorded(), CRITERION, bench.instruments.block, person_stops)
    rig = Rig(
        stream,
        bench.instruments.stimulator,
        load_rig("emulated").limits,
        person,
        watch_s=1.0,
        baseline_s=1.0,
        recording="",
        listener=person_stops,
        exposure=Exposure(),
    )
    try:
        rig.perform(Stimulate(TRAIN))
    except StoppedByExperimenter as stopped:
        if stopped.abort is not Abort.CONFIRMED:
            return f"{stopped}"
    else:
        return f"a train that was to be stopped {after_s:.3f} s after its trigger came to its end"
    stopped_us = person_stops.stopped_us
    # Time passes as it is sampled, and the next stream finds nothing of this train.
    bench.instruments.source.read(round(2 * TRAIN.train_s * stream.rate_hz))
    steps = bench.output.output(stopped_us, bench.clock.now_us())
    flowing = np.flatnonzero(steps.ua)
    return int(steps.times_us[flowing[-1] + 1]) - stopped_us if flowing.size else 0


@dataclass
class StopsAfter:
    """A listener that lets ``person`` press Stop ``after_s`` after the trigger; the rig looks after the next block."""

    person: Person
    clock: DemandClock
    after_s: float
    stopped_us: int = 0

    def __call__(self, fact: Progress) -> None:
        if isinstance(fact, Fired):
            self.stopped_us = self.clock.now_us() + round(self.after_s * 1e6)
        elif isinstance(fact, Read) and self.stopped_us:
            self.person.stop = self.clock.now_us() >= self.stopped_us
