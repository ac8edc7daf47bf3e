"""One trial: its figure, its discharges one by one, its reason."""

from collections.abc import Mapping
from pathlib import Path

from detectors.criterion import Criterion
from kindle.errors import RecordingError
from kindle.exchange import Trial
from kindle.recording import Recording, open_recording
from kindle.report.markup import NOTHING, Html, element, table
from kindle.report.signals import trial_signals
from kindle.report.style import MARKS
from kindle.report.svg import inline_svg
from kindle.report.trains import Train
from kindle.report.trial_figure import Scale, trial_figure
from kindle.report.wording import number, seconds, typeset

Opened = Mapping[str, Recording | RecordingError]
"""The recordings of a session by their folder, or why one cannot be shown."""


def opened_recordings(study: Path, folders: set[str]) -> Opened:
    return {folder: _opened(study / folder) for folder in folders}


def trial_section(train: Train, recordings: Opened, criterion: Criterion) -> Html:
    """``Html`` with a figure, or with the reason why there is none."""
    reply = train.reply
    title = f"Train {train.number}: {train.asked.current_ua:.4g} µA, {train.state_in_words}"
    heading = element("h3", f"{MARKS[train.state].symbol} {title}")
    reason = element("p", typeset(reply.reason), class_="quiet") if reply is not None and reply.reason else NOTHING
    events = _events(reply) if isinstance(reply, Trial) else NOTHING
    return element("div", heading, reason, _figure(train, recordings, criterion, title), events, class_="trial")


def _opened(folder: Path) -> Recording | RecordingError:
    try:
        return open_recording(folder)
    except RecordingError as error:
        return error


def _figure(train: Train, recordings: Opened, criterion: Criterion, title: str) -> Html:
    if train.reply is None:
        return element("p", "No figure: the trial was not completed; what was recorded stands in the recording.")
    recording = recordings[train.reply.recording]
    if isinstance(recording, RecordingError):
        return element("p", f"No figure: {recording}.", class_="warning")
    try:
        signals = trial_signals(recording, train.reply, train.asked_sample)
    except RecordingError as error:
        return element("p", f"No figure: {error}.", class_="warning")
    figure, scale = trial_figure(signals, train.reply, criterion.amplitude_ratio)
    svg = inline_svg(figure, f"trial-{train.number}", title)
    return element("figure", svg, element("figcaption", _caption(train, scale, signals.eeg.unit)))


def _caption(train: Train, scale: Scale, unit: str) -> str:
    words = f"Recording {train.reply.recording}." if train.reply is not None else ""
    if scale.overshoots:
        words += f" Goes off the axis where it swings by up to {scale.largest_uv:.4g} {unit}."
    return words


def _events(trial: Trial) -> Html:
    """Times from train onset, as in the figure."""
    onset = trial.measured.onset_sample
    rows = [
        (
            f"{n} {event.kind.value}",
            seconds((event.onset_sample - onset) / trial.rate_hz),
            seconds((event.end_sample - onset) / trial.rate_hz),
            seconds((event.end_sample - event.onset_sample) / trial.rate_hz),
            str(event.n_spikes),
            f"{event.spike_hz:.1f}",
            number(event.peak_uv, 4),
            f"{event.median_ratio:.1f}",
            event.end_grade.value,
            f"{event.confidence:.2f}",
        )
        for n, event in enumerate(trial.afterdischarges, 1)
    ]
    headers = (
        "discharge",
        "onset s",
        "end s",
        "duration s",
        "spikes",
        "spikes/s",
        "peak µV",
        "median ratio to baseline",
    )
    return table((*headers, "end", "confidence"), rows, class_="numbers")
