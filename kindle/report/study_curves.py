"""Kindling: stage, afterdischarge and its latency against the number of the stimulation, and how soon rats kindled."""

from collections.abc import Iterator, Sequence

from kindle.analysis import latency
from kindle.analysis.curves import KindlingCurves, Stimulation, kindling_curves
from kindle.analysis.plot_curves import Middle, plot_kindling_curves
from kindle.analysis.plot_survival import plot_latencies
from kindle.analysis.wording import words_of
from kindle.report.kindling_measures import Stimulated, TimeToKindled, stimulated, times_to_kindled
from kindle.report.markup import Html, element, joined
from kindle.report.prism import Replicates, prism_survival, prism_xy
from kindle.report.section import Drawer, Section
from kindle.report.study_facts import StudyFacts
from kindle.report.study_words import rule_in_words
from kindle.report.tables import Cell, JournalRow, Table

MEASURES: tuple[tuple[str, str, str, Middle], ...] = (
    ("stage", "", "kindling_stage", "median"),
    ("afterdischarge", "s", "kindling_discharge", "mean"),
    ("latency of the afterdischarge", "s", "kindling_latency", "mean"),
)
"""Measure, unit, name of its files, and what stands for a group: a stage is a rank, which has no mean."""


def section(facts: StudyFacts, draw: Drawer) -> Section | None:
    given = stimulated(facts)
    if not given:
        return None
    curves = [
        kindling_curves(_stimulations(given, measure), measure=measure, unit=unit) for measure, unit, _, _ in MEASURES
    ]
    return Section(
        "Kindling",
        joined(
            element("p", _told(facts, given), class_="quiet"),
            element("div", *_figures(given, curves, draw), class_="plots"),
            draw.table(_curve_table(given, curves)),
            *_times(facts, times_to_kindled(facts), draw),
        ),
    )


def _told(facts: StudyFacts, given: Sequence[Stimulated]) -> str:
    discharges = sum(one.fact.discharged for one in given)
    return (
        f"{len(given)} stimulations of {len({one.animal for one in given})} animals, {discharges} with an "
        f"afterdischarge; stages on {facts.scale.name}. A stimulation counts even where nothing could be measured. "
        "Without an afterdischarge its duration is 0 and it has no latency; where the signal could not be judged, "
        "both are missing."
    )


def _value(one: Stimulated, measure: str) -> float | None:
    match measure:
        case "stage":
            return one.stage
        case "afterdischarge":
            return one.fact.discharge_s
        case _:
            return one.latency_s


def _stimulations(given: Sequence[Stimulated], measure: str) -> list[Stimulation]:
    return [Stimulation(one.animal, one.group, one.number, _value(one, measure)) for one in given]


def _figures(given: Sequence[Stimulated], curves: Sequence[KindlingCurves], draw: Drawer) -> Iterator[Html]:
    for found, (measure, _, name, middle) in zip(curves, MEASURES, strict=True):
        if any(group.points for group in found.groups):
            figure = plot_kindling_curves(found, middle=middle)
            caption = f"{measure.capitalize()} against the number of the stimulation."
            yield draw.figure(name, figure, caption, _prism(f"prism_{name}", given, measure))


def _prism(name: str, given: Sequence[Stimulated], measure: str) -> Table:
    """The animals of a group side by side, each in a column of its own."""
    members: dict[str, list[str]] = {}
    for one in given:
        animals = members.setdefault(one.group, [])
        if one.animal not in animals:
            animals.append(one.animal)
    values = {(one.animal, one.number): _value(one, measure) for one in given}
    longest = max(one.number for one in given)
    groups: Replicates[float] = {
        group: {float(number): [values.get((animal, number)) for animal in animals] for number in range(1, longest + 1)}
        for group, animals in members.items()
    }
    return prism_xy(name, "stimulation", groups)


def _curve_table(given: Sequence[Stimulated], curves: Sequence[KindlingCurves]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for found, (measure, unit, _, _) in zip(curves, MEASURES, strict=True):
        for group in found.groups:
            for point in group.points:
                discharged = sum(
                    one.fact.discharged for one in given if (one.group, one.number) == (group.group, point.number)
                )
                mean = (None, None, None) if not unit else (point.mean, point.interval.low, point.interval.high)
                rows.append(
                    (
                        measure,
                        unit,
                        group.group,
                        point.number,
                        point.n,
                        discharged,
                        *mean,
                        point.median,
                        point.lower_quartile,
                        point.upper_quartile,
                    )
                )
    headers = ("measure", "unit", "group", "stimulation", "n", "with afterdischarge", "mean", "95% from", "95% to")
    return Table("kindling_curves", (*headers, "median", "lower quartile", "upper quartile"), tuple(rows))


def _times(facts: StudyFacts, times: Sequence[TimeToKindled], draw: Drawer) -> Iterator[Html]:
    groups: dict[str, list[TimeToKindled]] = {}
    for one in times:
        groups.setdefault(one.group, []).append(one)
    survival = {
        name: ([float(one.stimulations) for one in of], [one.kindled for one in of]) for name, of in groups.items()
    }
    found = latency(survival)
    figure = plot_latencies(found, time="stimulations", event="fully kindled", remaining="not yet fully kindled")
    events = {name: [(float(one.stimulations), one.kindled) for one in of] for name, of in groups.items()}
    yield element("p", f"Stimulations to full kindling: {words_of(found)}.")
    caption = (
        f"Fully kindled: {rule_in_words(facts.rule)}. Upright marks: animals that were lost, resistant or still "
        "kindling, censored at their last stimulation."
    )
    yield draw.figure("kindled", figure, caption, prism_survival("prism_kindled", "stimulations", events))
    yield draw.table(_times_table(facts, times))


def _times_table(facts: StudyFacts, times: Sequence[TimeToKindled]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in times:
        row: JournalRow | None = facts.kindled_row(one.animal) if one.kindled else None
        rows.append((one.animal, one.group, one.stimulations, int(one.kindled), one.ended, row))
    headers = ("animal", "group", "stimulations", "kindled", "otherwise", "journal row")
    return Table("stimulations_to_kindled", headers, tuple(rows))
