"""What the tests of the Pulse Pal share: hands for the emulator, and eyes for what it put out."""

from dataclasses import dataclass
from itertools import pairwise

from drivers.pulsepal_codec import CODES_PER_V
from drivers.simulated.pulsepal_device import PulsePalDevice


@dataclass
class HandClock:
    """Bench time in microseconds, moved by hand."""

    now_us: int = 0

    def __call__(self) -> int:
        return self.now_us


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
