"""The confidence of discharges against how often they were right, as a figure."""

from pathlib import Path

from benchmarks.scoring import Figures


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
