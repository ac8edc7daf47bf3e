"""What `kindle detect` and `kindle reanalyse` share: who does the work, how far it is, and what is told at the end."""

import os
import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from kindle.batch import Outcome
    from kindle.batch_table import BatchTable
    from kindle.reanalysis import Asked
    from kindle.spreading import Heard

F = TypeVar("F", bound=Callable[..., object])

WORTH_PROCESSES_BYTES = 40_000_000
"""With less to read, starting processes takes longer than the work."""
LISTED = 20
"""Failures that are told one by one; the table holds all."""


def spreading_options(command: F) -> F:
    command = click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Let the Dask cluster at this address do it; its workers see the files under the same paths.",
    )(command)
    return click.option(
        "--jobs",
        type=click.IntRange(1),
        default=lambda: os.cpu_count() or 1,
        show_default="all cores",
        help="Processes for many or long recordings; the results are the same.",
    )(command)


@dataclass(frozen=True, slots=True)
class Workers:
    executor: Executor
    n: int


@contextmanager
def workers(recordings: Sequence[Path], jobs: int, scheduler: str | None, heard: "Heard") -> Iterator[Workers]:
    """Here, in processes of this computer, or on a cluster."""
    from kindle.spreading import at_once, cluster, processes

    if scheduler is not None:
        with cluster(scheduler) as found:
            yield Workers(found.executor, found.n_threads)
    elif jobs > 1 and len(recordings) > 0 and sum(map(_bytes, recordings)) >= WORTH_PROCESSES_BYTES:
        with processes(jobs, heard) as executor:
            yield Workers(executor, jobs)
    else:
        with at_once(heard) as executor:
            yield Workers(executor, 1)


class Bar:
    """One bar for all recordings, moved by those done and by what those under way tell."""

    def __init__(self, bar: Any, n: int) -> None:
        self._bar = bar
        self._task = bar.add_task("recordings", total=n)
        self._shares: dict[Path, dict[Hashable, float]] = {}
        self._n_done = 0

    def heard(self, key: Any, share: float) -> None:
        path, names = key
        self._shares.setdefault(path, {})[names] = share
        self._show()

    def done(self, path: Path) -> None:
        self._n_done += 1
        self._shares.pop(path, None)
        self._show()

    def _show(self) -> None:
        under_way = [sum(shares.values()) / len(shares) for shares in list(self._shares.values()) if shares]
        self._bar.update(self._task, completed=self._n_done + sum(under_way))


@contextmanager
def shown_bar(n: int, *, silent: bool) -> Iterator[Bar]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True, disable=silent or not sys.stderr.isatty()) as bar:
        yield Bar(bar, n)


def into_table(
    recordings: Sequence[Path], asked: "Asked", table: Path, jobs: int, scheduler: str | None, *, as_json: bool
) -> None:
    """Analyse what is not in ``table`` yet; one line at the end, and an error when any recording failed."""
    import msgspec

    from kindle.batch import AlreadyDone, Failed, analysed
    from kindle.batch_identity import analysis_id
    from kindle.batch_table import open_table
    from kindle.errors import KindleError

    once = list(dict.fromkeys(path.absolute() for path in recordings))
    failures: list[Failed] = []
    n_already = 0
    with (
        open_table(table, create=True) as opened,
        shown_bar(len(once), silent=as_json) as bar,
        workers(unfinished(opened, once, analysis_id(asked)), jobs, scheduler, bar.heard) as spread,
    ):
        for outcome in analysed(once, asked, spread.executor, spread.n, opened):
            bar.done(outcome.path)
            failures += [outcome] if isinstance(outcome, Failed) else []
            n_already += isinstance(outcome, AlreadyDone)
    n_new = len(once) - n_already - len(failures)
    told = {
        "table": str(table),
        "analysis": analysis_id(asked),
        "analysed": n_new,
        "already_done": n_already,
        "failed": [{"recording": str(failed.path), "reason": failed.reason} for failed in failures],
    }
    if as_json:
        click.echo(msgspec.json.encode(told))
    else:
        for failed in failures[:LISTED]:
            click.echo(failed.reason, err=True)
        click.echo(f"{n_new} analysed, {n_already} done before, {len(failures)} failed: {table}@{told['analysis']}")
    if failures:
        raise KindleError(
            f"{len(failures)} of {len(once)} recordings failed, each with its reason in {table}; "
            "the same command tries them again"
        )


def unfinished(table: "BatchTable", recordings: Sequence[Path], analysis: str) -> list[Path]:
    """Those that may have to be read: never seen, changed since, or not analysed so."""
    from kindle.batch_identity import stamps
    from kindle.errors import KindleError

    found = []
    for path in recordings:
        try:
            content = table.content_of(path, stamps(path))
            if content is None or not table.has(analysis, content):
                found.append(path)
        except KindleError:
            continue
    return found


def outcomes_in_order(recordings: Sequence[Path], outcomes: Iterator["Outcome"], bar: Bar) -> list["Outcome"]:
    """As the person named them, however they were done."""
    by_path: dict[Path, Outcome] = {}
    for outcome in outcomes:
        bar.done(outcome.path)
        by_path[outcome.path] = outcome
    return [by_path[path] for path in recordings]


def _bytes(path: Path) -> int:
    """Of the file, or of the files that belong to it."""
    try:
        if path.is_dir():
            return sum(inside.stat().st_size for inside in path.iterdir() if inside.is_file())
        return sum(beside.stat().st_size for beside in path.parent.glob(f"{path.stem}.*"))
    except OSError:
        return 0
