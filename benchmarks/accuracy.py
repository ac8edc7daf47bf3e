"""Accuracy on scenarios with known truth: ``python -m benchmarks.accuracy [--json] [--quick] [--scenarios 10,15]``.

The causal path first, the refined one second, other methods and simulated raters beside them on the same trials. With
``--json`` standard output is one object whose keys ``benchmarks.report.KEYS`` describes.
"""

import json
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from benchmarks.calibration import draw_figures
from benchmarks.failures import as_lines, failures
from benchmarks.measuring import measure
from benchmarks.peers import available
from benchmarks.report import figures
from benchmarks.tables import show
from benchmarks.trials import GROUPS, RATES_HZ, Group, Measured, Trial, plan
from drivers.simulated.scenarios import SCENARIOS

QUICK_SEEDS, QUICK_SHAMS = 1, 40


def listed(known: tuple[str, ...]) -> Callable[[click.Context, click.Parameter, str], tuple[str, ...]]:
    """A callback that splits at commas and refuses what is not ``known``."""

    def split(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
        words = tuple(word.strip() for word in value.split(",") if word.strip())
        if unknown := [word for word in words if word not in known]:
            raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(known)}")
        return words

    return split


def rates(context: click.Context, parameter: click.Parameter, value: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in value.split(",") if word.strip())
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of rates in Hz, as in 512,2000") from None


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(0), help="Per scenario and family.")
@click.option("--first-seed", default=0, show_default=True, type=click.IntRange(0), help="50000 and more: for tuning.")
@click.option("--shams", default=400, show_default=True, type=click.IntRange(0), help="Of either kind.")
@click.option("--rate-seeds", default=2, show_default=True, type=click.IntRange(0), help="Per sampling rate.")
@click.option("--rates", "rates_hz", callback=rates, default=",".join(f"{rate:g}" for rate in RATES_HZ), help="In Hz.")
@click.option("--scenarios", "numbers", callback=listed(SCENARIOS), default="", help="These alone, as in 10,15.")
@click.option("--groups", callback=listed(GROUPS), default=",".join(GROUPS), help="These kinds of trials alone.")
@click.option("--peer-seeds", default=5, show_default=True, type=click.IntRange(0), help="Of the seeds, for the peers.")
@click.option("--quick", is_flag=True, help=f"{QUICK_SEEDS} seed, {QUICK_SHAMS} shams: a look, not a result.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, type=click.IntRange(1), help="Processes.")
@click.option("--failures", "list_failures", is_flag=True, help="List every trial that went wrong, and no tables.")
@click.option("--figures", "folder", type=click.Path(path_type=Path, file_okay=False), help="Draw figures there.")
def main(
    as_json: bool,
    seeds: int,
    first_seed: int,
    shams: int,
    rate_seeds: int,
    rates_hz: tuple[float, ...],
    numbers: tuple[str, ...],
    groups: tuple[Group, ...],
    peer_seeds: int,
    quick: bool,
    jobs: int,
    list_failures: bool,
    folder: Path | None,
) -> None:
    trials = plan(
        QUICK_SEEDS if quick else seeds,
        QUICK_SHAMS if quick else shams,
        first_seed=first_seed,
        rate_seeds=min(rate_seeds, QUICK_SEEDS) if quick else rate_seeds,
        rates_hz=rates_hz,
        numbers=numbers,
        groups=groups,
    )
    notes = Console(stderr=True)
    if list_failures:
        peer_seeds = 0
    elif peer_seeds and "change points" not in available():
        notes.print("Change points are left out: install ruptures to have them.")
    measured = run(trials, jobs, peer_seeds, notes)
    if list_failures:
        wrong = failures(measured)
        print(json.dumps(wrong) if as_json else as_lines(wrong))
        notes.print(f"{len(wrong)} failures in {len(measured)} trials")
        return
    found = figures(measured)
    if folder is not None:
        draw_figures(found, measured, folder)
    if as_json:
        print(json.dumps(found))
    else:
        show(found, Console(width=120))


def run(trials: list[Trial], jobs: int, peer_seeds: int, notes: Console) -> list[Measured]:
    """In the order of ``trials``; the progress bar is on ``notes``."""
    with ProcessPoolExecutor(jobs) as pool, Progress(console=notes) as progress:
        task = progress.add_task("trials", total=len(trials))
        results = []
        for result in pool.map(partial(_measured, peer_seeds=peer_seeds), trials, chunksize=8):
            results.append(result)
            progress.advance(task)
    return results


def _measured(trial: Trial, peer_seeds: int) -> Measured:
    return measure(trial, with_peers=trial.index < peer_seeds and trial.group != "rate")


if __name__ == "__main__":
    main()
