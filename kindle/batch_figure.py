"""Differences of durations against their mean, with bias and limits of agreement."""

from pathlib import Path

from kindle.batch_comparing import FEWEST_PAIRS, Comparison
from kindle.errors import KindleError


def draw_differences(comparison: Comparison, names: tuple[str, str], path: Path) -> None:
    """Bland-Altman plot in the format of the ending of ``path``. Raises ``KindleError`` for fewer than 3 pairs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    agreement = comparison.durations
    if agreement is None:
        raise KindleError(f"{len(comparison.pairs)} pairs of durations are too few to draw: at least {FEWEST_PAIRS}")
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    means = [(pair.a_s + pair.b_s) / 2 for pair in comparison.pairs]
    differences = [pair.b_s - pair.a_s for pair in comparison.pairs]
    axes.plot(means, differences, "o", color="#0072b2", alpha=0.6, markersize=4, markeredgewidth=0)
    right = axes.get_yaxis_transform()
    for value, span, name, colour in (
        (agreement.bias, agreement.bias_interval, "bias", "#222222"),
        (agreement.lower_limit, agreement.lower_interval, "lower limit", "#d55e00"),
        (agreement.upper_limit, agreement.upper_interval, "upper limit", "#d55e00"),
    ):
        axes.axhspan(span.low, span.high, color=colour, alpha=0.1, linewidth=0)
        axes.axhline(value, color=colour, linewidth=1, linestyle="-" if name == "bias" else "--")
        axes.text(
            1.01,
            value,
            f"{name}\n{value:+.2f} s",
            transform=right,
            va="center",
            fontsize=8,
            color=colour,
            clip_on=False,
        )
    axes.set_xlabel("mean duration (s)")
    axes.set_ylabel("difference B − A (s)")
    axes.set_title(f"A = {names[0]}, B = {names[1]}, n = {agreement.n}", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    try:
        canvas.print_figure(path, dpi=150)
    except (OSError, ValueError) as error:
        raise KindleError(f"{path} cannot be written ({error}): give a path that ends in .png, .svg or .pdf") from None
