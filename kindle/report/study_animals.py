"""Which animals were in the study, and what became of each: the animal flow that ARRIVE asks for."""

from kindle.kindled import FullyKindled, Kindledness, Resistant, Stabilising, StillKindling
from kindle.report.flow_figure import flow_figure
from kindle.report.markup import NOTHING, element, joined
from kindle.report.section import Drawer, Section
from kindle.report.study_facts import StudyFacts
from kindle.report.study_flow import analysed_table, animal_flow
from kindle.report.study_merging import shared_animals
from kindle.report.tables import Cell, Table


def section(facts: StudyFacts, draw: Drawer) -> Section | None:
    shared = shared_animals(facts.sources)
    told = "; ".join(f"{id} in {' and '.join(names)}" for id, names in shared.items())
    warning = f"Recorded in several folders and taken as one animal each, sessions in the order of time: {told}."
    flow = animal_flow(facts)
    analysed = analysed_table(flow)
    caption = "Animal flow (ARRIVE 2.0): who entered, who left and why, and of how many animals each outcome is."
    return Section(
        "Animals",
        joined(
            element("p", warning, class_="warning") if shared else NOTHING,
            draw.figure("animal_flow", flow_figure(flow), caption),
            draw.table(analysed, folded=True) if analysed.rows else NOTHING,
            draw.table(animals_table(facts)),
        ),
    )


def animals_table(facts: StudyFacts) -> Table:
    """Every animal that was ever added, as ARRIVE asks: what it had and why it left."""
    rows: list[tuple[Cell, ...]] = []
    for id, animal in facts.animals.items():
        ledger, departure, state = facts.ledgers[id], facts.departure(id), facts.kindled[id]
        rows.append(
            (
                id,
                animal.species,
                animal.strain,
                animal.sex,
                animal.born,
                facts.groups.get(id, ""),
                len(ledger.trains),
                len(ledger.thresholds),
                _kindled(state) if facts.stimulations(id) else "",
                facts.kindled_row(id),
                sum(day.animal == id for day in facts.drug_days),
                "" if departure is None else str(departure),
                None if departure is None else departure.row,
            )
        )
    headers = ("animal", "species", "strain", "sex", "born", "allocated to", "trains", "threshold tests", "kindling")
    return Table("animals", (*headers, "kindled: journal row", "test days", "left", "left: journal row"), tuple(rows))


def _kindled(state: Kindledness) -> str:
    match state:
        case FullyKindled(trains=trains):
            return f"fully kindled after {trains} stimulations"
        case Stabilising():
            return "stabilising"
        case Resistant(trains=trains):
            return f"resistant after {trains} stimulations"
        case StillKindling(counted=counted, needed=needed):
            return f"{counted} of {needed} seizures"
