"""Dose-response figures: what was counted, the line with its band, and the dose that protects half."""

from collections.abc import Mapping
from itertools import pairwise
from math import ceil, floor, log10, sqrt
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, NullLocator

from kindle.analysis.dose_table import DoseTable
from kindle.analysis.drawing import COLOURS, GREY, INK, LINES, MARKERS, SMALL_PT, label, legend, new_figure, with_unit
from kindle.analysis.effective_dose import line_of
from kindle.analysis.fit import Estimate, Fit
from kindle.analysis.links import LINKS
from kindle.analysis.proportions import share

CAP = 2.0
"""Half the height of the ends of a limit, in percent."""

Labels = Literal["at points", "on top", "none"]


def plot_dose_response(fit: Fit | Mapping[str, Fit], *, p: float = 0.5) -> Figure:
    """One fit, or several by the name of the drug, on a log axis; the diamond is ED``p`` with its headline limits.

    The band is that of the line; where it crosses ``p`` are Fieller's limits, from the same numbers. A separated table
    shows the doses between which its ED lies and no line. Raises ``ValueError`` where no fit has a table.
    """
    fits = {"": fit} if isinstance(fit, Fit) else dict(fit)
    drawn = {name: each for name, each in fits.items() if each.table is not None and each.table.doses}
    if not drawn:
        raise ValueError("no dose-response figure: " + "; ".join(each.status.message for each in fits.values()))
    figure, axes = new_figure(height_in=3.1 if len(drawn) > 1 else 2.8)
    low, high = _extent(drawn, p)
    shown: list[Artist] = []
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    labels = _labels(drawn, low, high)
    for i, (name, each) in enumerate(drawn.items()):
        shown.append(_one(axes, each, p, i, name, (low, high), labels))
    axes.set_ylim(-6, 112)
    axes.set_yticks([0, 25, 50, 75, 100])
    ticks = _ticks(drawn, low, high)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{tick:g}" for tick in ticks])
    units = {each.options.unit for each in drawn.values()}
    label(axes, with_unit("Dose", units.pop() if len(units) == 1 else ""), "Protected (%)")
    if len(drawn) > 1:
        legend(figure, shown)
    return figure


def _one(axes: Axes, fit: Fit, p: float, i: int, name: str, extent: tuple[float, float], labels: Labels) -> Artist:
    colour, marker = COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]
    if fit.slope is not None:
        _line(axes, fit, extent, colour, i)
    elif fit.bracket is not None:
        _bracket(axes, fit.bracket, colour)
    points = _points(axes, fit, colour, marker, name, labels)
    _diamond(axes, fit, fit.ed(p), p, colour)
    return points


def _points(axes: Axes, fit: Fit, colour: str, marker: str, name: str, labels: Labels) -> Artist:
    assert fit.table is not None
    for dose, n, responded in fit.table.groups():
        counted = share(responded, n, fit.options.level)
        low, high = counted.interval.low or 0.0, counted.interval.high or 1.0
        axes.plot([dose, dose], [100 * low, 100 * high], color=colour, linewidth=0.8, alpha=0.55, zorder=3)
        face = colour if 0 < responded < n else "white"
        axes.plot([dose], [100 * counted.value], marker, color=colour, markerfacecolor=face, markersize=5, zorder=4)
        if labels == "at points":
            _beside(axes, f"{responded}/{n}", dose, 100 * counted.value, _expected(fit, dose))
    if labels == "on top":
        _above(axes, fit.table)
    (handle,) = axes.plot([], [], marker, color=colour, markersize=5, label=name)
    return handle


def _above(axes: Axes, table: DoseTable) -> None:
    """Upright above the axes, over their doses as far as there is room for each."""
    low, high = np.log10(axes.get_xlim())
    at = -1.0
    for dose, n, responded in table.groups():
        at = max((log10(dose) - low) / (high - low), at + 0.032)
        axes.text(
            at,
            1.01,
            f"{responded}/{n}",
            transform=axes.transAxes,
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=SMALL_PT - 1,
            color=INK,
        )


def _beside(axes: Axes, words: str, dose: float, percent: float, expected: float) -> None:
    """Away from the curve, which rises: a point above it has room to the upper left, one below to the lower right."""
    above = percent >= expected
    axes.annotate(
        words,
        (dose, percent),
        xytext=(-4, 3) if above else (4, -3),
        textcoords="offset points",
        ha="right" if above else "left",
        va="bottom" if above else "top",
        fontsize=SMALL_PT - 1,
        color=INK,
        zorder=6,
        path_effects=[withStroke(linewidth=1.6, foreground="white")],
    )


def _expected(fit: Fit, dose: float) -> float:
    if fit.slope is None or fit.intercept is None:
        return 0.0
    eta = np.array([fit.intercept + fit.slope * np.log10(dose)])
    natural = fit.natural_rate or 0.0
    return 100 * (natural + (1 - natural) * float(LINKS[fit.options.link].probability(eta)[0]))


def _line(axes: Axes, fit: Fit, extent: tuple[float, float], colour: str, i: int) -> None:
    assert fit.t is not None
    line, link = line_of(fit), LINKS[fit.options.link]
    x = np.linspace(np.log10(extent[0]), np.log10(extent[1]), 300)
    eta = line.intercept + line.slope * x
    se = np.sqrt(np.maximum(line.v11 + 2 * x * line.v12 + x * x * line.v22, 0.0)) * sqrt(fit.h)
    natural = fit.natural_rate or 0.0
    mean, low, high = (
        100 * (natural + (1 - natural) * link.probability(at)) for at in (eta, eta - fit.t * se, eta + fit.t * se)
    )
    axes.fill_between(10**x, low, high, color=colour, alpha=0.13, linewidth=0, zorder=1)
    axes.plot(10**x, mean, color=colour, linewidth=1.3, linestyle=LINES[i % len(LINES)], zorder=2)


def _bracket(axes: Axes, bracket: tuple[float, float], colour: str) -> None:
    low, high = bracket if bracket[0] < bracket[1] else (bracket[0] / 1.01, bracket[1] * 1.01)
    axes.axvspan(low, high, color=colour, alpha=0.15, linewidth=0, zorder=1)


def _diamond(axes: Axes, fit: Fit, estimate: Estimate, p: float, colour: str) -> None:
    natural = fit.natural_rate or 0.0
    at = 100 * (natural + (1 - natural) * p)
    axes.axhline(at, color=GREY, linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
    if estimate.value is not None and fit.slope is not None:
        axes.plot([estimate.value], [at], "D", color=INK, markerfacecolor=colour, markersize=5.5, zorder=7)
    # Where g >= 1 the limits say little more than that there are none: the band shows it.
    if estimate.low is not None and estimate.high is not None and (fit.g is None or fit.g < 1):
        axes.plot([estimate.low, estimate.high], [at, at], color=colour, linewidth=1.8, zorder=6)
        for end in (estimate.low, estimate.high):
            axes.plot([end, end], [at - CAP, at + CAP], color=colour, linewidth=1.8, zorder=6)


def _extent(fits: Mapping[str, Fit], p: float) -> tuple[float, float]:
    """The tested doses and the limits near them, with room on both sides."""
    doses = [dose for fit in fits.values() if fit.table is not None for dose in fit.table.doses]
    low, high = min(doses), max(doses)
    room = max(high / low, 2.0) ** 0.25
    for fit in fits.values():
        estimate = fit.ed(p)
        for end in (estimate.low, estimate.high, estimate.value):
            if end is not None and low / room**4 < end < high * room**4 and (fit.g is None or fit.g < 1):
                low, high = min(low, end), max(high, end)
    return low / room, high * room


def _labels(fits: Mapping[str, Fit], low: float, high: float) -> Labels:
    """Where the counts fit: beside each point while the doses lie apart, above the axes for one crowded table."""
    if len(fits) > 2:
        return "none"
    tables = [sorted(set(fit.table.doses)) for fit in fits.values() if fit.table is not None]
    gaps = [log10(b / a) / log10(high / low) for doses in tables for a, b in pairwise(doses)]
    if min(gaps, default=1.0) > 0.09:
        return "at points"
    return "on top" if len(fits) == 1 and len(tables[0]) <= 24 else "none"


def _ticks(fits: Mapping[str, Fit], low: float, high: float) -> list[float]:
    """The tested doses where they are few and apart, else 1, 2 and 5 of each decade."""
    doses = sorted({dose for fit in fits.values() if fit.table is not None for dose in fit.table.doses})
    span = log10(high / low)
    apart = all(log10(b / a) > 0.1 * span for a, b in pairwise(doses))
    if len(doses) <= 9 and apart:
        return doses
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    marks = [m * 10.0**k for k in decades for m in ((1, 2, 5) if span < 3 else (1,))]
    return [mark for mark in marks if low <= mark <= high] or doses
