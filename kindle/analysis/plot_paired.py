"""Paired measures: one line for each rat from control to drug, what rose and what fell told apart."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from kindle.analysis.drawing import (
    BLUE,
    COLUMN_IN,
    GREY,
    INK,
    SMALL_PT,
    VERMILLION,
    heading,
    label,
    legend,
    new_figure,
    with_unit,
)

Step = tuple[float, float]
LEGEND = ("falls", "rises", "stays", "median", "above this")


def plot_paired(
    control: Sequence[float],
    drug: Sequence[float],
    *,
    measure: str,
    unit: str = "",
    names: tuple[str, str] = ("control", "drug"),
    words: str = "",
    above: tuple[Sequence[bool], Sequence[bool]] | None = None,
    log: bool = False,
) -> Figure:
    """Equal pairs share a line, thicker with their number; ``above`` marks values known to be exceeded (arrows up).

    Raises ``ValueError`` for lists of unequal length or without a pair, and for ``log`` of values not above 0.
    """
    if len(control) != len(drug) or not len(control):
        raise ValueError(f"expected one value of each rat on both sides, got {len(control)} and {len(drug)}")
    if log and min(*control, *drug) <= 0:
        raise ValueError("a logarithmic axis needs values above 0")
    figure, axes = new_figure(0.85 * COLUMN_IN, 3.2)
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    pairs = Counter(zip(map(float, control), map(float, drug), strict=True))
    shown = [_line(axes, pair, count) for pair, count in pairs.items()]
    for side, values in enumerate((control, drug)):
        beyond = [False] * len(values) if above is None else above[side]
        shown += _side(axes, side, np.asarray(values, np.float64), np.asarray(beyond, bool))
    axes.set_xlim(-0.3, 1.3)
    axes.set_xticks([0, 1], list(names))
    if not log:
        low, high = axes.get_ylim()
        axes.set_ylim(min(0.0, low), high)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=7, integer=not unit))
    label(axes, "", with_unit(measure, unit))
    if words:
        heading(axes, words, wrap=44)
    by_name = {str(artist.get_label()): artist for artist in shown}
    legend(figure, [by_name[name] for name in LEGEND if name in by_name], columns=3)
    return figure


def _side(axes: Axes, x: int, values: NDArray[np.float64], beyond: NDArray[np.bool_]) -> list[Artist]:
    """The median beside the values; it is drawn only where no value that enters it is known as a bound."""
    shown: list[Artist] = []
    middle = float(np.median(np.where(beyond, np.inf, values)))
    if np.isfinite(middle):
        out = (-0.12, -0.04) if x == 0 else (1.04, 1.12)
        shown += axes.plot(out, [middle] * 2, color=INK, linewidth=2.4, solid_capstyle="butt", label="median")
    if beyond.any():
        at = values[beyond]
        shown += axes.plot([x] * at.size, at, "^", color=INK, markersize=8, markerfacecolor="none", label="above this")
    return shown


def _line(axes: Axes, pair: Step, count: int) -> Artist:
    before, after = pair
    colour, style, name = (BLUE, "-", "falls") if after < before else (VERMILLION, "--", "rises")
    if after == before:
        colour, style, name = GREY, ":", "stays"
    (shown,) = axes.plot(
        [0, 1],
        [before, after],
        color=colour,
        linestyle=style,
        linewidth=0.6 + 0.5 * count,
        marker="o",
        markersize=4.0,
        markerfacecolor="white",
        markeredgewidth=1.0,
        label=name,
        clip_on=False,
    )
    if count > 1:
        axes.annotate(
            f"{count}", (1, after), xytext=(5, -2), textcoords="offset points", fontsize=SMALL_PT, color=colour
        )
    return shown
