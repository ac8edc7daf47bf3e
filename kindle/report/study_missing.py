"""Exclusions and missing data, each with the row of the journal that says so."""

from kindle.report.section import Drawer, Section
from kindle.report.study_facts import StudyFacts
from kindle.report.tables import Cell, Table


def section(facts: StudyFacts, draw: Drawer) -> Section | None:
    return Section("Exclusions and missing data", draw.table(missing_table(facts)))


def missing_table(facts: StudyFacts) -> Table:
    """What is not known, and what was not used, with the row that says so."""
    rows: list[tuple[Cell, ...]] = []
    for id, ledger in facts.ledgers.items():
        departure = facts.departure(id)
        if departure is not None:
            rows.append((id, "", "", str(departure), "", departure.row))
        for train in ledger.trains:
            if train.verdict is None:
                why = "void, or not answered: counted as a stimulation, nothing is learned from it"
            elif train.verdict.value == "undetermined":
                why = "undetermined: no duration"
            elif train.scale and train.stage is None:
                why = "not scored: no stage"
            elif train.scale and train.scale != facts.scale.name:
                why = f"scored on {train.scale}: no stage on {facts.scale.name}"
            else:
                continue
            rows.append((id, train.protocol, train.condition, why, train.session, facts.train_row(train)))
        for fact in ledger.observations:
            if fact.seen is None:
                why = "observation broken off: no latency"
            elif fact.protocol == "ptz" and fact.stage is None:
                why = "not scored: no stage"
            else:
                continue
            rows.append((id, fact.protocol, fact.condition, why, fact.session, facts.row(fact.session, fact.seq)))
    for view in facts.sessions:
        if view.outcome is None:
            row = facts.row(view.id, view.last_seq)
            rows.append((view.started.animal, view.started.protocol, "", "session without an outcome", view.id, row))
    return Table("missing", ("animal", "protocol", "condition", "what", "session", "journal row"), tuple(rows))
