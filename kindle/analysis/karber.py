"""Spearman-Kärber: the ED50 as the mean of the tolerances, without a line, trimmed where responses are not 0 to 100 %.

The trimmed form and its variance are those of Hamilton, Russo & Thurston 1977 as EPA's program computes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log10, sqrt
from typing import Literal

from scipy.special import ndtri

from kindle import __version__
from kindle.analysis.dose_table import DoseTable, read_doses
from kindle.analysis.findings import falling_pairs, refusal
from kindle.analysis.isotonic import rising
from kindle.analysis.natural import abbott
from kindle.analysis.outcome import Note, Result, headline
from kindle.analysis.quantal_options import QuantalOptions

Trim = float | Literal["auto"]


@dataclass(frozen=True, slots=True)
class SpearmanKarber(Result):
    """``smoothed`` are the rising, control-corrected proportions at ``doses``; ``variance`` is of log10 ED50."""

    status: Note
    value: float | None = None
    low: float | None = None
    high: float | None = None
    log10_ed50: float | None = None
    variance: float | None = None
    trim: float | None = None
    """``None`` where nothing was to be trimmed."""
    doses: tuple[float, ...] = ()
    smoothed: tuple[float, ...] = ()
    level: float = 0.95
    notes: tuple[Note, ...] = ()
    version: str = __version__


def spearman_karber(
    doses: Sequence[float],
    n: Sequence[int],
    responded: Sequence[int],
    control: tuple[int, int] | None = None,
    trim: Trim | None = None,
    *,
    level: float = 0.95,
    unit: str = "",
) -> SpearmanKarber:
    """Mean tolerance on log10 dose, after smoothing (the control included) and Abbott's correction.

    ``trim=None``: untrimmed, variance with n - 1. A number below 0.5, or "auto" for the least that the data need:
    trimmed, variance with n. ``control`` = (n, responded), as rows of dose 0 are. Raises ``ValueError`` for a trim
    outside [0, 0.5).
    """
    if trim is not None and trim != "auto" and not 0 <= trim < 0.5:
        raise ValueError(f"trim = {trim:g}; it must be 0 or more and below 0.5")
    options = QuantalOptions(level=level, unit=unit)
    table = read_doses(doses, n, responded, control)
    fault = table if isinstance(table, Note) else refusal(table, options)
    if fault is not None:
        return SpearmanKarber(fault, level=level, notes=(fault,))
    assert isinstance(table, DoseTable)
    x = [log10(dose) for dose in table.doses]
    p = _corrected(table)
    # Free of what rounding left of a correction: half is half.
    least = round(max(p[0], 1 - p[-1]), 12)
    notes = _smoothing(table)
    used = least if trim == "auto" else trim
    if (used or 0.0) < least - 1e-12 or least >= 0.5:
        return SpearmanKarber(
            _too_narrow(p, least),
            doses=table.doses,
            smoothed=tuple(p),
            level=level,
            notes=(_too_narrow(p, least), *notes),
        )
    mean, variance = _untrimmed(x, p, table.n) if used is None else _trimmed(x, p, table.n, used)
    half = float(ndtri(0.5 + level / 2)) * sqrt(variance)
    if variance <= 0:
        message = "no partial response between the doses that count: the variance cannot be estimated, no limits"
        notes = (Note("status", "no_partial_response", message), *notes)
    return SpearmanKarber(
        headline(notes),
        value=10**mean,
        low=10 ** (mean - half) if variance > 0 else None,
        high=10 ** (mean + half) if variance > 0 else None,
        log10_ed50=mean,
        variance=variance if variance > 0 else None,
        trim=used,
        doses=table.doses,
        smoothed=tuple(p),
        level=level,
        notes=notes,
    )


def _corrected(table: DoseTable) -> list[float]:
    if table.control is None:
        return rising(table.n, table.responded)
    n, responded = table.control
    rate, *p = rising((n, *table.n), (responded, *table.responded))
    return abbott(p, rate) if rate < 1 else p


def _smoothing(table: DoseTable) -> tuple[Note, ...]:
    falling = falling_pairs(table)
    if not falling:
        return ()
    pairs = ", ".join(f"{low:g} to {high:g}" for low, _, high, _ in falling)
    return (Note("warning", "non_monotone", f"protection falls from {pairs}: these doses were averaged"),)


def _too_narrow(p: list[float], least: float) -> Note:
    if least >= 0.5:
        message = f"the doses protect from {p[0]:.0%} to {p[-1]:.0%} of the animals: half lies outside, no ED50"
        return Note("error", "half_not_reached", message)
    message = (
        f"the doses protect from {p[0]:.0%} to {p[-1]:.0%}, not 0 to 100 %: a trim of at least {least:.3g} is needed"
    )
    return Note("error", "trim_needed", message)


def _untrimmed(x: list[float], p: list[float], n: Sequence[int]) -> tuple[float, float]:
    mean = sum((p[i + 1] - p[i]) * (x[i] + x[i + 1]) / 2 for i in range(len(x) - 1))
    # A single animal has no variance of its own; its term is the one of two.
    variance = sum(
        p[i] * (1 - p[i]) * (x[i + 1] - x[i - 1]) ** 2 / (4 * max(n[i] - 1, 1)) for i in range(1, len(x) - 1)
    )
    return mean, variance


def _trimmed(x: list[float], p: list[float], n: Sequence[int], t: float) -> tuple[float, float]:
    last = len(p) - 1
    low = max(i for i in range(last + 1) if p[i] <= t + 1e-12)
    high = min(i for i in range(last + 1) if p[i] >= 1 - t - 1e-12)
    # The curve from its crossing of t to its crossing of 1 - t.
    start = x[low] + (x[low + 1] - x[low]) * (t - p[low]) / (p[low + 1] - p[low])
    end = x[high - 1] + (x[high] - x[high - 1]) * (1 - t - p[high - 1]) / (p[high] - p[high - 1])
    points = [(start, t), *((x[i], p[i]) for i in range(low + 1, high)), (end, 1 - t)]
    mean = sum((b[1] - a[1]) * (a[0] + b[0]) / 2 for a, b in pairwise(points)) / (1 - 2 * t)
    return mean, _trimmed_variance(x, p, n, t, low, high)


def _trimmed_variance(x: list[float], p: list[float], n: Sequence[int], t: float, low: int, high: int) -> float:
    def binomial(i: int) -> float:
        return p[i] * (1 - p[i]) / n[i]

    if high - low == 1:
        of_low, of_high = (0.5 - p[high]) ** 2 * binomial(low), (0.5 - p[low]) ** 2 * binomial(high)
        return (x[high] - x[low]) ** 2 / (p[high] - p[low]) ** 4 * (of_low + of_high)
    rise_low, rise_high = p[low + 1] - p[low], p[high] - p[high - 1]
    wide_low, wide_high = x[low + 1] - x[low], x[high] - x[high - 1]
    below = wide_low * (t - p[low]) ** 2 / rise_low**2
    above = wide_high * (p[high] - 1 + t) ** 2 / rise_high**2
    terms = [
        (wide_low * (p[low + 1] - t) ** 2 / rise_low**2) ** 2 * binomial(low),
        (wide_high * (1 - t - p[high - 1]) ** 2 / rise_high**2) ** 2 * binomial(high),
    ]
    if high - low == 2:
        # Hamilton's program subtracts the lower term here; its printed limits are what others compare with.
        terms.append((x[high] - x[low] - above + below) ** 2 * binomial(low + 1))
    else:
        terms.append((x[low] - x[low + 2] + below) ** 2 * binomial(low + 1))
        terms.append((x[high - 2] - x[high] + above) ** 2 * binomial(high - 1))
        terms += [(x[i - 1] - x[i + 1]) ** 2 * binomial(i) for i in range(low + 2, high - 1)]
    return sum(terms) / (2 - 4 * t) ** 2
