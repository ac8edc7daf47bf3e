"""Readings of a trial as they are typed and shown: seconds from the end of its train, as a rater's ruler has them."""

from math import isfinite

from msgspec import structs

from detectors.criterion import Verdict
from kindle.amending import reading_of
from kindle.animal_rows import MarkedDischarge, TrialReading
from kindle.errors import ConfigError
from kindle.exchange import Trial

KEYS = ("onset", "end", "discharges", "verdict")
"""What of a trial can be read in another way."""


def typed_reading(trial: Trial, key: str, value: str) -> TrialReading:
    """``trial`` with one of ``KEYS`` read as ``value``. Raises ``ConfigError`` for what cannot be understood."""
    old = reading_of(trial)
    match key:
        case "discharges":
            return TrialReading(Verdict.AFTERDISCHARGE, tuple(_span(trial, part) for part in value.split(",")))
        case "verdict":
            allowed = [verdict.value for verdict in Verdict]
            if value not in allowed:
                raise ConfigError(f"{value!r} is no verdict; there are: {', '.join(allowed)}")
            verdict = Verdict(value)
            return TrialReading(verdict, old.discharges if verdict is Verdict.AFTERDISCHARGE else ())
        case _:
            if not old.discharges:
                raise ConfigError(f"the trial has no discharge with an {key}; mark one with: discharges ONSET-END")
            first, *later = old.discharges
            moved = structs.replace(first, **{f"{key}_sample": _sample(trial, value)})
            return TrialReading(old.verdict, (moved, *later))


def reading_text(trial: Trial, reading: TrialReading) -> str:
    """``trial`` says where the train ended and how fast was sampled."""
    if not reading.discharges:
        return reading.verdict.value
    spans = ", ".join(f"{_after(trial, d.onset_sample)} to {_after(trial, d.end_sample)}" for d in reading.discharges)
    return f"{reading.verdict.value} {spans} s from train end"


def _span(trial: Trial, typed: str) -> MarkedDischarge:
    onset, dash, end = typed.strip().partition("-")
    if not dash:
        raise ConfigError(
            f"{typed!r} is no discharge; give ONSET-END in seconds from the train's end, such as 2.5-43.1"
        )
    return MarkedDischarge(_sample(trial, onset), _sample(trial, end))


def _sample(trial: Trial, typed: str) -> int:
    try:
        seconds = float(typed)
    except ValueError:
        seconds = float("nan")
    if not isfinite(seconds) or not 0 <= seconds <= 1e6:
        raise ConfigError(f"{typed.strip()!r} is no time; give seconds from the end of the train, such as 2.5")
    return trial.measured.end_sample + round(seconds * trial.rate_hz)


def _after(trial: Trial, sample: int) -> str:
    return f"{(sample - trial.measured.end_sample) / trial.rate_hz:.3f}"
