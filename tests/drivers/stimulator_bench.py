"""What the contract suite knows of an instrument: how to set one up, and what it cannot do."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from drivers.interface import Abort, PulseTrain, Stimulator
from drivers.simulated.endpoints import MemoryWire, PtyEndpoint, SerialDevice, TcpEndpoint
from drivers.simulated.faults import Faults
from drivers.simulated.stimulator_output import StimulatorOutput

Phase = tuple[int, float, int]
"""Start in us of bench time, current in uA, duration in us."""


@dataclass
class HandClock:
    """Bench time in microseconds, moved by hand."""

    now_us: int = 0

    def __call__(self) -> int:
        return self.now_us


@dataclass
class Bench:
    """A stimulator, the emulated instrument behind it, and what the tests may do to them."""

    stimulator: Stimulator
    clock: HandClock
    current: Callable[[int, int], list[Phase]]
    """Every stretch of current that flowed in ``[start_us, end_us)``."""
    breaks: Mapping[str, Callable[[], None]]
    """What can go wrong, by the names in ``Instrument.breaks``."""
    other_model: Callable[[], Stimulator] | None = None
    """A stimulator of the same kind whose instrument is another model or firmware."""
    mend: Callable[[], None] | None = None
    """Undoes what ``breaks`` did; the instrument is reached at the same address as before."""

    def elapse(self, seconds: float) -> list[Phase]:
        """Let time pass; the current that flowed meanwhile."""
        start_us = self.clock.now_us
        self.clock.now_us += round(seconds * 1e6)
        return self.current(start_us, self.clock.now_us)


SetUp = Callable[[ExitStack, pytest.MonkeyPatch], Bench]


@dataclass(frozen=True)
class Instrument:
    """One kind of stimulator, reached in one way.

    ``train`` is one that it can deliver exactly as often as it is asked, 60 pulses within 2 s; the suite derives
    every other train from it. ``breaks`` are ``"silent"``, ``"garbage"`` and ``"unplugged"``, or those of them that can
    happen to it. ``proof`` is what a stop in the middle of a train is worth on a sound instrument; before any train
    it is always confirmed. ``tail_us`` is how much current may still flow after a stop: a pulse in progress that the
    instrument completes, or a train that it does not let anybody stop.
    """

    name: str
    set_up: SetUp
    train: PulseTrain = field(
        default_factory=lambda: PulseTrain(current_ua=200, phase_us=1000, interphase_us=0, pulse_hz=60, train_s=1)
    )
    max_current_ua: float = 1000.0
    breaks: tuple[str, ...] = ("silent", "garbage", "unplugged")
    proof: Abort = Abort.CONFIRMED
    tail_us: int = 1000
    both_polarities: bool = True
    tells_models_apart: bool = True
    mends: bool = False
    posix_only: bool = False


Cable = MemoryWire | PtyEndpoint | TcpEndpoint
CABLES = ("memory", "pty", "tcp")


def plug_in(
    device: SerialDevice, kind: str, clock: HandClock, stack: ExitStack
) -> tuple[Cable, str, MemoryWire | None]:
    """The cable, the address that a driver is given, and its ``wire`` where there is no port."""
    if kind == "memory":
        wire = MemoryWire(device, clock)
        return wire, "in memory", wire
    endpoint = stack.enter_context({"pty": PtyEndpoint, "tcp": TcpEndpoint}[kind](device, clock))
    return endpoint, endpoint.address, None


def serial_breaks(inject: Callable[[Faults], None], cable: Cable) -> dict[str, Callable[[], None]]:
    """What can happen to an instrument at the end of a serial line."""
    return {
        "silent": lambda: inject(Faults(silent=True)),
        "garbage": lambda: inject(Faults(garbage=True)),
        "unplugged": cable.unplug,
    }


def serial_mend(inject: Callable[[Faults], None], cable: Cable) -> Callable[[], None]:
    """The end of all that ``serial_breaks`` can do."""

    def mend() -> None:
        inject(Faults())
        cable.replug()

    return mend


def phases_of(device: StimulatorOutput) -> Callable[[int, int], list[Phase]]:
    """The current of an emulated stimulator, stretch by stretch."""

    def current(start_us: int, end_us: int) -> list[Phase]:
        steps = device.output(start_us, end_us)
        begins_us = steps.times_us.tolist()
        ends_us = [*begins_us[1:], end_us]
        return [
            (begin_us, ua, until_us - begin_us)
            for begin_us, until_us, ua in zip(begins_us, ends_us, steps.ua.tolist(), strict=True)
            if ua
        ]

    return current
