"""[[daq.inputs]] of rig.toml -> the inputs that a board is asked for."""

from drivers.daq_input import Input
from kindle.rig_config import RigConfig


def inputs_of(config: RigConfig) -> list[Input]:
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
