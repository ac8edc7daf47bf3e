"""Kindling curves: every animal as a thin line, the group as a thick one, hollow where animals have left it."""

from typing import Literal

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kindle.analysis.curves import AnimalCurve, GroupCurve, KindlingCurves, Point
from kindle.analysis.drawing import COLOURS, LINES, MARKERS, PAGE_IN, heading, label, legend, new_figure, with_unit

Middle = Literal["mean", "median"]
LEAST_WITH_LIMITS = 3
"""Student's limits of two animals are twelve standard errors wide: they would hide everything else."""


def plot_kindling_curves(curves: KindlingCurves, *, middle: Middle = "mean") -> Figure:
    """Mean with its limits, or median with quartiles, as suits stages. Raises ``ValueError`` where nothing is known."""
    if not any(group.points for group in curves.groups):
        raise ValueError("no kindling curve: no stimulation has a value")
    figure, axes = new_figure(0.7 * PAGE_IN, 3.2)
    for animal in curves.animals:
        names = [group.group for group in curves.groups]
        _animal(axes, animal, COLOURS[names.index(animal.group) % len(COLOURS)])
    # Side by side, so that groups of the same stage do not hide each other.
    aside = [0.16 * (index - (len(curves.groups) - 1) / 2) for index in range(len(curves.groups))]
    shown = [_group(axes, group, i, aside[i], middle) for i, group in enumerate(curves.groups) if group.points]
    axes.set_xlim(left=0.5)
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True, steps=[1, 2, 5, 10]))
    if not curves.unit:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    label(axes, "stimulation", with_unit(curves.measure, curves.unit))
    what = f"mean and its {curves.level:.0%} limits (from 3 animals on)" if middle == "mean" else "median and quartiles"
    heading(axes, f"{what}; thin lines: single animals; hollow: some animals have left", wrap=90)
    legend(figure, shown, columns=min(len(shown), 3))
    return figure


def _animal(axes: Axes, animal: AnimalCurve, colour: str) -> None:
    known = [(n, value) for n, value in zip(animal.numbers, animal.values, strict=True) if value is not None]
    axes.plot([n for n, _ in known], [value for _, value in known], color=colour, linewidth=0.6, alpha=0.35, zorder=1)


def _group(axes: Axes, group: GroupCurve, index: int, aside: float, middle: Middle) -> Artist:
    colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
    numbers = [point.number + aside for point in group.points]
    values = [_centre(point, middle) for point in group.points]
    (shown,) = axes.plot(
        numbers,
        values,
        color=colour,
        linewidth=1.6,
        linestyle=LINES[index % len(LINES)],
        marker=marker,
        markersize=4.5,
        label=f"{group.group} (n = {group.n_animals})",
        zorder=3,
        clip_on=False,
    )
    for number, point, value in zip(numbers, group.points, values, strict=True):
        low, high = _spread(point, middle)
        axes.plot([number] * 2, [low, high], color=colour, linewidth=0.9, zorder=2)
        if point.number > group.complete_until:
            axes.plot(number, value, marker=marker, markersize=4.5, color=colour, markerfacecolor="white", zorder=4)
    return shown


def _centre(point: Point, middle: Middle) -> float:
    return point.mean if middle == "mean" else point.median


def _spread(point: Point, middle: Middle) -> tuple[float, float]:
    if middle == "median":
        return point.lower_quartile, point.upper_quartile
    if point.n < LEAST_WITH_LIMITS:
        return point.mean, point.mean
    low, high = point.interval.low, point.interval.high
    # Of two or three animals limits may lie below 0, where no duration is.
    return max(point.mean if low is None else low, 0.0), point.mean if high is None else high
