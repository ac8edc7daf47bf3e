"""A dose read from a fitted line, and its limits: which of them the data can bear, and which were asked for."""

from dataclasses import dataclass
from math import isfinite

from kindle.analysis.dose_table import DoseTable
from kindle.analysis.findings import imprecise
from kindle.analysis.firth import climb_penalised, log10_dose_limits
from kindle.analysis.firth import slope_limits as penalised_slope_limits
from kindle.analysis.fit import Estimate, Fit
from kindle.analysis.limits import Line, delta, fieller, litchfield_wilcoxon
from kindle.analysis.links import LINKS
from kindle.analysis.outcome import Note, headline
from kindle.analysis.preparing import prepare
from kindle.analysis.profile import Top, profile_limits
from kindle.analysis.quantal_options import CIS, Ci

LARGEST_LOG10 = 300.0
"""Beyond it a dose is no number of this machine, and no dose."""


@dataclass(frozen=True, slots=True)
class _Limits:
    """On log10 dose."""

    low: float | None
    high: float | None
    method: str | None
    notes: tuple[Note, ...] = ()


def effective_dose(fit: Fit, p: float, ci: Ci) -> Estimate:
    """ED``p`` of a fit, with the limits asked for; "auto" takes Fieller's where they exist and else the profile."""
    if not 0 < p < 1:
        raise ValueError(f"p = {p:g}; an effective dose protects a share of the animals between 0 and 1")
    if ci not in CIS:
        raise ValueError(f"ci = {ci!r}; there are: {', '.join(CIS)}")
    table = fit.table
    if fit.status.kind == "error" or table is None:
        return Estimate(None, None, None, None, None, fit.status, p, fit.options.level, fit.notes)
    if fit.slope is None:
        assert fit.bracket is not None
        tied = fit.bracket[0] == fit.bracket[1]
        return _estimate(fit, table, p, fit.bracket[0] if tied else None, None, _of_separated(fit, table, p, ci))
    line = line_of(fit)
    m = line.log10_dose(LINKS[fit.options.link].quantile(p))
    value = _dose(m)
    if value is None:
        note = Note("status", "no_dose", f"{_ed(p)} lies far beyond any dose: the slope is nearly 0")
        return Estimate(None, None, None, None, None, headline((note,)), p, fit.options.level, (note, *fit.notes))
    se = line.se(m) * fit.h**0.5
    return _estimate(fit, table, p, value, se, _of_line(fit, table, line, m, p, ci))


def slope_limits(fit: Fit) -> tuple[float | None, float | None]:
    if fit.slope is None or fit.se_slope is None or fit.t is None or fit.table is None:
        return None, None
    if fit.options.penalty == "firth":
        prepared = prepare(fit.table, fit.options)
        assert not isinstance(prepared, Note)
        return penalised_slope_limits(prepared.assay, climb_penalised(prepared.assay), fit.t**2 * fit.h)
    half = fit.t * fit.se_slope * fit.h**0.5
    return fit.slope - half, fit.slope + half


def line_of(fit: Fit) -> Line:
    """Without the heterogeneity factor. Raises ``ValueError`` for a fit without a line."""
    if fit.slope is None or fit.intercept is None or fit.vcov is None:
        raise ValueError(f"the fit has no line: {fit.status.message}")
    (v11, v12), (_, v22) = fit.vcov
    return Line(fit.intercept, fit.slope, v11, v12, v22)


def _of_line(fit: Fit, table: DoseTable, line: Line, m: float, p: float, ci: Ci) -> _Limits:
    assert fit.t is not None
    assert fit.g is not None
    t = fit.t * fit.h**0.5
    penalised = fit.options.penalty == "firth"
    method = ci if ci != "auto" else ("profile" if penalised or fit.g >= 1 else "fieller")
    match method:
        case "delta":
            return _Limits(*delta(line, m, t), method, imprecise(fit.g))
        case "fieller":
            limits = fieller(line, m, t)
            if limits is None:
                return _none("g_ge_1", "g >= 1: no finite Fieller limits")
            return _Limits(*limits, method, imprecise(fit.g))
        case "lw":
            return _litchfield_wilcoxon(fit, table, line, p)
        case _:
            return _profile(fit, table, p)


def _of_separated(fit: Fit, table: DoseTable, p: float, ci: Ci) -> _Limits:
    if ci in ("auto", "profile"):
        return _profile(fit, table, p)
    return _none("separated", f"{ci} limits need a finite slope; profile limits exist")


def _profile(fit: Fit, table: DoseTable, p: float) -> _Limits:
    """All doses that lines explain well enough; the heterogeneity factor scales what is well enough."""
    assert fit.t is not None
    allowed = fit.t**2 * fit.h
    prepared = prepare(table, fit.options)
    assert not isinstance(prepared, Note)
    assay, eta_p = prepared.assay, LINKS[fit.options.link].quantile(p)
    if fit.options.penalty == "firth":
        low, high = log10_dose_limits(assay, climb_penalised(assay), eta_p, allowed)
        return _Limits(low, high, "firth profile", _open_ends(low, high) + imprecise(fit.g or 0.0))
    if prepared.peak is None:
        assert prepared.separation is not None
        edges = [
            float(assay.z[table.doses.index(dose)]) for dose in (prepared.separation.lower, prepared.separation.upper)
        ]
        top = Top(prepared.top_loglik, edges[0], edges[1], steep=True, slope=10.0)
    else:
        alpha, beta = (float(value) for value in prepared.peak.coefficients)
        z = (eta_p - alpha) / beta
        top = Top(prepared.top_loglik, z, z, steep=False, slope=beta)
    low, high = (
        None if limit is None else assay.centre + assay.spread * limit
        for limit in profile_limits(prepared.heights, top, eta_p, allowed)
    )
    return _Limits(low, high, "profile", _open_ends(low, high) + imprecise(fit.g or 0.0))


def _litchfield_wilcoxon(fit: Fit, table: DoseTable, line: Line, p: float) -> _Limits:
    if p != 0.5:
        return _none("lw_only_ed50", "Litchfield and Wilcoxon's limits are those of the ED50 only")
    link, doses, n = LINKS[fit.options.link], list(table.doses), list(table.n)
    found = litchfield_wilcoxon(line.intercept, line.slope, link, doses, n, fit.options.level)
    if found is None:
        return _none("lw_no_dose", "no dose with an expected effect of 16 to 84 %: no Litchfield-Wilcoxon limits")
    m = line.log10_dose(link.quantile(0.5))
    assert fit.g is not None
    return _Limits(m - found.log10_factor, m + found.log10_factor, "lw", imprecise(fit.g))


def _estimate(fit: Fit, table: DoseTable, p: float, value: float | None, se: float | None, limits: _Limits) -> Estimate:
    low, high = (_as_tested(_dose(limit), table) for limit in (limits.low, limits.high))
    notes = limits.notes
    for limit, dose, side in ((limits.low, low, "lower"), (limits.high, high, "upper")):
        if limit is not None and dose is None:
            notes += (Note("status", f"no_{side}_limit", f"no {side} limit: it lies beyond any dose"),)
    if value is not None:
        # The ends are found by iteration; the estimate is never outside them.
        low = None if low is None else min(low, value)
        high = None if high is None else max(high, value)
        if not table.doses[0] <= value <= table.doses[-1]:
            message = f"{_ed(p)} {fit.options.dose(float(f'{value:.3g}'))} lies outside the tested doses "
            message += f"{table.doses[0]:g}-{table.doses[-1]:g}: extrapolated"
            notes += (Note("warning", "extrapolated", message),)
    notes = (*fit.notes, *notes)
    return Estimate(value, low, high, limits.method, se, headline(notes), p, fit.options.level, notes)


def _dose(log10_dose: float | None) -> float | None:
    if log10_dose is None or not isfinite(log10_dose) or abs(log10_dose) > LARGEST_LOG10:
        return None
    return float(10**log10_dose)


def _as_tested(dose: float | None, table: DoseTable) -> float | None:
    """A limit that is a tested dose is that dose to the last digit."""
    near = next((tested for tested in table.doses if dose is not None and abs(dose / tested - 1) < 1e-12), dose)
    return near


def _none(code: str, message: str) -> _Limits:
    return _Limits(None, None, None, (Note("status", code, message),))


def _open_ends(low: float | None, high: float | None) -> tuple[Note, ...]:
    ends = (("lower", low), ("upper", high))
    return tuple(Note("status", f"no_{side}_limit", f"no {side} limit") for side, end in ends if end is None)


def _ed(p: float) -> str:
    return f"ED{100 * p:g}"
