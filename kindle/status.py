"""Status epilepticus: when a discharge is an emergency, and what the licence says is done then."""

from math import isfinite
from typing import Annotated

import msgspec
from msgspec import Meta

from kindle.exchange import Steps, Trial, confirm

RESCUE = (
    "No further train. Stop the seizure with the rescue drug of your licence (its dose and route are to be set as "
    "rescue_text in study.toml), keep the animal warm, call the veterinarian, and stay with it."
)


class StatusRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A discharge longer than ``after_s`` is an emergency, and ``rescue_text`` is what is shown then."""

    after_s: Annotated[float, Meta(gt=0, le=3600)] = 300.0
    rescue_text: str = RESCUE


def longest_discharge_s(trial: Trial) -> float:
    """From the first spike to the end of the last discharge; to the end of the signal where nobody saw an end."""
    if not trial.afterdischarges:
        return 0.0
    onset = trial.afterdischarges[0].onset_sample
    end = max(event.latest_end_sample or event.end_sample for event in trial.afterdischarges)
    return (end - onset) / trial.rate_hz


def is_status(trial: Trial, rule: StatusRule) -> bool:
    """True also for a length that is no number: what cannot be judged is treated as the emergency."""
    length_s = longest_discharge_s(trial)
    return not isfinite(length_s) or length_s > rule.after_s


def raise_alarm(trial: Trial, rule: StatusRule) -> Steps[str]:
    """Show the rescue text until somebody has seen it; the protocol ends after it."""
    length_s = longest_discharge_s(trial)
    text = f"STATUS EPILEPTICUS: the discharge has lasted {length_s:.0f} s. {rule.rescue_text}"
    return (yield from confirm(text, ("seen",)))
