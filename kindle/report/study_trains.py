"""Every train of the study, as a table."""

from kindle.report.section import Drawer, Section
from kindle.report.study_facts import StudyFacts
from kindle.report.tables import Cell, Table
from kindle.report.wording import utc


def section(facts: StudyFacts, draw: Drawer) -> Section | None:
    table = trains_table(facts)
    return Section("Trains", draw.table(table)) if table.rows else None


def trains_table(facts: StudyFacts) -> Table:
    """Every train that an animal had, whatever came of it."""
    rows: list[tuple[Cell, ...]] = []
    for id, ledger in facts.ledgers.items():
        n = 0
        for train in ledger.trains:
            n += train.protocol == "kindling"
            row = facts.train_row(train)
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
                    row,
                    None if train.stage_seq is None else facts.row(train.session, train.stage_seq),
                )
            )
    headers = ("animal", "time", "protocol", "condition", "stimulation", "current µA", "verdict", "stage", "scale")
    return Table("trains", (*headers, "discharge s", "session", "journal row", "stage row"), tuple(rows))
