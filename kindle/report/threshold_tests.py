"""Which thresholds a study has of each animal: before kindling, when it was fully kindled, and on days of drugs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from kindle.analysis.thresholds import Threshold
from kindle.kindled import FullyKindled
from kindle.ledger import CONTROL
from kindle.protocols.drug_test import DrugTested, DrugTestPlan
from kindle.protocols.threshold import (
    Aborted,
    BothThresholds,
    Generalised,
    GeneralisedFound,
    GeneralisedUnknown,
    NoAfterdischarge,
    NotGeneralised,
    ThresholdAveraged,
    ThresholdFound,
    ThresholdOutcome,
)
from kindle.report.study_conditions import condition_of
from kindle.report.study_facts import StudyFacts
from kindle.report.tables import JournalRow
from kindle.session_view import SessionView

BEFORE = "before kindling"
DURING = "during kindling"
KINDLED = "fully kindled"


@dataclass(frozen=True, slots=True)
class ThresholdTest:
    """``occasion`` is the state of the animal, or on a drug day its condition."""

    animal: str
    occasion: str
    utc: datetime
    session: str
    row: JournalRow
    discharge: Threshold
    generalised: Threshold | None
    """``None`` where the series did not go on, or ended without an answer."""
    stopped: str
    """Why the series ended before its answer: its bounds say where somebody stopped, and enter no mean."""


@dataclass(frozen=True, slots=True)
class Change:
    """The same rats on an occasion and before it; ``without`` have nothing to compare with."""

    name: str
    pairs: tuple[tuple[ThresholdTest, ThresholdTest], ...]
    without: tuple[str, ...]


def threshold_tests(facts: StudyFacts) -> tuple[ThresholdTest, ...]:
    return tuple(sorted(_tests(facts), key=lambda test: test.utc))


def by_occasion(tests: Sequence[ThresholdTest]) -> Mapping[str, Mapping[str, ThresholdTest]]:
    """One test of each animal on each occasion: the last before kindling, which set its current, else the first."""
    found: dict[str, dict[str, ThresholdTest]] = {}
    for test in tests:
        if not test.stopped:
            own = found.setdefault(test.occasion, {})
            own[test.animal] = test if test.occasion == BEFORE else own.get(test.animal, test)
    states = [name for name in (BEFORE, DURING, KINDLED) if name in found]
    return {name: found[name] for name in (*states, *(name for name in found if name not in states))}


def changes(tests: Sequence[ThresholdTest]) -> tuple[Change, ...]:
    """Full kindling against before it; each condition against the last control before it, in each rat once."""
    occasions = by_occasion(tests)
    found = []
    for occasion, own in occasions.items():
        if occasion in (BEFORE, DURING, CONTROL):
            continue
        against = BEFORE if occasion == KINDLED else CONTROL
        references = {animal: _last_before(tests, against, test) for animal, test in own.items()}
        pairs = tuple((before, own[animal]) for animal, before in references.items() if before is not None)
        without = tuple(animal for animal, before in references.items() if before is None)
        if pairs:
            found.append(Change(f"{occasion} / {against}", pairs, without))
    return tuple(found)


def _last_before(tests: Sequence[ThresholdTest], occasion: str, test: ThresholdTest) -> ThresholdTest | None:
    before = [
        other
        for other in tests
        if (other.animal, other.occasion) == (test.animal, occasion) and not other.stopped and other.utc < test.utc
    ]
    return before[-1] if before else None


def _tests(facts: StudyFacts) -> Iterator[ThresholdTest]:
    rows = {fact.session: facts.threshold_row(fact) for of in facts.ledgers.values() for fact in of.thresholds}
    for view in facts.sessions:
        outcome = view.outcome.test if isinstance(view.outcome, DrugTested) else view.outcome
        if isinstance(outcome, ThresholdOutcome) and view.started.animal in facts.ledgers:
            yield ThresholdTest(
                animal=view.started.animal,
                occasion=_occasion(facts, view),
                utc=view.started_utc,
                session=view.id,
                row=rows.get(view.id, facts.row(view.id, view.last_seq)),
                discharge=_bounds(outcome),
                generalised=_generalised(outcome.generalised) if isinstance(outcome, BothThresholds) else None,
                stopped=outcome.reason if isinstance(outcome, Aborted) else "",
            )


def _occasion(facts: StudyFacts, view: SessionView) -> str:
    plan, animal = view.started.plan, view.started.animal
    if isinstance(plan, DrugTestPlan):
        return condition_of(facts.source(view.id), plan.condition, facts.sources)
    state = facts.kindled[animal]
    if isinstance(state, FullyKindled) and state.reached.utc < view.started_utc:
        return KINDLED
    kindled_before = any(train.utc < view.started_utc for train in facts.kindling(animal))
    return DURING if kindled_before else BEFORE


def _bounds(outcome: ThresholdOutcome) -> Threshold:
    match outcome:
        case ThresholdFound(above_ua=above, rung_ua=rung):
            return Threshold(above, rung)
        case BothThresholds(afterdischarge=found):
            return Threshold(found.above_ua, found.rung_ua)
        case ThresholdAveraged():
            return Threshold(outcome.above_ua, outcome.rung_ua)
        case NoAfterdischarge(above_ua=above) | Aborted(above_ua=above):
            return Threshold(above, None)
        case _:
            assert_never(outcome)


def _generalised(outcome: Generalised) -> Threshold | None:
    match outcome:
        case GeneralisedFound(above_ua=above, rung_ua=rung):
            return Threshold(above, rung)
        case NotGeneralised(above_ua=above):
            return Threshold(above, None)
        case GeneralisedUnknown():
            return None
        case _:
            assert_never(outcome)
