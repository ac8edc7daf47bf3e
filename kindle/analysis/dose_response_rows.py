"""The rows behind a dose-response line, as people read them: counted, with exact limits, and expected by the line."""

import numpy as np

from kindle.analysis.fit import Fit
from kindle.analysis.links import LINKS
from kindle.analysis.proportions import share

HEADINGS = ("dose", "n", "protected", "%", "limits %", "expected %")


def rows_of(fit: Fit) -> list[tuple[str, ...]]:
    """One row a dose, the control first; limits of Clopper and Pearson at the level of the fit."""
    if fit.table is None:
        return []
    control = [] if fit.table.control is None else [(0.0, *fit.table.control)]
    return [_row(fit, dose, n, responded) for dose, n, responded in (*control, *fit.table.groups())]


def _row(fit: Fit, dose: float, n: int, responded: int) -> tuple[str, ...]:
    counted = share(responded, n, fit.options.level)
    low, high = counted.interval.low or 0.0, counted.interval.high or 0.0
    limits = f"{100 * low:.0f}-{100 * high:.0f}"
    return f"{dose:g}", str(n), str(responded), f"{100 * counted.value:.0f}", limits, _expected(fit, dose)


def _expected(fit: Fit, dose: float) -> str:
    natural = fit.natural_rate or 0.0
    if dose == 0:
        return "-" if fit.natural_rate is None else f"{100 * natural:.0f}"
    if fit.slope is None or fit.intercept is None:
        return "-"
    p = LINKS[fit.options.link].probability(np.array([fit.intercept + fit.slope * np.log10(dose)]))
    return f"{100 * (natural + (1 - natural) * float(p[0])):.0f}"
