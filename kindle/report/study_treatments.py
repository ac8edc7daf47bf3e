"""What each treatment did to the same rats: vehicle, code or drug against the last control before it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kindle.analysis import paired
from kindle.analysis.paired_results import PairedDurations, PairedIncidence, PairedStages
from kindle.analysis.plot_paired import plot_paired
from kindle.analysis.wording import words_of
from kindle.ledger import TrainFact
from kindle.report.markup import NOTHING, Html, element, joined, table
from kindle.report.prism import prism_columns, prism_grouped
from kindle.report.section import Drawer, Section
from kindle.report.study_conditions import opening_of
from kindle.report.study_facts import DrugDay, StudyFacts
from kindle.report.tables import Cell, Table

Pairs = tuple[tuple[DrugDay, DrugDay], ...]
Value = Callable[[TrainFact], float | None]


@dataclass(frozen=True, slots=True)
class Treated:
    """A treatment, vehicle or code against the last control before it, in each rat once."""

    condition: str
    given: str
    pairs: Pairs
    without_control: tuple[DrugDay, ...]
    durations: PairedDurations
    stages: PairedStages
    incidence: PairedIncidence
    n_durations: int
    n_stages: int


def section(facts: StudyFacts, draw: Drawer) -> Section | None:
    if not facts.drug_days:
        return None
    days = draw.table(drug_table(facts))
    generalised_from = facts.scale.generalised_from.value
    if generalised_from is None:
        why = f"{facts.scale.name} does not say which of its stages are generalised, so nothing was compared."
        return Section("Treatments", joined(element("p", why), days))
    compared = [treated(facts, condition, generalised_from) for condition in facts.conditions]
    if not compared:
        return Section("Treatments", joined(element("p", "Only controls were tested."), days))
    body = joined(
        _blinding(facts),
        element(
            "p",
            "In each rat the first day of a treatment against the last control before it; differences are control less "
            f"treatment; generalised is stage {generalised_from:g} or more on {facts.scale.name}.",
        ),
        _results(compared, draw),
        element("div", *(_figure(one, n, draw) for n, one in enumerate(compared, 1)), class_="plots"),
        draw.file(_prism("prism_treatments_discharge", compared, lambda train: train.discharge_s)),
        draw.file(_prism("prism_treatments_stage", compared, facts.stage)),
        days,
    )
    return Section("Treatments", body)


def treated(facts: StudyFacts, condition: str, generalised_from: float) -> Treated:
    first = facts.first_days(condition)
    matched = [(facts.control_of(day), day) for day in first.values()]
    pairs = tuple((control, day) for control, day in matched if control is not None)

    def generalised(train: TrainFact) -> float | None:
        stage = facts.stage(train)
        return None if stage is None else float(stage >= generalised_from)

    durations, stages = _known(pairs, lambda train: train.discharge_s), _known(pairs, facts.stage)
    return Treated(
        condition,
        "; ".join(dict.fromkeys(day.given for day in first.values())),
        pairs,
        tuple(day for control, day in matched if control is None),
        paired(*durations, "duration"),
        paired(*stages, "ordinal"),
        paired(*_known(pairs, generalised), "incidence"),
        len(durations[0]),
        len(stages[0]),
    )


def drug_table(facts: StudyFacts) -> Table:
    """Rat by rat: the last control, and the day of the treatment."""
    rows: list[tuple[Cell, ...]] = []
    for condition in facts.conditions:
        for day in facts.days(condition):
            control = facts.control_of(day)
            before = None if control is None else control.train
            rows.append(
                (
                    day.animal,
                    condition,
                    day.given,
                    None if before is None else facts.stage(before),
                    facts.stage(day.train),
                    None if before is None else before.discharge_s,
                    day.train.discharge_s,
                    None if control is None else control.row,
                    day.row,
                )
            )
    headers = ("animal", "condition", "given", "control stage", "stage", "control discharge s", "discharge s")
    return Table("drug_days", (*headers, "control journal row", "journal row"), tuple(rows))


def _known(pairs: Pairs, value: Value) -> tuple[list[float], list[float]]:
    """The rats of which both days are known."""
    both = [(value(control.train), value(day.train)) for control, day in pairs]
    complete = [(before, after) for before, after in both if before is not None and after is not None]
    return [before for before, _ in complete], [after for _, after in complete]


def _prism(name: str, compared: Sequence[Treated], value: Value) -> Table:
    """Control and treated day of each treatment, the rats with both side by side."""
    groups = {}
    for one in compared:
        before, after = _known(one.pairs, value)
        groups[one.condition] = {"control": before, "treated": after}
    return prism_grouped(name, groups)


def _blinding(facts: StudyFacts) -> Html:
    closed = [
        f"{source.name}: {', '.join(source.sealed[1].codes)}"
        for source in facts.sources
        if source.sealed is not None and opening_of(source, facts.sources) is None
    ]
    if not closed:
        return NOTHING
    told = f"Treatments are shown as their codes, which nobody has opened yet ({'; '.join(closed)})."
    return element("p", told, class_="warning")


def _results(compared: Sequence[Treated], draw: Drawer) -> Html:
    rows: list[tuple[str, ...]] = []
    for one in compared:
        behind = draw.rows((day.row for pair in one.pairs for day in pair), "rows")
        rows += (
            (one.condition, one.given, "discharge s", words_of(one.durations), behind),
            ("", "", "stage", words_of(one.stages), NOTHING),
            ("", "", "generalised", words_of(one.incidence), NOTHING),
        )
    headers = ("condition", "given", "measure", "control against it, same rats", "journal")
    return table(headers, rows, class_="results")


def _figure(one: Treated, n: int, draw: Drawer) -> Html:
    both = [
        (control.animal, control.train.discharge_s, day.train.discharge_s)
        for control, day in one.pairs
        if control.train.discharge_s is not None and day.train.discharge_s is not None
    ]
    if not both:
        return NOTHING
    animals = [animal for animal, _, _ in both]
    before, after = [value for _, value, _ in both], [value for _, _, value in both]
    figure = plot_paired(before, after, measure="discharge", unit="s", names=("control", "treated"))
    data = prism_columns(f"prism_paired_{n}", {"control": before, one.condition: after}, animals)
    more = f", {len(one.without_control)} more without a control" if one.without_control else ""
    return draw.figure(f"paired_{n}", figure, f"{one.condition}: n = {len(both)}{more}.", data)
