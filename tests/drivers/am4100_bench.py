"""The 4100 for the contract suite: the driver on the emulated instrument, over serial line and telnet."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from stimulator_bench import CABLES, Bench, Cable, HandClock, Instrument, phases_of, plug_in, serial_breaks, serial_mend
from wires import ScriptedWire

from drivers import am4100_dialogue
from drivers.am4100 import AM4100
from drivers.interface import DeliveredTrain, PulseTrain
from drivers.serial_wire import SerialWire, open_wire
from drivers.simulated.am4100_device import AM4100Device


def _open_without_parity(address: str, **settings: object) -> SerialWire:
    """The pseudo-terminals of newer Linux kernels refuse odd parity; whether it is asked for is asserted here."""
    assert settings == {"baudrate": 115_200, "parity": "O"}
    return open_wire(address, baudrate=115_200)


def _set_up(kind: str, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Bench:
    # Silence is tested often; loopback answers within a millisecond.
    monkeypatch.setattr(am4100_dialogue, "EXCHANGE_TIMEOUT_S", 0.15)
    if kind == "pty":
        monkeypatch.setattr(am4100_dialogue, "open_wire", _open_without_parity)
    clock = HandClock()

    def connected(device: AM4100Device) -> tuple[AM4100, Cable]:
        cable, address, wire = plug_in(device, kind, clock, stack)
        stimulator = AM4100(address, wire=wire, max_current_ua=1000.0, settle_s=0.0)
        stack.callback(stimulator.close)
        return stimulator, cable

    device = AM4100Device()
    stimulator, cable = connected(device)
    return Bench(
        stimulator,
        clock,
        phases_of(device),
        serial_breaks(device.inject, cable),
        lambda: connected(AM4100Device("STG4002"))[0],
        serial_mend(device.inject, cable),
    )


def _over(kind: str) -> Callable[[ExitStack, pytest.MonkeyPatch], Bench]:
    return lambda stack, monkeypatch: _set_up(kind, stack, monkeypatch)


NAMES = {"memory": "memory", "pty": "its serial line", "tcp": "telnet"}

INSTRUMENTS = tuple(
    Instrument(f"A-M 4100 over {NAMES[kind]}", _over(kind), mends=kind != "pty", posix_only=kind == "pty")
    for kind in CABLES
)


KINDLING = PulseTrain(current_ua=200, phase_us=1000, interphase_us=0, pulse_hz=60, train_s=1, polarity="anodic_first")


class Rig:
    """A driver on an emulated instrument in this process, with hands on the clock and on the wire between them."""

    def __init__(self, device: AM4100Device | None = None, **changes: object) -> None:
        self.clock = HandClock()
        self.device = AM4100Device() if device is None else device
        self.wire = ScriptedWire(self.device, self.clock)
        self.current = phases_of(self.device)
        self.stimulator = self.driver(**changes)

    def driver(self, **changes: object) -> AM4100:
        settings = {"max_current_ua": 1000.0, "settle_s": 0.0} | changes
        return AM4100("in memory", wire=self.wire, **settings)

    def ready(self) -> "Rig":
        self.stimulator.identify()
        self.wire.written.clear()
        return self

    def fired(self, train: PulseTrain = KINDLING) -> DeliveredTrain:
        delivered = self.stimulator.prepare(train)
        self.stimulator.fire()
        return delivered

    def told(self) -> list[str]:
        """What was written, without questions, and without the PIN."""
        lines = [line.decode().removesuffix("\r") for line in self.wire.written]
        return [line.removeprefix("1001 ") for line in lines if not line.startswith("g ")]
