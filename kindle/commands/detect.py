"""`kindle detect`: afterdischarges and seizures in any recording that MNE reads."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@click.command()
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RECORDING...")
@click.option("--channel", "channels", multiple=True, metavar="NAME", help="Only this channel; repeatable.")
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
def detect(
    recordings: tuple[Path, ...],
    channels: tuple[str, ...],
    stimulus: str | None,
    train_s: float,
    preset: str | None,
    criterion_file: Path | None,
    as_json: bool,
) -> None:
    """Find afterdischarges and seizures in recordings.

    Times are seconds from the start of the recording. A file that cannot be analysed does not stop the others; the
    exit code is then 1.
    """
    import msgspec
    from rich.progress import Progress

    from drivers.interface import DriverError
    from kindle.criteria import criterion_from
    from kindle.errors import KindleError
    from kindle.reanalysis import RecordingResult, parse_stimulus, reanalyse, table_rows

    spec = None if stimulus is None else parse_stimulus(stimulus)
    criterion = criterion_from(preset, criterion_file)
    results: list[RecordingResult] = []
    failed: list[str] = []
    with Progress(transient=True, disable=as_json or not sys.stderr.isatty()) as bar:
        for path in recordings:
            task = bar.add_task(path.name, total=1.0)
            try:
                results.append(
                    reanalyse(
                        path,
                        channels=channels or None,
                        stimulus=spec,
                        criterion=criterion,
                        train_s=train_s,
                        progress=partial(_advance, bar, task),
                    )
                )
            except (KindleError, DriverError) as error:
                failed.append(str(error))
    if as_json:
        click.echo(msgspec.json.encode({"recordings": results}))
    else:
        for result in results:
            click.echo(f"{result.path}: {result.rate_hz:g} Hz, {result.duration_s:.1f} s")
            click.echo(_columns(table_rows(result)))
    if failed:
        raise KindleError("; ".join(failed))


def _advance(bar: "Progress", task: "TaskID", done: float) -> None:
    bar.update(task, completed=done)


def _columns(rows: list[dict[str, str]]) -> str:
    """Rows as text in columns; a column in which nothing stands is left out."""
    names = [name for name in rows[0] if name != "recording" and any(row[name] for row in rows)] if rows else []
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in names}
    heading = {name: name for name in names}
    return "\n".join(
        "  " + "  ".join(line[name].ljust(widths[name]) for name in names).rstrip() for line in (heading, *rows)
    )
