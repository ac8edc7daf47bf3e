"""`kindle rig`: is a rig fit for an animal?"""

import click


@click.group()
def rig() -> None:
    """Check rigs before an animal is connected."""


@rig.command(short_help="Open everything, look at the signals, fire on request.")
@click.argument("name", metavar="RIG.toml")
@click.option("--seconds", type=click.FloatRange(1, 600), default=10.0, show_default=True, help="Of signal to look at.")
@click.option(
    "--fire",
    "fire_ua",
    type=click.FloatRange(min=0, min_open=True),
    metavar="UA",
    help="Send one train of this current into a resistor at the electrode's place. Asks first.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, and nothing else.")
def check(name: str, seconds: float, fire_ua: float | None, as_json: bool) -> None:
    """Open every instrument of a rig, look at its signals, and say what is fit and what is not.

    RIG.toml is a rig's file, or simulated or emulated. Nothing fires without --fire, and then only after you confirmed
    that no animal is connected. Exit code 1 when something has to be put right.
    """
    from datetime import datetime

    from kindle.commands.doctor import tell
    from kindle.errors import KindleError
    from kindle.rig_check import checked
    from kindle.rig_config import load_rig

    config = load_rig(name)
    if fire_ua is not None:
        said = click.prompt(
            f"{fire_ua:g} uA will flow. No animal is connected, and a resistor is? Type resistor to go on", err=True
        )
        if said.strip().casefold() != "resistor":
            raise KindleError("nothing was fired: the resistor was not confirmed")
    today = datetime.now().astimezone().date()
    findings = checked(config, today, seconds=seconds, fire_ua=fire_ua, ask=_typed)
    tell(findings, as_json=as_json)


def _typed(text: str) -> str:
    return str(click.prompt(text, err=True))
