"""What all figures of a report share: plain axes with legible labels, and legends below them."""

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kindle.report.style import GREY, INK, LABEL_PT, SMALL_PT


def plain_axes(figure: Figure, box_in: tuple[float, float, float, float]) -> Axes:
    """Axes at left, bottom, width and height in inches; two frame lines are enough."""
    width, height = figure.get_size_inches()
    left, bottom, wide, high = box_in
    axes = figure.add_axes((left / width, bottom / height, wide / width, high / height))
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=GREY, linewidth=0.6)
    axes.tick_params(labelsize=SMALL_PT, length=2.5, width=0.6, pad=2, color=GREY, labelcolor=INK)
    return axes


def label(axes: Axes, x: str, y: str) -> None:
    """Names of channels are text, not formulas."""
    axes.set_xlabel(x, fontsize=LABEL_PT, labelpad=2, parse_math=False)
    axes.set_ylabel(y, fontsize=LABEL_PT, labelpad=3, parse_math=False)


def legend_below(figure: Figure, shown: Sequence[Artist]) -> None:
    figure.legend(
        handles=list(shown),
        loc="lower center",
        ncols=max(1, len(shown)),
        fontsize=SMALL_PT,
        frameon=False,
        handlelength=1.5,
        handletextpad=0.5,
        columnspacing=1.3,
        borderaxespad=0.1,
    )
