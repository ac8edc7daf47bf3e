"""What is on the screen as a figure for a paper: vector or pixels, in the colours of the reports."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kindle.errors import KindleError
from kindle.gui.review.coarse import Outline
from kindle.gui.review.looking import Looking
from kindle.gui.review.reading import Reading
from kindle.gui.review.source import Source
from kindle.report.axes import label, legend_below, plain_axes
from kindle.report.style import FIGURE_WIDTH_IN, GREEN, INK, LABEL_PT, ORANGE, PURPLE, SKY_BLUE, VERMILLION

COLUMNS = 2400
DOTS_PER_IN = 300
LANE_IN, SIDE_LANE_IN = 1.5, 0.75
"""Of a brain signal, and of what is recorded beside it."""
FORMATS = (".svg", ".png", ".pdf")


def write_figure(looking: Looking, names: Sequence[str], span_s: tuple[float, float], path: Path) -> None:
    """The lanes ``names`` from ``span_s[0]`` to ``span_s[1]``; the ending chooses the format.

    Raises ``KindleError`` for an ending that is none, and where the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise KindleError(f"{path.name} names no format for a figure: end it in {', '.join(FORMATS)}")
    figure = drawn(looking, names, span_s)
    try:
        # Names of parts in a vector file come from this word, and not by chance.
        with rc_context({"svg.hashsalt": "kindle"}):
            figure.savefig(path, dpi=DOTS_PER_IN, metadata=_undated(path))
    except OSError as error:
        raise KindleError(f"cannot write {path} ({error.strerror}): choose another folder") from error


def drawn(looking: Looking, names: Sequence[str], span_s: tuple[float, float]) -> Figure:
    source = looking.source
    first_s, last_s = max(0.0, span_s[0]), min(source.duration_s, span_s[1])
    above_in, below_in = 0.35, 0.65
    heights_in = [LANE_IN if name in source.signals.brain else SIDE_LANE_IN for name in names]
    height_in = above_in + below_in + sum(heights_in)
    figure = Figure(figsize=(FIGURE_WIDTH_IN, height_in), facecolor="white")
    figure.text(
        0.02, 1 - 0.12 / height_in, _title(looking), fontsize=LABEL_PT + 1.5, color=INK, va="top", parse_math=False
    )
    units = {track.name: track.unit for track in source.signals.tracks}
    for place, name in enumerate(names):
        bottom_in = below_in + sum(heights_in[place + 1 :])
        axes = plain_axes(figure, (0.85, bottom_in + 0.06, FIGURE_WIDTH_IN - 1.0, heights_in[place] - 0.12))
        _lane(axes, looking, source, name, (first_s, last_s))
        label(axes, "time in the recording (s)" if place == len(names) - 1 else "", f"{name}\n({units[name]})")
        if place < len(names) - 1:
            axes.tick_params(labelbottom=False)
    legend: dict[str, Artist] = {}
    for axes in figure.axes:
        handles, words = axes.get_legend_handles_labels()
        legend |= dict(zip(words, handles, strict=True))
    if legend:
        legend_below(figure, list(legend.values()))
    return figure


def _lane(axes: Axes, looking: Looking, source: Source, name: str, span_s: tuple[float, float]) -> None:
    rate = source.rate_hz
    first, last = int(span_s[0] * rate), int(span_s[1] * rate) + 1
    outline = source.outline([name], first, last, COLUMNS)
    x = (outline.edges[:-1] + outline.edges[1:] - 1) / 2 / rate
    axes.fill_between(x, outline.low[0], outline.high[0], color=INK, linewidth=0.4, zorder=3)
    axes.set_xlim(*span_s)
    if name in source.signals.brain:
        _fit_height(axes, looking, outline)
    shown = looking.shown
    for train in looking.trains():
        if train.onset_sample < last and train.end_sample > first:
            axes.axvspan(
                train.onset_sample / rate, train.end_sample / rate, color=ORANGE, alpha=0.5, linewidth=0, label="train"
            )
    for place, reading in enumerate(shown):
        _shade(axes, reading, place, len(shown), name, rate, (first, last))
    if looking.draft is not None and name == looking.channel:
        for event in looking.draft.events:
            axes.axvline(event.onset_sample / rate, color=GREEN, linewidth=1.1, zorder=5, label="onset")
            axes.axvline(
                event.end_sample / rate, color=VERMILLION, linewidth=1.1, linestyle=(0, (3, 1.5)), zorder=5, label="end"
            )


def _fit_height(axes: Axes, looking: Looking, outline: Outline) -> None:
    """By the brain's signal: the artefact of a train may go off the axis."""
    seen = np.isfinite(outline.low[0]) & looking.undisturbed(outline)
    if seen.any():
        lowest, highest = float(outline.low[0][seen].min()), float(outline.high[0][seen].max())
        margin = 0.08 * max(highest - lowest, 1e-6)
        axes.set_ylim(lowest - margin, highest + margin)


def _shade(axes: Axes, reading: Reading, place: int, of: int, name: str, rate_hz: float, span: tuple[int, int]) -> None:
    """Of two readings the first has the upper half of the lane, the second the lower half, hatched."""
    low, high = (0.0, 1.0) if of == 1 else ((0.5, 1.0) if place == 0 else (0.0, 0.5))
    look = (
        {"facecolor": SKY_BLUE, "alpha": 0.3, "linewidth": 0}
        if place == 0
        else {"facecolor": "none", "edgecolor": PURPLE, "hatch": "/////", "linewidth": 0.6}
    )
    for mark in reading.between(*span, name):
        axes.axvspan(
            mark.onset_sample / rate_hz, mark.end_sample / rate_hz, low, high, zorder=0.5, label=reading.label, **look
        )


def _title(looking: Looking) -> str:
    stop = looking.stop
    place = looking.entry.title
    return place if stop is None else f"{place}   ·   {stop.label}"


def _undated(path: Path) -> dict[str, None] | None:
    """The same view gives the same bytes."""
    return (
        {"Date": None}
        if path.suffix.lower() == ".svg"
        else {"CreationDate": None}
        if path.suffix.lower() == ".pdf"
        else None
    )
