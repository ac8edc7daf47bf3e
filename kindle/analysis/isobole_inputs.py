"""What is asked of an interaction, checked: the type of isobole that the drugs allow, and the ratio of the mixture."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from scipy import stats

from kindle.analysis.additivity import ed50_fraction, mass_fraction
from kindle.analysis.interaction import Convention
from kindle.analysis.outcome import Note
from kindle.analysis.potencies import Drug, Inactive, Potency, fault_of, named

IsoboleKind = Literal["I", "I-nonparallel", "II"]


@dataclass(frozen=True, slots=True)
class Parallelism:
    """Test of equal slopes of the two drugs alone."""

    chi2: float
    df: int
    p: float
    method: Literal["Wald", "likelihood ratio"]


def parallelism_of(a: Potency, b: Potency) -> Parallelism | None:
    """By the slopes and their errors alone. ``None`` where a slope or its standard error is not known."""
    if a.slope is None or b.slope is None or not a.se_slope or not b.se_slope:
        return None
    chi2 = (a.slope - b.slope) ** 2 / (a.se_slope**2 + b.se_slope**2)
    return Parallelism(chi2, 1, float(stats.chi2.sf(chi2, 1)), "Wald")


def kind_of(
    a: Drug, b: Drug, wanted: IsoboleKind | None, tested: Parallelism | None
) -> tuple[IsoboleKind | None, Parallelism | None, tuple[Note, ...]]:
    if isinstance(a, Inactive) or isinstance(b, Inactive):
        inactive = a if isinstance(a, Inactive) else b
        assert isinstance(inactive, Inactive)
        message = f"{named(inactive, 'one drug')} is inactive alone ({inactive.protected} protected up to "
        message += f"{inactive.highest_dose:.4g}{_unit(inactive)}): the shift of the other drug's curve is analysed"
        return wanted or "II", None, (Note("ok", "inactive_partner", message),)
    parallelism = tested or parallelism_of(a, b)
    if wanted == "II":
        return wanted, parallelism, ()
    if parallelism is None:
        if wanted is None:
            message = "the slopes are not known with their errors: parallel lines are assumed"
            return "I", None, (Note("warning", "parallelism_not_tested", message),)
        return wanted, None, ()
    differ = parallelism.p < 0.05
    if wanted == "I" and differ:
        message = f"the lines are not parallel (p = {parallelism.p:.2g}): one additive line is not enough"
        return wanted, parallelism, (Note("warning", "not_parallel", message),)
    if wanted is None and differ:
        message = f"the lines are not parallel (p = {parallelism.p:.2g}): doses between two curves are additive"
        return "I-nonparallel", parallelism, (Note("warning", "not_parallel", message),)
    return wanted or "I", parallelism, ()


def fault_in(
    a: Drug,
    b: Drug,
    mixture: Potency | None,
    f: float | None,
    rho: float | None,
    kind: IsoboleKind | None,
    convention: Convention,
    level: float,
) -> Note | None:
    for drug, called in ((a, named(a, "drug A")), (b, named(b, "drug B")), (mixture, named(mixture, "the mixture"))):
        fault = fault_of(drug, called) if isinstance(drug, Potency) else None
        if fault is not None:
            return fault
    units = {drug.unit for drug in (a, b, mixture) if drug is not None and drug.unit}
    if len(units) > 1:
        message = f"doses in {' and '.join(sorted(units))}: express drugs and mixture in one unit first"
        return Note("error", "units_differ", message)
    if not 0 < level < 1:
        return Note("error", "bad_input", f"the level must lie between 0 and 1, got {level:g}")
    if (f is None) == (rho is None):
        message = "give the mixture by fraction_of_ed50 or by mass_fraction_a, exactly one of them"
        return Note("error", "fraction_not_given", message)
    share = f if f is not None else rho
    assert share is not None
    if not (isfinite(share) and 0 < share < 1):
        return Note("error", "bad_input", f"the fraction of drug A must lie between 0 and 1, got {share:g}")
    inactive = sum(isinstance(drug, Inactive) for drug in (a, b))
    if inactive == 2:
        return Note("error", "both_inactive", "both drugs are inactive alone: there is no additive dose")
    if (kind == "II") != (inactive == 1):
        message = "type II is for one drug that is inactive alone; give it as Inactive, and two active drugs as type I"
        return Note("error", "kind_does_not_fit", message)
    if inactive and f is not None:
        return Note("error", "no_ed50", "an inactive drug has no ED50 to take a fraction of: give mass_fraction_a")
    if kind == "I-nonparallel" and None in (
        a.slope if isinstance(a, Potency) else None,
        b.slope if isinstance(b, Potency) else None,
    ):
        return Note("error", "no_slope", "curves for lines that are not parallel need the slope of both drugs")
    sizes = [drug.n for drug in (a, b, mixture) if isinstance(drug, Potency)]
    if convention != "log-delta" and (kind == "I-nonparallel" or (mixture is not None and None in sizes)):
        what = "one additive point" if kind == "I-nonparallel" else "the number of animals of each ED50"
        return Note(
            "error", "no_group_size", f"Welch's t of the convention {convention!r} needs {what}; use 'log-delta'"
        )
    return None


def ratio_of(a: Drug, b: Drug, f: float | None, rho: float | None) -> tuple[float | None, float]:
    if isinstance(a, Potency) and isinstance(b, Potency):
        if f is not None:
            return f, mass_fraction(a.ed50, b.ed50, f)
        assert rho is not None
        return ed50_fraction(a.ed50, b.ed50, rho), rho
    assert rho is not None
    return None, rho


def _unit(drug: Inactive) -> str:
    return f" {drug.unit}" if drug.unit else ""
