"""The methods of a study as its sessions had them, and the journal that all numbers rest on."""

from typing import TypeVar

from kindle.report.markup import Html, element, joined, section, table
from kindle.report.study_facts import StudyFacts
from kindle.report.wording import typeset
from kindle.study import Study

K = TypeVar("K")


def methods_section(facts: StudyFacts) -> Html:
    """One paragraph, the parameters that were in force, and the software; each once, with the sessions that had it."""
    protocols: dict[tuple[str, str], int] = {}
    parameters: dict[tuple[str, str, str, str], int] = {}
    software: dict[tuple[str, str], int] = {}
    rigs: dict[str, int] = {}
    for view in facts.sessions:
        started = view.started
        _count(protocols, (started.protocol, started.plan.preset))
        _count(rigs, started.rig)
        for one in started.parameters:
            _count(parameters, (started.protocol, one.name, typeset(one.value), one.source))
        for item in started.software.items():
            _count(software, item)
    ran = "; ".join(f"{name} by the preset {preset}: {n} sessions" for (name, preset), n in protocols.items())
    return section(
        "Methods",
        element("p", f"{ran}. Rigs: {', '.join(rigs)}."),
        table(
            ("protocol", "parameter", "value", "source", "sessions"),
            [(*key, str(n)) for key, n in parameters.items()],
            class_="sources",
        ),
        table(("software", "version", "sessions"), [(*key, str(n)) for key, n in software.items()], class_="keys"),
    )


def journal_section(study: Study) -> Html:
    rows = [("rows", str(len(study.journal.rows()))), ("head hash", element("code", study.journal.head_hash))]
    words = "Each journal row named above is shown, with its samples, by kindle show --study STUDY ROW."
    return section("Journal", joined(table(("what", "value"), rows, class_="keys"), element("p", words)))


def _count(counts: dict[K, int], key: K) -> None:
    counts[key] = counts.get(key, 0) + 1
