"""What is drawn over the signal of a trial; each function returns what it adds to the legend."""

from matplotlib.artist import Artist
from matplotlib.axes import Axes

from detectors.criterion import Afterdischarge
from kindle.exchange import MeasuredTrain
from kindle.report.signals import Trace, TrialSignals
from kindle.report.style import GREEN, GREY, INK, LABEL_PT, ORANGE, PALE, PURPLE, SKY_BLUE, SMALL_PT, VERMILLION


def train_span(axes: Axes, signals: TrialSignals, train: MeasuredTrain | None) -> list[Artist]:
    if train is None:
        return [axes.axvline(0.0, color=ORANGE, linewidth=1.2, linestyle=(0, (4, 2)), label="train asked for")]
    start, end = signals.seconds(train.onset_sample), signals.seconds(train.end_sample)
    return [axes.axvspan(start, end, facecolor=ORANGE, alpha=0.5, linewidth=0, zorder=3.5, label="train (TTL)")]


def baseline(axes: Axes, baseline_uv: float | None, ratio: float, unit: str) -> list[Artist]:
    if baseline_uv is None:
        return []
    band = axes.axhspan(
        -baseline_uv, baseline_uv, facecolor=PALE, linewidth=0, zorder=0, label=f"± baseline ({baseline_uv:.0f} {unit})"
    )
    for sign in (1, -1):
        line = axes.axhline(
            sign * ratio * baseline_uv,
            color=PURPLE,
            linewidth=0.9,
            linestyle=(0, (5, 2)),
            zorder=4,
            label=f"± {ratio:g} × baseline",
        )
    return [band, line]


def blind(axes: Axes, signals: TrialSignals, spans: tuple[tuple[int, int], ...]) -> list[Artist]:
    shown: list[Artist] = []
    for first, end in spans:
        span = axes.axvspan(
            signals.seconds(first),
            signals.seconds(end),
            facecolor="none",
            edgecolor=GREY,
            hatch="//////",
            linewidth=0,
            zorder=2,
            label="could not be judged",
        )
        shown = [span]
    return shown


def discharges(axes: Axes, signals: TrialSignals, events: tuple[Afterdischarge, ...]) -> list[Artist]:
    if not events:
        return []
    first_s, last_s = axes.get_xlim()
    for number, event in enumerate(events, 1):
        onset_s, end_s = signals.seconds(event.onset_sample), signals.seconds(event.end_sample)
        span = axes.axvspan(
            onset_s, end_s, facecolor=SKY_BLUE, alpha=0.3, linewidth=0, zorder=0.5, label="afterdischarge"
        )
        onset, end = edges(axes, signals, event)
        # To either side, so that the two labels of a short discharge stay apart.
        near_edge = end_s > last_s - 0.17 * (last_s - first_s)
        if number == 1:
            _above(axes, onset_s, f"onset {onset_s:.2f} s", ha="right")
            _above(axes, end_s, f"end {end_s:.2f} s", ha="right" if near_edge else "left", raised=near_edge)
        else:
            _inside(axes, (onset_s + end_s) / 2, str(number))
    return [span, onset, end]


def edges(axes: Axes, signals: TrialSignals, event: Afterdischarge) -> tuple[Artist, Artist]:
    onset = axes.axvline(signals.seconds(event.onset_sample), color=GREEN, linewidth=1.1, zorder=4, label="onset")
    end = axes.axvline(
        signals.seconds(event.end_sample),
        color=VERMILLION,
        linewidth=1.1,
        linestyle=(0, (3, 1.5)),
        zorder=4,
        label="end",
    )
    return onset, end


def _above(axes: Axes, x: float, words: str, *, ha: str, raised: bool = False) -> None:
    axes.annotate(
        words,
        (x, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 10 if raised else 2),
        textcoords="offset points",
        ha=ha,
        va="bottom",
        fontsize=SMALL_PT,
    )


def _inside(axes: Axes, x: float, words: str) -> None:
    axes.annotate(
        words, (x, 1.0), xycoords=("data", "axes fraction"), ha="center", va="top", fontsize=LABEL_PT, fontweight="bold"
    )


def lost_samples(axes: Axes, signals: TrialSignals, eeg: Trace) -> list[Artist]:
    shown: list[Artist] = []
    for gap in eeg.gaps:
        line = axes.axvline(
            signals.seconds(gap), color=INK, linewidth=1.6, linestyle=":", zorder=5, label="samples lost"
        )
        shown = [line]
    return shown
