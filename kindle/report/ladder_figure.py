"""The series at a glance: the current of every train, what it evoked, and where that puts the threshold."""

from collections.abc import Sequence
from math import ceil, floor, log10

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from kindle.protocols.catalogue import Outcome
from kindle.protocols.threshold import BothThresholds, NoAfterdischarge, ThresholdAveraged, ThresholdFound
from kindle.report.axes import label, legend_below, plain_axes
from kindle.report.style import FIGURE_WIDTH_IN, INK, MARKS, SKY_BLUE, SMALL_PT
from kindle.report.trains import State, Train

MOST_LABELLED = 24
"""Beyond this many trains the currents beside the marks would touch."""


def ladder_figure(trains: Sequence[Train], outcome: Outcome | None) -> Figure:
    """Of at least one train."""
    figure = Figure(figsize=(FIGURE_WIDTH_IN, 2.75), facecolor="white")
    axes = plain_axes(figure, (0.62, 0.6, FIGURE_WIDTH_IN - 0.75, 2.05))
    currents_ua = [train.asked.current_ua for train in trains]
    low, high = min(currents_ua) / 1.25, max(currents_ua) * 1.35
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.set_xlim(0.4, max(len(trains), 5) + 0.6)
    shown: list[Line2D | Patch] = []
    for state in State:
        numbers = [train.number for train in trains if train.state is state]
        if numbers:
            at_ua = [train.asked.current_ua for train in trains if train.state is state]
            shown += _marks(axes, numbers, at_ua, state)
    shown += _threshold(axes, outcome, low, high)
    if len(trains) <= MOST_LABELLED:
        for train in trains:
            axes.annotate(
                f"{train.asked.current_ua:.4g}",
                (train.number, train.asked.current_ua),
                xytext=(0, 5.5),
                textcoords="offset points",
                ha="center",
                fontsize=SMALL_PT,
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
            )
    axes.yaxis.set_major_locator(FixedLocator(_ticks(low, high)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda current_ua, _: f"{current_ua:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(MaxNLocator(nbins=15, integer=True, steps=[1, 2, 5, 10]))
    label(axes, "train", "current asked (µA)")
    legend_below(figure, shown)
    return figure


def _marks(axes: Axes, numbers: list[int], at_ua: list[float], state: State) -> list[Line2D]:
    mark = MARKS[state]
    return axes.plot(
        numbers,
        at_ua,
        linestyle="none",
        marker=mark.marker,
        markersize=6,
        markerfacecolor=mark.face,
        markeredgecolor=mark.edge,
        markeredgewidth=1.2,
        label=state.value,
        clip_on=False,
    )


def _threshold(axes: Axes, outcome: Outcome | None, low: float, high: float) -> list[Line2D | Patch]:
    match outcome:
        case ThresholdFound(above_ua=above, rung_ua=rung):
            words = f"threshold in ({above:.4g}, {rung:.4g}] µA" if above > 0 else f"threshold ≤ {rung:.4g} µA"
            shown: list[Line2D | Patch] = [
                axes.axhspan(max(above, low), rung, facecolor=SKY_BLUE, alpha=0.35, linewidth=0, label=words)
            ]
            if above > 0:
                middle = outcome.midpoint_ua
                shown.append(
                    axes.axhline(middle, color=INK, linewidth=0.8, linestyle=":", label=f"midpoint {middle:.4g} µA")
                )
            return shown
        case BothThresholds(afterdischarge=found):
            return _threshold(axes, found, low, high)
        case ThresholdAveraged(above_ua=above, rung_ua=rung):
            words = f"crossings between {above:.4g} and {rung:.4g} µA"
            estimate_ua = outcome.estimate_ua
            return [
                axes.axhspan(max(above, low), rung, facecolor=SKY_BLUE, alpha=0.35, linewidth=0, label=words),
                axes.axhline(estimate_ua, color=INK, linewidth=0.8, linestyle=":", label=f"mean {estimate_ua:.4g} µA"),
            ]
        case NoAfterdischarge(above_ua=above) if above > 0:
            words = f"threshold > {above:.4g} µA"
            return [axes.axhspan(above, high, facecolor=SKY_BLUE, alpha=0.35, linewidth=0, label=words)]
        case _:
            return []


def _ticks(low: float, high: float) -> list[float]:
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in (1, 2, 3, 5, 7)]
    return [tick for tick in ticks if low <= tick <= high]
