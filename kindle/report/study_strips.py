"""The signal around every train, small enough that hundreds of trials stand on one page."""

import numpy as np

from kindle.errors import RecordingError
from kindle.exchange import Trial
from kindle.recording import Recording, open_recording
from kindle.report.markup import NOTHING, Html, element
from kindle.report.signals import envelope, trial_signals
from kindle.report.style import BLUE, INK, ORANGE, VERMILLION
from kindle.study import SessionView, Study

COLUMNS, WIDTH, HEIGHT = 240, 480, 46
RECOVERY_S = 0.5
"""After the train the artefact may go off the strip."""


def strips(study: Study, view: SessionView) -> Html:
    """A strip for each trial that has a verdict, or the reason why it cannot be drawn."""
    drawn: list[Html] = []
    opened: dict[str, Recording] = {}
    for exchange, asked in zip(view.exchanges, view.asked_samples, strict=True):
        if isinstance(exchange.reply, Trial):
            try:
                folder = exchange.reply.recording
                if folder not in opened:
                    opened[folder] = open_recording(study.folder / folder)
                drawn.append(_strip(opened[folder], exchange.reply, asked, f"{view.id}, train {len(drawn) + 1}"))
            except RecordingError as error:
                drawn.append(element("p", f"No strip: {error}.", class_="warning"))
    return Html("".join(drawn)) if drawn else NOTHING


def _strip(recording: Recording, trial: Trial, asked: int, name: str) -> Html:
    signals = trial_signals(recording, trial, asked)
    eeg = signals.eeg
    begin = eeg.first_sample
    seen = np.isfinite(eeg.values)
    judged = seen.copy()
    after = trial.measured.end_sample + round(RECOVERY_S * signals.rate_hz)
    judged[max(0, trial.measured.onset_sample - begin) : max(0, after - begin)] = False
    middle = np.float32(np.median(eeg.values[seen]))
    top = max(float(np.abs(eeg.values[judged] - middle).max(initial=0.0)), 1e-6)
    at, values = envelope(eeg.values - middle, COLUMNS)
    scale = WIDTH / max(1, eeg.values.size)
    path, pen = [], "M"
    for x, y in zip(at * scale, HEIGHT / 2 * (1 - np.clip(values / top, -1, 1)), strict=True):
        if np.isfinite(y):
            path.append(f"{pen}{x:.1f} {y:.1f}")
            pen = "L"
        else:
            pen = "M"
    marks = [_span((trial.measured.onset_sample - begin) * scale, (trial.measured.end_sample - begin) * scale, ORANGE)]
    for event in trial.afterdischarges:
        first, last = (event.onset_sample - begin) * scale, (event.end_sample - begin) * scale
        marks.append(Html(f'<path d="M{first:.1f} {HEIGHT - 1}H{last:.1f}" stroke="{VERMILLION}" stroke-width="2.5"/>'))
    trace = f'<path d="{"".join(path)}" fill="none" stroke="{INK}" stroke-width="0.6"/>'
    svg = element("svg", *marks, Html(trace), viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=f"EEG of {name}")
    length_s = eeg.values.size / signals.rate_hz
    words = (
        f"{name}: {trial.train.current_ua:.4g} µA, {trial.verdict.value}; {length_s:.0f} s wide, "
        f"±{top:.0f} {eeg.unit} high; {trial.recording}"
    )
    return element("figure", svg, element("figcaption", words), class_="strip")


def _span(first: float, last: float, colour: str) -> Html:
    return Html(f'<rect x="{first:.1f}" y="0" width="{max(last - first, 1):.1f}" height="{HEIGHT}" fill="{colour}"/>')


CSS = f"""
.strips {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 6px 18px; }}
.strip figcaption {{ font-size: 10.5px; overflow-wrap: anywhere; }}
.plots {{ display: flex; flex-wrap: wrap; gap: 14px; align-items: flex-start; }}
.plots figure {{ border-top: 2px solid {BLUE}; padding-top: 4px; }}
.plots figure svg {{ max-width: 100%; }}
"""
