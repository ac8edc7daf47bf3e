"""[stimulator] of rig.toml -> the driver of that instrument."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from drivers.am4100 import AM4100
from drivers.daq_output import OutputPort, Pins
from drivers.dial import ReadDial
from drivers.interface import Stimulator
from drivers.isolator import IsolatorOutput
from drivers.manual import ManualGate
from drivers.ni_counter import CounterOutput
from drivers.pulsepal import PulsePal
from drivers.serial_wire import SerialWire
from drivers.stimjim import StimJim
from kindle.rig_config import RigConfig
from kindle.stimulator_config import (
    Am4100Config,
    CounterConfig,
    IsolatorConfig,
    ManualConfig,
    PulsePalConfig,
    StimJimConfig,
)


@dataclass(frozen=True, slots=True)
class Reach:
    """How an instrument is reached: by address, through a board or its server, or inside this process."""

    read_dial: ReadDial
    address: str = ""
    remote: str | None = None
    wire: SerialWire | None = None
    port: Callable[[Pins], OutputPort] | None = None


def stimulator_of(config: RigConfig, reach: Reach) -> Stimulator:
    """The driver, not connected yet: ``identify`` does that. Raises ``DeviceRefused`` for senseless settings."""
    max_current_ua = config.limits.max_current_ua
    match config.stimulator:
        case PulsePalConfig() as wanted:
            return PulsePal(
                reach.address,
                channel=wanted.channel,
                sync_channel=wanted.sync_channel,
                ua_per_v=config.ua_per_v,
                max_current_ua=max_current_ua,
                positive_is_cathodic=wanted.positive_is_cathodic,
                wire=reach.wire,
            )
        case StimJimConfig() as wanted:
            return StimJim(
                reach.address,
                channel=wanted.channel,
                max_current_ua=max_current_ua,
                positive_is_cathodic=wanted.positive_is_cathodic,
                current_tolerance=wanted.current_tolerance,
                wire=reach.wire,
            )
        case Am4100Config() as wanted:
            return AM4100(
                reach.address,
                pin=wanted.pin,
                sync=wanted.sync,
                monitor_ua_per_v=wanted.monitor_ua_per_v,
                max_current_ua=max_current_ua,
                positive_is_cathodic=wanted.positive_is_cathodic,
                wire=reach.wire,
            )
        case IsolatorConfig() as wanted:
            return IsolatorOutput(
                wanted.device or config.daq.device,
                channel=wanted.channel,
                marker=wanted.marker,
                ua_per_v=config.ua_per_v,
                max_current_ua=max_current_ua,
                positive_is_cathodic=wanted.positive_is_cathodic,
                allow_streaming=wanted.allow_streaming,
                remote=reach.remote,
                port=reach.port,
            )
        case CounterConfig() as wanted:
            return CounterOutput(
                wanted.device or config.daq.device,
                counter=wanted.counter,
                marker=wanted.marker,
                max_current_ua=max_current_ua,
                current_ua=wanted.current_ua,
                read_dial=reach.read_dial if wanted.current_ua is None else None,
                polarity=wanted.polarity,
                remote=reach.remote,
                port=reach.port,
            )
        case ManualConfig() as wanted:
            return ManualGate(
                wanted.device or config.daq.device,
                counter=wanted.counter,
                gated=wanted.gated,
                max_current_ua=max_current_ua,
                read_dial=reach.read_dial,
                remote=reach.remote,
                port=reach.port,
            )
        case _:
            assert_never(config.stimulator)
