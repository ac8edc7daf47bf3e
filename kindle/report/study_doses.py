"""How much of a drug protects: the dose-response of each drug with its ED50."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kindle.analysis.fit import Fit
from kindle.analysis.plot_quantal import plot_dose_response
from kindle.analysis.quantal_options import QuantalOptions
from kindle.analysis.repeated import bootstrap_by_animal, fit_animals
from kindle.analysis.report_line import report_line, three_digits
from kindle.report.markup import Html, element, joined
from kindle.report.prism import Replicates, prism_xy
from kindle.report.section import Drawer, Section
from kindle.report.study_facts import StudyFacts
from kindle.report.tables import JournalRow, Table

OPTIONS = QuantalOptions(unit="mg/kg")
SEED = 0
"""Of resampling whole animals; printed with the limits."""


@dataclass(frozen=True, slots=True)
class DoseTest:
    """``doses`` in mg/kg: one of one substance, two of a mixture."""

    animal: str
    doses: tuple[float, ...]
    protected: bool
    row: JournalRow


Given = tuple[tuple[str, str], ...]
"""Substances that were injected together, each with the basis of its dose."""
Tests = Mapping[Given, Sequence[DoseTest]]


def section(facts: StudyFacts, draw: Drawer) -> Section | None:
    tests = dose_tests(facts)
    if not tests:
        return None
    protected = f"stage below {facts.scale.generalised_from.value:g} on {facts.scale.name}"
    parts: list[Html] = []
    fits: dict[str, Fit] = {}
    for given, of_one in tests.items():
        if len(given) == 1:
            fits[named(given)] = fit = fit_of(of_one)
            line = report_line(fit, fit.ed(0.5), protected=protected)
            parts.append(element("p", element("b", named(given)), f": {line}{_over_animals(fit, of_one)}"))
            parts.append(draw.rows(one.row for one in of_one))
    if any(fit.table is not None and fit.table.doses for fit in fits.values()):
        figure = plot_dose_response(fits)
        caption = f"Protected ({protected}) against the dose, with the band of the line; open: 0 or 100 %."
        parts.append(draw.figure("dose_response", figure, caption, _prism(tests)))
    return Section("Dose-response", joined(*parts, draw.table(dose_table(tests))))


def dose_tests(facts: StudyFacts) -> Tests:
    """By what was injected, substance and basis; protected is a stage below a generalised seizure.

    None where the scale does not say which of its stages are generalised.
    """
    generalised_from = facts.scale.generalised_from.value
    found: dict[Given, list[DoseTest]] = {}
    for day in facts.drug_days:
        stage = facts.stage(day.train)
        if not day.all_known or stage is None or generalised_from is None:
            continue
        doses = sorted(day.known, key=lambda dose: dose.substance)
        given = tuple((dose.substance, dose.basis) for dose in doses)
        amounts = tuple(dose.mg_per_kg for dose in doses)
        found.setdefault(given, []).append(DoseTest(day.animal, amounts, stage < generalised_from, day.row))
    return found


def fit_of(tests: Sequence[DoseTest]) -> Fit:
    """Of the total dose; a rat that was tested more than once is warned of."""
    return fit_animals(*columns(tests), OPTIONS)


def _over_animals(fit: Fit, tests: Sequence[DoseTest]) -> str:
    """Limits that hold where a rat was tested at several doses."""
    if fit.status.kind == "error" or all(note.code != "repeated_animals" for note in fit.notes):
        return ""
    again = bootstrap_by_animal(*columns(tests), options=OPTIONS, seed=SEED)
    low, high = ("none" if end is None else three_digits(end) for end in (again.low, again.high))
    return (
        f"; limits over whole animals {low} to {high} mg/kg ({again.n_animals} animals, {again.n_resamples} resamples, "
        f"seed {again.seed})"
    )


def columns(tests: Sequence[DoseTest]) -> tuple[list[str], list[float], list[bool]]:
    """Animals, total doses in mg/kg, and who was protected."""
    return [one.animal for one in tests], [sum(one.doses) for one in tests], [one.protected for one in tests]


def dose_table(tests: Tests) -> Table:
    rows = [
        (named(given), " with ".join(f"{dose:g}" for dose in one.doses), one.animal, int(one.protected), one.row)
        for given, of_one in tests.items()
        for one in of_one
    ]
    return Table("doses", ("drug", "mg/kg", "animal", "protected", "journal row"), tuple(rows))


def named(given: Given) -> str:
    return " with ".join(f"{name} ({basis})" for name, basis in given)


def _prism(tests: Tests) -> Table:
    """1 for protected and 0 for not, of each rat; the X of Prism is the total dose."""
    groups: Replicates[float] = {
        named(given): {
            dose: [float(one.protected) for one in of_one if sum(one.doses) == dose]
            for dose in sorted({sum(one.doses) for one in of_one})
        }
        for given, of_one in tests.items()
    }
    return prism_xy("prism_dose_response", "mg/kg", groups)
