"""[[daq.inputs]] of rig.toml -> the inputs that a board is asked for."""

from drivers.daq_input import Input
from kindle.errors import ConfigError
from kindle.rig_config import DaqConfig, RigConfig


def inputs_of(config: RigConfig) -> list[Input]:
    """Raises ``ConfigError`` where the signals come from no board."""
    if not isinstance(config.daq, DaqConfig):
        raise ConfigError(f"{config.name!r} reads an LSL stream; this needs a rig with an NI board")
    return [
        Input(
            physical=wanted.physical,
            name=wanted.name,
            role=wanted.role,
            unit=wanted.unit,
            units_per_volt=wanted.units_per_volt,
            range_v=wanted.range_v,
            terminal=wanted.terminal,
            clips_at_v=wanted.clips_at_v,
        )
        for wanted in config.daq.inputs
    ]
