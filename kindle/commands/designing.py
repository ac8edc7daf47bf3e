"""`kindle study design` and `responders`: who gets what in which order, and who answers to it each time."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kindle.commands.study import FOLDER

if TYPE_CHECKING:
    from kindle.responding import Protection
    from kindle.study import Study


@click.command(short_help="Draw who gets which treatment in which order.")
@FOLDER
@click.option(
    "--kind",
    type=click.Choice(["latin_square", "blocks", "groups"]),
    default="blocks",
    show_default=True,
    help="Each animal gets every treatment, balanced or in blocks; or only one of them.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="The same seed gives the same design. Default: by chance.",
)
@click.option("--repeats", type=click.IntRange(1), default=1, show_default=True, help="Blocks for each animal.")
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Blind the study: the journal gets codes only, this file what they mean. Keep it away from the study.",
)
def design(folder: Path, kind: str, seed: int | None, repeats: int, key_file: Path | None) -> None:
    """Draw the order of the [[treatments]] of study.toml for every animal of STUDY, once and for all."""
    if key_file is not None and seed is not None:
        raise click.UsageError("a blinded design takes its seed by chance: who knows the seed knows the design")
    import secrets

    from kindle.blinding import store_design
    from kindle.design import blocks, groups, latin_square
    from kindle.session import utc_now
    from kindle.study import open_study

    with open_study(folder) as opened:
        seed = secrets.randbits(32) if seed is None else seed
        animals = sorted(opened.animals())
        treatments = [treatment.name for treatment in opened.config.treatments]
        if kind == "blocks":
            drawn = blocks(animals, treatments, seed, repeats=repeats)
        elif kind == "groups":
            drawn = groups(animals, treatments, seed)
        else:
            drawn = latin_square(animals, treatments, seed)
        shown = store_design(opened, drawn, utc_now(), key_file=key_file)
    for id, order in shown.orders.items():
        click.echo(f"{id}  {', '.join(order)}")


@click.command(short_help="List who answers to a treatment each time it is tested.")
@FOLDER
@click.option(
    "--below",
    type=float,
    metavar="STAGE",
    help="Protected is a stage below this on the scale of the study. Default: below its generalised seizures.",
)
@click.option("--tests", "least_tests", type=click.IntRange(2), default=3, show_default=True, help="Needed to say so.")
def responders(folder: Path, below: float | None, least_tests: int) -> None:
    """List for each treatment the animals that were protected in all of their tests, in some, or in none.

    Of a blinded study codes are told until somebody opens them.
    """
    from kindle.ledger_view import ledger_of
    from kindle.responding import answers_of
    from kindle.study import open_study

    with open_study(folder) as opened:
        rule = protection(opened, below)
        click.echo(
            "protected: "
            + ", or ".join(f"a stage below {stage:g} on {scale}" for scale, stage in rule.below.items())
            + ", or no extension of the hindlimbs after a shock"
        )
        click.echo(f"responder: in all of {least_tests} tests or more; non-responder: in none of them; else variable")
        told: dict[str, list[str]] = {}
        for id in sorted(opened.animals()):
            for condition, answers in answers_of(ledger_of(opened.journal, id), rule).items():
                kind = answers.kind(least_tests)
                name = f"fewer than {least_tests} tests" if kind is None else kind.kind
                unknown = f", {answers.unknown} not known" if answers.unknown else ""
                n = f"{sum(answers.protected)} of {len(answers.protected)} protected{unknown}"
                told.setdefault(condition, []).append(f"  {id}  {name}: {n}")
    for condition in sorted(told):
        click.echo(condition)
        for line in told[condition]:
            click.echo(line)
    if not told:
        click.echo(f"{folder} has no test of a treatment yet")


def protection(opened: "Study", below: float | None) -> "Protection":
    """Below a generalised seizure on the scale of the study, and on that of its convulsant."""
    from kindle.errors import ConfigError
    from kindle.observation_presets import load_ptz
    from kindle.responding import Protection
    from kindle.scale import load_scale

    scale = load_scale(opened.config.scale)
    own = scale.generalised_from.value if below is None else scale.stage(below).stage
    if own is None:
        raise ConfigError(f"scale {scale.name} does not say which stages are generalised; say which with --below")
    stages = {scale.name: own}
    if opened.config.ptz is not None and (name := load_ptz(opened.config.ptz).scale.value) is not None:
        of_ptz = load_scale(name)
        if of_ptz.generalised_from.value is not None:
            stages.setdefault(of_ptz.name, of_ptz.generalised_from.value)
    return Protection(stages)
