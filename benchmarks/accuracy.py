"""Accuracy on scenarios with known truth: ``python -m benchmarks.accuracy [--json] [--quick] [--jobs 2]``.

The causal path first, the refined one second, other methods beside them on the same trials. With ``--json`` standard
output is one object whose keys ``benchmarks.report.KEYS`` describes.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from benchmarks.calibration import draw_reliability
from benchmarks.measuring import measure
from benchmarks.peers import available
from benchmarks.report import figures
from benchmarks.tables import show
from benchmarks.trials import Measured, Trial, plan

QUICK_SEEDS, QUICK_SHAMS = 1, 40


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(1), help="Per scenario and family.")
@click.option("--shams", default=400, show_default=True, type=click.IntRange(0), help="Of either kind.")
@click.option("--quick", is_flag=True, help=f"{QUICK_SEEDS} seed, {QUICK_SHAMS} shams: a look, not a result.")
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1), help="Processes.")
@click.option("--figure", type=click.Path(path_type=Path), help="Where to draw the reliability of the confidence.")
@click.option(
    "--peer-seeds", default=5, show_default=True, type=click.IntRange(0), help="Of the seeds, those the peers see."
)
def main(as_json: bool, seeds: int, shams: int, quick: bool, jobs: int, figure: Path | None, peer_seeds: int) -> None:
    trials = plan(QUICK_SEEDS if quick else seeds, QUICK_SHAMS if quick else shams)
    notes = Console(stderr=True)
    if peer_seeds and "change points" not in available():
        notes.print("Change points are left out: install ruptures to have them.")
    measured = run(trials, jobs, peer_seeds, notes)
    found = figures(measured)
    if figure is not None:
        draw_reliability(found, figure)
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
    return measure(trial, with_peers=trial.index < peer_seeds)


if __name__ == "__main__":
    main()
