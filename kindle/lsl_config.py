"""[daq] of rig.toml where an LSL stream brings the signals."""

from typing import Annotated

import msgspec
from msgspec import Meta

from drivers.interface import Role
from drivers.lsl_counts import LslInput

Positive = Annotated[float, Meta(gt=0, le=1e9)]
RestLimit = Annotated[float, Meta(gt=0, le=50)]
"""uA; an offset beyond it has to be taken off the monitor, whose current nobody could see otherwise."""


class LslInputConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One channel of the stream, by the label that its description has; see ``drivers.lsl_counts.LslInput``."""

    label: str
    name: str
    role: Role
    unit: str
    resolution: Positive | None = None
    stream_unit: str = ""
    clips_at: Positive | None = None
    rest_limit_ua: RestLimit | None = None
    """Of the current monitor: the most that it may show while no train is going on."""

    def as_asked(self) -> LslInput:
        return LslInput(self.label, self.name, self.role, self.unit, self.resolution, self.stream_unit, self.clips_at)


class LslConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="lsl"):
    """``source_id`` is needed only where several streams have the same name."""

    stream: str
    rate_hz: Annotated[float, Meta(ge=100, le=50_000)]
    inputs: Annotated[tuple[LslInputConfig, ...], Meta(min_length=2, max_length=32)]
    source_id: str = ""
    block_s: Annotated[float, Meta(ge=0.01, le=1.0)] = 0.1
    jitter_s: Annotated[float, Meta(gt=0, le=0.1)] = 0.01
    """How far a time stamp may be off before samples count as lost."""

    @property
    def device(self) -> str:
        """What the signals come from, for people; never a board."""
        return f"LSL stream {self.stream!r}"
