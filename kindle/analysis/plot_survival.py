"""Kaplan-Meier curves: steps, marks where an animal was censored, and how many were still at risk."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kindle.analysis.drawing import COLOURS, INK, LABEL_PT, LINES, PAGE_IN, SMALL_PT, heading, label, legend, plain
from kindle.analysis.latencies import Group, Latencies

BANDS_UP_TO = 2
"""Groups whose limits can be shown without hiding each other."""
LEGEND_COLUMN = 32
"""Characters of which two columns fit side by side."""


def plot_latencies(
    found: Latencies, *, time: str = "latency", event: str = "event", remaining: str = "animals without event"
) -> Figure:
    """``time`` and ``remaining`` name the axes. Raises ``ValueError`` for an analysis that ended in an error."""
    if not found.groups:
        raise ValueError(f"no survival curves: {found.status.message}")
    rows = 0.19 * len(found.groups)
    figure = Figure(figsize=(0.6 * PAGE_IN, 2.9 + rows), facecolor="white", layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 0.12 + rows))
    plain(upper)
    end = max(found.cut_off or 0.0, *(_end(group) for group in found.groups)) or 1.0
    shown: list[Artist] = []
    for index, group in enumerate(found.groups):
        name = f"{group.name}: {group.n_events}/{group.n} {event}"
        shown.append(_curve(upper, group, index, name, band=len(found.groups) <= BANDS_UP_TO))
    upper.set_ylim(0, 1.02)
    upper.set_xlim(0, 1.03 * end)
    upper.xaxis.set_major_locator(MaxNLocator(nbins=7, steps=[1, 2, 5, 10]))
    upper.tick_params(labelbottom=True)
    label(upper, time, remaining)
    if found.log_rank is not None:
        heading(upper, f"log-rank chi2 {found.log_rank.chi2:.3g}, {found.log_rank.df} df, p = {found.log_rank.p:.2g}")
    _at_risk(lower, found.groups, [tick for tick in upper.get_xticks() if 0 <= tick <= end])
    longest = max(len(str(artist.get_label())) for artist in shown)
    legend(figure, shown, columns=2 if longest <= LEGEND_COLUMN else 1)
    return figure


def _end(group: Group) -> float:
    return max([step.time for step in group.curve] + list(group.censored_at), default=0.0)


def _curve(axes: Axes, group: Group, index: int, name: str, *, band: bool) -> Artist:
    colour = COLOURS[index % len(COLOURS)]
    last = _end(group)
    times = [0.0, *(step.time for step in group.curve), last]
    alive = [1.0, *(step.survival for step in group.curve)]
    alive.append(alive[-1])
    (shown,) = axes.step(
        times,
        alive,
        where="post",
        color=colour,
        linewidth=1.4,
        linestyle=LINES[index % len(LINES)],
        label=name,
        clip_on=False,
    )
    if group.censored_at:
        at = np.array(group.censored_at)
        heights = [alive[np.searchsorted(times[:-1], time, side="right") - 1] for time in at]
        axes.plot(
            at, heights, marker="|", markersize=7, markeredgewidth=1.3, color=colour, linestyle="none", clip_on=False
        )
    if band and group.curve:
        low = [1.0, *(0.0 if step.interval.low is None else step.interval.low for step in group.curve)]
        high = [1.0, *(step.survival if step.interval.high is None else step.interval.high for step in group.curve)]
        axes.fill_between(times, [*low, low[-1]], [*high, high[-1]], step="post", color=colour, alpha=0.13, linewidth=0)
    return shown


def _at_risk(axes: Axes, groups: Sequence[Group], ticks: Sequence[float]) -> None:
    """One row of numbers for each group, under the ticks of the time axis."""
    axes.spines[:].set_visible(False)
    axes.tick_params(left=False, bottom=False, labelbottom=False, pad=8)
    axes.set_ylim(len(groups) - 0.4, -1.2)
    axes.set_yticks(range(len(groups)), [group.name for group in groups], fontsize=SMALL_PT)
    for row, (text, group) in enumerate(zip(axes.get_yticklabels(), groups, strict=True)):
        text.set_parse_math(False)
        text.set_color(COLOURS[row % len(COLOURS)])
        for tick in ticks:
            left = sum(time >= tick for time in group.censored_at)
            left += sum(step.events for step in group.curve if step.time >= tick)
            axes.text(tick, row, str(left), ha="center", va="center", fontsize=SMALL_PT, color=INK)
    axes.text(0, 1.0, "at risk", transform=axes.transAxes, ha="left", va="top", fontsize=LABEL_PT, color=INK)
