"""`kindle calibrate`: what the isolator makes of a volt, measured into a resistor."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kindle.calibrating import Fired
    from kindle.calibration import Level


@click.command(short_help="Measure an isolator into a known resistor.")
@click.argument("rig", type=click.Path(path_type=Path), metavar="RIG.toml")
@click.option("--load-ohm", type=click.FloatRange(100, 1e6), required=True, help="The resistor, as measured.")
@click.option("--author", required=True, metavar="NAME", help="Who measures; stands in the file and in each report.")
def calibrate(rig: Path, load_ohm: float, author: str) -> None:
    """Measure how much current the isolator of a rig makes of a volt, and keep it beside RIG.toml.

    Put a resistor in place of the electrode and an oscilloscope across it. At each of five levels a train is fired;
    type the voltage that stood across the resistor during a phase. A line is put through the levels.
    """
    from datetime import datetime

    from kindle.calibrating import currents_ua, fire_level, nominal_ua_per_v
    from kindle.calibration import fitted, write_calibration
    from kindle.errors import ConfigError, KindleError
    from kindle.rig_config import BUILT_IN, load_rig

    if str(rig) in BUILT_IN:
        raise ConfigError(f"the built-in rig {rig} carries its calibration; give the TOML file of a rig of your own")
    config = load_rig(str(rig))
    nominal = nominal_ua_per_v(config)
    click.echo(f"rig {config.name}: {load_ohm:g} ohm in place of the electrode, nominally {nominal:g} uA for each volt")
    said = click.prompt("Current will flow. No animal is connected, and the resistor is? Type resistor to go on")
    if said.strip().casefold() != "resistor":
        raise KindleError("nothing was fired: the resistor was not confirmed")
    levels: list[Level] = []
    for current_ua in currents_ua(config.limits):
        fired = fire_level(config, current_ua)
        levels.append(_read(fired, load_ohm))
    today = datetime.now().astimezone().date()
    calibration = fitted(
        levels,
        nominal_ua_per_v=nominal,
        load_ohm=load_ohm,
        measured=today,
        author=author,
        stimulator=fired.stimulator,
    )
    path = write_calibration(rig, calibration)
    click.echo(
        f"{calibration.ua_per_v:.5g} uA for each volt, {calibration.offset_ua:+.3g} uA at 0 V: written to {path}"
    )


def _read(fired: "Fired", load_ohm: float) -> "Level":
    """The level with what the person read across the resistor."""
    expected_v = fired.nominal_ua * 1e-6 * load_ohm
    click.echo(f"fired {fired.command_v:.4g} V, nominally {fired.nominal_ua:.4g} uA: about {expected_v:.3g} V expected")
    volts = click.prompt("V across the resistor during a phase", type=float)
    level = fired.level(volts, load_ohm)
    monitor = "" if fired.monitor_ua is None else f"; the monitor showed {fired.monitor_ua:.4g} uA"
    click.echo(f"  {level.current_ua:.4g} uA flowed{monitor}")
    return level
