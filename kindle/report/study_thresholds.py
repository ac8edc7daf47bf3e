"""Thresholds of the study: what each series left of them, the groups, and how they changed in the same rats."""

from collections.abc import Iterator, Mapping, Sequence

from kindle.analysis import paired
from kindle.analysis.plot_intervals import plot_threshold_changes, plot_thresholds
from kindle.analysis.threshold_change import ratio_limits, threshold_change
from kindle.analysis.thresholds import Threshold, group_threshold
from kindle.analysis.wording import words_of
from kindle.report.markup import NOTHING, Html, element, joined, table
from kindle.report.prism import prism_columns
from kindle.report.section import Drawer, Section
from kindle.report.study_facts import StudyFacts
from kindle.report.tables import Cell, Table
from kindle.report.threshold_tests import BEFORE, Change, ThresholdTest, by_occasion, changes, threshold_tests
from kindle.report.wording import utc

DISCHARGE, GENERALISED = "afterdischarge threshold", "generalised seizure threshold"
Groups = Mapping[str, Mapping[str, Threshold]]
"""Of each occasion, of each animal."""


def section(facts: StudyFacts, draw: Drawer) -> Section | None:
    tests = threshold_tests(facts)
    if not tests:
        return None
    occasions = by_occasion(tests)
    of_discharge = {name: {id: one.discharge for id, one in own.items()} for name, own in occasions.items()}
    of_generalised = {
        name: {id: one.generalised for id, one in own.items() if one.generalised is not None}
        for name, own in occasions.items()
    }
    return Section(
        "Thresholds",
        joined(
            _told(tests),
            *_groups(DISCHARGE, "thresholds", of_discharge, occasions, draw),
            *_groups(GENERALISED, "generalised_thresholds", of_generalised, occasions, draw),
            *_changes(changes(tests), draw),
            draw.table(_table(tests)),
        ),
    )


def _told(tests: Sequence[ThresholdTest]) -> Html:
    stopped = sum(bool(test.stopped) for test in tests)
    told = (
        "A threshold lies above the last current without a response and not above the first with one; group means are "
        "geometric, by the likelihood of interval-censored log-normal thresholds, so that a rat that answered no "
        f"current counts as lying above it. Of several tests {BEFORE} the last counts, of others the first."
    )
    left_out = f" {stopped} stopped before an answer stand in the table only." if stopped else ""
    return element("p", told + left_out, class_="quiet")


def _groups(
    what: str, name: str, groups: Groups, occasions: Mapping[str, Mapping[str, ThresholdTest]], draw: Drawer
) -> Iterator[Html]:
    means = {occasion: group_threshold(list(own.values())) for occasion, own in groups.items() if own}
    if not means:
        return
    known = {
        occasion: list(groups[occasion].values())
        for occasion in means
        if any(one.above_ua or one.up_to_ua for one in groups[occasion].values())
    }
    if known:
        figure = plot_thresholds(known, means, what=what)
        n = sum(len(own) for own in known.values())
        yield draw.figure(name, figure, f"{what.capitalize()} of {n} tests.", _prism(name, groups))
    rows = [
        (
            what,
            occasion,
            words_of(mean),
            draw.rows((occasions[occasion][animal].row for animal in groups[occasion]), "rows"),
        )
        for occasion, mean in means.items()
    ]
    yield table(("threshold", "occasion", "group", "journal"), rows, class_="results")


def _changes(found: Sequence[Change], draw: Drawer) -> Iterator[Html]:
    if not found:
        return
    sides = {one.name: _sides(one) for one in found}
    results = {name: threshold_change(*pair) for name, pair in sides.items()}
    ratios = {
        name: [one for one in ratio_limits(*pair) if one.low is not None or one.high is not None]
        for name, pair in sides.items()
    }
    if any(ratios.values()):
        figure = plot_threshold_changes(ratios, results, what=DISCHARGE)
        caption = "Change of the afterdischarge threshold in the same rats."
        yield draw.figure("threshold_changes", figure, caption, _prism_changes(found))
    rows: list[tuple[str, ...]] = []
    for one in found:
        more = f"; {len(one.without)} more without a threshold before" if one.without else ""
        behind = draw.rows((test.row for pair in one.pairs for test in pair), "rows")
        rows.append((one.name, "censored ratio", words_of(results[one.name]) + more, behind))
        rows.append(("", "of the rungs", _of_rungs(*sides[one.name]), NOTHING))
    yield table(("change", "method", "ratio in the same rats", "journal"), rows, class_="results")
    yield draw.table(_change_table(found))


def _sides(change: Change) -> tuple[list[Threshold], list[Threshold]]:
    return [before.discharge for before, _ in change.pairs], [after.discharge for _, after in change.pairs]


def _of_rungs(before: Sequence[Threshold], after: Sequence[Threshold]) -> str:
    """The classical comparison of the currents that evoked a response; the sign test where one evoked none."""
    known = [(b, a) for b, a in zip(before, after, strict=True) if _rung(b) and _rung(a)]
    if not known:
        return "no rat has a current on both days"
    sides = [[pair[side] for pair in known] for side in (0, 1)]
    values = [[_rung(one) for one in side] for side in sides]
    above = [[one.up_to_ua is None for one in side] for side in sides]
    return words_of(paired(values[0], values[1], "threshold", control_above=above[0], drug_above=above[1]))


def _rung(one: Threshold) -> float:
    return one.above_ua if one.up_to_ua is None else one.up_to_ua


def _table(tests: Sequence[ThresholdTest]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            test.animal,
            test.occasion,
            utc(test.utc),
            test.discharge.above_ua,
            test.discharge.up_to_ua,
            None if test.generalised is None else test.generalised.above_ua,
            None if test.generalised is None else test.generalised.up_to_ua,
            test.stopped,
            test.session,
            test.row,
        )
        for test in tests
    ]
    headers = ("animal", "occasion", "time", "above µA", "up to µA", "generalised above µA", "generalised up to µA")
    return Table("thresholds", (*headers, "stopped", "session", "journal row"), tuple(rows))


def _change_table(found: Sequence[Change]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        for (before, after), ratio in zip(one.pairs, ratio_limits(*_sides(one)), strict=True):
            rows.append(
                (
                    one.name,
                    after.animal,
                    before.discharge.above_ua,
                    before.discharge.up_to_ua,
                    after.discharge.above_ua,
                    after.discharge.up_to_ua,
                    ratio.low,
                    ratio.high,
                    before.row,
                    after.row,
                )
            )
    headers = ("change", "animal", "before above µA", "before up to µA", "after above µA", "after up to µA")
    more = ("ratio from", "ratio to", "before: journal row", "after: journal row")
    return Table("threshold_changes", (*headers, *more), tuple(rows))


def _prism(name: str, groups: Groups) -> Table:
    """Both limits of each rat: Prism has no censored thresholds, so that a column of one number would be a choice."""
    animals = list(dict.fromkeys(animal for own in groups.values() for animal in own))
    columns: dict[str, list[float | None]] = {}
    for occasion, own in groups.items():
        columns[f"{occasion}: above µA"] = [own[id].above_ua if id in own else None for id in animals]
        columns[f"{occasion}: up to µA"] = [own[id].up_to_ua if id in own else None for id in animals]
    return prism_columns(f"prism_{name}", columns, animals)


def _prism_changes(found: Sequence[Change]) -> Table:
    """Both limits of each rat's ratio."""
    animals = list(dict.fromkeys(after.animal for one in found for _, after in one.pairs))
    columns: dict[str, list[float | None]] = {}
    for one in found:
        ratios = dict(zip((after.animal for _, after in one.pairs), ratio_limits(*_sides(one)), strict=True))
        columns[f"{one.name}: from"] = [ratios[id].low if id in ratios else None for id in animals]
        columns[f"{one.name}: to"] = [ratios[id].high if id in ratios else None for id in animals]
    return prism_columns("prism_threshold_changes", columns, animals)
