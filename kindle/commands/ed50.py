"""`kindle ed50`: the dose that protects half of the animals, with limits, from a table of counts."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from kindle.commands.conventions import basis_option, check_resamples, conventions

if TYPE_CHECKING:
    from kindle.analysis.fit import Estimate, Fit
    from kindle.analysis.karber import SpearmanKarber, Trim
    from kindle.analysis.potency import PotencyRatio
    from kindle.analysis.quantal_options import Ci, Heterogeneity, Information, Natural, QuantalOptions
    from kindle.analysis.repeated import BootstrapEstimate
    from kindle.analysis.resampled_potency import ResampledPotency
    from kindle.dose_tables import DrugTable
    from kindle.substances import Basis


@dataclass(frozen=True, slots=True)
class DrugResult:
    drug: "DrugTable"
    fit: "Fit"
    estimate: "Estimate"
    resampled: "BootstrapEstimate | None"
    karber: "SpearmanKarber | None"


class TrimChoice(click.ParamType["str | float"]):
    """none, auto, or a share."""

    name = "none|auto|TRIM"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> "str | float":
        if isinstance(value, float) or value in ("none", "auto"):
            return value if isinstance(value, float) else str(value)
        try:
            share = float(str(value).replace(",", "."))
        except ValueError:
            self.fail(f"{value!r} is neither none, auto nor a share such as 0.1", param, ctx)
        if not 0 <= share < 0.5:
            self.fail(f"{share:g} cannot be trimmed on both sides; it must be 0 or more and below 0.5", param, ctx)
        return share


class NaturalChoice(click.ParamType["str | float"]):
    """none, abbott, estimate, or a rate."""

    name = "none|abbott|estimate|RATE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> "str | float":
        if isinstance(value, float) or value in ("none", "abbott", "estimate"):
            return value if isinstance(value, float) else str(value)
        try:
            rate = float(str(value).replace(",", "."))
        except ValueError:
            self.fail(f"{value!r} is neither none, abbott, estimate nor a rate such as 0.1", param, ctx)
        if not 0 <= rate < 1:
            self.fail(f"{rate:g} is no rate; it must be 0 or more and below 1", param, ctx)
        return rate


@click.command()
@click.argument("table", type=click.Path(path_type=Path), metavar="TABLE.csv")
@click.option(
    "--natural",
    type=NaturalChoice(),
    default="none",
    show_default=True,
    help="Response without the drug: ignored, taken off, estimated with the line, or known.",
)
@click.option(
    "--ci",
    type=click.Choice(["auto", "fieller", "profile", "delta", "lw"]),
    default="auto",
    show_default=True,
    help="Limits; auto is Fieller's where they exist, else the profile likelihood.",
)
@click.option(
    "--effect",
    "p",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="Share of animals protected: 0.5 for the ED50, 0.16 for the ED16.",
)
@conventions
@click.option("--separate-rows", is_flag=True, help="Rows of equal dose are groups of their own, as litters or cages.")
@click.option("--firth", is_flag=True, help="Penalised likelihood: a slope even without partial responses.")
@click.option(
    "--spearman-karber",
    "trim",
    type=TrimChoice(),
    help="Also the mean tolerance, without a line: untrimmed, trimmed as little as the data need, or by a share.",
)
@basis_option
@click.option("--protected", default="", metavar="TEXT", help="What counted as protected, for the report line.")
@click.option("--figure", type=click.Path(path_type=Path), metavar="FILE", help="Dose-response as .svg, .pdf or .png.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, and nothing else.")
def ed50(
    table: Path,
    natural: "Natural",
    ci: "Ci",
    p: float,
    link: str,
    information: "Information",
    heterogeneity: "Heterogeneity",
    level: float,
    resamples: int,
    seed: int,
    separate_rows: bool,
    firth: bool,
    trim: "Trim | Literal['none'] | None",
    basis: "Basis | None",
    protected: str,
    figure: Path | None,
    as_json: bool,
) -> None:
    """The dose that protects half of the animals.

    \b
    TABLE.csv has one row for each group of animals:   dose (mg/kg),n,protected
    or one for each animal:                            animal,dose (mg/kg),protected
    A column drug gives a fit for each drug and the potency of each relative to the first; dose 0 is the control.
    """
    import msgspec

    from kindle import __version__
    from kindle.analysis.links import link_named
    from kindle.analysis.potency import potency_ratio
    from kindle.analysis.quantal_options import QuantalOptions
    from kindle.analysis.report_line import potency_line
    from kindle.dose_tables import read_dose_tables
    from kindle.errors import ConfigError, KindleError

    check_resamples(resamples)
    if firth and natural != "none":
        raise ConfigError("--firth is not defined with a natural response; leave --natural or --firth out")
    drugs = read_dose_tables(table, basis=basis)
    if separate_rows and any(drug.animals for drug in drugs):
        raise ConfigError(f"{table} has a row for each animal, which is no group: leave --separate-rows out")
    options = QuantalOptions(
        link=link_named(link).name,
        natural=natural,
        information=information,
        heterogeneity=heterogeneity,
        penalty="firth" if firth else None,
        pool=not separate_rows,
        level=level,
        unit=drugs[0].unit,
    )
    results = []
    for drug in drugs:
        fit = _fit(drug, options)
        again = _resampled(drug, fit, p, resamples, seed)
        results.append(DrugResult(drug, fit, fit.ed(p, ci=ci), again, _karber(drug, trim, options)))
    ratios = {result.drug.drug: potency_ratio(result.fit, results[0].fit) for result in results[1:]}
    over_animals = {
        result.drug.drug: _potency_again(result.drug, drugs[0], options, resamples, seed) for result in results[1:]
    }
    if as_json:
        click.echo(msgspec.json.encode(_plain(table, results, ratios, over_animals)))
    else:
        for result in results:
            _show(result, protected)
        for name, ratio in ratios.items():
            click.echo(potency_line(name, results[0].drug.drug, ratio, over_animals[name]))
        click.echo(f"kindle {__version__}")
    if figure is not None:
        _draw(results, p, figure)
    refused = [result for result in results if result.fit.status.kind == "error"]
    if refused:
        told = [f"{result.drug.drug}: {result.fit.status.message}".removeprefix(": ") for result in refused]
        raise KindleError(f"{table}: {'; '.join(told)}")


def _fit(drug: "DrugTable", options: "QuantalOptions") -> "Fit":
    from kindle.analysis.dose_table import read_doses
    from kindle.analysis.quantal import fit_table
    from kindle.analysis.repeated import fit_animals

    if drug.animals:
        return fit_animals(drug.animals, drug.doses, drug.responded, options)
    return fit_table(read_doses(drug.doses, drug.n, drug.responded, pool=options.pool), options)


def _resampled(drug: "DrugTable", fit: "Fit", p: float, n_resamples: int, seed: int) -> "BootstrapEstimate | None":
    """Limits over animals where an animal was tested more than once."""
    from kindle.analysis.repeated import bootstrap_by_animal

    repeated = any(note.code == "repeated_animals" for note in fit.notes)
    if fit.status.kind == "error" or n_resamples == 0 or not repeated:
        return None
    return bootstrap_by_animal(
        drug.animals, drug.doses, drug.responded, p, options=fit.options, n_resamples=n_resamples, seed=seed
    )


def _potency_again(
    drug: "DrugTable", reference: "DrugTable", options: "QuantalOptions", n_resamples: int, seed: int
) -> "ResampledPotency | None":
    """Limits of the potency over animals where an animal was tested more than once, with one drug or with both."""
    from kindle.analysis.resampled_potency import potency_by_animal, tested_again

    if not drug.animals or not reference.animals or n_resamples == 0:
        return None
    tests, others = (list(zip(one.animals, one.doses, one.responded, strict=True)) for one in (drug, reference))
    if not tested_again(tests, others):
        return None
    return potency_by_animal(tests, others, options, n_resamples=n_resamples, seed=seed)


def _karber(
    drug: "DrugTable", trim: "Trim | Literal['none'] | None", options: "QuantalOptions"
) -> "SpearmanKarber | None":
    from kindle.analysis.karber import spearman_karber

    if trim is None:
        return None
    asked = None if trim == "none" else trim
    return spearman_karber(drug.doses, drug.n, drug.responded, trim=asked, level=options.level, unit=options.unit)


def _plain(
    table: Path,
    results: "list[DrugResult]",
    ratios: "dict[str, PotencyRatio]",
    again: "dict[str, ResampledPotency | None]",
) -> dict[str, object]:
    return {
        "table": str(table),
        "fits": [
            {
                "drug": result.drug.drug,
                "fit": result.fit.as_dict(),
                "estimate": result.estimate.as_dict(),
                "profile": result.fit.ed(result.estimate.p, ci="profile").as_dict(),
                "bootstrap": None if result.resampled is None else result.resampled.as_dict(),
                "spearman_karber": None if result.karber is None else result.karber.as_dict(),
            }
            for result in results
        ],
        "potencies": [
            {
                "test": name,
                "reference": results[0].drug.drug,
                **ratio.as_dict(),
                "whole_animals": None if (limits := again[name]) is None else limits.as_dict(),
            }
            for name, ratio in ratios.items()
        ],
    }


def _show(result: "DrugResult", protected: str) -> None:
    from kindle.analysis.dose_response_rows import HEADINGS, rows_of
    from kindle.analysis.report_line import karber_line, report_line, three_digits

    if result.drug.drug:
        click.echo(result.drug.drug)
    rows = [HEADINGS, *rows_of(result.fit)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    for row in rows:
        click.echo("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    if result.fit.status.kind != "error":
        click.echo(report_line(result.fit, result.estimate, protected=protected, substance=result.drug.drug))
    if result.karber is not None:
        click.echo(karber_line(result.karber, result.fit.options.unit))
    again = result.resampled
    if again is not None:
        low, high = ("none" if end is None else three_digits(end) for end in (again.low, again.high))
        click.echo(
            f"limits over whole animals: {low} to {high} "
            f"({again.n_animals} animals, {again.n_resamples} resamples, seed {again.seed})"
        )


def _draw(results: "list[DrugResult]", p: float, path: Path) -> None:
    from kindle.analysis.drawing import save
    from kindle.analysis.plot_quantal import plot_dose_response
    from kindle.errors import ConfigError

    if path.suffix.lower() not in (".svg", ".pdf", ".png"):
        raise ConfigError(f"{path} is no figure that can be written; its name ends with .svg, .pdf or .png")
    fits = {result.drug.drug: result.fit for result in results}
    save(plot_dose_response(fits if len(fits) > 1 else results[0].fit, p=p), path)
