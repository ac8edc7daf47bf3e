"""The journals that all numbers of a report rest on: whether they are whole, and what stands in each row named."""

from collections.abc import Iterable
from itertools import groupby

from kindle.animal_rows import AnimalEvent, Designed
from kindle.exchange import CodedDose, Injected, Observed, Reply, Scored, Trial, VoidTrial
from kindle.journal import Row
from kindle.protocols.catalogue import describe_outcome
from kindle.report.markup import Html, element, joined, table
from kindle.report.section import Drawer, Section
from kindle.report.study_conditions import doses_in_words
from kindle.report.study_facts import StudyFacts
from kindle.report.study_sources import Source
from kindle.report.tables import JournalRow
from kindle.report.wording import typeset, utc
from kindle.rows import Animal, Answered, SessionEnded, decode

HASH_SHOWN = 12


def section(facts: StudyFacts, draw: Drawer) -> Section:
    """Last on the page: it lists the rows that everything before it has cited."""
    rows = [
        (
            source.name + (f", a rig as it was known at {utc(source.known_utc)}" if source.known_utc else ""),
            str(len(source.rows)),
            str(len(source.sessions)),
            element("code", source.head_hash),
            _chain(source),
        )
        for source in facts.sources
    ]
    headers = ("study folder", "rows", "sessions", "hash of the last row", "hash chain")
    words = (
        "Each hash is of its row and of the hash before it, so that no row can be changed without changing the last "
        "one. A row named on this page is shown in full, with its samples, by kindle show --study FOLDER ROW; kindle "
        "verify checks the recordings too."
    )
    body = joined(table(headers, rows), element("p", words), _problems(facts), _cited(facts, draw))
    return Section("Journal", body)


def _chain(source: Source) -> str:
    return f"{len(source.problems)} problems, see below" if source.problems else "whole, checked for this report"


def _problems(facts: StudyFacts) -> Html:
    return joined(
        *(
            element("p", f"{source.name}: {problem}", class_="warning")
            for source in facts.sources
            for problem in source.problems
        )
    )


def _cited(facts: StudyFacts, draw: Drawer) -> Html:
    by_label = {source.label: source for source in facts.sources}
    parts = []
    for label, of_one in groupby(sorted(draw.cited), key=lambda row: row.folder):
        source, cited = by_label[label], list(of_one)
        summary = element("summary", f"Rows of {source.name} that are named on this page: {len(cited)}")
        parts.append(element("details", summary, _listed(source, cited)))
    return joined(*parts)


def _listed(source: Source, cited: Iterable[JournalRow]) -> Html:
    body = []
    for one in cited:
        row = source.rows[one.seq]
        cells = (str(row.seq), utc(row.utc), row.session, row.kind, typeset(in_words(row)), row.hash[:HASH_SHOWN])
        body.append(element("tr", *(element("td", cell) for cell in cells), id=one.anchor))
    heads = ("row", "time", "session", "kind", "what it says", "hash")
    head = element("tr", *(element("th", name, scope="col") for name in heads))
    return element("table", element("thead", head), element("tbody", *body), class_="rows")


def in_words(row: Row) -> str:
    """What a row says, in short."""
    match row.kind:
        case "answered":
            return _reply(decode(row.kind, row.payload, Answered).reply)
        case "session_ended":
            return describe_outcome(decode(row.kind, row.payload, SessionEnded).outcome)
        case "animal_event":
            event = decode(row.kind, row.payload, AnimalEvent)
            return f"{event.animal}: {event.kind.replace('_', ' ')}" + (f", {event.reason}" if event.reason else "")
        case "animal_added":
            return decode(row.kind, row.payload, Animal).id
        case "designed":
            design = decode(row.kind, row.payload, Designed).design
            return f"{design.kind.replace('_', ' ')} of {', '.join(design.treatments)}"
        case _:
            return row.kind.replace("_", " ")


def _reply(reply: Reply) -> str:
    match reply:
        case Trial():
            told = f", {reply.durations.from_first_spike:.4g} s" if reply.afterdischarges else ""
            return f"{reply.train.current_ua:.4g} uA: {reply.verdict.value}{told}"
        case VoidTrial():
            return f"{reply.train.current_ua:.4g} uA: void, {reply.reason}"
        case Scored(scale=scale, stage=stage):
            return f"not scored on {scale}" if stage is None else f"stage {stage:g} on {scale}"
        case Injected(dose=dose):
            what = f"code {dose.code}" if isinstance(dose, CodedDose) else doses_in_words([dose])
            return f"injected: {what}"
        case Observed():
            return f"observed on {reply.scoring.scale}"
        case _:
            return type(reply).__name__.casefold()
