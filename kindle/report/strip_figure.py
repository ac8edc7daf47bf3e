"""A figure for each trial, and each seizure, of a reanalysis: the signal, and what was said of it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from detectors.criterion import Afterdischarge, Criterion, Judgement, Seizure, Verdict
from kindle.loading import Floats, Signals, load
from kindle.naming import first_free
from kindle.report.axes import label, plain_axes
from kindle.report.signals import envelope
from kindle.report.style import (
    GREEN,
    GREY,
    INK,
    LABEL_PT,
    ORANGE,
    PALE,
    PURPLE,
    SKY_BLUE,
    SMALL_PT,
    VERMILLION,
)
from kindle.results import ChannelFindings, Findings

WIDTH_IN, HEIGHT_IN, DOTS_PER_IN = 11.0, 5.2, 130
BEFORE_S, AFTER_S, CLOSE_S = 10.0, 15.0, 2.0
LONGEST_S = 900.0
"""Of the signal in one figure; of a longer discharge its beginning is shown."""
COLUMNS = 2200
RECOVERY_S = 0.5
"""After a train, or after a saturation, the artefact may go off the axis."""


@dataclass(frozen=True, slots=True)
class Event:
    onset_s: float
    end_s: float
    confidence: float
    end_grade: str


@dataclass(frozen=True, slots=True)
class Strip:
    """What one figure shows; times in s from the start of the recording."""

    title: str
    reason: str
    train_s: tuple[float, float] | None
    events: tuple[Event, ...]
    blind_s: tuple[tuple[float, float], ...]
    baseline_uv: float | None
    ratio: float
    span_s: tuple[float, float]


def draw_figures(findings: Findings, criterion: Criterion, folder: Path, name: str) -> list[Path]:
    """One PNG for each trial and each seizure, ``name`` being that of the recording in titles and file names."""
    folder.mkdir(parents=True, exist_ok=True)
    signals = load(findings.path)
    drawn: list[Path] = []
    for channel in findings.channels:
        for what, strip in _strips(findings, channel, criterion, name):
            path = folder / (re.sub(r"[^\w.-]+", "_", f"{name}_{channel.name}_{what}") + ".png")
            _draw(strip, signals, channel.name).savefig(path, dpi=DOTS_PER_IN)
            drawn.append(path)
    return drawn


def names_of(recordings: Sequence[Path]) -> list[str]:
    """Different for each; recordings of kindle's own are named by their folder."""
    names: list[str] = []
    for path in recordings:
        names.append(first_free(path.parent.name if path.name == "signal.vhdr" else path.stem, names.__contains__))
    return names


def _strips(
    findings: Findings, channel: ChannelFindings, criterion: Criterion, name: str
) -> Iterator[tuple[str, Strip]]:
    place = f"{name}, {channel.name}"
    flags = f"  [{', '.join(channel.flags)}]" if channel.flags else ""
    rate, end_s = findings.rate_hz, findings.n_samples / findings.rate_hz
    for number, judgement in enumerate(channel.judgements, 1):
        yield f"trial{number:02d}", _of_trial(judgement, f"{place}, trial {number}: ", flags, criterion, rate, end_s)
    for number, seizure in enumerate(channel.seizures, 1):
        event = _event(seizure, rate)
        title = (
            f"{place}, seizure {number}: {event.onset_s:.2f} to {event.end_s:.2f} s, "
            f"{event.end_s - event.onset_s:.1f} s, end {event.end_grade}, confidence {event.confidence:.2f}{flags}"
        )
        reason = (
            f"{seizure.n_spikes} spikes of median {seizure.median_ratio:.1f} x baseline at {seizure.spike_hz:.1f}/s"
        )
        span = _span(event.onset_s - BEFORE_S, event.end_s + AFTER_S, end_s)
        yield (
            f"seizure{number:02d}",
            Strip(title, reason, None, (event,), (), channel.scan_baseline_uv, criterion.amplitude_ratio, span),
        )


def _of_trial(
    judgement: Judgement, place: str, flags: str, criterion: Criterion, rate_hz: float, end_s: float
) -> Strip:
    train = (judgement.stimulus.onset_sample / rate_hz, judgement.stimulus.end_sample / rate_hz)
    events = tuple(_event(event, rate_hz) for event in judgement.afterdischarges)
    said = judgement.verdict.value
    if judgement.verdict is Verdict.AFTERDISCHARGE:
        first = events[0]
        more = f", {len(events) - 1} secondary" if len(events) > 1 else ""
        said += (
            f", {first.onset_s - train[1]:.2f} to {first.end_s - train[1]:.2f} s after the train, "
            f"{first.end_s - first.onset_s:.1f} s, end {first.end_grade}, confidence {first.confidence:.2f}{more}"
        )
    last_s = max([event.end_s for event in events], default=train[1] + criterion.onset_window_s)
    return Strip(
        title=place + said + flags,
        reason=judgement.reason,
        train_s=train,
        events=events,
        blind_s=tuple((first / rate_hz, last / rate_hz) for first, last in judgement.blind),
        baseline_uv=judgement.baseline_uv,
        ratio=criterion.amplitude_ratio,
        span_s=_span(train[0] - BEFORE_S, last_s + AFTER_S, end_s),
    )


def _event(event: Afterdischarge | Seizure, rate_hz: float) -> Event:
    return Event(event.onset_sample / rate_hz, event.end_sample / rate_hz, event.confidence, event.end_grade.value)


def _span(first_s: float, last_s: float, end_s: float) -> tuple[float, float]:
    first_s = max(0.0, first_s)
    return first_s, max(first_s, min(last_s, end_s, first_s + LONGEST_S))


def _draw(strip: Strip, signals: Signals, name: str) -> Figure:
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN))
    figure.text(0.055, 0.985, strip.title, fontsize=LABEL_PT + 2, color=INK, va="top", parse_math=False)
    figure.text(0.055, 0.945, strip.reason, fontsize=SMALL_PT + 0.5, color=GREY, va="top", parse_math=False)
    uv = _read(signals, name, strip.span_s)
    # The criterion counts from the middle of the signal, not from the amplifier's offset.
    middle_uv = float(np.nanmedian(uv)) if np.isfinite(uv).any() else 0.0
    uv = uv - middle_uv
    close = _close_ups(strip)
    bottom = 2.35 if close else 0.55
    whole = plain_axes(figure, (0.62, bottom, WIDTH_IN - 0.8, HEIGHT_IN - bottom - 0.62))
    top_uv = _top(strip, uv, signals.rate_hz)
    _trace(whole, strip, uv, signals.rate_hz, strip.span_s, top_uv)
    wide = (WIDTH_IN - 0.8 - 0.5 * (len(close) - 1)) / max(1, len(close))
    for place, (words, span_s) in enumerate(close):
        axes = plain_axes(figure, (0.62 + place * (wide + 0.5), 0.55, wide, 1.3))
        _trace(axes, strip, _read(signals, name, span_s) - middle_uv, signals.rate_hz, span_s, top_uv)
        axes.set_ylabel("")
        axes.set_title(words, fontsize=SMALL_PT, loc="left", pad=3, color=GREY)
    figure.legend(
        handles=_unlike(whole),
        loc="lower center",
        ncols=8,
        fontsize=SMALL_PT,
        frameon=False,
        borderaxespad=0.1,
    )
    return figure


def _close_ups(strip: Strip) -> list[tuple[str, tuple[float, float]]]:
    """Around the onset and the end of the first discharge; around the train where there is none."""
    if strip.events:
        first = strip.events[0]
        places = [("onset", first.onset_s), ("end", first.end_s)]
        return [(words, _inside(strip, at - CLOSE_S, at + CLOSE_S)) for words, at in places]
    if strip.train_s:
        return [("train and after", _inside(strip, strip.train_s[0] - 1, strip.train_s[1] + 3 * CLOSE_S))]
    return []


def _inside(strip: Strip, first_s: float, last_s: float) -> tuple[float, float]:
    return max(strip.span_s[0], first_s), min(strip.span_s[1], last_s)


def _read(signals: Signals, name: str, span_s: tuple[float, float]) -> Floats:
    first, last = (round(s * signals.rate_hz) for s in span_s)
    return np.asarray(signals.read([name], first, max(first + 1, last))[0])


def _top(strip: Strip, uv: Floats, rate_hz: float) -> float:
    """Set by the brain's signal: the artefact of the train may go off the axis."""
    seen = np.abs(uv)
    t = strip.span_s[0] + np.arange(seen.size) / rate_hz
    hidden = [(first_s, last_s + RECOVERY_S) for first_s, last_s in strip.blind_s] + (
        [(strip.train_s[0], strip.train_s[1] + RECOVERY_S)] if strip.train_s else []
    )
    for first_s, last_s in hidden:
        seen = np.where((t >= first_s) & (t <= last_s), np.nan, seen)
    largest = float(np.nanmax(seen)) if np.isfinite(seen).any() else 0.0
    baseline = strip.baseline_uv if strip.baseline_uv and np.isfinite(strip.baseline_uv) else 0.0
    return max(1.05 * largest, 1.5 * strip.ratio * baseline, 1e-3)


def _trace(axes: Axes, strip: Strip, uv: Floats, rate_hz: float, span_s: tuple[float, float], top_uv: float) -> None:
    at, values = envelope(uv.astype(np.float32), COLUMNS)
    axes.set_xlim(*span_s)
    axes.set_ylim(-top_uv, top_uv)
    if strip.baseline_uv and np.isfinite(strip.baseline_uv):
        b = strip.baseline_uv
        axes.axhspan(-b, b, facecolor=PALE, linewidth=0, zorder=0, label=f"± baseline ({b:.0f} µV)")
        for sign in (1, -1):
            axes.axhline(
                sign * strip.ratio * b,
                color=PURPLE,
                linewidth=0.8,
                linestyle=(0, (5, 2)),
                zorder=4,
                label=f"± {strip.ratio:g} × baseline",
            )
    for first_s, last_s in strip.blind_s:
        axes.axvspan(
            first_s, last_s, facecolor="none", edgecolor=GREY, hatch="//////", linewidth=0, zorder=2, label="not judged"
        )
    if strip.train_s:
        axes.axvspan(*strip.train_s, facecolor=ORANGE, alpha=0.5, linewidth=0, zorder=3.5, label="train")
    for number, event in enumerate(strip.events):
        axes.axvspan(
            event.onset_s, event.end_s, facecolor=SKY_BLUE, alpha=0.3, linewidth=0, zorder=0.5, label="discharge"
        )
        axes.axvline(event.onset_s, color=GREEN, linewidth=1.1, zorder=5, label="onset")
        axes.axvline(event.end_s, color=VERMILLION, linewidth=1.1, linestyle=(0, (3, 1.5)), zorder=5, label="end")
        if number and span_s[0] < event.onset_s < span_s[1]:
            words = f"secondary {number}, confidence {event.confidence:.2f}"
            axes.text(event.onset_s, 0.97 * top_uv, " " + words, fontsize=SMALL_PT, va="top", color=INK, clip_on=True)
    axes.plot(span_s[0] + at / rate_hz, values, color=INK, linewidth=0.45, zorder=3)
    label(axes, "time in the recording (s)", "µV")


def _unlike(axes: Axes) -> list[Artist]:
    """One of each for the legend."""
    handles, labels = axes.get_legend_handles_labels()
    return list(dict(zip(reversed(labels), reversed(handles), strict=True)).values())[::-1]
