"""`kindle detect`: afterdischarges and seizures in any recording that MNE reads."""

import sys
from pathlib import Path

import click


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
    from kindle.terminal import table

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
                        progress=lambda done, task=task: bar.update(task, completed=done),
                    )
                )
            except (KindleError, DriverError) as error:
                failed.append(str(error))
    if as_json:
        click.echo(msgspec.json.encode({"recordings": results}))
    elif results:
        table([row for result in results for row in table_rows(result)])
    if failed:
        raise KindleError("; ".join(failed))
