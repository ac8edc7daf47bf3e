"""Measuring what an isolator makes of a volt: trains into a known resistor, a reading at each, a line through them."""

from dataclasses import dataclass

from msgspec import structs

from kindle.assembly import assembled
from kindle.calibration import Level
from kindle.dummy_load import dummy_train, fired_into_dummy
from kindle.errors import ConfigError, KindleError
from kindle.rig_config import RigConfig
from kindle.safety import SafetyLimits
from kindle.stimulator_config import VoltageCommanded

STEPS = (0.1, 0.25, 0.5, 0.75, 1.0)
"""Of the largest current of the rig."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A train that went into the resistor, at a command of ``command_v``."""

    stimulator: str
    command_v: float
    nominal_ua: float
    monitor_ua: float | None
    """What the current monitor showed; ``None`` where none is wired."""

    def level(self, volts: float, load_ohm: float) -> Level:
        """With ``volts`` read across the resistor while a phase lasted."""
        return Level(self.command_v, abs(volts) / load_ohm * 1e6)


def currents_ua(limits: SafetyLimits) -> list[float]:
    return [share * limits.max_current_ua for share in STEPS]


def nominal_ua_per_v(config: RigConfig) -> float:
    """Raises ``ConfigError`` for a stimulator that has nothing to calibrate."""
    if not isinstance(config.stimulator, VoltageCommanded):
        raise ConfigError(
            f"rig {config.name!r} needs no calibration: no voltage of the computer's sets its current; "
            "kindle rig check shows what its monitor measures"
        )
    return config.stimulator.ua_per_v


def fire_level(config: RigConfig, current_ua: float) -> Fired:
    """One train of about ``current_ua``, by the factor that rig.toml names. Connects, fires, and lets go again.

    Raises ``KindleError`` where the train did not come, or no current flowed.
    """
    nominal = nominal_ua_per_v(config)
    uncalibrated = structs.replace(config, calibration=None)
    with assembled(uncalibrated, "dummy load") as instruments:
        identity = instruments.stimulator.identify()
        instruments.source.start()
        trains = [dummy_train(config, current_ua)]
        (trial,) = fired_into_dummy(instruments, config.limits, trains)
    # A monitor that disagrees with the nominal factor is what is being found out; a train that never came is not.
    if trial.measured is None or trial.measured.current_ua == 0.0 or trial.delivered is None:
        raise KindleError(f"no current into the resistor at {current_ua:.4g} uA: {getattr(trial, 'reason', '')}")
    commanded_ua = trial.delivered.current_ua
    return Fired(identity, commanded_ua / nominal, commanded_ua, trial.measured.current_ua)
