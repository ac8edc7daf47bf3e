"""How many animals came how far, why the others did not, and how many each outcome could be analysed of (ARRIVE)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kindle.course_facts import observed_tests
from kindle.kindled import FullyKindled, Resistant, Stabilising
from kindle.report.convulsant_tests import Kind, convulsant_tests
from kindle.report.study_facts import DrugDay, StudyFacts
from kindle.report.tables import Cell, Table

KINDS: tuple[Kind, ...] = ("ptz", "electroshock")

Lost = Mapping[str, tuple[str, ...]]
"""Animals by the reason why they are not in the next box."""


@dataclass(frozen=True, slots=True)
class Step:
    what: str
    n: int
    lost: Lost
    """Between this box and the next."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Analysed:
    """One outcome of one treatment: of how many animals it is, and why the others are not in it."""

    outcome: str
    n: int
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Arm:
    """A group, or where each animal has several treatments, a treatment."""

    name: str
    allocated: int | None
    """``None`` where the journal allocates no animal to one treatment alone."""
    tested: int
    lost: Lost
    outcomes: tuple[Analysed, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    steps: tuple[Step, ...]
    arms: tuple[Arm, ...]


def animal_flow(facts: StudyFacts) -> Flow:
    entered = set(facts.animals)
    used = {id for id, ledger in facts.ledgers.items() if ledger.trains or ledger.observations}
    kindled = {id for id, state in facts.kindled.items() if isinstance(state, FullyKindled)}
    observed = {id for id, ledger in facts.ledgers.items() if observed_tests(ledger)}
    tested = {day.animal for day in facts.drug_days} | observed
    boxes = [("entered", entered), ("stimulated" if not observed else "stimulated or observed", used)]
    if any(map(facts.stimulations, facts.ledgers)):
        boxes.append(("fully kindled", kindled))
    if tested:
        boxes.append(("tested", tested))
    steps = []
    for n, (what, here) in enumerate(boxes):
        before = boxes[n - 1][1] if n else entered
        beyond = len(here - before)
        after = boxes[n + 1][1] if n + 1 < len(boxes) else here
        note = f"{beyond} of them were not {boxes[n - 1][0]}" if beyond else ""
        steps.append(Step(what, len(here), _reasons(facts, here - after), note))
    return Flow(tuple(steps), (*_arms(facts), *_convulsant_arms(facts)))


def analysed_table(flow: Flow) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (arm.name, one.outcome, arm.tested, one.n, "; ".join(f"{id}: {why}" for id, why in one.left_out.items()))
        for arm in flow.arms
        for one in arm.outcomes
    ]
    return Table("analysed", ("treatment", "outcome", "tested", "analysed", "left out"), tuple(rows))


def _arms(facts: StudyFacts) -> Iterator[Arm]:
    groups = facts.groups
    names = dict.fromkeys((*groups.values(), *facts.conditions))
    for name in names:
        days = facts.first_days(name)
        members = {id for id, group in groups.items() if group == name}
        if not days and not members:
            continue
        yield Arm(
            name,
            len(members) if groups else None,
            len(days),
            _reasons(facts, members - set(days)),
            tuple(_outcomes(facts, days)),
        )


def _convulsant_arms(facts: StudyFacts) -> Iterator[Arm]:
    for kind in KINDS:
        tests = convulsant_tests(facts, kind)
        for name in dict.fromkeys(test.group for test in tests):
            animals = dict.fromkeys(test.animal for test in tests if test.group == name)
            seen = {test.animal for test in tests if test.group == name and test.seen is not None}
            broken_off = {id: "observation broken off" for id in animals if id not in seen}
            yield Arm(f"{kind}: {name}", None, len(animals), {}, (Analysed("first seizure", len(seen), broken_off),))


def _outcomes(facts: StudyFacts, days: Mapping[str, DrugDay]) -> Iterator[Analysed]:
    def of_pair(known: Callable[[DrugDay], bool], why: str) -> dict[str, str]:
        left_out = {}
        for id, day in days.items():
            control = facts.control_of(day)
            if control is None:
                left_out[id] = "no control before it"
            elif not known(day) or not known(control):
                left_out[id] = why if not known(day) else f"{why}, in its control"
        return left_out

    def has_stage(day: DrugDay) -> bool:
        return facts.stage(day.train) is not None

    durations = of_pair(lambda day: day.train.discharge_s is not None, "no duration")
    stages = of_pair(has_stage, "no stage")
    yield Analysed("discharge, paired", len(days) - len(durations), durations)
    yield Analysed("stage, paired", len(days) - len(stages), stages)
    if any(day.all_known for day in days.values()):
        without = {
            id: "no stage" if day.all_known else "dose not known"
            for id, day in days.items()
            if not day.all_known or not has_stage(day)
        }
        yield Analysed("dose-response", len(days) - len(without), without)


def _reasons(facts: StudyFacts, animals: set[str]) -> Lost:
    found: dict[str, list[str]] = {}
    for id in facts.animals:
        if id in animals:
            found.setdefault(_reason(facts, id), []).append(id)
    return {reason: tuple(ids) for reason, ids in found.items()}


def _reason(facts: StudyFacts, animal: str) -> str:
    departure = facts.departure(animal)
    if departure is not None:
        reason = departure.event.reason
        return departure.event.kind.replace("_", " ") + (f" ({reason})" if reason else "")
    match facts.kindled[animal]:
        case Resistant():
            return "resistant to kindling"
        case FullyKindled():
            return "not tested"
        case Stabilising():
            return "stabilising"
        case _ if facts.stimulations(animal):
            return "not fully kindled"
        case _:
            return "not kindled" if facts.ledgers[animal].trains else "not stimulated"
