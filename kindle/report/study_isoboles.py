"""Two drugs together in a fixed ratio: what additivity expects of their mixture, and what it did."""

from collections.abc import Sequence

from kindle.analysis import isobole
from kindle.analysis.fitted_potencies import drug_of, parallel_lines
from kindle.analysis.isoboles import Isobole
from kindle.analysis.outcome import Note
from kindle.analysis.plot_isobole import plot_isobologram
from kindle.analysis.potencies import Potency
from kindle.analysis.resampled_interaction import Lines, judged, resampled_isobole
from kindle.report.markup import Html, element, joined
from kindle.report.prism import Replicates, prism_xy
from kindle.report.section import Drawer, Section
from kindle.report.study_doses import OPTIONS, SEED, DoseTest, Given, Tests, dose_tests, fit_of, named
from kindle.report.study_facts import StudyFacts
from kindle.report.tables import Table

RESAMPLES = 2000
SAME_RATIO = 1e-3
"""How far mixtures may differ in the share of the first drug and still be one mixture."""


def section(facts: StudyFacts, draw: Drawer) -> Section | None:
    tests = dose_tests(facts)
    mixtures = [given for given in tests if len(given) > 1]
    parts: list[Html] = []
    for n, given in enumerate(mixtures, 1):
        interaction = mixture_of(tests, given)
        said = interaction if isinstance(interaction, str) else interaction.words or interaction.status.message
        parts.append(element("p", element("b", named(given)), f": {said}"))
        parts.append(draw.rows(one.row for one in tests[given]))
        if not isinstance(interaction, str) and interaction.additive:
            data = _points(interaction, given, f"prism_isobologram_{n}")
            caption = f"{named(given)}: doses of each that are in the mixture, with 95 % limits."
            parts.append(draw.figure(f"isobologram_{n}", plot_isobologram(interaction), caption, data))
    return Section("Isoboles", joined(*parts)) if parts else None


def mixture_of(tests: Tests, given: Given) -> Isobole | str:
    """The isobole of two drugs in one fixed ratio, or why there is none."""
    if len(given) != 2:
        return "an isobole is of two drugs"
    alone = [tests.get((one,)) for one in given]
    if alone[0] is None or alone[1] is None:
        return "one of them was not tested alone, so that there is no isobole"
    shares = [one.doses[0] / sum(one.doses) for one in tests[given]]
    if max(shares) - min(shares) > SAME_RATIO:
        return "not in one fixed ratio; analyse the table with kindle isobole"
    a, b = (fit_of(of_one) for of_one in (alone[0], alone[1]))
    (name_a, _), (name_b, _) = given
    drug_a, drug_b = drug_of(a, name_a), drug_of(b, name_b)
    if isinstance(drug_a, Note) or isinstance(drug_b, Note):
        return str(drug_a if isinstance(drug_a, Note) else drug_b)
    both = tests[given]
    found = isobole(drug_a, drug_b, fit_of(both), mass_fraction_a=shares[0], parallelism=parallel_lines(a, b))
    if not found.index or not _repeated((*alone[0], *alone[1], *both)):
        return found
    lines = Lines(
        *([(one.animal, sum(one.doses), int(one.protected)) for one in of] for of in (alone[0], alone[1], both))
    )
    return judged(found, resampled_isobole(found, lines, OPTIONS, RESAMPLES, SEED))


def _repeated(tests: Sequence[DoseTest]) -> bool:
    """Whether a rat stands in these lines more than once: then they are not independent."""
    animals = [one.animal for one in tests]
    return len(set(animals)) < len(animals)


def _points(iso: Isobole, given: Given, name: str) -> Table:
    """The points of an isobologram: doses of the first drug as X, of the second as Y."""
    (first, _), (second, _) = given
    at: dict[str, tuple[float, float]] = {}
    if isinstance(iso.a, Potency):
        at[f"{first} alone"] = (iso.a.ed50, 0.0)
    if isinstance(iso.b, Potency):
        at[f"{second} alone"] = (0.0, iso.b.ed50)
    for point in iso.additive:
        at["additive" if "additive" not in at else "additive, upper"] = (point.dose_a, point.dose_b)
    if iso.mixture is not None and iso.mass_fraction_a is not None:
        share = iso.mass_fraction_a
        at["mixture"] = (share * iso.mixture.ed50, (1 - share) * iso.mixture.ed50)
    groups: Replicates[float] = {point: {x: (y,)} for point, (x, y) in at.items()}
    return prism_xy(name, f"{first} mg/kg, against {second} mg/kg", groups)
