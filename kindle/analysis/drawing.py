"""How figures of an analysis look: one palette, told apart by shape as well as by colour, at the size of a column."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe & Ito: distinguishable with every common colour vision deficiency.
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
GREEN = "#009E73"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
INK = "#1A1A1A"
GREY = "#6B6B6B"
PALE = "#DDDDDD"

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE)
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))

COLUMN_IN = 3.5
PAGE_IN = 7.4
LABEL_PT = 8.0
SMALL_PT = 7.0
NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


def new_figure(width_in: float = COLUMN_IN, height_in: float = 3.0) -> tuple[Figure, Axes]:
    """A figure without a window or global state, its axes laid out so that nothing is cut off."""
    figure = Figure(figsize=(width_in, height_in), facecolor="white", layout="constrained")
    return figure, plain(figure.add_subplot())


def plain(axes: Axes) -> Axes:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=GREY, linewidth=0.7)
    axes.tick_params(labelsize=SMALL_PT, length=3, width=0.7, pad=2, color=GREY, labelcolor=INK)
    return axes


def label(axes: Axes, x: str, y: str) -> None:
    """Names of drugs and groups are text, not formulas."""
    axes.set_xlabel(x, fontsize=LABEL_PT, parse_math=False)
    axes.set_ylabel(y, fontsize=LABEL_PT, parse_math=False)


def heading(axes: Axes, words: str, wrap: int = 54) -> None:
    """``wrap`` characters are as wide as the axes of a column."""
    axes.set_title(fill(words, wrap), fontsize=SMALL_PT, loc="left", color=INK, parse_math=False, pad=6)


def legend(figure: Figure, shown: Sequence[Artist], columns: int = 2) -> None:
    """Below the axes, where it covers nothing."""
    figure.legend(
        handles=list(shown),
        loc="outside lower center",
        ncols=columns,
        fontsize=SMALL_PT,
        frameon=False,
        handlelength=2.0,
        columnspacing=1.2,
        borderaxespad=0.2,
    )


def with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def save(figure: Figure, path: Path) -> None:
    """As the suffix says: .svg, .pdf or .png (300 dpi). No date inside: the same data give the same file."""
    with rc_context({"svg.hashsalt": "kindle"}):
        figure.savefig(path, dpi=300, metadata=NO_METADATA if path.suffix.lower() == ".svg" else None)
