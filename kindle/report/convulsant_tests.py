"""Tests with a convulsant or a shock, read from the sessions: what each animal was given and what was seen of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kindle.course_facts import observed_tests
from kindle.exchange import Dose, Injected
from kindle.ledger import CONTROL, ObservationFact
from kindle.protocols.ptz import ElectroshockObserved, ElectroshockPlan, Latency, PtzObserved, PtzPlan, Seen
from kindle.report.study_conditions import given_on
from kindle.report.study_facts import StudyFacts
from kindle.report.tables import JournalRow

Kind = Literal["ptz", "electroshock"]


@dataclass(frozen=True, slots=True)
class ConvulsantTest:
    """Times count from the injection of the convulsant, or from the shock."""

    animal: str
    group: str
    given: str
    """Before the convulsant, in words."""
    doses: tuple[Dose, ...]
    """Of those, the ones whose substance is known."""
    coded: bool
    """Whether something was injected of which this report does not know what it is."""
    convulsant: str
    """With its dose or its settings, as planned."""
    endpoint: str
    """What counts as a seizure."""
    observation_s: float
    """As planned."""
    seen: PtzObserved | ElectroshockObserved | None
    """``None`` where the observation was broken off."""
    stage: float | None
    """The worst one, as amended."""
    scale: str
    session: str
    row: JournalRow

    @property
    def latency_s(self) -> float | None:
        """To the first seizure; ``None`` where there was none."""
        first = self._first
        return first.after_s if isinstance(first, Seen) else None

    @property
    def until_s(self) -> float | None:
        """How long an animal without a seizure was seen, its death at the latest."""
        first = self._first
        return None if first is None or isinstance(first, Seen) else first.until_s

    @property
    def n_seizures(self) -> int | None:
        return self.seen.n_seizures if isinstance(self.seen, PtzObserved) else None

    @property
    def _first(self) -> Latency | None:
        if self.seen is None:
            return None
        return self.seen.first_seizure if isinstance(self.seen, PtzObserved) else self.seen.extension


def convulsant_tests(facts: StudyFacts, kind: Kind) -> tuple[ConvulsantTest, ...]:
    """Tests of treatments and their controls, in the order of time; doses that kindle are none."""
    tests = [(fact.utc, test) for fact, test in _tests(facts) if fact.protocol == kind]
    found = [test for _, test in sorted(tests, key=lambda one: one[0])]
    if len({test.convulsant for test in found}) > 1:
        found = [replace(test, group=f"{test.group}, {test.convulsant}") for test in found]
    return tuple(found)


def first_of_each(tests: Sequence[ConvulsantTest]) -> Mapping[str, tuple[ConvulsantTest, ...]]:
    """Of each group the first test of each animal that was seen to its end; groups without a drug come first."""
    groups: dict[str, dict[str, ConvulsantTest]] = {}
    for test in tests:
        if test.seen is not None:
            groups.setdefault(test.group, {}).setdefault(test.animal, test)
    order = sorted(groups, key=lambda name: _place(next(iter(groups[name].values()))))
    return {name: tuple(groups[name].values()) for name in order}


def _place(test: ConvulsantTest) -> int:
    if test.group.startswith(CONTROL):
        return 0
    return 2 if test.doses or test.coded else 1


def _tests(facts: StudyFacts) -> Iterator[tuple[ObservationFact, ConvulsantTest]]:
    views = {view.id: view for view in facts.sessions}
    for animal, ledger in facts.ledgers.items():
        for fact in observed_tests(ledger):
            plan = views[fact.session].started.plan
            replies = [one.reply for one in views[fact.session].exchanges if isinstance(one.reply, Injected)]
            if isinstance(plan, PtzPlan):
                replies = [reply for reply in replies if reply.dose != plan.convulsant.dose]
            elif not isinstance(plan, ElectroshockPlan):
                continue
            given = given_on(facts.source(fact.session), plan.condition, replies, facts.sources)
            yield (
                fact,
                ConvulsantTest(
                    animal=animal,
                    group=fact.condition or given.words,
                    given=given.words,
                    doses=given.known,
                    coded=bool(replies) and not given.known,
                    convulsant=_convulsant(plan),
                    endpoint=_endpoint(plan),
                    observation_s=plan.observation_s,
                    seen=fact.seen,
                    stage=fact.stage,
                    scale=fact.scale,
                    session=fact.session,
                    row=facts.row(fact.session, fact.seq),
                ),
            )


def _convulsant(plan: PtzPlan | ElectroshockPlan) -> str:
    if isinstance(plan, ElectroshockPlan):
        return plan.shock
    dose = plan.convulsant.dose
    if isinstance(dose, Dose):
        return f"{dose.substance} {dose.mg_per_kg:g} mg/kg {dose.route}"
    return plan.convulsant.name


def _endpoint(plan: PtzPlan | ElectroshockPlan) -> str:
    if isinstance(plan, ElectroshockPlan):
        return "tonic hindlimb extension"
    return f"stage {plan.seizure_from:g} or more on {plan.scale}"
