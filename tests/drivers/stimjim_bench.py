"""The StimJim for the contract suite: the driver on the emulated instrument, over every kind of cable."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from stimulator_bench import CABLES, Bench, Cable, HandClock, Instrument, phases_of, plug_in, serial_breaks, serial_mend
from wires import ScriptedWire

from drivers import stimjim_dialogue
from drivers.interface import DeliveredTrain, PulseTrain
from drivers.simulated.stimjim_device import Firmware, StimJimDevice
from drivers.stimjim import StimJim


def _set_up(kind: str, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Bench:
    # Silence is tested often; loopback answers within a millisecond.
    monkeypatch.setattr(stimjim_dialogue, "EXCHANGE_TIMEOUT_S", 0.15)
    clock = HandClock()

    def connected(device: StimJimDevice) -> tuple[StimJim, Cable]:
        cable, address, wire = plug_in(device, kind, clock, stack)
        stimulator = StimJim(address, wire=wire, max_current_ua=1000.0, settle_s=0.0)
        stack.callback(stimulator.close)
        return stimulator, cable

    device = StimJimDevice()
    stimulator, cable = connected(device)

    def pull_the_cable() -> None:
        # It lives on the power of the cable.
        device.lose_power(clock.now_us)
        cable.unplug()

    def plug_it_in_again() -> None:
        device.regain_power(clock.now_us)
        serial_mend(device.inject, cable)()

    return Bench(
        stimulator,
        clock,
        phases_of(device),
        serial_breaks(device.inject, cable) | {"unplugged": pull_the_cable},
        lambda: connected(StimJimDevice(Firmware.WITHOUT_SYNC))[0],
        plug_it_in_again,
    )


def _over(kind: str) -> Callable[[ExitStack, pytest.MonkeyPatch], Bench]:
    return lambda stack, monkeypatch: _set_up(kind, stack, monkeypatch)


INSTRUMENTS = tuple(
    Instrument(f"StimJim over {kind}", _over(kind), tail_us=2000, mends=kind != "pty", posix_only=kind == "pty")
    for kind in CABLES
)


KINDLING = PulseTrain(current_ua=200, phase_us=1000, interphase_us=0, pulse_hz=60, train_s=1, polarity="anodic_first")


class Rig:
    """A driver on an emulated instrument in this process, with hands on the clock and on the wire between them."""

    def __init__(self, device: StimJimDevice | None = None, **changes: object) -> None:
        self.clock = HandClock()
        self.device = StimJimDevice() if device is None else device
        self.wire = ScriptedWire(self.device, self.clock)
        self.current = phases_of(self.device)
        self.stimulator = self.driver(**changes)

    def driver(self, **changes: object) -> StimJim:
        settings = {"max_current_ua": 1000.0, "settle_s": 0.0} | changes
        return StimJim("in memory", wire=self.wire, **settings)

    def ready(self) -> "Rig":
        self.stimulator.identify()
        self.wire.written.clear()
        return self

    def fired(self, train: PulseTrain = KINDLING) -> DeliveredTrain:
        delivered = self.stimulator.prepare(train)
        self.stimulator.fire()
        return delivered
