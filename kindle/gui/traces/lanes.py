"""Where each channel lies in the picture, and which of its values lies in which row of pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from drivers.interface import Channel, Role
from kindle.channel_roles import microvolts_per
from kindle.gui.traces.settings import TraceSettings

_SHARES: dict[Role, float] = {"eeg": 3.0, "stimulus_ttl": 1.0, "current_monitor": 1.6, "aux": 1.6}
"""Of the height; what is judged has most room."""
GAP_PX = 3


@dataclass(frozen=True, slots=True)
class Scale:
    """In the channel's unit: what lies in the middle of the lane, and what lies half a lane from it."""

    centre: float
    half: float


@dataclass(frozen=True, slots=True)
class Lane:
    """Rows ``[top, top + height)`` of the picture, in pixels of the screen."""

    top: int
    height: int

    @property
    def last(self) -> int:
        return self.top + self.height - 1

    def line(self, scale: Scale) -> tuple[float, float]:
        """Row of 0, and rows per unit: a value lies at their sum, or at the border of the lane."""
        reach = (self.height - 1) / 2
        per_unit = -reach / scale.half
        return self.top + reach - scale.centre * per_unit, per_unit

    def row(self, value: float, scale: Scale) -> int:
        zero, per_unit = self.line(scale)
        return max(self.top, min(self.last, round(zero + value * per_unit)))


def laid_out(channels: Sequence[Channel], height_px: int) -> list[Lane]:
    shares = [_SHARES[channel.role] for channel in channels]
    room = max(len(channels) * 4, height_px - GAP_PX * (len(channels) - 1))
    lanes: list[Lane] = []
    top, passed = 0, 0.0
    for number, share in enumerate(shares):
        bottom = round(room * (passed + share) / sum(shares)) + number * GAP_PX
        lanes.append(Lane(top, bottom - top))
        top, passed = bottom + GAP_PX, passed + share
    return lanes


def scale_of(channel: Channel, settings: TraceSettings, lowest: float, highest: float, now: Scale | None) -> Scale:
    """Of a lane in which the values between ``lowest`` and ``highest`` are seen; ``now`` stays where it still fits."""
    chosen = settings.half_ranges.get(channel.name)
    match channel.role:
        case "eeg":
            return _around_the_middle(chosen or _one_millivolt(channel), (lowest + highest) / 2, now)
        case "stimulus_ttl" if chosen is None:
            return Scale(2.5, 3.5) if channel.unit == "V" else Scale(0.5, 0.8)
        case _ if chosen is not None:
            return Scale(0.0, chosen)
        case _:
            return _that_holds(max(abs(lowest), abs(highest)), channel, now)


def stepped(half: float, step: int) -> float:
    """The next larger (1) or smaller (-1) of 1, 2, 5, 10, ..."""
    decade = floor(log10(half) + 1e-9)
    ladder = [factor * 10.0**power for power in (decade - 1, decade, decade + 1) for factor in (1, 2, 5)]
    if step > 0:
        return next(rung for rung in ladder if rung > half * (1 + 1e-6))
    return next(rung for rung in reversed(ladder) if rung < half * (1 - 1e-6))


def told(value: float, unit: str) -> str:
    """With the unit that needs fewest digits: 1000 uV is 1 mV."""
    unit = unit.replace("\N{GREEK SMALL LETTER MU}", "µ")
    unit = "µ" + unit[1:] if unit[:1] == "u" and len(unit) > 1 else unit
    if unit[:1] == "µ" and abs(value) >= 1000:
        value, unit = value / 1000, "m" + unit[1:]
    return f"{value:g} {unit}".strip()


def _around_the_middle(half: float, middle: float, now: Scale | None) -> Scale:
    """An amplifier's offset is taken away; the picture does not follow every sway."""
    if now is not None and now.half == half and abs(middle - now.centre) < 0.25 * half:
        return now
    return Scale(middle, half)


def _that_holds(largest: float, channel: Channel, now: Scale | None) -> Scale:
    least = 20 * channel.resolution
    if now is not None and 0.15 * now.half <= max(largest, least) <= now.half:
        return now
    exponent = ceil(log10(max(largest, least)) - 1e-9)
    return Scale(
        0.0,
        next(
            f * 10.0**exponent for f in (0.1, 0.2, 0.5, 1.0) if f * 10.0**exponent >= max(largest, least) * (1 - 1e-6)
        ),
    )


def _one_millivolt(channel: Channel) -> float:
    return 1000.0 / (microvolts_per(channel.unit) or 1.0)
