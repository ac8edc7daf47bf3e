"""The signal around every train, small enough that hundreds of trials stand on one page."""

from collections.abc import Iterator

import numpy as np

from kindle.errors import RecordingError
from kindle.exchange import Trial
from kindle.recording import Recording, open_recording
from kindle.report.markup import Html, element, joined
from kindle.report.section import Drawer, Section
from kindle.report.signals import envelope, trial_signals
from kindle.report.study_facts import StudyFacts
from kindle.report.style import INK, ORANGE, VERMILLION
from kindle.session_view import SessionView

COLUMNS, WIDTH, HEIGHT = 240, 480, 46
RECOVERY_S = 0.5
"""After the train the artefact may go off the strip."""


def section(facts: StudyFacts, draw: Drawer) -> Section | None:
    """A folded list of strips for each animal."""
    parts = []
    for id in facts.animals:
        drawn = [strip for view in facts.sessions if view.started.animal == id for strip in _strips(facts, view, draw)]
        if drawn:
            n = f"{len(drawn)} train{'' if len(drawn) == 1 else 's'}"
            grid = element("div", *drawn, class_="strips")
            parts.append(element("details", element("summary", f"{id}: {n}"), grid))
    if not parts:
        return None
    legend = (
        "EEG around each train, less its median before the train; orange: the train; red below the trace: "
        "afterdischarge, first to last spike."
    )
    return Section("EEG", joined(element("p", legend, class_="quiet"), *parts))


def _strips(facts: StudyFacts, view: SessionView, draw: Drawer) -> Iterator[Html]:
    """A strip for each trial that has a verdict, or the reason why it cannot be drawn."""
    folder = facts.source(view.id).folder
    opened: dict[str, Recording] = {}
    seqs = iter(view.reply_seqs)
    n = 0
    for exchange, asked in zip(view.exchanges, view.asked_samples, strict=True):
        seq = None if exchange.reply is None else next(seqs)
        if not isinstance(exchange.reply, Trial) or seq is None:
            continue
        n += 1
        try:
            name = exchange.reply.recording
            if name not in opened:
                opened[name] = open_recording(folder / name)
            link = draw.row(facts.row(view.id, seq))
            yield _strip(opened[name], exchange.reply, asked, f"{view.id}, train {n}", link)
        except RecordingError as error:
            yield element("p", f"No strip of {view.id}, train {n}: {error}.", class_="warning")


def _strip(recording: Recording, trial: Trial, asked: int, name: str, row: Html) -> Html:
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
        f"±{top:.0f} {eeg.unit} high; row "
    )
    return element("figure", svg, element("figcaption", words, row), class_="strip")


def _span(first: float, last: float, colour: str) -> Html:
    return Html(f'<rect x="{first:.1f}" y="0" width="{max(last - first, 1):.1f}" height="{HEIGHT}" fill="{colour}"/>')


CSS = """
.strips { display: grid; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 6px 18px; }
.strip figcaption { font-size: 10.5px; overflow-wrap: anywhere; }
"""
