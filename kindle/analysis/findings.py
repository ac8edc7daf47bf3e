"""What must be said of a quantal table, before and after its line is fitted: codes for programs, words for people."""

from collections.abc import Iterator
from itertools import pairwise

from kindle.analysis.dose_table import DoseTable
from kindle.analysis.outcome import Note
from kindle.analysis.quantal_options import QuantalOptions
from kindle.analysis.separation import Separation

IMPRECISE_G = 0.4
"""From here on limits of any kind are unreliable: their coverage, enumerated over all tables, is no longer nominal."""


def refusal(table: DoseTable, options: QuantalOptions) -> Note | None:
    """Why there is nothing to fit; ``None`` for a table with two doses and responses both ways."""
    if table.n_distinct < 2:
        at = f"; there is {options.dose(table.doses[0])} ({table})" if table.doses else "; there is none above 0"
        return Note("error", "one_dose", f"at least two distinct doses needed{at}")
    if table.control is not None and table.control[1] == table.control[0]:
        message = f"all control animals respond ({table.control[1]}/{table.control[0]}): no effect of a dose can show"
        return Note("error", "control_all_respond", message)
    if options.natural == "estimate" and table.n_distinct + (table.control is not None) < 3:
        message = "a line and a natural response are three unknowns: three groups needed, a control or a third dose"
        return Note("error", "not_identified", message)
    if options.natural == "abbott" and table.control is None:
        return Note("error", "no_control", "Abbott's correction needs a control group: rows of dose 0")
    if table.responders == table.animals:
        message = f"all animals protected ({table.responders}/{table.animals}): ED50 is below "
        return Note("error", "all_responded", f"{message}{options.dose(table.doses[0])}; test lower doses")
    if table.responders == 0:
        message = f"no animal protected (0/{table.animals}): ED50 is above {options.dose(table.doses[-1])}"
        return Note("error", "none_responded", f"{message}; test higher doses")
    return None


def before_the_fit(table: DoseTable, options: QuantalOptions) -> tuple[Note, ...]:
    return tuple(_before(table, options))


def _before(table: DoseTable, options: QuantalOptions) -> Iterator[Note]:
    if table.n_distinct == 2:
        yield Note("warning", "no_gof", "two doses: no goodness of fit test")
    yield from _control(table, options)
    falling = falling_pairs(table)
    if falling:
        pairs = ", ".join(
            f"{low:g} ({of_low[1]}/{of_low[0]}) to {high:g} ({of_high[1]}/{of_high[0]})"
            for low, of_low, high, of_high in falling
        )
        message = f"protection falls from {pairs}: the line smooths this over, Spearman-Karber averages these doses"
        yield Note("warning", "non_monotone", message)
    if max(table.n) == 1:
        yield Note("warning", "one_animal_per_dose", "one animal per dose: chi2 goodness of fit not valid")


def _control(table: DoseTable, options: QuantalOptions) -> Iterator[Note]:
    if table.control is None:
        if options.natural == "estimate":
            message = "natural response estimated without a control group: it rests on the lowest doses alone"
            yield Note("warning", "no_control", message)
        return
    n, responded = table.control
    told = f"{responded}/{n}"
    if options.natural == "none":
        yield Note("ok", "control_excluded", f"vehicle control excluded from the line ({told})")
        if responded:
            message = f"{told} control animals respond: their rate is ignored; natural='estimate' or 'abbott' uses it"
            yield Note("warning", "control_responds", message)
    if options.natural == "abbott":
        below = [dose for dose, animals, r in table.groups() if r / animals < responded / n]
        if below:
            doses = ", ".join(f"{dose:g}" for dose in below)
            message = f"fewer protected than in the control ({told}) at {doses}: corrected to 0"
            yield Note("warning", "abbott_clipped", message)
        if responded:
            message = "Abbott's correction takes the control rate as known: limits are too narrow; prefer 'estimate'"
            yield Note("warning", "abbott_corrected", message)


def falling_pairs(table: DoseTable) -> list[tuple[float, tuple[int, int], float, tuple[int, int]]]:
    """Neighbouring distinct doses of which the higher protects a smaller share: dose and (n, responded), twice."""
    pooled: dict[float, tuple[int, int]] = {}
    for dose, n, r in table.groups():
        animals, responders = pooled.get(dose, (0, 0))
        pooled[dose] = animals + n, responders + r
    rows = list(pooled.items())
    return [
        (low, of_low, high, of_high)
        for (low, of_low), (high, of_high) in pairwise(rows)
        if of_high[1] * of_low[0] < of_low[1] * of_high[0]
    ]


def separated(found: Separation, options: QuantalOptions) -> Note:
    low, high = options.dose(found.lower), options.dose(found.upper)
    if found.pattern == "quasi":
        message = f"one partial response only: ED50 tied to dose {low}, slope infinite; profile limits"
        return Note("status", "quasi_separated", message)
    middle = options.dose(float(f"{(found.lower * found.upper) ** 0.5:.4g}"))
    message = f"no partial response; ED50 between {low} and {high} (geometric mean {middle} is a label only); "
    return Note("status", "separated", message + "profile limits")


def imprecise(g: float) -> tuple[Note, ...]:
    """Said of limits, not of the line."""
    if not IMPRECISE_G < g < 1:
        return ()
    return (Note("warning", "slope_imprecise", f"slope imprecise (g = {g:.2f}), limits unreliable"),)


def after_the_fit(g: float, h: float, chi2: float, df: int, p: float | None) -> tuple[Note, ...]:
    return tuple(_after(g, h, chi2, df, p))


def _after(g: float, h: float, chi2: float, df: int, p: float | None) -> Iterator[Note]:
    if g >= 1:
        message = f"slope not significant (g = {g:.3g}); no finite Fieller limits; profile limits"
        yield Note("status", "g_ge_1", message)
    if h != 1 and p is not None:
        message = f"chi2 {chi2:.3g} on {df} df (p = {p:.2g}): variances times h = {h:.3g}, t({df}) in the limits"
        yield Note("warning", "heterogeneity", message)
