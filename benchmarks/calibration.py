"""Figures of a run: the confidence of discharges against how often they were right, and durations against truth."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.raters import RATERS
from benchmarks.scoring import Figures
from benchmarks.trials import Measured


def draw_figures(figures: Figures, trials: Sequence[Measured], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw_reliability(figures, folder / "reliability.svg")
    draw_bland_altman(trials, folder / "bland_altman.svg")


def draw_reliability(figures: Figures, path: Path) -> None:
    """Above: share right in each bin of confidence. Below: the median error of the duration. PNG, PDF or SVG."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(4, 6), layout="constrained")
    share, error = drawing.subplots(2, sharex=True)
    share.plot([0, 1], [0, 1], color="0.7", label="calibrated")
    for name, p in figures["paths"].items():
        bins = [bin_ for bin_ in p["reliability"] if bin_["n"]]
        confidence = [bin_["mean_confidence"] for bin_ in bins]
        share.plot(confidence, [bin_["right"] for bin_ in bins], "o-", label=name)
        errors = [bin_["duration_error"]["median"] for bin_ in bins]
        error.plot(confidence, [value if value is not None else float("nan") for value in errors], "o-", label=name)
    share.set_ylabel("share right")
    error.set_ylabel("median |duration error| (s)")
    error.set_xlabel("confidence")
    share.legend()
    drawing.savefig(path)


def draw_bland_altman(trials: Sequence[Measured], path: Path) -> None:
    """Refined durations against truth, and each rater beside them, clear trials whose both ends are one sample."""
    from matplotlib.figure import Figure

    names = ["refined", *(rater.name for rater in RATERS)]
    drawing = Figure(figsize=(9, 2.8), layout="constrained")
    for axes, name in zip(drawing.subplots(1, len(names), sharey=True), names, strict=True):
        pairs = [
            (m.duration_s, m.readings[name].duration_s)
            for m in trials
            if m.clear and m.group != "rate" and m.onset_exact and m.end_exact and name in m.readings
        ]
        known = [(true, read) for true, read in pairs if true is not None and read is not None]
        axes.axhline(0, color="0.7", linewidth=0.8)
        axes.plot([(a + b) / 2 for a, b in known], [b - a for a, b in known], ".", markersize=3, alpha=0.5)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("mean of both (s)")
        axes.set_yscale("symlog", linthresh=0.1)
    drawing.axes[0].set_ylabel("duration - truth (s)")
    drawing.savefig(path)
