"""Pentylenetetrazol and maximal electroshock: the animal is observed and latencies are measured, no train is given."""

from typing import assert_never

import msgspec

from detectors.criterion import Criterion
from kindle.behaviour import DEATH
from kindle.exchange import Observed, Steps, confirm, observe, rest
from kindle.protocols.injecting import (
    Injection,
    NotAllGiven,
    Pretreated,
    describe_pretreatment,
    give,
    names,
    refusal,
    wait_out,
)

LEAST_OBSERVATION_S = 1800.0
"""After pentylenetetrazol the animal is observed for 30 min or more (the guide, 2025)."""

PTZ_ITEMS = (
    "myoclonic_twitch",
    "clonus",
    "running_bouncing_clonus",
    "generalised_tonic_clonic",
    "tonic_hindlimb_extension",
    DEATH,
)

EXTENSION = "tonic_hindlimb_extension"


class PtzPlan(msgspec.Struct, frozen=True, tag="ptz_plan"):
    """``convulsant`` is injected when the pretreatment is over; the observation begins with it."""

    preset: str
    pretreatment: tuple[Injection, ...]
    convulsant: Injection
    tolerance_s: float
    observation_s: float
    scale: str
    seizure_from: float
    """The lowest stage that counts as a seizure."""
    baseline_s: float
    watch_s: float = 0.0
    criterion: Criterion = Criterion()
    condition: str = ""
    """What this day is in the design: a treatment, a code or ``control``; or in a course of doses, what the dose is."""
    departure: str = ""
    """Which rule of the course this day breaks, and why somebody broke it."""


class ElectroshockPlan(msgspec.Struct, frozen=True, tag="electroshock_plan"):
    """The shock comes from an instrument of its own, by hand; its end point is observed here."""

    preset: str
    pretreatment: tuple[Injection, ...]
    tolerance_s: float
    shock: str
    """What is set on the instrument, in words: current, frequency, length, electrodes."""
    observation_s: float
    scale: str
    baseline_s: float
    watch_s: float = 0.0
    criterion: Criterion = Criterion()
    condition: str = ""
    departure: str = ""


class Seen(msgspec.Struct, frozen=True, tag="seen"):
    after_s: float


class NotSeen(msgspec.Struct, frozen=True, tag="not_seen"):
    """Censored: it had not happened when the observation ended, which is no latency."""

    until_s: float


Latency = Seen | NotSeen


class PtzObserved(msgspec.Struct, frozen=True, tag="ptz_observed"):
    """Latencies count from the injection of the convulsant; an animal that died is censored at its death."""

    pretreated: tuple[Pretreated, ...]
    scale: str
    worst: float | None
    first_seizure: Latency
    items: dict[str, Latency]
    n_seizures: int
    seizure_s: float
    """Time at the stages that count as a seizure."""
    died: bool
    observed_s: float


class ElectroshockObserved(msgspec.Struct, frozen=True, tag="electroshock_observed"):
    """The end point is the tonic extension of the hindlimbs: an animal without it is protected.

    Times count from the answer that the shock was given, which is as late as a person is.
    """

    pretreated: tuple[Pretreated, ...]
    extension: Latency
    died: bool
    observed_s: float
    extension_s: float = 0.0
    """How long the hindlimbs were extended, in all."""
    items: dict[str, Latency] = {}

    @property
    def protected(self) -> bool:
        return isinstance(self.extension, NotSeen)


class NotObserved(msgspec.Struct, frozen=True, tag="not_observed"):
    """The convulsant, or the shock, was not given."""

    injected: tuple[str, ...]
    reason: str


PtzOutcome = PtzObserved | NotObserved
ElectroshockOutcome = ElectroshockObserved | NotObserved


def ptz_test(plan: PtzPlan) -> Steps[PtzOutcome]:
    pretreated = yield from _pretreated(plan)
    if isinstance(pretreated, NotObserved):
        return pretreated
    convulsant = yield from give((plan.convulsant,))
    if isinstance(convulsant, NotAllGiven):
        return NotObserved(tuple(one.name for one in pretreated), convulsant.reason)
    now = yield from rest(0.0, "reading the clock")
    if now.recording != convulsant[-1].recording:
        reason = "the program was interrupted after the convulsant: nobody knows from when its latencies count"
        return NotObserved((*(one.name for one in pretreated), *names(convulsant)), reason)
    seen = yield from observe(plan.observation_s, plan.scale)
    return evaluated(plan, pretreated, seen)


def electroshock_test(plan: ElectroshockPlan) -> Steps[ElectroshockOutcome]:
    pretreated = yield from _pretreated(plan)
    if isinstance(pretreated, NotObserved):
        return pretreated
    if (yield from confirm(shock_question(plan.shock), SHOCK_ANSWERS)) == "not given":
        return NotObserved(tuple(one.name for one in pretreated), "the shock was not given")
    seen = yield from observe(plan.observation_s, plan.scale)
    return shock_evaluated(pretreated, seen)


SHOCK_ANSWERS = ("not given", "given")


def shock_question(shock: str) -> str:
    """Asked anew when the program died on it: an animal that has had its shock gets no second one."""
    return f"Give the shock now, unless it was given already, and say so at once: {shock}"


def shock_evaluated(pretreated: tuple[Pretreated, ...], seen: Observed) -> ElectroshockObserved:
    spans = seen.scoring.spans_of(EXTENSION, seen.last_sample)
    return ElectroshockObserved(
        pretreated=pretreated,
        extension=_latency(seen, seen.scoring.first_of(EXTENSION)),
        died=_died(seen),
        observed_s=_length_s(seen),
        extension_s=sum(end - begin for begin, end in spans) / seen.rate_hz,
        items={item: _latency(seen, seen.scoring.first_of(item)) for item in PTZ_ITEMS},
    )


def evaluated(plan: PtzPlan, pretreated: tuple[Pretreated, ...], seen: Observed) -> PtzObserved:
    """What the stamps of an observation amount to; nothing is drawn from the scale that the observer did not enter."""
    scoring = seen.scoring
    spells = _spells(seen, plan.seizure_from)
    return PtzObserved(
        pretreated=pretreated,
        scale=scoring.scale,
        worst=scoring.highest,
        first_seizure=_latency(seen, scoring.first_at_least(plan.seizure_from)),
        items={item: _latency(seen, scoring.first_of(item)) for item in PTZ_ITEMS},
        n_seizures=len(spells),
        seizure_s=sum(end - begin for begin, end in spells) / seen.rate_hz,
        died=_died(seen),
        observed_s=_length_s(seen),
    )


def _pretreated(plan: PtzPlan | ElectroshockPlan) -> Steps[tuple[Pretreated, ...] | NotObserved]:
    given = yield from give(plan.pretreatment)
    if isinstance(given, NotAllGiven):
        return NotObserved(given.given, given.reason)
    pretreated = yield from wait_out(given, plan.baseline_s)
    reason = yield from refusal(pretreated, plan.tolerance_s)
    return NotObserved(names(given), reason) if reason else pretreated


def _spells(seen: Observed, seizure_from: float) -> list[tuple[int, int]]:
    """Stretches ``[begin, end)`` at the stages that count, the last one up to the end of the observation."""
    spells: list[tuple[int, int]] = []
    began: int | None = None
    for stamp in seen.scoring.transitions:
        if stamp.stage >= seizure_from and began is None:
            began = stamp.sample
        elif stamp.stage < seizure_from and began is not None:
            spells.append((began, stamp.sample))
            began = None
    return spells if began is None else [*spells, (began, max(began, seen.last_sample))]


def _latency(seen: Observed, sample: int | None) -> Latency:
    if sample is None:
        return NotSeen(_length_s(seen))
    return Seen((sample - seen.first_sample) / seen.rate_hz)


def _died(seen: Observed) -> bool:
    return seen.scoring.first_of(DEATH) is not None


def _length_s(seen: Observed) -> float:
    return (seen.last_sample - seen.first_sample) / seen.rate_hz


def describe_observation(outcome: PtzOutcome | ElectroshockOutcome) -> str:
    match outcome:
        case NotObserved(injected=injected, reason=reason):
            told = f" after {' and '.join(injected)}" if injected else ""
            return f"no test{told}: {reason}"
        case PtzObserved():
            worst = "not scored" if outcome.worst is None else f"worst stage {outcome.worst:g} on {outcome.scale}"
            return (
                f"{_after(outcome.pretreated)}{worst}; {_told(outcome.first_seizure, 'first seizure')}; "
                f"{outcome.n_seizures} seizure{'' if outcome.n_seizures == 1 else 's'}"
                + ("; died" if outcome.died else "")
            )
        case ElectroshockObserved():
            lasted = f", for {outcome.extension_s:.1f} s" if outcome.extension_s > 0 else ""
            return f"{_after(outcome.pretreated)}{_told(outcome.extension, 'tonic hindlimb extension')}{lasted}" + (
                "; died" if outcome.died else ""
            )
        case _:
            assert_never(outcome)


def _after(pretreated: tuple[Pretreated, ...]) -> str:
    return "".join(f"{describe_pretreatment(one)}: " for one in pretreated)


def _told(latency: Latency, what: str) -> str:
    match latency:
        case Seen(after_s):
            return f"{what} after {after_s:.1f} s"
        case NotSeen(until_s):
            return f"no {what} within {until_s:.0f} s"
        case _:
            assert_never(latency)
