"""The tables of a study's report, the same on the page and as CSV; every number with the journal row behind it."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO

from kindle.kindled import FullyKindled, Kindledness, Resistant, Stabilising, StillKindling
from kindle.ledger import Ledger
from kindle.protocols.threshold import (
    Aborted,
    BothThresholds,
    NoAfterdischarge,
    ThresholdAveraged,
    ThresholdFound,
    ThresholdOutcome,
)
from kindle.report.study_facts import StudyFacts
from kindle.report.wording import utc

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is run as a formula by spreadsheets."""

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    """Also of its file."""
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def csv(self) -> str:
        written = StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(self.headers)
        writer.writerows([["" if cell is None else _safe(cell) for cell in row] for row in self.rows])
        return written.getvalue()


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def flow_table(facts: StudyFacts) -> Table:
    """Every animal that was ever added, as ARRIVE asks: what it had and why it left."""
    rows = [
        (
            id,
            animal.species,
            animal.strain,
            animal.sex,
            len(facts.ledgers[id].trains),
            len(facts.ledgers[id].thresholds),
            _kindled(facts.kindled[id]),
            sum(day.animal == id for day in facts.drug_days),
            left(facts.ledgers[id]),
        )
        for id, animal in facts.animals.items()
    ]
    headers = ("animal", "species", "strain", "sex", "trains", "threshold tests", "kindling", "test days", "left")
    return Table("animals", headers, tuple(rows))


def left(ledger: Ledger) -> str:
    """Why an animal is out of the study; empty for one that is in it."""
    event = ledger.event("excluded", "died", "electrode_lost")
    if event is None:
        return ""
    return f"{event.kind.replace('_', ' ')} {event.day}" + (f": {event.reason}" if event.reason else "")


def _kindled(state: Kindledness) -> str:
    match state:
        case FullyKindled(reached=reached, trains=trains):
            return f"fully kindled after {trains} trains (row {reached.seq})"
        case Stabilising(reached=reached):
            return f"stabilising (row {reached.seq})"
        case Resistant(trains=trains):
            return f"resistant after {trains} trains"
        case StillKindling(counted=counted, needed=needed):
            return f"{counted} of {needed} seizures"


def thresholds_table(facts: StudyFacts) -> Table:
    last_row = {view.id: view.last_seq for view in facts.sessions}
    rows: list[tuple[Cell, ...]] = []
    for id, ledger in facts.ledgers.items():
        for fact in ledger.thresholds:
            above, up_to, note = bounds(fact.outcome)
            rows.append((id, utc(fact.utc), above, up_to, note, fact.session, last_row[fact.session]))
    headers = ("animal", "time", "above µA", "up to µA", "note", "session", "journal row")
    return Table("thresholds", headers, tuple(rows))


def bounds(outcome: ThresholdOutcome) -> tuple[float, float | None, str]:
    """Between which currents a threshold lies; ``None`` without an upper bound."""
    match outcome:
        case ThresholdFound(above_ua=above, rung_ua=rung):
            return above, rung, ""
        case BothThresholds(afterdischarge=found):
            return found.above_ua, found.rung_ua, "went on to a generalised seizure"
        case ThresholdAveraged():
            return outcome.above_ua, outcome.rung_ua, f"estimate {outcome.estimate_ua:.4g} µA of several crossings"
        case NoAfterdischarge(above_ua=above):
            return above, None, "no afterdischarge"
        case Aborted(above_ua=above, reason=reason):
            return above, None, f"stopped: {reason}"


def trains_table(facts: StudyFacts) -> Table:
    """Every train that an animal had, whatever came of it."""
    rows: list[tuple[Cell, ...]] = []
    for id, ledger in facts.ledgers.items():
        n = 0
        for train in ledger.trains:
            n += train.protocol == "kindling"
            rows.append(
                (
                    id,
                    utc(train.utc),
                    train.protocol,
                    train.condition,
                    n if train.protocol == "kindling" else None,
                    train.current_ua,
                    "void" if train.verdict is None else train.verdict.value,
                    train.stage,
                    train.scale,
                    train.discharge_s,
                    train.session,
                    train.seq,
                )
            )
    headers = ("animal", "time", "protocol", "condition", "stimulation", "current µA", "verdict", "stage", "scale")
    return Table("trains", (*headers, "discharge s", "session", "journal row"), tuple(rows))


def missing_table(facts: StudyFacts) -> Table:
    """What is not known, and what was not used, train by train."""
    rows: list[tuple[Cell, ...]] = []
    for id, ledger in facts.ledgers.items():
        if left(ledger):
            rows.append((id, "", "", left(ledger), "", None))
        for train in ledger.trains:
            if train.verdict is None:
                why = "void, or not answered: counted as a stimulation, nothing is learned from it"
            elif train.verdict.value == "undetermined":
                why = "undetermined: no duration"
            elif train.scale and train.stage is None:
                why = "not scored: no stage"
            else:
                continue
            rows.append((id, train.protocol, train.condition, why, train.session, train.seq))
    for view in facts.sessions:
        if view.outcome is None:
            rows.append((view.started.animal, view.started.protocol, "", "session without an outcome", view.id, None))
    return Table("missing", ("animal", "protocol", "condition", "what", "session", "journal row"), tuple(rows))


def prism_columns(name: str, columns: Mapping[str, Mapping[str, float | None]], rows: list[str]) -> Table:
    """One column for each animal or group and one row for each ``rows``, as Prism takes a grouped or XY table."""
    return Table(
        name,
        ("", *columns),
        tuple((row, *(values.get(row) for values in columns.values())) for row in rows),
    )
