"""One train of kindling or of a test in a kindled animal: given once, watched, scored."""

from collections.abc import Sequence
from typing import assert_never

import msgspec
from msgspec import structs

from detectors.criterion import Verdict
from drivers.interface import PulseTrain
from kindle.exchange import Reply, Scored, Steps, Trial, VoidTrial, score, stimulate
from kindle.status import StatusRule, is_status, raise_alarm


class Given(msgspec.Struct, frozen=True, tag="given"):
    """A train that was delivered as asked.

    Durations are 0 without a discharge, ``None`` where the signal cannot tell. ``stage`` is ``None`` until scored.
    """

    current_ua: float
    verdict: Verdict
    scale: str
    stage: float | None
    discharge_s: float | None
    """From the first to the last spike of the primary discharge."""
    total_s: float | None
    """Over the primary and all secondary discharges."""
    onset_sample: int
    """Of the train, in ``recording``."""
    rate_hz: float
    recording: str


class Wrong(msgspec.Struct, frozen=True, tag="wrong"):
    """Current flowed, but not as asked: the animal was exposed, and nothing is learned from it."""

    current_ua: float
    reason: str
    scale: str
    stage: float | None


class Missed(msgspec.Struct, frozen=True, tag="missed"):
    """The current monitor proves that nothing flowed; the train may be given anew."""

    reason: str


class Status(msgspec.Struct, frozen=True, tag="status"):
    """Status epilepticus: the protocol ends."""

    given: Given


Stimulation = Given | Wrong | Missed | Status


def stimulation(train: PulseTrain, scale: str, rule: StatusRule) -> Steps[Stimulation]:
    """A train is never repeated for what the signal shows: whatever it shows, the animal has had it."""
    trial = yield from stimulate(train)
    match trial:
        case VoidTrial(exposed=False, reason=reason):
            return Missed(reason)
        case VoidTrial(reason=reason):
            stage = (yield from score(scale)).stage
            return Wrong(train.current_ua, reason, scale, stage)
        case Trial():
            alarmed = is_status(trial, rule)
            if alarmed:
                yield from raise_alarm(trial, rule)
            given = told(trial, scale, (yield from score(scale)).stage)
            return Status(given) if alarmed else given
        case _:
            assert_never(trial)


def stimulations_in(replies: Sequence[Reply | None], scale: str) -> tuple[Given | Wrong, ...]:
    """The trains of a session that was broken off, each with the stage that was entered after it."""
    found: list[Given | Wrong] = []
    for reply in replies:
        match reply:
            case Trial():
                found.append(told(reply, scale, None))
            case VoidTrial(exposed=True):
                found.append(Wrong(reply.train.current_ua, reply.reason, scale, None))
            case Scored(stage=stage) if found:
                found[-1] = structs.replace(found[-1], stage=stage)
            case _:
                pass
    return tuple(found)


def told(trial: Trial, scale: str, stage: float | None) -> Given:
    durations = trial.durations
    match trial.verdict:
        case Verdict.UNDETERMINED:
            discharge_s, total_s = None, None
        case Verdict.NONE:
            discharge_s, total_s = 0.0, 0.0
        case Verdict.AFTERDISCHARGE:
            discharge_s, total_s = durations.from_first_spike, durations.total
    return Given(
        current_ua=trial.train.current_ua,
        verdict=trial.verdict,
        scale=scale,
        stage=stage,
        discharge_s=discharge_s,
        total_s=total_s,
        onset_sample=trial.measured.onset_sample,
        rate_hz=trial.rate_hz,
        recording=trial.recording,
    )
