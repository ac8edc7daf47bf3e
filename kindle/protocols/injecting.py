"""Injections and the time that each needs before a test, kept by the sample clock."""

from collections.abc import Sequence

import msgspec

from kindle.exchange import CodedDose, Dose, Drawn, Injected, Rested, Steps, Withheld, confirm, inject, rest


class Injection(msgspec.Struct, frozen=True, tag="injection"):
    """What is injected, and how much is in the syringe."""

    dose: Dose | CodedDose
    drawn: Drawn | None = None

    @property
    def name(self) -> str:
        return f"code {self.dose.code}" if isinstance(self.dose, CodedDose) else self.dose.substance


class Pretreated(msgspec.Struct, frozen=True, tag="pretreated"):
    """``waited_s`` is the time from injection to test on the sample clock; ``None`` where an interruption broke it."""

    name: str
    planned_s: float
    waited_s: float | None


class NotAllGiven(msgspec.Struct, frozen=True):
    """``given`` were injected before one was withheld."""

    given: tuple[str, ...]
    reason: str


def give(injections: Sequence[Injection]) -> Steps[tuple[Injected, ...] | NotAllGiven]:
    """The compound that needs the longest time comes first; each of the others follows when its own time begins."""
    given: list[Injected] = []
    for injection in sorted(injections, key=lambda injection: -injection.dose.pretreatment_s):
        if given:
            yield from _rest_until(given[0], given[0].dose.pretreatment_s - injection.dose.pretreatment_s)
        reply = yield from inject(injection.dose, injection.drawn)
        if isinstance(reply, Withheld):
            return NotAllGiven(names(given), f"{injection.name} was not injected")
        given.append(reply)
    return tuple(given)


def wait_out(given: Sequence[Injected], baseline_s: float) -> Steps[tuple[Pretreated, ...]]:
    """Until the last injection has had its time; the baseline is part of it, and never shorter than ``baseline_s``."""
    if not given:
        yield from rest(baseline_s, "baseline")
        return ()
    now = yield from _rest_until(given[-1], given[-1].dose.pretreatment_s, baseline_s)
    return tuple(
        Pretreated(Injection(injected.dose).name, injected.dose.pretreatment_s, _since_s(injected, now))
        for injected in given
    )


def refusal(pretreated: Sequence[Pretreated], tolerance_s: float) -> Steps[str]:
    """Why the test must not follow, or nothing: a wrong time is no test, an unknown one the experimenter's call."""
    for one in pretreated:
        if one.waited_s is None:
            question = (
                f"The program was interrupted after the injection of {one.name}: the sample clock does not know "
                f"whether {one.planned_s / 60:g} min have passed since. Test all the same?"
            )
            if (yield from confirm(question, ("no", "yes"))) == "no":
                return f"the time since the injection of {one.name} is not known"
        elif told := wrong_time(one, tolerance_s):
            return told
    return ""


def wrong_time(one: Pretreated, tolerance_s: float) -> str:
    """What is wrong with the time of a test, or nothing; an unknown time is not judged here."""
    if one.waited_s is None or abs(one.waited_s - one.planned_s) <= tolerance_s:
        return ""
    return (
        f"{one.waited_s / 60:.1f} min have passed since the injection of {one.name}; the plan asks for "
        f"{one.planned_s / 60:g} min, give or take {tolerance_s:g} s"
    )


def names(given: Sequence[Injected]) -> tuple[str, ...]:
    return tuple(Injection(injected.dose).name for injected in given)


def describe_pretreatment(one: Pretreated) -> str:
    if one.waited_s is None:
        return f"an unknown time after {one.name}"
    return f"{one.waited_s / 60:.1f} min after {one.name}"


def _rest_until(injected: Injected, after_s: float, at_least_s: float = 0.0) -> Steps[Rested]:
    now = yield from rest(0.0, "reading the clock")
    gone_s = _since_s(injected, now)
    left_s = after_s if gone_s is None else after_s - gone_s
    return (yield from rest(max(left_s, at_least_s, 0.0), "pretreatment time"))


def _since_s(injected: Injected, now: Rested) -> float | None:
    if injected.recording != now.recording or injected.rate_hz <= 0:
        return None
    return (now.last_sample - injected.sample) / injected.rate_hz
