"""The analysis of an interaction in lines of text, with every convention that changes its numbers."""

from kindle.analysis.additivity import AdditivePoint
from kindle.analysis.interaction import AdditiveTest
from kindle.analysis.isoboles import Isobole
from kindle.analysis.outcome import Interval, Note
from kindle.analysis.partner_shift import PartnerShift
from kindle.analysis.potencies import Drug, Inactive, Potency, named
from kindle.analysis.proportions import Share
from kindle.analysis.report_line import report_line
from kindle.analysis.single_doses import OneDose
from kindle.analysis.two_drug_designs import Interaction


def lines_of(found: Interaction) -> list[str]:
    """The verdict first, then what it rests on, then every warning."""
    result = found.result
    said = [f"{name}: {report_line(fit, fit.ed(0.5))}" for name, fit in found.fits]
    match result:
        case Isobole():
            drugs = [drug for drug in (result.a, result.b, result.mixture) if drug is not None]
            said += [_of_drug(drug) for drug in drugs if isinstance(drug, Inactive) or not found.fits]
            said += _of_isobole(result)
        case PartnerShift(partner=Inactive() as partner):
            said.append(_of_drug(partner))
        case OneDose():
            groups = (result.vehicle, result.a, result.b, result.both)
            named_groups = zip(("vehicle", *result.names, "both"), groups, strict=True)
            said += [_of_group(name, group, result.level) for name, group in named_groups if group is not None]
            expected = f"{result.bliss.expected:.0%} expected of independent drugs, excess {result.bliss.excess:+.0%}"
            said.append(f"Bliss: {expected} (descriptive)")
        case PartnerShift():
            pass
    return [result.words, *said, *(f"{_kind(note)}: {note.message}" for note in (*result.notes, *found.notes))]


def _of_isobole(iso: Isobole) -> list[str]:
    said = [_of_point(iso, point) for point in iso.additive]
    said += [_of_test(test) for test in iso.tests]
    if iso.parallelism is not None:
        parallel = iso.parallelism
        said.append(f"parallel lines: chi2 {parallel.chi2:.3g}, 1 df, p = {parallel.p:.2g} ({parallel.method})")
    return said


def _of_point(iso: Isobole, point: AdditivePoint) -> str:
    names = named(iso.a, "drug A"), named(iso.b, "drug B")
    doses = f"{names[0]} {point.dose_a:.3g} + {names[1]} {point.dose_b:.3g}"
    return f"additive dose {point.total:.3g} ({iso.level:.0%} CI {_range(point.interval)}) = {doses}"


def _of_test(test: AdditiveTest) -> str:
    by = f"z = {test.statistic:.3g}" if test.df is None else f"Welch t = {test.statistic:.3g}, df {test.df:.1f}"
    return f"against the additive dose, {test.convention}: SEM {test.sem_add:.3g}, {by}, p = {test.p:.2g}"


def _of_group(name: str, group: Share, level: float) -> str:
    return f"{name}: {group} protected ({level:.0%} CI {_range(group.interval)})"


def _of_drug(drug: Drug) -> str:
    if isinstance(drug, Inactive):
        dose = f"{drug.highest_dose:.4g} {drug.unit}".rstrip()
        return f"{drug.name}: inactive alone, {drug.protected} protected up to {dose}"
    return f"{named(drug, 'mixture')}: ED50 {_dose(drug)}"


def _dose(drug: Potency) -> str:
    error = "" if drug.sem is None else f" ± {drug.sem:.3g} (SEM)"
    return f"{drug.ed50:.3g} {drug.unit}".rstrip() + error


def _range(interval: Interval) -> str:
    low, high = interval.low, interval.high
    if low is None or high is None:
        return f"from {low:.3g}, no upper limit" if low is not None else "no finite limits"
    return f"{low:.3g}-{high:.3g}"


def _kind(note: Note) -> str:
    return "note" if note.kind == "ok" else note.kind
