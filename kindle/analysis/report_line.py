"""A fit in one line, as it goes into a paper: every convention that changes the numbers is in it, and every warning."""

from math import floor, log10, sqrt
from typing import TYPE_CHECKING

from kindle.analysis.fit import Estimate, Fit
from kindle.analysis.karber import SpearmanKarber
from kindle.analysis.potency import PotencyRatio

if TYPE_CHECKING:
    from kindle.analysis.resampled_potency import ResampledPotency

METHODS = {
    "fieller": "Fieller",
    "profile": "profile likelihood",
    "delta": "delta method",
    "lw": "Litchfield-Wilcoxon",
    "firth profile": "Firth's penalised profile likelihood",
}


def three_digits(value: float) -> str:
    """Three significant digits, without an exponent where people do not write one."""
    if value == 0:
        return "0"
    magnitude = floor(log10(abs(float(f"{value:.3g}"))))
    if not -5 < magnitude < 9:
        return f"{value:.3g}"
    return f"{round(value, 2 - magnitude):.{max(2 - magnitude, 0)}f}"


def report_line(fit: Fit, estimate: Estimate, *, protected: str = "", substance: str = "") -> str:
    """``protected`` is the definition of the response, ``substance`` what the milligrams are of."""
    parts = [_dose(fit, estimate)]
    if fit.slope is not None and fit.se_slope is not None:
        parts.append(f"slope {three_digits(fit.slope)} +/- {three_digits(fit.se_slope * sqrt(fit.h))}")
    if fit.natural_rate is not None:
        se = "" if fit.se_natural_rate is None else f" +/- {three_digits(fit.se_natural_rate)}"
        parts.append(f"natural response {three_digits(fit.natural_rate)}{se} ({fit.options.natural})")
    if fit.table is not None and fit.table.doses:
        table = fit.table
        unit = f" {fit.options.unit}" if fit.options.unit else ""
        parts.append(f"n = {table.animals} ({table.doses[0]:g}-{table.doses[-1]:g}{unit}; {table})")
        if table.control is not None:
            parts.append(f"control {table.control[1]}/{table.control[0]}")
    if protected:
        parts.append(f"protected = {protected}")
    if substance:
        parts.append(f"dose as {substance}")
    warned = [note.message for note in estimate.notes if note.kind != "ok"]
    if fit.status.kind == "error":
        warned = [message for message in warned if message != fit.status.message]
    return "; ".join([", ".join(parts), *(f"warning: {message}" for message in dict.fromkeys(warned))])


def karber_line(found: SpearmanKarber, unit: str) -> str:
    """The mean tolerance with what was done to the proportions."""
    if found.value is None:
        return f"Spearman-Karber: {found.status.message}"
    low, high = ("none" if end is None else three_digits(end) for end in (found.low, found.high))
    trimmed = "untrimmed" if found.trim is None else f"trimmed by {100 * found.trim:.3g} %"
    warned = "".join(f"; warning: {note.message}" for note in found.notes if note.kind != "ok")
    value = f"{three_digits(found.value)} {unit}".rstrip()
    return f"Spearman-Karber {value} ({found.level * 100:g}% CI {low} to {high}, {trimmed}){warned}"


def _dose(fit: Fit, estimate: Estimate) -> str:
    name = f"ED{100 * estimate.p:g}"
    unit = f" {fit.options.unit}" if fit.options.unit else ""
    if fit.status.kind == "error":
        return f"{name} not estimated: {fit.status.message}"
    if estimate.value is not None:
        said = f"{name} {three_digits(estimate.value)}{unit}"
    elif fit.bracket is not None:
        said = f"{name} between {fit.bracket[0]:g} and {fit.bracket[1]:g}{unit}"
    else:
        said = f"{name} not estimated"
    return f"{said} ({'; '.join([*_conventions(fit, estimate), *_profile(fit, estimate)])})"


def _conventions(fit: Fit, estimate: Estimate) -> list[str]:
    options = fit.options
    parts = []
    if estimate.method is not None:
        parts.append(f"{options.level * 100:g}% CI {limits(estimate)}, {METHODS[estimate.method]}")
    parts.append(f"{options.link}, {options.information} information")
    if fit.slope is not None:
        parts.append(f"h = {three_digits(fit.h) if fit.h != 1 else 1}")
        if fit.df and fit.chi2 is not None and fit.p is not None:
            parts.append(f"chi2 {three_digits(fit.chi2)}/{fit.df} df p = {_p(fit.p)}")
        if fit.g is not None:
            parts.append(f"g = {fit.g:.2f}")
    if not options.pool:
        parts.append("equal doses not pooled")
    return [", ".join(parts)]


def _profile(fit: Fit, estimate: Estimate) -> list[str]:
    if estimate.method in (None, "profile", "firth profile"):
        return []
    beside = fit.ed(estimate.p, ci="profile")
    return [f"profile {limits(beside)}"]


def limits(estimate: Estimate) -> str:
    """Low to high, an open end in words."""
    match estimate.low, estimate.high:
        case None, None:
            return "without limits"
        case None, float(high):
            return f"up to {three_digits(high)}, no lower limit"
        case float(low), None:
            return f"from {three_digits(low)}, no upper limit"
        case low, high:
            assert low is not None
            assert high is not None
            return f"{three_digits(low)}-{three_digits(high)}"


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def potency_line(name: str, reference: str, ratio: PotencyRatio, again: "ResampledPotency | None") -> str:
    """``again`` where animals were tested more than once; then the limits before it are too narrow."""
    if ratio.ratio is None:
        return f"potency of {name} relative to {reference}: {ratio.status.message}"
    ends = "no finite limits"
    if ratio.low is not None and ratio.high is not None:
        ends = f"{100 * ratio.level:g}% CI {three_digits(ratio.low)}-{three_digits(ratio.high)}"
    how = "parallel lines, Fieller" if ratio.method == "parallel" else "separate slopes"
    test = "" if ratio.parallelism_p is None else f", parallelism p = {ratio.parallelism_p:.2g}"
    warned = "".join(f"; warning: {note.message}" for note in ratio.notes if note.kind != "ok")
    if again is not None:
        warned += f"; these limits take repeated tests of an animal as independent; {again}"
        warned += "".join(f"; warning: {note.message}" for note in again.notes)
    return f"potency of {name} relative to {reference}: {three_digits(ratio.ratio)} ({ends}, {how}{test}){warned}"
