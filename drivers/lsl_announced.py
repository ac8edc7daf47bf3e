"""Which streams of the Lab Streaming Layer are announced on the network; none of them is opened."""

from dataclasses import dataclass

from drivers.lsl_stream import format_of, library

LOOK_S = 2.0
"""As long as streams may take to answer."""


@dataclass(frozen=True, slots=True)
class Announced:
    """``rate_hz`` is 0 where samples come at no regular rate, as those of markers."""

    name: str
    kind: str
    source_id: str
    host: str
    n_channels: int
    rate_hz: float
    format: str


def announced(look_s: float = LOOK_S) -> tuple[Announced, ...]:
    """By name and host. Raises ``DeviceNotFound`` where the LSL library is not installed."""
    lsl = library()
    found = [
        Announced(
            name=str(one.name()),
            kind=str(one.type()),
            source_id=str(one.source_id()),
            host=str(one.hostname()),
            n_channels=int(one.channel_count()),
            rate_hz=float(one.nominal_srate()),
            format=format_of(one, lsl),
        )
        for one in lsl.resolve_streams(look_s)
    ]
    return tuple(sorted(found, key=lambda one: (one.name, one.host, one.source_id)))
