"""How long a study's report takes: `python -m benchmarks.report_time [STUDY ...] [--rats N] [--json]`.

Without a study one is simulated first, which takes minutes and is not counted. Time is that of one core, and its ratio
to drawing one page of plots, which tells the program from the computer.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from kindle.report import write_joint_report
from kindle.report.study_sources import study_folders
from kindle.simulated_study import run_simulated_study
from kindle.study import open_study

GOAL_S = 20.0
"""Of a study of 32 rats, on one core."""


def measured(folders: tuple[Path, ...]) -> dict[str, object]:
    page_s = min(_core_s(_page_of_plots) for _ in range(3))
    with tempfile.TemporaryDirectory() as out:
        report_s = min(_core_s(lambda: write_joint_report(folders, Path(out) / "report")) for _ in range(2))
        size_mb = sum(path.stat().st_size for path in (Path(out) / "report").iterdir()) / 1e6
    animals, sessions = 0, 0
    for folder in folders:
        with open_study(folder) as study:
            animals += len(study.animals())
            sessions += len(study.sessions())
    return {
        "animals": animals,
        "sessions": sessions,
        "report_s": round(report_s, 2),
        "goal_s": GOAL_S,
        "pages_of_plots": round(report_s / page_s, 1),
        "page_of_plots_s": round(page_s, 3),
        "written_mb": round(size_mb, 1),
    }


def _core_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _page_of_plots() -> None:
    """Six plots of 500 points as PNG of 300 dpi and as SVG."""
    figure = Figure(figsize=(7.4, 10.0), layout="constrained")
    for axes in figure.subplots(3, 2).flat:
        axes.plot(np.sin(np.linspace(0, 20, 500)), marker="o", markersize=2)
        axes.set(xlabel="time (s)", ylabel="amplitude (µV)")
    figure.savefig(BytesIO(), format="png", dpi=300)
    figure.savefig(BytesIO(), format="svg")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("study", nargs="*", type=Path)
    parser.add_argument("--rats", type=int, default=32)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        if not given.study:
            run_simulated_study(Path(made) / "study", n_rats=given.rats)
        figures = measured(study_folders(given.study or [Path(made) / "study"]))
    if given.json:
        print(json.dumps(figures, indent=2))
        return
    print(
        f"{figures['animals']} animals, {figures['sessions']} sessions: {figures['report_s']} s of one core "
        f"(goal {GOAL_S:g} s), {figures['pages_of_plots']} times one page of plots, {figures['written_mb']} MB"
    )


if __name__ == "__main__":
    main()
