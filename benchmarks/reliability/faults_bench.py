"""An emulated bench inside this process, everything that can go wrong on it, and what undoes that."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec import structs

from benchmarks.reliability.kill_bench import RATE_HZ, LineKind, LivingBench, bench_with
from benchmarks.reliability.kill_child import settings
from drivers.interface import Block, Channel
from drivers.nidaq import NidaqSource
from drivers.simulated.endpoints import MemoryWire
from drivers.simulated.faults import Faults
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.stimjim_device import StimJimDevice
from kindle.assembly import Instruments
from kindle.bridging import Patience
from kindle.dial_question import DialQuestion
from kindle.inputs import inputs_of
from kindle.rig_config import RigConfig
from kindle.stimulator_config import Am4100Config, StimJimConfig
from kindle.stimulators import Reach, stimulator_of

TTL_ROW, MONITOR_ROW = 2, 3
HIGH_COUNTS = 15_604
"""Of the TTL input: 5 V."""


@dataclass
class Wrong:
    """What is wrong beside board and line at this moment."""

    alter: Callable[[Block], None] | None = None
    stop: bool = False
    """The experimenter wants to stop."""


@dataclass
class FaultyBench:
    """``source`` reads through the vendor's client from ``server``, which can die and hang."""

    living: LivingBench
    rig: RigConfig
    server: NidaqServer | None = None
    wrong: Wrong = field(default_factory=Wrong)
    stays_away: bool = False
    """Whether a board that is gone is still gone when it is looked for."""
    current_s: float = 0.0
    """For how long current flowed after the last session had ended, before the stimulator was closed."""
    bus_failed: bool = False
    """Whether the device server still holds the task that the program could not end."""

    def start_server(self) -> None:
        if self.server is None:
            self.server = NidaqServer([self.living.board])
            self.server.__enter__()

    def stop_server(self) -> None:
        if self.server is not None:
            self.server.__exit__(None, None, None)
            self.server = None

    @contextmanager
    def instruments(self) -> Iterator[Instruments]:
        rig = self.rig
        if self.server is None:
            raise RuntimeError("the device server is down: start it first")
        source = NidaqSource(
            rig.daq.device, inputs_of(rig), rig.daq.rate_hz, block=rig.block, remote=self.server.address
        )
        wire = MemoryWire(self.living.device, self.living.clock.now_us)
        stimulator = stimulator_of(rig, Reach(DialQuestion(), "in-process", wire=wire))
        try:
            yield Instruments(Disturbed(source, self.wrong), stimulator, rig.block)
        finally:
            stimulator.close()
            self.living.board.faults.release()
            source.close()

    def patience(self) -> Patience:
        """Waits in no time; a board that was only pulled out for a moment is back when it is looked for."""
        waited_s = [0.0]

        def wait(seconds: float) -> None:
            waited_s.append(waited_s[-1] + seconds)
            if not self.stays_away:
                self.living.board.faults.replug()
                self.living.board.faults.release()

        return Patience(60.0, now_s=lambda: waited_s[-1], wait=wait)


def rig_with(kind: LineKind) -> RigConfig:
    """The emulated rig with this stimulator."""
    rig = settings()
    match kind:
        case "stimjim":
            return structs.replace(rig, stimulator=StimJimConfig())
        case "am4100":
            return structs.replace(rig, stimulator=Am4100Config())
        case _:
            return rig


@contextmanager
def faulty_bench(kind: LineKind = "pulsepal") -> Iterator[FaultyBench]:
    bench = FaultyBench(bench_with(kind), rig_with(kind))
    bench.start_server()
    try:
        yield bench
    finally:
        bench.living.board.faults.release()
        bench.stop_server()


@dataclass
class Disturbed:
    """A source whose blocks something has happened to on the way."""

    source: NidaqSource
    wrong: Wrong

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self.source.channels

    @property
    def rate_hz(self) -> float:
        return self.source.rate_hz

    def identify(self) -> str:
        return self.source.identify()

    def start(self) -> None:
        self.source.start()

    def reopen(self) -> None:
        self.source.reopen()

    def read(self, n_samples: int) -> Block:
        block = self.source.read(n_samples)
        if self.wrong.alter is not None:
            block = block.copy()
            self.wrong.alter(block)
        return block

    def n_unread(self) -> int:
        return self.source.n_unread()

    def close(self) -> None:
        self.source.close()


Inject = Callable[[FaultyBench], None]


def _on_line(faults: Faults) -> Inject:
    return lambda bench: bench.living.device.inject(faults)


def _altered(alter: Callable[[Block], None]) -> Inject:
    def inject(bench: FaultyBench) -> None:
        bench.wrong.alter = alter

    return inject


def _ttl_high(block: Block) -> None:
    block[TTL_ROW] = HIGH_COUNTS


def _ttl_low(block: Block) -> None:
    block[TTL_ROW] = 0


def _monitor_half(block: Block) -> None:
    block[MONITOR_ROW] //= 2


def _monitor_on(block: Block) -> None:
    block[MONITOR_ROW] = 1000


def _monitor_of_another(block: Block) -> None:
    """Pulses of 1 ms at 50 Hz, of a stimulator that somebody else has started."""
    block[MONITOR_ROW, :: round(RATE_HZ / 50.0)] = 1000


def _stopped(bench: FaultyBench) -> None:
    bench.wrong.stop = True


def _stopped_in_vain(bench: FaultyBench) -> None:
    bench.living.device.inject(Faults(silent=True, drop_after=0))
    bench.wrong.stop = True


def _pulled_out(bench: FaultyBench) -> None:
    bench.stays_away = True
    bench.living.board.faults.unplug()


def _bus_fails(bench: FaultyBench) -> None:
    bench.bus_failed = True
    bench.living.board.faults.answer_nonsense()


def _dies(bench: FaultyBench) -> None:
    bench.stays_away = True
    bench.stop_server()


FAULTS: dict[str, Inject] = {
    "stimulator silent": _on_line(Faults(silent=True)),
    "stimulator answers garbage": _on_line(Faults(garbage=True)),
    "stimulator takes 3 bytes more": _on_line(Faults(drop_after=3)),
    "stimulator answers 2 s late": _on_line(Faults(late_us=2_000_000)),
    "stimulator unplugged": _on_line(Faults(unplugged=True)),
    "board pulled out": _pulled_out,
    "board pulled out and back": lambda bench: bench.living.board.faults.unplug(),
    "board overrun": lambda bench: bench.living.board.faults.overrun_now(),
    "board hangs, then answers": lambda bench: bench.living.board.faults.hang(),
    "board's bus fails": _bus_fails,
    "device server dies": _dies,
    "TTL stuck high": _altered(_ttl_high),
    "TTL stuck low": _altered(_ttl_low),
    "monitor shows half the current": _altered(_monitor_half),
    "monitor shows current always": _altered(_monitor_on),
    "monitor shows another's pulses": _altered(_monitor_of_another),
    "stop": _stopped,
    "stop, which the stimulator ignores": _stopped_in_vain,
}


def mend(bench: FaultyBench) -> None:
    """Everything sound again, as somebody would have it who did what the messages say."""
    device = bench.living.device
    device.inject(Faults())
    bench.living.clock.wait_until(bench.living.clock.now_us() + 2_000_000, 0.0)
    device.poll(bench.living.clock.now_us())
    now_us = bench.living.clock.now_us()
    if isinstance(device, PulsePalDevice) and device.waits_for_click:
        device.click(now_us)
    if isinstance(device, StimJimDevice):
        # Half a command stays in it until it is unplugged, as its driver says.
        device.lose_power(now_us)
        device.regain_power(now_us)
    if bench.bus_failed:
        bench.stop_server()
    faults = bench.living.board.faults
    faults.replug()
    faults.release()
    faults.answer_again()
    bench.start_server()
    bench.stays_away = False
    bench.wrong.alter = None
    bench.wrong.stop = False
