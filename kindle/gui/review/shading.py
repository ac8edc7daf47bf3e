"""What is shaded behind and over the signal: trains, readings, the baseline, and where the detector had an edge."""

from dataclasses import dataclass
from math import isfinite

from kindle.gui.look import Look
from kindle.gui.review.looking import Looking
from kindle.gui.review.reading import Reading
from kindle.gui.review.stacked import Stacked

Span = tuple[float, float]
"""Seconds on the screen."""


@dataclass(frozen=True, slots=True)
class Shade:
    """A rectangle in seconds and lanes; ``hatched`` tells the second reading apart without its colour."""

    first_s: float
    last_s: float
    bottom: float
    top: float
    colour: str
    alpha: float = 1.0
    hatched: bool = False
    outlined: bool = False


def behind(looking: Looking, stacked: Stacked, look: Look, span_s: Span) -> list[Shade]:
    shades = [*_trains(looking, stacked, look), *_baseline(looking, stacked, look, span_s)]
    shades += [Shade(*span_s, band.bottom, band.bottom, look.line, outlined=True) for band in stacked.bands[:-1]]
    for place, reading in enumerate(looking.shown):
        shades += _reading(reading, place, looking, stacked, look, span_s)
    return shades


def over(looking: Looking, stacked: Stacked, look: Look) -> list[Shade]:
    """Where the detector had an edge that a person moved: thin lines, beside the thick ones."""
    draft, band = looking.draft, stacked.band(looking.channel)
    if draft is None or band is None or draft.events == draft.automatic:
        return []
    edges = [
        (sample / looking.source.rate_hz, colour)
        for bounds in draft.automatic
        for sample, colour in ((bounds.onset_sample, look.onset), (bounds.end_sample, look.end))
    ]
    return [Shade(at_s, at_s, band.bottom, band.top, colour, 0.7, outlined=True) for at_s, colour in edges]


def _trains(looking: Looking, stacked: Stacked, look: Look) -> list[Shade]:
    rate = looking.source.rate_hz
    return [
        Shade(train.onset_sample / rate, train.end_sample / rate, stacked.bottom, 0.0, look.train, 0.8)
        for train in looking.trains()
    ]


def _baseline(looking: Looking, stacked: Stacked, look: Look, span_s: Span) -> list[Shade]:
    trial = None if looking.stop is None else looking.stop.trial
    band = None if trial is None else stacked.band(trial.channel)
    if trial is None or band is None or trial.baseline_uv is None or not isfinite(trial.baseline_uv):
        return []
    reach = stacked.reach(trial.channel, trial.baseline_uv)
    return [Shade(*span_s, band.middle - reach, band.middle + reach, look.quiet, 0.18)]


def _reading(reading: Reading, place: int, looking: Looking, stacked: Stacked, look: Look, span_s: Span) -> list[Shade]:
    """One reading fills the lane; of two the first has the upper half and the second, hatched, the lower."""
    rate, alone, second = looking.source.rate_hz, len(looking.shown) == 1, place == 1
    shades: list[Shade] = []
    for mark in reading.between(span_s[0] * rate, span_s[1] * rate):
        band = stacked.band(mark.channel)
        if band is not None:
            shades.append(
                Shade(
                    first_s=mark.onset_sample / rate,
                    last_s=mark.end_sample / rate,
                    bottom=band.bottom if alone or second else band.middle,
                    top=band.middle if second and not alone else band.top,
                    colour=look.second if second else look.discharge,
                    alpha=0.5 if mark.secondary else 1.0,
                    hatched=second,
                    outlined=second,
                )
            )
    return shades
