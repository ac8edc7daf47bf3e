"""[stimulator] of rig.toml: one table for each kind, told apart by its key ``kind``."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from drivers.interface import Polarity
from kindle.calibration import VALID_DAYS

Positive = Annotated[float, Meta(gt=0, le=1e9)]
ValidDays = Annotated[int, Meta(ge=1, le=3660)]


class PulsePalConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="pulsepal"):
    """``ua_per_v`` is what the isolator behind the Pulse Pal is set to; its calibration says what it really does."""

    ua_per_v: Positive
    address: str = ""
    channel: Annotated[int, Meta(ge=1, le=4)] = 1
    sync_channel: Annotated[int, Meta(ge=1, le=4)] | None = None
    positive_is_cathodic: bool = False
    calibration_valid_days: ValidDays = VALID_DAYS


class StimJimConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="stimjim"):
    address: str = ""
    channel: Annotated[int, Meta(ge=0, le=1)] = 0
    positive_is_cathodic: bool = False
    current_tolerance: Annotated[float, Meta(gt=0, le=0.5)] = 0.1


class Am4100Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="am4100"):
    address: str = ""
    pin: Annotated[int, Meta(ge=0, le=9999)] = 1001
    sync: Annotated[int, Meta(ge=1, le=2)] = 1
    monitor_ua_per_v: Literal[10, 100, 1000, 10000] = 100
    positive_is_cathodic: bool = False


class IsolatorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="isolator"):
    """An analogue output of the board commands the isolator; ``device`` is [daq]'s unless it is named here."""

    ua_per_v: Positive
    channel: str = "ao0"
    marker: str = "ao1"
    device: str = ""
    positive_is_cathodic: bool = False
    allow_streaming: bool = False
    """Play trains that the board does not hold in its own memory, too."""
    calibration_valid_days: ValidDays = VALID_DAYS


class CounterConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="counter"):
    """A counter of the board gates each pulse; the amplitude is fixed at ``current_ua``, or asked of a person."""

    counter: str = "ctr0"
    marker: str = "ao0"
    device: str = ""
    current_ua: Positive | None = None
    polarity: Polarity = "cathodic_first"


class ManualConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="manual"):
    """A counter of the board gates or starts a stimulator on whose dials everything else stands."""

    counter: str = "ctr0"
    device: str = ""
    gated: bool = True


StimulatorConfig = PulsePalConfig | StimJimConfig | Am4100Config | IsolatorConfig | CounterConfig | ManualConfig

VoltageCommanded = PulsePalConfig | IsolatorConfig
"""Of these a calibrated isolator makes the current."""

AtPort = PulsePalConfig | StimJimConfig | Am4100Config
"""These answer at an address of their own."""

SetByHand = CounterConfig | ManualConfig
"""Of these a person may have to set the current."""
