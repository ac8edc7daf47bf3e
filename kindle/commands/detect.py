"""`kindle detect`: afterdischarges and seizures in any recording that MNE reads."""

from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kindle.commands.batch_running import into_table, outcomes_in_order, shown_bar, spreading_options, workers

if TYPE_CHECKING:
    from kindle.reanalysis import Asked
    from kindle.results import Findings


@click.command()
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RECORDING...")
@click.option(
    "--channel",
    "channels",
    multiple=True,
    metavar="NAME",
    help="Only this channel, or those that match a pattern such as 'HPC*'; repeatable.",
)
@click.option(
    "--stimulus",
    metavar="SPEC",
    help="channel:NAME, annotation:TEXT, times:12.5,140, artefact, or none (scan for seizures). Default: a TTL or "
    "stimulus channel, else stimulus annotations, else none.",
)
@click.option("--train-s", type=click.FloatRange(0.001, 3600), default=1.0, show_default=True, help="With times:...")
@click.option("--preset", help="Take the criterion of this threshold preset.")
@click.option(
    "--criterion",
    "criterion_file",
    type=click.Path(path_type=Path),
    help="TOML file with values of your own.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output, and nothing else.")
@click.option(
    "--figures",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Draw a figure of each trial and each seizure there.",
)
@click.option(
    "--table",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the results into this SQLite file instead; what it holds already is not done again.",
)
@spreading_options
def detect(
    recordings: tuple[Path, ...],
    channels: tuple[str, ...],
    stimulus: str | None,
    train_s: float,
    preset: str | None,
    criterion_file: Path | None,
    as_json: bool,
    folder: Path | None,
    table: Path | None,
    jobs: int,
    scheduler: str | None,
) -> None:
    """Find afterdischarges and seizures in recordings.

    Times are seconds from the start of the recording. A file that cannot be analysed does not stop the others; the
    exit code is then 1. For thousands of recordings use --table: each result is written as soon as it is there, and
    the same command goes on after a stop.
    """
    import msgspec

    from kindle.batch import Analysed, Failed, analysed
    from kindle.criteria import criterion_from
    from kindle.errors import KindleError
    from kindle.reanalysis import Asked, parse_stimulus
    from kindle.results import table_rows

    spec = None if stimulus is None else parse_stimulus(stimulus)
    asked = Asked(criterion_from(preset, criterion_file), channels or None, spec, train_s)
    if table is not None:
        if folder is not None:
            raise click.UsageError("--figures draws what is shown; run it without --table on the recordings to look at")
        into_table(recordings, asked, table, jobs, scheduler, as_json=as_json)
        return
    named = recordings if scheduler is None else tuple(path.absolute() for path in recordings)
    with (
        shown_bar(len(named), silent=as_json) as bar,
        workers(named, jobs, scheduler, bar.heard) as spread,
    ):
        outcomes = outcomes_in_order(named, analysed(named, asked, spread.executor, spread.n), bar)
        found = [outcome.findings for outcome in outcomes if isinstance(outcome, Analysed)]
        failed = [outcome.reason for outcome in outcomes if isinstance(outcome, Failed)]
        drawn = 0 if folder is None else _drawn(found, asked, folder, spread.executor, failed)
    if as_json:
        click.echo(msgspec.json.encode({"recordings": [findings.result() for findings in found]}))
    else:
        for result in [findings.result() for findings in found]:
            click.echo(f"{result.path}: {result.rate_hz:g} Hz, {result.duration_s:.1f} s")
            click.echo(_columns(table_rows(result)))
        if folder is not None:
            click.echo(f"{drawn} figures in {folder}")
    if failed:
        raise KindleError("; ".join(dict.fromkeys(failed)))


def _drawn(found: list["Findings"], asked: "Asked", folder: Path, executor: Executor, failed: list[str]) -> int:
    from kindle.errors import KindleError
    from kindle.report.strip_figure import draw_figures, names_of

    names = names_of([findings.path for findings in found])
    drawing = [
        (findings.path, executor.submit(draw_figures, findings, asked.criterion, folder, name))
        for findings, name in zip(found, names, strict=True)
    ]
    n_drawn = 0
    for path, figures in drawing:
        try:
            n_drawn += len(figures.result())
        except KindleError as error:
            failed.append(str(error))
        except OSError as error:
            failed.append(f"{path} cannot be drawn ({error}): check the folder for figures")
    return n_drawn


def _columns(rows: list[dict[str, str]]) -> str:
    """Rows as text in columns; a column in which nothing stands is left out."""
    names = [name for name in rows[0] if name != "recording" and any(row[name] for row in rows)] if rows else []
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in names}
    heading = {name: name for name in names}
    return "\n".join(
        "  " + "  ".join(line[name].ljust(widths[name]) for name in names).rstrip() for line in (heading, *rows)
    )
