"""`kindle isobole`: do two drugs together do more than they add up to?"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kindle.commands.conventions import basis_option, check_resamples, conventions

if TYPE_CHECKING:
    from kindle.analysis.fit import Fit
    from kindle.analysis.interaction import Convention
    from kindle.analysis.links import LinkName
    from kindle.analysis.quantal_options import Heterogeneity, Information
    from kindle.analysis.two_drug_designs import Interaction
    from kindle.substances import Basis


@click.command()
@click.argument("table", type=click.Path(path_type=Path), metavar="TABLE.csv")
@click.option(
    "--fraction-of-ed50", type=float, metavar="F", help="Of drug A in a mixture; drug B has 1 - F of its ED50."
)
@click.option("--mass-fraction-a", type=float, metavar="RHO", help="Share of drug A in the mixture's total dose.")
@click.option(
    "--se",
    type=click.Choice(["log-delta", "tallarida", "lublin"]),
    default="log-delta",
    show_default=True,
    help="Error of the additive dose that the verdict uses.",
)
@conventions
@click.option("--inactive", metavar="NAME", help="Take this drug as inactive alone, although an animal was protected.")
@basis_option
@click.option("--figure", type=click.Path(path_type=Path), metavar="FILE", help="Isobologram as .svg, .pdf or .png.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, and nothing else.")
def isobole(
    table: Path,
    fraction_of_ed50: float | None,
    mass_fraction_a: float | None,
    se: "Convention",
    link: "LinkName",
    information: "Information",
    heterogeneity: "Heterogeneity",
    level: float,
    resamples: int,
    seed: int,
    inactive: str | None,
    basis: "Basis | None",
    figure: Path | None,
    as_json: bool,
) -> None:
    """Analyse two drugs alone and together.

    \b
    TABLE.csv has one row for each group of animals (or one for each animal):
        valproate (mg/kg),topiramate (mg/kg),n,protected
    or one drug a row:   drug,dose (mg/kg),n,protected   with 'A + B' or 'mixture'
    or finished ED50s:   drug,ED50 (mg/kg),SEM,n         with --fraction-of-ed50

    A fixed ratio gives an isobole and the interaction index; a fixed dose of one drug gives the shift of the other's
    curve; one dose of each can show potentiation, never synergy.
    """
    import msgspec

    from kindle import __version__
    from kindle.analysis.interaction_report import lines_of
    from kindle.analysis.isoboles import isobole as isobole_of
    from kindle.analysis.outcome import Note
    from kindle.analysis.two_drug_designs import Choices, Interaction, analyse
    from kindle.errors import ConfigError, KindleError
    from kindle.two_drug_tables import Potencies, read_two_drugs

    check_resamples(resamples)
    read = read_two_drugs(table, mass_fraction_a=mass_fraction_a, basis=basis)
    if isinstance(read, Potencies):
        if (fraction_of_ed50 is None) == (mass_fraction_a is None):
            raise ConfigError(f"{table} holds ED50s: say what was mixed by --fraction-of-ed50 or by --mass-fraction-a")
        result = isobole_of(
            read.a,
            read.b,
            read.mixture,
            fraction_of_ed50=fraction_of_ed50,
            mass_fraction_a=mass_fraction_a,
            se=se,
            level=level,
        )
        found: Interaction | Note = Interaction("finished ED50s", (), result)
    else:
        if fraction_of_ed50 is not None:
            raise ConfigError(f"{table} holds doses, which say what was mixed: leave --fraction-of-ed50 out")
        found = analyse(
            read, Choices(link, information, heterogeneity, se, level, inactive, n_resamples=resamples, seed=seed)
        )
    if isinstance(found, Note):
        raise KindleError(f"{table}: {found.message}")
    if found.result.status.kind == "error":
        raise KindleError(f"{table}: {_refusal(found)}")
    if figure is not None:
        _draw(found.result, figure)
    if as_json:
        click.echo(msgspec.json.encode(found.as_dict()))
        return
    words, *said = lines_of(found)
    click.echo(words)
    for line in said:
        click.echo(f"  {line}")
    click.echo(f"kindle {__version__}")


def _refusal(found: "Interaction") -> str:
    """The error of the analysis, with what the fits say of themselves."""
    because = [f"{name}: {fit.status.message}" for name, fit in found.fits if _matters(fit)]
    return "; ".join((found.result.status.message, *because))


def _matters(fit: "Fit") -> bool:
    return fit.status.kind in ("status", "error")


def _draw(result: object, path: Path) -> None:
    from kindle.analysis.drawing import save
    from kindle.analysis.isoboles import Isobole
    from kindle.analysis.plot_isobole import plot_isobologram
    from kindle.errors import ConfigError

    if path.suffix.lower() not in (".svg", ".pdf", ".png"):
        raise ConfigError(f"{path}: a figure ends in .svg, .pdf or .png")
    if not isinstance(result, Isobole):
        raise ConfigError("an isobologram needs a mixture in a fixed ratio at several doses; this table has none")
    save(plot_isobologram(result), path)
