"""An emulated rig in this process whose stimulator, board and rat outlive the programs that connect to them."""

import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, cast

from msgspec import structs

from benchmarks.reliability.safety_observer import Observer
from benchmarks.reliability.safety_turns import Program
from drivers.delivery_report import DeliveryReport, SelfMeasuring
from drivers.interface import Abort, Block, Channel, DeliveredTrain, PulseTrain, SampleSource, Stimulator
from drivers.simulated.am4100_device import AM4100Device
from drivers.simulated.bench import Bench
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock
from drivers.simulated.endpoints import MemoryWire
from drivers.simulated.faults import Faults
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.rat import SimulatedRat
from drivers.simulated.source import BoardSource
from drivers.simulated.stimjim_device import StimJimDevice
from drivers.simulated.stimulators import place
from kindle.assembly import Instruments
from kindle.benches import wired
from kindle.bridging import Patience
from kindle.dial_question import DialQuestion
from kindle.inputs import inputs_of
from kindle.rig_config import DaqConfig, load_rig
from kindle.safety import SafetyLimits
from kindle.stimulator_config import Am4100Config, PulsePalConfig, StimJimConfig, StimulatorConfig
from kindle.stimulators import Reach, stimulator_of

RATE_HZ = 1000.0
BLOCK_S = 1.0
THRESHOLD_UA = 45.0
"""Of the rat, for 50 pulses of 1 ms: about the middle of the shorter trains that are asked for here."""
PLAYS_ON_S = 20.0
"""Longer than any train and than the discharge that it evokes."""

Kind = Literal["pulsepal", "stimjim", "am4100"]
STIMULATORS: dict[Kind, StimulatorConfig] = {
    "pulsepal": PulsePalConfig(ua_per_v=100.0, channel=1, sync_channel=2),
    "stimjim": StimJimConfig(),
    "am4100": Am4100Config(),
}


class SafetyBench:
    """``observer`` sees all current; programs connect, one after the other or not."""

    def __init__(self, kind: Kind, limits: SafetyLimits, seed: int, alarm_after_s: float) -> None:
        simulated = load_rig("simulated")
        assert isinstance(simulated.daq, DaqConfig)
        inputs = tuple(one for one in simulated.daq.inputs if one.role != "aux")
        daq = structs.replace(simulated.daq, rate_hz=RATE_HZ, inputs=inputs)
        self.config = structs.replace(simulated, daq=daq, stimulator=STIMULATORS[kind], limits=limits)
        self.clock = DemandClock()
        self.board = Board(self.clock)
        placed = place(kind, self.board, wired(self.config)[1])
        assert isinstance(placed.line, PulsePalDevice | StimJimDevice | AM4100Device)
        self.device = placed.line
        self.rat = SimulatedRat(THRESHOLD_UA, seed, RATE_HZ, discharge_s=(1.5, 4.0))
        self.wires = Bench(self.rat, placed.output)
        self.board.connect(self.wires.wires())
        self.observer = Observer(placed.output, self.rat, limits, self.now_us, alarm_after_s)
        self.altered: Callable[[Block], None] | None = None
        """What happens to the samples on their way."""
        self.line_sound = True
        """Whether a stop reaches the stimulator and its answer comes back."""
        self.board_sound = True
        """Whether samples come in time."""
        self.stays_away = False
        """Whether a board that was pulled out stays out."""
        self.sampled_since_plug: int | None = None
        """While samples are taken: how often the board had been unplugged when that began."""
        self.stimulator: Stimulator | None = None
        """As the program has it that is connected."""

    @contextmanager
    def connected(self, program: Program) -> Iterator[Instruments]:
        wire = WatchedWire(MemoryWire(self.device, self.clock.now_us), program)
        driver = stimulator_of(self.config, Reach(DialQuestion(), "in-process", wire=wire))
        source = WatchedSource(self, program)
        watched = WatchedMeasuring if isinstance(driver, SelfMeasuring) else Watched
        self.stimulator = watched(driver, self.observer, program)
        try:
            yield Instruments(source, self.stimulator, round(BLOCK_S * RATE_HZ))
        finally:
            self.stimulator = None
            if program.dead:
                atexit.unregister(driver.close)
            else:
                driver.close()
            source.close()

    def now_us(self) -> int:
        """Of the bench's clock, or of the stimulator's own, which is ahead of it while messages are read.

        Nothing that the stimulator answers comes earlier than it has read what it answers.
        """
        return max(self.clock.now_us(), self.device.read_until_us)

    @property
    def in_use(self) -> bool:
        """Whether the board knows that somebody samples with it."""
        return self.sampled_since_plug == self.board.faults.plug_count

    def line_fault(self, faults: Faults) -> None:
        self.device.inject(faults)
        self.line_sound = faults == Faults()
        if not self.line_sound:
            self.observer.link_breaks()

    def board_fault(self) -> None:
        self.board_sound = False
        self.observer.link_breaks()

    def mend(self) -> None:
        """Everything as it should be, and nothing left of late answers."""
        self.line_fault(Faults())
        self.board.faults.replug()
        self.board.faults.deliver_again()
        self.altered, self.stays_away, self.board_sound = None, False, True

    def plays_on(self, seconds: float = PLAYS_ON_S) -> None:
        """Time without any program."""
        now_us = self.clock.now_us()
        self.clock.wait_until(now_us + round(seconds * 1e6), 0.0)
        self.device.poll(self.clock.now_us())
        if isinstance(self.device, PulsePalDevice) and self.device.waits_for_click:
            self.device.click(self.clock.now_us())
        self.wires.eeg_volts(now_us, RATE_HZ, 0, round(seconds * RATE_HZ))
        self.observer.look()

    def patience(self, program: Program) -> Patience:
        """While a board is waited for, the bench's clock runs; one that was only pulled out for a moment comes back."""

        def wait(seconds: float) -> None:
            if not self.stays_away:
                self.board.faults.replug()
            program.wait_until(self.clock.now_us() + max(1, round(seconds * 1e6)))

        return Patience(6.0, now_s=lambda: self.clock.now_us() * 1e-6, wait=wait)


class WatchedWire:
    """A port at which a program can be stopped between a message and its answer, and waits as long as a real one."""

    def __init__(self, wire: MemoryWire, program: Program) -> None:
        self.timeout: float | None = None
        self._wire = wire
        self._program = program

    def read(self, size: int = 1, /) -> bytes:
        """What half a message leaves behind in an instrument is gone only when time has passed."""
        self._program.require_life()
        data = self._wire.read(size)
        if len(data) < size and self.timeout:
            self._program.waits_for_answer(self.timeout)
            data += self._wire.read(size - len(data))
        return data

    def write(self, data: bytes, /) -> int:
        self._program.comes_by_message()
        n_written = self._wire.write(data)
        self._program.comes_by_message()
        return n_written

    def close(self) -> None:
        self._wire.close()


class WatchedSource:
    """The emulated board's samples; time passes as far as the program is let."""

    def __init__(self, bench: SafetyBench, program: Program) -> None:
        self._bench = bench
        self._program = program
        self._source = BoardSource(bench.board, inputs_of(bench.config), RATE_HZ)
        self._read_until_us = 0

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self._source.channels

    @property
    def rate_hz(self) -> float:
        return self._source.rate_hz

    def identify(self) -> str:
        return self._source.identify()

    def start(self) -> None:
        self._source.start()
        self._began()

    def reopen(self) -> None:
        self._program.require_life()
        self._source.reopen()
        self._began()

    def read(self, n_samples: int) -> Block:
        self._read_until_us += round(n_samples * 1e6 / RATE_HZ)
        self._program.wait_until(self._read_until_us)
        try:
            block = self._source.read(n_samples)
        except Exception:
            self._read_until_us = self._bench.clock.now_us()
            raise
        if self._bench.altered is not None:
            block = block.copy()
            self._bench.altered(block)
        return block

    def n_unread(self) -> int:
        self._program.require_life()
        return self._source.n_unread()

    def close(self) -> None:
        self._bench.sampled_since_plug = None
        self._source.close()

    def _began(self) -> None:
        self._read_until_us = self._bench.clock.now_us()
        self._bench.sampled_since_plug = self._bench.board.faults.plug_count


class Watched:
    """A driver whose triggers and stops the observer is told of."""

    def __init__(self, driver: Stimulator, observer: Observer, program: Program) -> None:
        self._driver = driver
        self._observer = observer
        self._program = program

    def identify(self) -> str:
        return self._driver.identify()

    def prepare(self, train: PulseTrain) -> DeliveredTrain:
        return self._driver.prepare(train)

    def fire(self) -> None:
        self._observer.triggered()
        self._driver.fire()

    def rest(self) -> None:
        self._driver.rest()

    def abort(self) -> Abort:
        self._program.require_life()
        proof = self._driver.abort()
        self._observer.aborted(proof)
        return proof

    def close(self) -> None:
        self._driver.close()


class WatchedMeasuring(Watched):
    def delivery_report(self) -> DeliveryReport | None:
        assert isinstance(self._driver, SelfMeasuring)
        return self._driver.delivery_report()


class _Untouched:
    def __getattr__(self, name: str) -> None:
        raise AssertionError(f"a second program used {name} of instruments that are in use")


def untouched() -> Instruments:
    """Of a program that must be turned away before it touches any."""
    return Instruments(cast(SampleSource, _Untouched()), cast(Stimulator, _Untouched()), 1)
