"""`kindle study presets`, `schedules` and `tests`: what was published, and what each leaves to the laboratory."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kindle.preset_reader import Published


@click.command(short_help="List the published threshold protocols.")
def presets() -> None:
    """List the published threshold protocols that a study can begin with."""
    from kindle.presets import load_threshold_preset, needed_fields, threshold_presets, unavailable

    for name in threshold_presets():
        preset = load_threshold_preset(name)
        click.echo(f"{name}: {preset.label}")
        click.echo(f"  {preset.citation}")
        n_open = len(needed_fields(preset))
        click.echo(f"  {n_open} {'value' if n_open == 1 else 'values'} to fill in")
        for field, stated in unavailable(preset).items():
            click.echo(f"  its {field}, {stated}, is not available: the laboratory sets another")


@click.command(short_help="List the published kindling schedules and criteria.")
def schedules() -> None:
    """List the published kindling schedules, and the criteria of full kindling, that a study can take."""
    from kindle.kindling_presets import KINDLED, KINDLING, open_fields_of

    for schedule in map(KINDLING.load, KINDLING.ids()):
        _listed("schedule", schedule, open_fields_of(schedule))
    for criterion in map(KINDLED.load, KINDLED.ids()):
        _listed("criterion", criterion, open_fields_of(criterion))


@click.command(short_help="List the published drug days, doses, convulsant tests and shocks.")
def tests() -> None:
    """List the published designs of drug days, doses, convulsant tests and electroshocks that a study can take."""
    from kindle.drug_test_presets import DRUG_TEST, TREATMENT
    from kindle.observation_presets import ELECTROSHOCK, PTZ
    from kindle.preset_reader import Family

    families: tuple[tuple[Family[Any], str], ...] = (
        (DRUG_TEST, "the days around a drug day"),
        (TREATMENT, "published doses"),
        (PTZ, "tests and kindling with pentylenetetrazol"),
        (ELECTROSHOCK, "what is set on the instrument of the shock"),
    )
    for family, what in families:
        click.echo(f"{family.where} {what}")
        for preset in map(family.load, family.ids()):
            _listed("  preset", preset, family.open_fields(preset))


def _listed(key: str, preset: "Published", missing: Sequence[str]) -> None:
    from kindle.preset_reader import sourced_fields

    margin = " " * (len(key) - len(key.lstrip()) + 2)
    notes = {name: f"{name} ({one.note})" for name, one in sourced_fields(preset) if one.note}
    click.echo(f'{key} = "{preset.id}": {preset.label}')
    click.echo(f"{margin}{preset.citation}")
    click.echo(f"{margin}to fill in: {', '.join(notes.get(name, name) for name in missing) or 'nothing'}")
    unverified = [name for name, one in sourced_fields(preset) if one.status == "unverified" and one.value is not None]
    if unverified:
        click.echo(f"{margin}from memory, to be checked against the source: {', '.join(unverified)}")
