"""Convulsant tests: how soon, how often, how badly and how deadly, by what was given before; protection by dose."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

from kindle.analysis import latency
from kindle.analysis.fit import Fit
from kindle.analysis.latencies import Latencies
from kindle.analysis.plot_quantal import plot_dose_response
from kindle.analysis.plot_survival import plot_latencies
from kindle.analysis.proportions import Share, fisher, share
from kindle.analysis.quantal_options import QuantalOptions
from kindle.analysis.repeated import fit_animals
from kindle.analysis.report_line import report_line, three_digits
from kindle.analysis.wording import words_of
from kindle.report.convulsant_tests import ConvulsantTest, Kind, convulsant_tests, first_of_each
from kindle.report.markup import NOTHING, Html, element, joined, table
from kindle.report.prism import prism_survival, prism_xy
from kindle.report.section import Drawer, Section
from kindle.report.study_facts import StudyFacts
from kindle.report.tables import Cell, Table

TITLES: dict[Kind, str] = {"ptz": "Convulsant", "electroshock": "Electroshock"}
Groups = Mapping[str, Sequence[ConvulsantTest]]


def section(facts: StudyFacts, draw: Drawer) -> Section | None:
    parts = [part for kind in TITLES if (part := _part(facts, kind, draw))]
    return Section("Convulsant tests", joined(*parts)) if parts else None


def _part(facts: StudyFacts, kind: Kind, draw: Drawer) -> Html:
    tests = convulsant_tests(facts, kind)
    if not tests:
        return NOTHING
    groups = first_of_each(tests)
    parts = [element("h3", TITLES[kind]), element("p", _told(tests, groups), class_="quiet")]
    if groups:
        times = {name: _times(of) for name, of in groups.items()}
        planned = {test.observation_s for of in groups.values() for test in of}
        found = latency(times, cut_off=planned.pop() if len(planned) == 1 else None)
        parts += [*_survival(kind, found, groups, draw), _results(kind, groups, found, draw)]
        parts += _dose_responses(kind, groups, draw)
    return joined(*parts, draw.table(_table(kind, tests)))


def _told(tests: Sequence[ConvulsantTest], groups: Groups) -> str:
    endpoints = " or ".join(dict.fromkeys(test.endpoint for test in tests))
    given = ", ".join(dict.fromkeys(test.convulsant for test in tests))
    told = (
        f"{len(tests)} tests ({given}). A seizure is {endpoints}; animals without one are censored at the end of their "
        "observation. Of each group the first test of each animal counts."
    )
    broken_off = sum(test.seen is None for test in tests)
    animals = [test.animal for of in groups.values() for test in of]
    shared = len({animal for animal in animals if animals.count(animal) > 1})
    if broken_off:
        told += f" {broken_off} that were broken off stand in the table only."
    if shared:
        told += f" {shared} animals stand in more than one group; the tests take them as different animals."
    return told


def _times(tests: Sequence[ConvulsantTest]) -> tuple[list[float], list[int]]:
    times = [test.latency_s if test.latency_s is not None else test.until_s for test in tests]
    return [float(time) for time in times if time is not None], [int(test.latency_s is not None) for test in tests]


def _survival(kind: Kind, found: Latencies, groups: Groups, draw: Drawer) -> Iterator[Html]:
    yield element("p", f"Latency to the first seizure in s: {words_of(found)}.")
    figure = plot_latencies(found, time="latency (s)", event="seizure", remaining="without a seizure")
    events = {
        name: [(time, bool(event)) for time, event in zip(*_times(of), strict=True)] for name, of in groups.items()
    }
    caption = "Animals without a seizure; upright marks: end of observation."
    yield draw.figure(f"{kind}_latency", figure, caption, prism_survival(f"prism_{kind}_latency", "latency s", events))


def _results(kind: Kind, groups: Groups, found: Latencies, draw: Drawer) -> Html:
    """By group, with exact limits; incidence against the first group by Fisher's test."""
    reference = _seized(next(iter(groups.values())))
    shown: list[tuple[str, ...]] = []
    written: list[tuple[Cell, ...]] = []
    for (name, of), curve in zip(groups.items(), found.groups, strict=True):
        seized, died = _seized(of), share(sum(bool(test.seen and test.seen.died) for test in of), len(of))
        p = None if curve is found.groups[0] else fisher(seized, reference)
        stages, counts = _known(test.stage for test in of), _known(test.n_seizures for test in of)
        middle = "not reached" if curve.median is None else three_digits(curve.median)
        shown.append(
            (
                name,
                of[0].given,
                _shared(seized) + ("" if p is None else f", p = {p:.2g}"),
                f"{middle} ({_end(curve.median_interval.low)} to {_end(curve.median_interval.high)})",
                _ranged(stages),
                _ranged(counts),
                _shared(died),
                draw.rows((test.row for test in of), "rows"),
            )
        )
        limits = (curve.median, curve.median_interval.low, curve.median_interval.high)
        ranks = (median(stages) if stages else None, median(counts) if counts else None)
        written.append((name, of[0].given, len(of), *_cells(seized), p, *limits, *ranks, *_cells(died)))
    headers = ("group", "given before", "n", "seizures", "share from", "share to", "Fisher p", "median latency s")
    more = ("latency from", "latency to", "median worst stage", "median number of seizures", "died", "died from")
    result = Table(f"{kind}_groups", (*headers, *more, "died to"), tuple(written))
    titles = ("group", "given before", "seizures", "median latency s", "worst stage", "number of seizures", "died")
    note = "95 % limits: of shares by Clopper and Pearson; stages and numbers: median (range); p: Fisher, first group."
    page = table((*titles, "journal"), shown, class_="results")
    return joined(page, element("p", note, class_="quiet"), draw.file(result))


def _seized(tests: Sequence[ConvulsantTest]) -> Share:
    return share(sum(test.latency_s is not None for test in tests), len(tests))


def _known(values: Iterable[float | None]) -> list[float]:
    return [float(value) for value in values if value is not None]


def _shared(counted: Share) -> str:
    low, high = counted.interval.low or 0.0, counted.interval.high or 0.0
    return f"{counted} ({100 * low:.0f} to {100 * high:.0f} %)"


def _cells(counted: Share) -> tuple[Cell, ...]:
    return counted.k, counted.interval.low, counted.interval.high


def _ranged(values: Sequence[float]) -> str:
    return f"{median(values):g} ({min(values):g} to {max(values):g})" if values else "not scored"


def _end(limit: float | None) -> str:
    return "none" if limit is None else three_digits(limit)


def _dose_responses(kind: Kind, groups: Groups, draw: Drawer) -> Iterator[Html]:
    """Of each substance that was given alone at several doses; groups without any drug are its control."""
    tests = [test for of in groups.values() for test in of]
    control = [test for test in tests if not test.doses and not test.coded]
    substances = dict.fromkeys((test.doses[0].substance, test.doses[0].basis) for test in tests if len(test.doses) == 1)
    fits: dict[str, Fit] = {}
    counted: dict[str, dict[float, list[float | None]]] = {}
    for substance, basis in substances:
        alone = [test for test in tests if len(test.doses) == 1]
        of_drug = [t for t in alone if (t.doses[0].substance, t.doses[0].basis) == (substance, basis)]
        if len({test.doses[0].mg_per_kg for test in of_drug}) < 2:
            continue
        rows = [*((test, 0.0) for test in control), *((test, test.doses[0].mg_per_kg) for test in of_drug)]
        fit = fit_animals(
            [test.animal for test, _ in rows],
            [dose for _, dose in rows],
            [test.latency_s is None for test, _ in rows],
            QuantalOptions(unit="mg/kg"),
        )
        name = f"{substance} ({basis})"
        fits[name] = fit
        for test, dose in sorted(rows, key=lambda row: row[1]):
            counted.setdefault(name, {}).setdefault(dose, []).append(float(test.latency_s is None))
        yield element("p", element("b", name), f": {report_line(fit, fit.ed(0.5), protected='no seizure')}")
        yield draw.rows(test.row for test, _ in rows)
    if any(fit.table is not None and fit.table.doses for fit in fits.values()):
        caption = "Protected (no seizure) against the dose, with the band of the line; open: 0 or 100 %."
        data = prism_xy(f"prism_{kind}_dose_response", "mg/kg", counted)
        yield draw.figure(f"{kind}_dose_response", plot_dose_response(fits), caption, data)


def _table(kind: Kind, tests: Sequence[ConvulsantTest]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            test.animal,
            test.group,
            test.given,
            test.convulsant,
            None if test.seen is None else int(test.latency_s is not None),
            test.latency_s,
            test.until_s,
            test.stage,
            test.scale,
            test.n_seizures,
            None if test.seen is None else int(test.seen.died),
            test.session,
            test.row,
        )
        for test in tests
    ]
    headers = ("animal", "group", "given before", "convulsant", "seizure", "latency s", "censored at s", "worst stage")
    more = ("scale", "number of seizures", "died", "session", "journal row")
    return Table(f"{kind}_tests", (*headers, *more), tuple(rows))
