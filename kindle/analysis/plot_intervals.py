"""Values of single rats of which only limits are known, as bars on a log axis, and the geometric mean of each group."""

from collections.abc import Mapping, Sequence
from math import exp, log
from textwrap import fill

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from kindle.analysis.drawing import COLOURS, GREY, INK, PAGE_IN, SMALL_PT, heading, label, legend, new_figure
from kindle.analysis.outcome import Interval
from kindle.analysis.threshold_change import ThresholdChange
from kindle.analysis.thresholds import GroupThreshold, Threshold

ROOM = 1.2
ROOM_OF_ARROWS = 1.9
"""Factors beyond the lowest and the highest end that is known."""
HALF_A_RAT = 0.32
LEAST_RATS = 7
"""A group of fewer is drawn as wide as this many, so that its name has room."""
CHARACTERS_PER_RAT = 1.9


def plot_thresholds(
    groups: Mapping[str, Sequence[Threshold]], means: Mapping[str, GroupThreshold], *, what: str = "threshold"
) -> Figure:
    """From the last current without to the first with a response. Raises ``ValueError`` without a known limit."""
    limits = {name: [Interval(one.above_ua or None, one.up_to_ua) for one in rats] for name, rats in groups.items()}
    lines = {name: (means[name].mean_ua, means[name].interval) for name in groups}
    told = "bars: from the last current without to the first with a response; arrows: no limit on that side"
    return _plot(limits, lines, f"{what} (µA)", told, next(iter(means.values())).level, None)


def plot_threshold_changes(
    ratios: Mapping[str, Sequence[Interval]], changes: Mapping[str, ThresholdChange], *, what: str = "threshold"
) -> Figure:
    """Each rat's ratio to its own threshold before; dotted: no change. Raises ``ValueError`` as `plot_thresholds`."""
    lines = {name: (changes[name].ratio, changes[name].interval) for name in ratios}
    told = "bars: what the rungs of both days leave of the ratio; arrows: no limit on that side"
    return _plot(ratios, lines, f"{what}, ratio", told, next(iter(changes.values())).level, 1.0)


def _plot(
    groups: Mapping[str, Sequence[Interval]],
    means: Mapping[str, tuple[float | None, Interval]],
    axis: str,
    told: str,
    level: float,
    reference: float | None,
) -> Figure:
    groups = {name: rats for name, rats in groups.items() if rats}
    every = [one for rats in groups.values() for one in rats]
    ends = [end for one in every for end in (one.low, one.high) if end is not None]
    if not ends:
        raise ValueError("no limit is known of any rat: there is nothing to draw")
    widths = [max(len(rats), LEAST_RATS) + 2.0 for rats in groups.values()]
    width_in = min(PAGE_IN, max(2.6, 0.7 + 0.13 * sum(widths)))
    figure, axes = new_figure(width_in, 3.2)
    drawn = [*ends, *([] if reference is None else [reference])]
    extent = (
        min(drawn) / (ROOM_OF_ARROWS if any(one.low is None for one in every) else ROOM),
        max(drawn) * (ROOM_OF_ARROWS if any(one.high is None for one in every) else ROOM),
    )
    axes.set_yscale("log")
    axes.set_ylim(extent)
    if reference is not None:
        axes.axhline(reference, color=GREY, linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)
    middles, left = [], 0.0
    for index, (name, width) in enumerate(zip(groups, widths, strict=True)):
        colour = COLOURS[index % len(COLOURS)]
        middles.append(left + width / 2)
        _mean(axes, *means[name], (left + 0.4, left + width - 0.4), colour, extent)
        _rats(axes, groups[name], middles[-1], colour, extent)
        left += width
    axes.set_xlim(0, left)
    names = [
        f"{fill(name, round(CHARACTERS_PER_RAT * width))}\nn = {len(rats)}"
        for (name, rats), width in zip(groups.items(), widths, strict=True)
    ]
    axes.set_xticks(middles, names, fontsize=SMALL_PT, parse_math=False)
    axes.tick_params(axis="x", length=0)
    axes.yaxis.set_major_locator(FixedLocator(_ticks(*extent)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    label(axes, "", axis)
    heading(axes, told, wrap=round(16 * width_in))
    legend(figure, _explained(level), columns=2)
    return figure


def _rats(axes: Axes, rats: Sequence[Interval], middle: float, colour: str, extent: tuple[float, float]) -> None:
    """Side by side in the order of their values."""
    ordered = sorted(rats, key=lambda one: (one.high is None, one.low is not None, _centre(one)))
    for place, one in enumerate(ordered):
        x = middle + place - (len(ordered) - 1) / 2
        if one.low is not None and one.high is not None:
            axes.plot([x, x], [one.low, one.high], color=colour, linewidth=3.2, solid_capstyle="butt", zorder=3)
        else:
            for known, towards in ((one.high, extent[0]), (one.low, extent[1])):
                if known is not None:
                    _arrow(axes, x, known, towards, colour)
        for end in (one.low, one.high):
            if end is not None and (one.low is None or one.high is None or one.high <= 1.02 * one.low):
                axes.plot([x - HALF_A_RAT, x + HALF_A_RAT], [end, end], color=colour, linewidth=1.6, zorder=3)


def _arrow(axes: Axes, x: float, known: float, towards: float, colour: str) -> None:
    axes.annotate(
        "",
        (x, known * (towards / known) ** 0.85),
        (x, known),
        arrowprops={"arrowstyle": "-|>,head_width=0.14,head_length=0.28", "color": colour, "linewidth": 1.1},
        zorder=3,
    )


def _centre(one: Interval) -> float:
    """Middle of a bar on the log axis; of an open one the end that is known."""
    ends = [end for end in (one.low, one.high) if end is not None]
    return exp(float(np.mean([log(end) for end in ends]))) if ends else 0.0


def _mean(
    axes: Axes,
    mean: float | None,
    limits: Interval,
    across: tuple[float, float],
    colour: str,
    extent: tuple[float, float],
) -> None:
    if limits.low is not None or limits.high is not None:
        low = extent[0] if limits.low is None else limits.low
        high = extent[1] if limits.high is None else limits.high
        axes.fill_between(across, low, high, color=colour, alpha=0.15, linewidth=0, zorder=1)
    if mean is not None:
        axes.plot(across, [mean, mean], color=INK, linewidth=1.1, zorder=2)


def _explained(level: float) -> list[Artist]:
    mean = Line2D([], [], color=INK, linewidth=1.1, label="geometric mean")
    return [mean, Line2D([], [], color=GREY, alpha=0.25, linewidth=7, label=f"its {level:.0%} limits")]


def _ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each decade; finer where that leaves fewer than three."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in (
        (1, 2, 5),
        (1, 1.5, 2, 3, 5, 7),
        (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8),
        tuple(np.arange(1, 10, 0.2).round(1).tolist()),
    ):
        marks = [step * 10.0**decade for decade in decades for step in steps if low <= step * 10.0**decade <= high]
        if len(marks) > 2:
            return [float(f"{mark:.3g}") for mark in marks]
    return marks
