"""The methods of a study as its sessions had them: prose for a paper, and the parameters that were in force."""

from collections.abc import Collection, Iterator
from typing import TypeVar

import msgspec
from msgspec import structs

from kindle import __version__
from kindle.kindling_presets import KINDLED
from kindle.preset_reader import parameters
from kindle.protocols.drug_test import DrugTestPlan
from kindle.protocols.kindling import KindlingPlan
from kindle.protocols.threshold import ThresholdPlan
from kindle.report.markup import NOTHING, Html, element, joined
from kindle.report.methods_animals import animals, recording
from kindle.report.methods_drugs import days, design, drugs, observations
from kindle.report.methods_statistics import references, statistics
from kindle.report.section import Drawer, Section
from kindle.report.study_facts import StudyFacts
from kindle.report.study_words import (
    counted,
    criterion_in_words,
    kindling_in_words,
    listed,
    rule_in_words,
    threshold_in_words,
)
from kindle.report.tables import Table
from kindle.report.wording import typeset
from kindle.rows import decode
from kindle.sourced import Parameter

K = TypeVar("K")


def section(facts: StudyFacts, draw: Drawer, others: Collection[str]) -> Section:
    """``others`` are the titles of the sections on the page, whose statistics are named."""
    paragraphs = [
        ("Animals and electrodes", animals(facts)),
        ("Recording and stimulation", recording(facts)),
        ("Afterdischarge thresholds", _thresholds(facts)),
        ("Kindling", _kindling(facts)),
        ("Detection", _detection(facts)),
        ("Drugs", (*drugs(facts), *days(facts), *observations(facts))),
        ("Design and blinding", (*design(facts), *_later(facts))),
        ("Statistics", statistics(others)),
        ("Sources of the parameters", _sources(facts)),
    ]
    told = [(title, " ".join(sentences)) for title, sentences in paragraphs]
    prose = [element("p", element("b", f"{title}. "), text) for title, text in told if text]
    cited = references(" ".join(text for _, text in told))
    return Section(
        "Methods",
        joined(
            element("div", *prose, element("p", f"References: {'; '.join(cited)}."), class_="prose"),
            _parameters(facts, draw),
            draw.table(_software(facts), folded=False),
        ),
    )


def _thresholds(facts: StudyFacts) -> Iterator[str]:
    plans: dict[str, int] = {}
    for view in facts.sessions:
        plan = view.started.plan.test if isinstance(view.started.plan, DrugTestPlan) else view.started.plan
        if isinstance(plan, ThresholdPlan):
            _count(plans, threshold_in_words(plan))
    yield from _each(plans)


def _kindling(facts: StudyFacts) -> Iterator[str]:
    """Kindling sessions, and the tests of drug days that are like them; currents differ from animal to animal."""
    currents: dict[KindlingPlan, dict[str, list[float]]] = {}
    for view in facts.sessions:
        outer = view.started.plan
        plan = outer.test if isinstance(outer, DrugTestPlan) else outer
        if isinstance(plan, KindlingPlan):
            what = "drug test" if isinstance(outer, DrugTestPlan) else "kindling session"
            currents.setdefault(_alike(plan), {}).setdefault(what, []).append(plan.current_ua)
    for plan, by_kind in currents.items():
        told = listed(counted(len(of_kind), what) for what, of_kind in by_kind.items())
        all_ua = [current_ua for of_kind in by_kind.values() for current_ua in of_kind]
        yield f"{told[0].upper()}{told[1:]}: {kindling_in_words(plan, all_ua)}"
    if not currents:
        return
    rules = _current_rules(facts)
    if rules:
        yield f"Current: {'; '.join(rules)}."
    generalised = facts.scale.generalised_from.value
    told = "" if generalised is None else f", on which seizures are generalised from stage {generalised:g} on"
    yield f"Stages are those of {facts.scale.label} ({facts.scale.citation}){told}."
    yield f"An animal is fully kindled after {rule_in_words(facts.rule)}."


def _alike(plan: KindlingPlan) -> KindlingPlan:
    """Without what belongs to the animal."""
    return structs.replace(plan, current_ua=0.0, threshold_ua=None)


def _current_rules(facts: StudyFacts) -> list[str]:
    """How the current of each animal was chosen, as the parameters of the sessions say it."""
    told = (one.value for view in facts.sessions for one in view.started.parameters if one.name == "current")
    return list(dict.fromkeys(typeset(value) for value in told))


def _detection(facts: StudyFacts) -> Iterator[str]:
    criteria: dict[str, int] = {}
    for view in facts.sessions:
        if view.trials:
            _count(criteria, criterion_in_words(view.started.plan.criterion))
    if not criteria:
        return
    versions = dict.fromkeys(view.started.software.get("kindle-eeg", "not known") for view in facts.sessions)
    yield f"Afterdischarges were detected by kindle-eeg, version {listed(versions)}."
    yield from _each(criteria)
    yield (
        "Duration is from the first to the last spike of the first discharge. A trial is undetermined where a "
        "discharge could lie in signal that could not be judged, and void where the train was not delivered as asked."
    )


def _later(facts: StudyFacts) -> Iterator[str]:
    """What people wrote by hand: scores from video, corrections."""
    done: dict[tuple[str, str], int] = {}
    for source in facts.sources:
        for row in source.rows.values():
            if row.kind in _BY_HAND:
                _count(done, (row.kind, decode(row.kind, row.payload, _Authored).author))
    for (kind, author), n in done.items():
        what, act = _BY_HAND[kind]
        yield f"{counted(n, what)} {'was' if n == 1 else 'were'} {act.format(author)}."


_BY_HAND = {
    "trial_scored": ("stage", "entered by {} after the session"),
    "amended": ("value", "corrected by {} after the session"),
    "discharges_amended": ("trial", "marked anew by {} after the session"),
    "trial_voided": ("trial", "called void by {}"),
}


class _Authored(msgspec.Struct):
    """The one field that rows written by hand have in common."""

    author: str


def _sources(facts: StudyFacts) -> Iterator[str]:
    by_status: dict[str, dict[str, dict[str, None]]] = {}
    for protocol, one in _parameters_of(facts):
        by_status.setdefault(one.status, {}).setdefault(protocol, {})[one.name] = None
    for status, opening in _STATUS.items():
        if status in by_status:
            names = (f"{protocol} {', '.join(of_one)}" for protocol, of_one in by_status[status].items())
            yield f"{opening}: {'; '.join(names)}."


_STATUS = {
    "unverified": "Unverified, because the value is from memory of the literature and the source was not read",
    "retrieved": "Read in the source that the table names",
    "laboratory": "Set by the laboratory",
    "derived": "Derived, or the default of the program",
}


def _parameters_of(facts: StudyFacts) -> dict[tuple[str, Parameter], int]:
    found: dict[tuple[str, Parameter], int] = {}
    for view in facts.sessions:
        for one in view.started.parameters:
            _count(found, (view.started.protocol, one))
    for config in [source.config for source in facts.sources] if any(map(facts.stimulations, facts.ledgers)) else []:
        for one in parameters(KINDLED.load(config.criterion, config.kindled)):
            _count(found, ("full kindling", one))
    return found


def _parameters(facts: StudyFacts, draw: Drawer) -> Html:
    """Every value that was in force, with where it is from and in how many sessions."""
    rows = [
        (protocol, one.name, typeset(one.value), one.status, one.source, one.note, n)
        for (protocol, one), n in _parameters_of(facts).items()
    ]
    headers = ("protocol", "parameter", "value", "status", "source", "note", "sessions or folders")
    return draw.table(Table("parameters", headers, tuple(rows))) if rows else NOTHING


def _software(facts: StudyFacts) -> Table:
    found: dict[tuple[str, str], int] = {}
    for view in facts.sessions:
        for one in view.started.software.items():
            _count(found, one)
    rows = [(name, version, f"{n} sessions") for (name, version), n in found.items()]
    return Table("software", ("software", "version", "used by"), (*rows, ("kindle-eeg", __version__, "this report")))


def _each(sentences: dict[str, int]) -> Iterator[str]:
    """Each once; with the number of its sessions where there are several ways."""
    for told, n in sentences.items():
        yield told if len(sentences) == 1 else f"In {counted(n, 'session')}: {told}"


def _count(counts: dict[K, int], key: K) -> None:
    counts[key] = counts.get(key, 0) + 1
