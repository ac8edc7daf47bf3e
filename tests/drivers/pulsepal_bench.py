"""What the tests of the Pulse Pal share: hands for the emulator, and eyes for what it put out."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise

import pytest
from stimulator_bench import CABLES, Bench, Cable, HandClock, Instrument, Phase, plug_in, serial_breaks, serial_mend

from drivers import pulsepal
from drivers.pulsepal import PulsePal
from drivers.pulsepal_codec import CODES_PER_V
from drivers.simulated.pulsepal_device import PulsePalDevice

UA_PER_V = 1000.0


@dataclass(frozen=True)
class OutputPhase:
    """A stretch of voltage other than 0 V; ``duration_us`` runs at most to the end of what was asked for."""

    start_us: int
    offset_codes: int
    duration_us: int


def phases(device: PulsePalDevice, channel: int, start_us: int, end_us: int) -> list[OutputPhase]:
    steps = device.output(channel, start_us, end_us)
    times = [*steps.times_us.tolist(), end_us]
    offsets = [round(volts * CODES_PER_V) for volts in steps.volts.tolist()]
    return [
        OutputPhase(start, offset, end - start)
        for (start, end), offset in zip(pairwise(times), offsets, strict=True)
        if offset
    ]


def count_phases(device: PulsePalDevice, channel: int, start_us: int, end_us: int) -> tuple[int, int]:
    """Positive and negative phases."""
    found = phases(device, channel, start_us, end_us)
    return sum(phase.offset_codes > 0 for phase in found), sum(phase.offset_codes < 0 for phase in found)


def _set_up(kind: str, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> Bench:
    # Silence is tested often; loopback answers within a millisecond.
    monkeypatch.setattr(pulsepal, "EXCHANGE_TIMEOUT_S", 0.15)
    monkeypatch.setattr(pulsepal, "HANDSHAKE_TIMEOUT_S", 0.15)
    clock = HandClock()

    def connected(device: PulsePalDevice) -> tuple[PulsePal, Cable]:
        cable, address, wire = plug_in(device, kind, clock, stack)
        stimulator = PulsePal(address, wire=wire, ua_per_v=UA_PER_V, max_current_ua=1000.0, settle_s=0.0)
        stack.callback(stimulator.close)
        return stimulator, cable

    device = PulsePalDevice()
    stimulator, cable = connected(device)

    def current(start_us: int, end_us: int) -> list[Phase]:
        found = phases(device, 1, start_us, end_us)
        return [(phase.start_us, phase.offset_codes / CODES_PER_V * UA_PER_V, phase.duration_us) for phase in found]

    return Bench(
        stimulator,
        clock,
        current,
        serial_breaks(device.inject, cable),
        lambda: connected(PulsePalDevice(version=5))[0],
        serial_mend(device.inject, cable),
    )


def _over(kind: str) -> Callable[[ExitStack, pytest.MonkeyPatch], Bench]:
    return lambda stack, monkeypatch: _set_up(kind, stack, monkeypatch)


# A pseudo-terminal may have another name when it is plugged in again.
INSTRUMENTS = tuple(
    Instrument(f"Pulse Pal over {kind}", _over(kind), mends=kind != "pty", posix_only=kind == "pty") for kind in CABLES
)
