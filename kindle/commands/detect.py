"""`kindle detect`: afterdischarges and seizures in any recording that MNE reads."""

import os
import sys
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kindle.reanalysis import Asked
    from kindle.results import Findings

WORTH_PROCESSES_BYTES = 40_000_000
"""With less to read, starting processes takes longer than the work."""


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
    "--jobs",
    type=click.IntRange(1),
    default=lambda: os.cpu_count() or 1,
    show_default="all cores",
    help="Processes for many or long recordings; the results are the same.",
)
def detect(
    recordings: tuple[Path, ...],
    channels: tuple[str, ...],
    stimulus: str | None,
    train_s: float,
    preset: str | None,
    criterion_file: Path | None,
    as_json: bool,
    folder: Path | None,
    jobs: int,
) -> None:
    """Find afterdischarges and seizures in recordings.

    Times are seconds from the start of the recording. A file that cannot be analysed does not stop the others; the
    exit code is then 1.
    """
    import msgspec
    from rich.progress import Progress

    from kindle.criteria import criterion_from
    from kindle.errors import KindleError
    from kindle.reanalysis import Asked, parse_stimulus
    from kindle.results import table_rows
    from kindle.spreading import at_once, processes

    spec = None if stimulus is None else parse_stimulus(stimulus)
    asked = Asked(criterion_from(preset, criterion_file), channels or None, spec, train_s)
    with Progress(transient=True, disable=as_json or not sys.stderr.isatty()) as bar:
        tasks = {path: bar.add_task(path.name, total=1.0) for path in recordings}
        shares: dict[Path, dict[Hashable, float]] = {path: {} for path in recordings}

        def heard(key: Any, share: float) -> None:
            path, names = key
            shares[path][names] = share * len(names)
            bar.update(tasks[path], completed=sum(shares[path].values()))

        def opened(path: Path, n_channels: int) -> None:
            bar.update(tasks[path], total=n_channels)

        spread = jobs > 1 and sum(_bytes(path) for path in recordings) >= WORTH_PROCESSES_BYTES
        with processes(jobs, heard) if spread else at_once(heard) as executor:
            found, failed = _analysed(recordings, asked, executor, jobs if spread else 1, opened)
            drawn = 0 if folder is None else _drawn(found, asked, folder, executor, failed)
    if as_json:
        click.echo(msgspec.json.encode({"recordings": [findings.result() for findings in found]}))
    else:
        for result in [findings.result() for findings in found]:
            click.echo(f"{result.path}: {result.rate_hz:g} Hz, {result.duration_s:.1f} s")
            click.echo(_columns(table_rows(result)))
        if folder is not None:
            click.echo(f"{drawn} figures in {folder}")
    if failed:
        raise KindleError("; ".join(failed))


def _analysed(
    recordings: tuple[Path, ...],
    asked: "Asked",
    executor: Executor,
    workers: int,
    opened: Callable[[Path, int], None],
) -> tuple[list["Findings"], list[str]]:
    """In the order of the recordings: those that could be analysed, and one line for each that could not."""
    from kindle.reanalysis import Plan, judge, parts, plan, together

    plans = [(path, executor.submit(plan, path, asked)) for path in recordings]
    begun: list[tuple[Path, Plan, list[Future[Any]]]] = []
    found: list[Findings] = []
    failed: list[str] = []
    for path, planning in plans:
        planned = _outcome(path, planning, failed)
        if planned is not None:
            opened(path, len(planned.names))
            begun.append((path, planned, [executor.submit(judge, part) for part in parts(planned, workers)]))
    for path, planned, judging in begun:
        judged = [_outcome(path, part, failed) for part in judging]
        if all(part is not None for part in judged):
            found.append(together(planned, [part for part in judged if part is not None]))
    return found, list(dict.fromkeys(failed))


def _drawn(found: list["Findings"], asked: "Asked", folder: Path, executor: Executor, failed: list[str]) -> int:
    from kindle.report.strip_figure import draw_figures, names_of

    names = names_of([findings.path for findings in found])
    drawing = [
        (findings.path, executor.submit(draw_figures, findings, asked.criterion, folder, name))
        for findings, name in zip(found, names, strict=True)
    ]
    return sum(len(_outcome(path, figures, failed) or []) for path, figures in drawing)


def _outcome(path: Path, future: "Future[Any]", failed: list[str]) -> Any:
    """``None`` for what failed, which is told in one line; a mistake of the program itself is raised."""
    from concurrent.futures.process import BrokenProcessPool

    from drivers.interface import DriverError
    from kindle.errors import KindleError

    try:
        return future.result()
    except (KindleError, DriverError) as error:
        failed.append(str(error))
    except BrokenProcessPool:
        failed.append(
            f"{path}: the process that analysed it was ended by the system: try --jobs 1, or free some memory"
        )
    except OSError as error:
        failed.append(f"{path} cannot be analysed ({error}): check the file and the folder for figures")
    return None


def _bytes(path: Path) -> int:
    """Of the file, or of the files that belong to it."""
    try:
        if path.is_dir():
            return sum(inside.stat().st_size for inside in path.iterdir() if inside.is_file())
        return sum(beside.stat().st_size for beside in path.parent.glob(f"{path.stem}.*"))
    except OSError:
        return 0


def _columns(rows: list[dict[str, str]]) -> str:
    """Rows as text in columns; a column in which nothing stands is left out."""
    names = [name for name in rows[0] if name != "recording" and any(row[name] for row in rows)] if rows else []
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in names}
    heading = {name: name for name in names}
    return "\n".join(
        "  " + "  ".join(line[name].ljust(widths[name]) for name in names).rstrip() for line in (heading, *rows)
    )
