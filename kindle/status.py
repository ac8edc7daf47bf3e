"""Status epilepticus: when a discharge, or a seizure, is an emergency, and what the licence says is done then."""

from collections.abc import Sequence
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
    """A discharge longer than ``after_s`` is an emergency; so is stage ``stage_from`` again and again after one train.

    The second of these must begin ``apart_s`` or more after the first, without stage 0 between them: within one
    seizure an animal may rear and fall several times. ``rescue_text`` is what is shown.
    """

    after_s: Annotated[float, Meta(gt=0, le=3600)] = 300.0
    rescue_text: str = RESCUE
    stage_from: Annotated[float, Meta(gt=0, le=20)] = 5.0
    apart_s: Annotated[float, Meta(ge=0, le=3600)] = 60.0


def longest_discharge_s(trial: Trial) -> float:
    """From the first spike to the end of the last discharge; to the end of the signal where nobody saw an end."""
    if not trial.afterdischarges:
        return 0.0
    onset = trial.afterdischarges[0].onset_sample
    end = max(event.latest_end_sample or event.end_sample for event in trial.afterdischarges)
    return (end - onset) / trial.rate_hz


def too_long(length_s: float, rule: StatusRule) -> bool:
    """True also for a length that is no number: what cannot be judged is treated as the emergency."""
    return not isfinite(length_s) or length_s > rule.after_s


def without_recovery(stages: Sequence[tuple[float, float]], rule: StatusRule) -> bool:
    """Whether ``stages``, each with its second in the order of time, rise to ``stage_from`` again without recovery."""
    first_s: float | None = None
    was_there = False
    for second, stage in stages:
        is_there = stage >= rule.stage_from
        if stage == 0:
            first_s = None
        elif is_there and not was_there:
            if first_s is not None and second - first_s >= rule.apart_s:
                return True
            first_s = second if first_s is None else first_s
        was_there = is_there
    return False


def is_status(trial: Trial, rule: StatusRule) -> bool:
    return too_long(longest_discharge_s(trial), rule)


def raise_alarm(trial: Trial, rule: StatusRule) -> Steps[str]:
    """Show the rescue text until somebody has seen it; the protocol ends after it."""
    length_s = longest_discharge_s(trial)
    text = f"STATUS EPILEPTICUS: the discharge has lasted {length_s:.0f} s. {rule.rescue_text}"
    return (yield from confirm(text, ("seen",)))
