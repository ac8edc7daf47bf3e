"""rig.toml: which instruments stand at this rig, how they are wired, and what it may ever deliver."""

from collections import Counter
from datetime import date
from importlib.resources import as_file, files
from math import nan
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, structs

from drivers.interface import Role
from kindle.calibration import Calibration, check_calibration, read_calibration
from kindle.delivery import REST_LIMIT_UA
from kindle.errors import ConfigError
from kindle.lsl_config import LslConfig, RestLimit
from kindle.safety import SafetyLimits
from kindle.stimulator_config import (
    AtPort,
    CounterConfig,
    IsolatorConfig,
    ManualConfig,
    PulsePalConfig,
    SetByHand,
    StimulatorConfig,
    VoltageCommanded,
)
from kindle.toml_files import decode_toml

MICROAMPERE = ("uA", "\u00b5A", "\u03bcA")
"""With a u, the micro sign or the Greek letter, which look the same."""

Positive = Annotated[float, Meta(gt=0, le=1e9)]
Seed = Annotated[int, Meta(ge=0, le=2**31)]


class InputConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One analogue input: ``units_per_volt`` is 1e6 / gain for an EEG amplifier whose unit is uV."""

    physical: str
    name: str
    role: Role
    unit: str
    units_per_volt: Positive
    range_v: Annotated[float, Meta(gt=0, le=10)] = 10.0
    terminal: Literal["differential", "rse", "nrse", "pseudodifferential"] = "rse"
    clips_at_v: Annotated[float, Meta(gt=0, le=10)] | None = None
    """Where the amplifier clips, if inside the converter's range: a clipped signal is blind, not quiet."""
    rest_limit_ua: RestLimit | None = None
    """Of the current monitor: the most that it may show while no train is going on."""


class DaqConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="nidaq"):
    """``remote`` is host:port of a gRPC device server; leave it out for a board in this computer."""

    device: str
    rate_hz: Annotated[float, Meta(ge=100, le=50_000)]
    inputs: Annotated[tuple[InputConfig, ...], Meta(min_length=2, max_length=32)]
    block_s: Annotated[float, Meta(ge=0.01, le=1.0)] = 0.1
    remote: str = ""


class BenchConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An emulated bench that takes the place of the instruments; without a threshold the animal's name draws one."""

    where: Literal["process", "in_process"]
    clock: Literal["demand", "real"] = "demand"
    seed: Seed = 1
    threshold_ua: Annotated[float, Meta(gt=0, le=20_000)] | None = None
    log: str = ""
    """File to which each train that the rat heard is appended."""


class RigConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    daq: DaqConfig | LslConfig
    stimulator: StimulatorConfig
    limits: SafetyLimits
    bench: BenchConfig | None = None
    calibration: Calibration | None = None
    """Of the isolator; of a rig file, from the calibration file beside it."""

    @property
    def block(self) -> int:
        return max(1, round(self.daq.block_s * self.daq.rate_hz))

    @property
    def rest_limit_ua(self) -> float:
        """What the current monitor may show while no train is going on; more of it is current, and stops a session."""
        given = [wanted.rest_limit_ua for wanted in self.daq.inputs if wanted.rest_limit_ua is not None]
        return given[0] if given else REST_LIMIT_UA

    @property
    def asks_for_dial(self) -> bool:
        """Whether a person has to set the current before each train; an emulated bench has a hand of its own."""
        fixed = isinstance(self.stimulator, CounterConfig) and self.stimulator.current_ua is not None
        return self.bench is None and isinstance(self.stimulator, SetByHand) and not fixed

    @property
    def ua_per_v(self) -> float:
        """uA for each volt of command: as measured, else as rig.toml has it; NaN where no voltage sets the current."""
        if not isinstance(self.stimulator, VoltageCommanded):
            return nan
        return self.stimulator.ua_per_v if self.calibration is None else self.calibration.ua_per_v


BUILT_IN = ("simulated", "emulated")


def load_rig(name: str) -> RigConfig:
    """A built-in rig by its name, or a TOML file. Raises ``ConfigError`` naming the key that is wrong."""
    if name in BUILT_IN:
        with as_file(files("kindle") / "rigs" / f"{name}.toml") as path:
            return decode_toml(path, RigConfig)
    path = Path(name)
    if not path.is_file():
        raise ConfigError(f"no rig {name!r}: give a TOML file, or one of the built-in rigs {', '.join(BUILT_IN)}")
    config = decode_toml(path, RigConfig)
    _check_wiring(config, path)
    return structs.replace(config, calibration=read_calibration(path) or config.calibration)


def require_calibration(rig: RigConfig, today: date) -> None:
    """Refuse a rig whose isolator was not measured, or too long ago. Raises ``ConfigError``."""
    if isinstance(rig.stimulator, VoltageCommanded):
        # What an emulation makes of a volt does not drift.
        today = today if rig.bench is None or rig.calibration is None else rig.calibration.date
        nominal_ua_per_v, valid_days = rig.stimulator.ua_per_v, rig.stimulator.calibration_valid_days
        check_calibration(rig.name, rig.calibration, nominal_ua_per_v, today, valid_days)


def _check_wiring(config: RigConfig, path: Path) -> None:
    """What can be seen in the file alone, before any instrument is touched."""
    wanted = config.stimulator
    if config.bench is None and isinstance(wanted, AtPort) and not wanted.address:
        raise ConfigError(f"{path}: [stimulator] has no address; give the serial port, such as COM5 or /dev/ttyACM0")
    if isinstance(wanted, PulsePalConfig) and wanted.channel == wanted.sync_channel:
        raise ConfigError(
            f"{path}: [stimulator] channel and sync_channel are both {wanted.channel}; the TTL that marks "
            "the train needs an output of its own"
        )
    if isinstance(config.daq, LslConfig):
        _check_beside_stream(config, path)
    roles: Counter[str] = Counter(wanted.role for wanted in config.daq.inputs)
    for role, least, most in (("eeg", 1, 32), ("stimulus_ttl", 1, 1), ("current_monitor", 0, 1)):
        if not least <= roles[role] <= most:
            allowed = "one" if least == most else "at most one" if least == 0 else "at least one"
            raise ConfigError(f'{path}: {roles[role]} of [[daq.inputs]] have role = "{role}"; a rig has {allowed}')
    for name, number in Counter(wanted.name for wanted in config.daq.inputs).items():
        if number > 1 or not name.strip():
            raise ConfigError(f'{path}: {number} of [[daq.inputs]] have name = "{name}"; give each a name of its own')
    _check_monitor(config, path)


def _check_monitor(config: RigConfig, path: Path) -> None:
    """Everything that looks at the current monitor takes its values for uA."""
    for wanted in config.daq.inputs:
        if wanted.role != "current_monitor" and wanted.rest_limit_ua is not None:
            raise ConfigError(f"{path}: {wanted.name} has a rest_limit_ua; only the current_monitor can have one")
        if wanted.role == "current_monitor" and wanted.unit.strip() not in MICROAMPERE:
            raise ConfigError(
                f'{path}: the current_monitor {wanted.name} has unit = "{wanted.unit}"; it must be "µA", and its '
                "scale in µA"
            )


def _check_beside_stream(config: RigConfig, path: Path) -> None:
    """An LSL stream has neither outputs nor an emulation."""
    if config.bench is not None:
        raise ConfigError(f'{path}: [bench] emulates an NI board; take it out, or write kind = "nidaq" under [daq]')
    wanted = config.stimulator
    if isinstance(wanted, CounterConfig | IsolatorConfig | ManualConfig) and not wanted.device:
        raise ConfigError(
            f"{path}: [stimulator] needs a device, the NI board that starts the train: [daq] is an LSL stream"
        )
