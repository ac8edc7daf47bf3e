"""From a quantal fit to what the analysis of an interaction takes."""

from math import log10

import numpy as np

from kindle.analysis.fit import Fit
from kindle.analysis.isobole_inputs import Parallelism
from kindle.analysis.limits import IN_RANGE
from kindle.analysis.links import link_named
from kindle.analysis.outcome import Interval, Note
from kindle.analysis.potencies import Drug, Inactive, Potency
from kindle.analysis.potency import potency_ratio
from kindle.analysis.proportions import share


def drug_of(fit: Fit, name: str) -> Drug | Note:
    """The ED50 of a drug with its errors; `Inactive` where no animal was protected; a note where there is neither.

    A separated table and a slope that is not significant (g >= 1) give an ED50 without a standard error that could be
    combined with others.
    """
    table = fit.table
    if table is not None and table.doses and table.responders == 0:
        return inactive_of(fit, name)
    estimate = fit.ed(0.5)
    if estimate.value is None:
        if table is not None and fit.bracket is not None:
            low, high = fit.bracket
            return Potency((low * high) ** 0.5, None, name=name, unit=fit.options.unit, interval=Interval(low, high))
        return Note("error", fit.status.code, f"{name}: {fit.status.message}")
    return Potency(
        estimate.value,
        None if fit.g is not None and fit.g >= 1 else estimate.se_log10,
        _animals_in_range(fit),
        fit.slope,
        None if fit.se_slope is None else fit.se_slope * fit.h**0.5,
        name,
        fit.options.unit,
        Interval(estimate.low, estimate.high),
    )


def inactive_of(fit: Fit, name: str) -> Inactive:
    """The drug as one that does nothing alone, because nobody was protected or because the experimenter says so."""
    table = fit.table
    assert table is not None
    protected = share(table.responders, table.animals, fit.options.level)
    return Inactive(name, max(table.doses), protected, fit.options.unit)


def parallel_lines(a: Fit, b: Fit) -> Parallelism | None:
    """By the likelihood of a common slope; ``None`` where there is no such line or a slope is infinite."""
    if a.slope is None or b.slope is None:
        return None
    compared = potency_ratio(a, b)
    if compared.parallelism_chi2 is None or compared.parallelism_p is None:
        return None
    return Parallelism(compared.parallelism_chi2, 1, compared.parallelism_p, "likelihood ratio")


def _animals_in_range(fit: Fit) -> int | None:
    """At doses with an expected effect of 16-84 %, as the Lublin group counts them; ``None`` where no dose has one."""
    if fit.table is None or fit.slope is None or fit.intercept is None:
        return None
    low, high = IN_RANGE
    line = np.array([fit.intercept + fit.slope * log10(dose) for dose in fit.table.doses])
    expected = link_named(fit.options.link).probability(line)
    return int(sum(n for n, p in zip(fit.table.n, expected, strict=True) if low <= p <= high)) or None
