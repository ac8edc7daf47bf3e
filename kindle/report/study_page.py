"""The report of a whole study: one page that needs no network, its figures as SVG and PNG, its tables as CSV."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from kindle.analysis.curves import KindlingCurves, Stimulation, kindling_curves
from kindle.analysis.drawing import save
from kindle.analysis.fit import Fit
from kindle.analysis.isoboles import Isobole
from kindle.analysis.plot_curves import plot_kindling_curves
from kindle.analysis.plot_isobole import plot_isobologram
from kindle.analysis.plot_paired import plot_paired
from kindle.analysis.plot_quantal import plot_dose_response
from kindle.analysis.report_line import report_line
from kindle.blinding import codes_of
from kindle.durable import write_whole
from kindle.errors import KindleError
from kindle.report.markup import NOTHING, Html, element, joined, section, table
from kindle.report.study_drugs import (
    Treated,
    dose_table,
    dose_tests,
    drug_table,
    fit_of,
    mixture_of,
    shared_rats,
    treated,
)
from kindle.report.study_facts import StudyFacts, study_facts
from kindle.report.study_methods import journal_section, methods_section
from kindle.report.study_strips import CSS as STRIP_CSS
from kindle.report.study_strips import strips
from kindle.report.study_tables import (
    Table,
    flow_table,
    left,
    missing_table,
    prism_columns,
    thresholds_table,
    trains_table,
)
from kindle.report.style import CSS
from kindle.report.svg import inline_svg
from kindle.report.wording import MISSING, number
from kindle.scale import load_scale
from kindle.study import Study


class _Files:
    """What is written beside the page, by its name."""

    def __init__(self) -> None:
        self.figures: dict[str, Figure] = {}
        self.tables: dict[str, Table] = {}

    def figure(self, name: str, figure: Figure, caption: str) -> Html:
        self.figures[name] = figure
        width = f"width: {figure.get_size_inches()[0] * 96:.0f}px"
        return element("figure", inline_svg(figure, name, caption), element("figcaption", caption), style=width)

    def table(self, written: Table) -> Html:
        self.tables[written.name] = written
        rows = [tuple(_shown(cell) for cell in row) for row in written.rows]
        name = element("p", f"Also in {written.name}.csv.", class_="quiet")
        return joined(table(written.headers, rows), name) if rows else element("p", "None.")


def write_study_report(study: Study) -> Path:
    """Write STUDY/report and return its page. Raises ``KindleError`` without a session, or where it cannot write."""
    facts = study_facts(study)
    if not facts.sessions:
        raise KindleError(f"{study.folder} has no sessions yet; kindle run threshold makes one")
    files = _Files()
    page = study_page(study, facts, files)
    folder = study.folder / "report"
    try:
        folder.mkdir(exist_ok=True)
        for name, figure in files.figures.items():
            save(figure, folder / f"{name}.svg")
            save(figure, folder / f"{name}.png")
        for name, written in files.tables.items():
            write_whole(folder / f"{name}.csv", written.csv().encode())
        write_whole(folder / "index.html", page.encode())
    except OSError as error:
        raise KindleError(f"cannot write the report {folder} ({error}): check the disk and its permissions") from error
    return folder / "index.html"


def study_page(study: Study, facts: StudyFacts, files: _Files) -> Html:
    scale = load_scale(study.config.scale)
    name = study.config.name
    simulated = any(view.started.simulated for view in facts.sessions)
    body = joined(
        element("h1", name),
        element("p", f"{len(facts.animals)} animals, {len(facts.sessions)} sessions", class_="about"),
        element(
            "p", "Sessions of simulated animals are in it: nothing here says anything about a rat.", class_="warning"
        )
        if simulated
        else NOTHING,
        section("Animals", element("p", _flow(facts)), files.table(flow_table(facts))),
        section("Thresholds", files.table(thresholds_table(facts))),
        section("Kindling", *_curves(facts, scale.name, files)),
        section("Drugs", *_drugs(study, facts, scale.generalised_from.value, scale.name, files)),
        section("Exclusions and missing data", files.table(missing_table(facts))),
        methods_section(facts),
        section("Trains", files.table(trains_table(facts))),
        section("EEG", element("div", *(strips(study, view) for view in facts.sessions), class_="strips")),
        journal_section(study),
    )
    head = element(
        "head", Html('<meta charset="utf-8">'), element("title", name), element("style", Html(CSS + STRIP_CSS))
    )
    return Html(f"<!doctype html>\n{element('html', head, element('body', body), lang='en')}\n")


def _flow(facts: StudyFacts) -> str:
    out = [why for ledger in facts.ledgers.values() if (why := left(ledger))]
    stimulated = sum(bool(ledger.trains) for ledger in facts.ledgers.values())
    tested = len({day.animal for day in facts.drug_days})
    return (
        f"{len(facts.animals)} entered, {stimulated} stimulated, {tested} tested with a drug or its control, "
        f"{len(out)} left the study."
    )


def _curves(facts: StudyFacts, scale: str, files: _Files) -> Iterator[Html]:
    """The n-th kindling train of each animal, void and unscored ones counted and left blank."""
    drawn = []
    for measure, unit, name in (("stage", "", "kindling_stage"), ("discharge", "s", "kindling_discharge")):
        values = {
            id: [
                (train.stage if train.scale == scale else None) if measure == "stage" else train.discharge_s
                for train in ledger.trains
                if train.protocol == "kindling"
            ]
            for id, ledger in facts.ledgers.items()
        }
        told = [Stimulation(id, "all animals", n, v) for id, of in values.items() for n, v in enumerate(of, 1)]
        curves: KindlingCurves = kindling_curves(told, measure=measure, unit=unit)
        longest = max((len(of) for of in values.values()), default=0)
        columns = {id: {str(n): v for n, v in enumerate(of, 1)} for id, of in values.items()}
        written = prism_columns(f"prism_{name}", columns, [str(n) for n in range(1, longest + 1)])
        files.tables[written.name] = written
        if any(group.points for group in curves.groups):
            figure = plot_kindling_curves(curves, middle="median")
            drawn.append(files.figure(name, figure, f"{measure} against the number of the stimulation"))
    yield element("div", *drawn, class_="plots") if drawn else element("p", "Nothing was measured yet.")


def _drugs(
    study: Study, facts: StudyFacts, generalised_from: float | None, scale: str, files: _Files
) -> Iterator[Html]:
    if generalised_from is None:
        yield element("p", f"{scale} does not say which of its stages are generalised, so nothing was compared.")
        return
    codes = codes_of(study)
    if codes:
        yield element("p", f"Treatments are shown as their codes: {', '.join(codes)}.")
    yield files.table(drug_table(facts))
    compared = [treated(facts, condition, generalised_from, scale) for condition in facts.conditions]
    rows = [row for one in compared for row in one.table_rows()]
    yield table(("condition", "given", "measure", "control against it, same rats"), rows, class_="sources")
    if rows:
        yield element(
            "p", "In each rat the first day of a treatment against the last control before it.", class_="quiet"
        )
    yield element("div", *(_pairs(one, n, files) for n, one in enumerate(compared, 1)), class_="plots")
    tests = dose_tests(facts, generalised_from, scale)
    fits: dict[str, Fit] = {}
    for given, of_one in tests.items():
        named = " with ".join(f"{name} ({basis})" for name, basis in given)
        if len(given) == 1:
            fits[named] = fit_of(of_one)
            protected = f"stage below {generalised_from:g} on {scale}"
            line = report_line(fits[named], fits[named].ed(0.5), protected=protected)
            yield element("p", f"{named}: {line}")
        else:
            interaction = mixture_of(tests, given)
            yield element("p", _said(named, interaction, shared_rats(tests, given)))
            if not isinstance(interaction, str) and interaction.additive:
                yield files.figure(f"isobologram_{_n_isobolograms(files) + 1}", plot_isobologram(interaction), named)
    if tests:
        yield files.table(dose_table(tests))
    if any(fit.table is not None and fit.table.doses for fit in fits.values()):
        yield files.figure(
            "dose_response", plot_dose_response(fits), "protected against the dose, with the line's band"
        )


def _said(named: str, interaction: Isobole | str, n_shared: int) -> str:
    if isinstance(interaction, str):
        return interaction
    shared = f"; {n_shared} rats stand in more than one of the three lines, and the limits take them as different rats"
    return f"{named}: {interaction.words or interaction.status.message}{shared if n_shared else ''}"


def _n_isobolograms(files: _Files) -> int:
    return sum(name.startswith("isobologram") for name in files.figures)


def _pairs(one: Treated, n: int, files: _Files) -> Html:
    both = [
        (control.train.discharge_s, day.train.discharge_s)
        for control, day in one.pairs
        if control.train.discharge_s is not None and day.train.discharge_s is not None
    ]
    if not both:
        return NOTHING
    before, after = ([float(pair[side]) for pair in both] for side in (0, 1))
    figure = plot_paired(before, after, measure="discharge", unit="s", names=("control", "treated"))
    return files.figure(
        f"paired_{n}", figure, f"{one.condition}: n = {len(both)}, {one.unpaired} more without a control"
    )


def _shown(cell: object) -> str:
    if cell is None:
        return MISSING
    return number(cell) if isinstance(cell, float) else str(cell)
