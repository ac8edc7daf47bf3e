"""The signal of one trial with everything that the verdict rests on."""

from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kindle.exchange import Trial, VoidTrial
from kindle.report.axes import label, legend_below, plain_axes
from kindle.report.signals import Trace, TrialSignals, envelope
from kindle.report.style import FIGURE_WIDTH_IN, INK, LABEL_PT
from kindle.report.trial_marks import baseline, blind, discharges, edges, lost_samples, train_span

ZOOM_S = 2.0
"""Shown on either side of a detected onset or end."""

COLUMNS_PER_IN = 220
RECOVERY_S = 0.5
"""After a train the amplifier may still swing; this does not set the scale of the axis."""


@dataclass(frozen=True, slots=True)
class Scale:
    """µV: half the height of the axes, and the largest deflection in the whole trial."""

    half_uv: float
    largest_uv: float

    @property
    def overshoots(self) -> bool:
        return self.largest_uv > self.half_uv


def trial_figure(signals: TrialSignals, trial: Trial | VoidTrial, criterion_ratio: float) -> tuple[Figure, Scale]:
    eeg = _centred(signals, trial)
    scale = _scale(signals, eeg, trial, criterion_ratio)
    events = trial.afterdischarges if isinstance(trial, Trial) else ()
    below_in, above_in = 0.56, 0.22 if events else 0.08
    second_row_in = 1.5 if events else 0.0
    figure = Figure(figsize=(FIGURE_WIDTH_IN, below_in + second_row_in + 1.72 + above_in), facecolor="white")
    bottom_in = below_in + second_row_in
    has_stimulus = signals.stimulus is not None and signals.stimulus.values.size > 1
    wide_in = 4.95 if has_stimulus else 6.65
    overview = plain_axes(figure, (0.62, bottom_in, wide_in, 1.72))
    shown = _overview(overview, signals, eeg, trial, criterion_ratio, scale)
    if signals.stimulus is not None and has_stimulus:
        _stimulus_panels(figure, signals, signals.stimulus, trial, bottom_in)
    if isinstance(trial, Trial) and events:
        _zooms(figure, signals, eeg, trial, criterion_ratio, scale, below_in)
    legend_below(figure, shown)
    return figure, scale


def _overview(
    axes: Axes, signals: TrialSignals, eeg: Trace, trial: Trial | VoidTrial, ratio: float, scale: Scale
) -> list[Artist]:
    _draw(axes, signals, eeg, 4.95)
    axes.set_xlim(signals.seconds(eeg.first_sample), signals.seconds(eeg.first_sample + eeg.values.size))
    axes.set_ylim(-scale.half_uv, scale.half_uv)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=9, steps=[1, 2, 5, 10]))
    since = "train onset" if trial.measured is not None else "the train was asked for"
    label(axes, f"time since {since} (s)", f"{eeg.channel.name} ({eeg.unit})")
    shown = train_span(axes, signals, trial.measured)
    if isinstance(trial, Trial):
        shown += baseline(axes, trial.baseline_uv, ratio, eeg.unit)
        shown += blind(axes, signals, trial.blind)
        shown += discharges(axes, signals, trial.afterdischarges)
    return shown + lost_samples(axes, signals, eeg)


def _zooms(
    figure: Figure, signals: TrialSignals, eeg: Trace, trial: Trial, ratio: float, scale: Scale, bottom_in: float
) -> None:
    """The onset and the end of the first discharge."""
    half = round(ZOOM_S * signals.rate_hz)
    first = trial.afterdischarges[0]
    for left_in, sample, what, unit in (
        (0.62, first.onset_sample, "detected onset", eeg.unit),
        (4.19, first.end_sample, f"detected end ({first.end_grade.value})", ""),
    ):
        axes = plain_axes(figure, (left_in, bottom_in, 3.08, 0.92))
        _draw(axes, signals, eeg.between(sample - half, sample + half), 3.08)
        axes.set_xlim(signals.seconds(sample - half), signals.seconds(sample + half))
        axes.set_ylim(-scale.half_uv, scale.half_uv)
        train_span(axes, signals, trial.measured)
        baseline(axes, trial.baseline_uv, ratio, eeg.unit)
        blind(axes, signals, trial.blind)
        for event in trial.afterdischarges:
            edges(axes, signals, event)
        axes.set_title(f"{what}, ± {ZOOM_S:g} s", fontsize=LABEL_PT, loc="left", pad=3)
        label(axes, "time since train onset (s)", unit)


def _stimulus_panels(
    figure: Figure, signals: TrialSignals, stimulus: Trace, trial: Trial | VoidTrial, bottom_in: float
) -> None:
    """The whole train above, its first pulses below."""
    whole = plain_axes(figure, (6.12, bottom_in + 1.04, 1.18, 0.56))
    _draw(whole, signals, stimulus, 1.18, scale_x=1e3, line_width=0.5)
    whole.set_title(stimulus.channel.name, fontsize=LABEL_PT, loc="left", pad=3, parse_math=False)
    panels = [whole]
    pulse_hz = trial.delivered.pulse_hz if isinstance(trial, Trial) else trial.train.pulse_hz
    if trial.measured is not None:
        first = trial.measured.onset_sample
        margin = max(1, round(0.15 * signals.rate_hz / pulse_hz))
        pulses = stimulus.between(first - margin, first + round(2.4 * signals.rate_hz / pulse_hz) + 1)
        panels.append(plain_axes(figure, (6.12, bottom_in, 1.18, 0.56)))
        _draw(panels[-1], signals, pulses, 1.18, scale_x=1e3, line_width=0.8, marker=".")
    for axes in panels:
        axes.margins(x=0.02, y=0.12)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=3, symmetric=True))
        axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
        label(axes, "ms", stimulus.unit)


def _draw(
    axes: Axes,
    signals: TrialSignals,
    trace: Trace,
    wide_in: float,
    *,
    scale_x: float = 1.0,
    line_width: float = 0.4,
    marker: str = "",
) -> None:
    positions, values = envelope(trace.values, round(COLUMNS_PER_IN * wide_in))
    x = (positions + (trace.first_sample - signals.zero_sample)) * (scale_x / signals.rate_hz)
    axes.plot(x, values, color=INK, linewidth=line_width, marker=marker, markersize=1.8, zorder=3)


def _centred(signals: TrialSignals, trial: Trial | VoidTrial) -> Trace:
    """Without the amplifier's offset: the criterion counts from the middle of the signal."""
    eeg = signals.eeg
    before = eeg.between(eeg.first_sample, signals.zero_sample).values
    before = before[np.isfinite(before)]
    offset = np.float32(np.median(before if before.size else eeg.values[np.isfinite(eeg.values)]))
    return Trace(eeg.channel, eeg.first_sample, eeg.values - offset, eeg.gaps)


def _scale(signals: TrialSignals, eeg: Trace, trial: Trial | VoidTrial, ratio: float) -> Scale:
    """Set by the brain's signal: a train's artefact may go off the axis, and the caption then says how far."""
    absolute = np.abs(eeg.values)
    counted = np.isfinite(absolute)
    spans = list(trial.blind) if isinstance(trial, Trial) else []
    if trial.measured is not None:
        spans.append((trial.measured.onset_sample, trial.measured.end_sample + round(RECOVERY_S * signals.rate_hz)))
    for first, end in spans:
        counted[max(0, first - eeg.first_sample) : max(0, end - eeg.first_sample)] = False
    largest = float(np.nanmax(absolute))
    seen = float(absolute[counted].max()) if counted.any() else largest
    baseline = (trial.baseline_uv or 0.0) if isinstance(trial, Trial) else 0.0
    return Scale(max(1.08 * seen, 1.25 * ratio * baseline, 1e-6), largest)
