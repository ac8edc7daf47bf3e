"""Threshold searches that cross the threshold more than once, and so cost an afterdischarge each time."""

from typing import assert_never

from kindle.exchange import Steps, rest
from kindle.protocols.search import Alternating, UpDown
from kindle.protocols.threshold import (
    Aborted,
    Crossing,
    NoAfterdischarge,
    Reading,
    Stopped,
    ThresholdAveraged,
    ThresholdFound,
    ThresholdOutcome,
    ThresholdPlan,
    lockout_s,
    rung,
    until_due_s,
)


class Answers:
    """What each current evoked so far; a wait is due before every train but the first."""

    def __init__(self, plan: ThresholdPlan) -> None:
        self._plan = plan
        self._last: Reading | None = None
        self._evoked: dict[float, list[bool]] = {}
        self.n_trains = 0

    def ask(self, current_ua: float) -> Steps[Reading | Stopped]:
        """One train, after the lock-out where a discharge went before it, after the interval otherwise."""
        if self._last is None:
            yield from rest(self._plan.baseline_s, "baseline before the first train")
        elif self._last.afterdischarge:
            yield from rest(lockout_s(self._plan), "lock-out after an afterdischarge")
        else:
            yield from rest(until_due_s(self._plan, self._last.trial), "interval between trains")
        answer = yield from rung(self._plan, current_ua)
        if isinstance(answer, Reading):
            self._last = answer
            self._evoked.setdefault(current_ua, []).append(answer.afterdischarge)
            self.n_trains += 1
        return answer

    @property
    def clear_below_ua(self) -> float:
        """The highest current that never evoked a discharge, below every one that did; 0 when there is none."""
        lowest = min((ua for ua, evoked in self._evoked.items() if any(evoked)), default=float("inf"))
        return max((ua for ua, evoked in self._evoked.items() if not any(evoked) and ua < lowest), default=0.0)

    def stopped(self, reason: str) -> Aborted:
        return Aborted(self.clear_below_ua, reason)


def up_down_threshold(plan: ThresholdPlan, search: UpDown) -> Steps[ThresholdOutcome]:
    """Dixon's up-and-down: each train one step below or above the one before."""
    ladder = plan.rungs_ua
    answers = Answers(plan)
    crossings: list[Crossing] = []
    at = min(range(len(ladder)), key=lambda n: abs(ladder[n] - search.first_ua))
    before: bool | None = None
    while answers.n_trains < search.max_trains:
        answer = yield from answers.ask(ladder[at])
        if isinstance(answer, Stopped):
            return answers.stopped(answer.reason)
        evoked = answer.afterdischarge
        if before is not None and before != evoked:
            lower = at - 1 if evoked else at
            crossings.append(Crossing(ladder[lower], ladder[lower + 1]))
            if len(crossings) == search.reversals:
                return ThresholdAveraged(tuple(crossings))
        before = evoked
        at += -1 if evoked else 1
        if not 0 <= at < len(ladder):
            return _beyond(ladder, crossings, below=at < 0)
    return _early(answers, crossings, f"{answers.n_trains} trains were given")


def bracketed_threshold(plan: ThresholdPlan) -> Steps[ThresholdOutcome]:
    """Halve the interval in which the threshold may lie; the bounds are tested like any current, never believed."""
    ladder = plan.rungs_ua
    answers = Answers(plan)
    below, with_one = -1, len(ladder)
    while with_one - below > 1:
        middle = (below + with_one) // 2
        answer = yield from answers.ask(ladder[middle])
        match answer:
            case Stopped(reason):
                return answers.stopped(reason)
            case Reading(afterdischarge=True):
                with_one = middle
            case Reading():
                below = middle
            case _:
                assert_never(answer)
    if with_one == len(ladder):
        return NoAfterdischarge(ladder[below])
    return ThresholdFound(ladder[below] if below >= 0 else 0.0, ladder[with_one])


def alternating_threshold(plan: ThresholdPlan, search: Alternating) -> Steps[ThresholdOutcome]:
    """Descending, then ascending series in turn; each ends where the answer changes, the next begins one step on."""
    ladder = plan.rungs_ua
    answers = Answers(plan)
    crossings: list[Crossing] = []
    at = len(ladder) - 1
    for number in range(search.series):
        descending = number % 2 == 0
        while True:
            level = yield from _level(answers, ladder[at], search)
            if isinstance(level, Stopped):
                return answers.stopped(level.reason)
            if level is not descending:
                # A series that begins beyond its crossing has to go back for it first.
                lower = at if descending else at - 1
                if 0 <= lower < len(ladder) - 1:
                    crossings.append(Crossing(ladder[lower], ladder[lower + 1]))
                    at = max(0, at - 1) if descending else min(len(ladder) - 1, at + 1)
                    break
                return _beyond(ladder, crossings, below=not descending)
            at += -1 if descending else 1
            if not 0 <= at < len(ladder):
                return _beyond(ladder, crossings, below=at < 0)
            if answers.n_trains + search.trains > search.max_trains:
                return _early(answers, crossings, f"{answers.n_trains} trains were given")
    return ThresholdAveraged(tuple(crossings))


def _level(answers: Answers, current_ua: float, search: Alternating) -> Steps[bool | Stopped]:
    """Whether a current counts as evoking discharges; no train is given once that is settled."""
    with_one = without = 0
    while with_one < search.positive and without <= search.trains - search.positive:
        answer = yield from answers.ask(current_ua)
        if isinstance(answer, Stopped):
            return answer
        with_one, without = with_one + answer.afterdischarge, without + (not answer.afterdischarge)
    return with_one >= search.positive


def _beyond(ladder: tuple[float, ...], crossings: list[Crossing], *, below: bool) -> ThresholdOutcome:
    """The search ran off the ladder: censored there, unless the threshold had been crossed before."""
    if crossings:
        return ThresholdAveraged(tuple(crossings), f"the ladder {'begins' if below else 'ends'} there")
    return ThresholdFound(0.0, ladder[0]) if below else NoAfterdischarge(ladder[-1])


def _early(answers: Answers, crossings: list[Crossing], reason: str) -> ThresholdOutcome:
    return ThresholdAveraged(tuple(crossings), reason) if crossings else answers.stopped(reason)
