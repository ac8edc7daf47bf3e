"""The change of thresholds in the same rats as a ratio, when a threshold is known only to lie between two rungs.

A ratio of thresholds is normal on the log scale; what two series tell about it is an interval, open on one side when a
rat had no afterdischarge up to the maximal current of one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, isfinite

import numpy as np

from kindle import __version__
from kindle.analysis.censored_normal import Values, Words, censored_mean
from kindle.analysis.outcome import Interval, Note, Result, headline
from kindle.analysis.thresholds import Threshold, exponential, log_limits

WORDS = Words("ratio", "too_few_pairs", "use the sign test")


@dataclass(frozen=True, slots=True)
class ThresholdChange(Result):
    """``ratio`` is drug / control: the geometric mean over rats, with a profile-likelihood interval that is
    Student's where every ratio is known exactly."""

    status: Note
    n: int
    n_censored: int
    """Rats of which one limit of the ratio is not known."""
    ratio: float | None
    interval: Interval
    level: float
    log_sd: float | None
    """Standard deviation of ln ratio between rats (maximum likelihood)."""
    notes: tuple[Note, ...]
    version: str = __version__


def threshold_change(
    control: Sequence[Threshold], drug: Sequence[Threshold], *, level: float = 0.95
) -> ThresholdChange:
    """The rats in the same order on both sides. Raises ``ValueError`` for lists of unequal length."""
    low, high = _log_ratios(control, drug)
    n, n_censored = low.size, int((np.isinf(low) | np.isinf(high)).sum())
    found = censored_mean(low, high, level, WORDS)
    notes = () if found.note is None else (found.note,)
    if found.mean is not None and n_censored:
        message = f"{n_censored} of {n} rats known on one side only; their likelihood is used, no value is put in"
        notes = (Note("warning", "censored", message),)
    ratio = None if found.mean is None else exp(found.mean)
    return ThresholdChange(headline(notes), n, n_censored, ratio, exponential(found.interval), level, found.sd, notes)


def ratio_limits(control: Sequence[Threshold], drug: Sequence[Threshold]) -> tuple[Interval, ...]:
    """What the two series of each rat leave of its ratio drug / control."""
    return tuple(
        Interval(exp(low) if isfinite(low) else None, exp(high) if isfinite(high) else None)
        for low, high in zip(*(side.tolist() for side in _log_ratios(control, drug)), strict=True)
    )


def _log_ratios(control: Sequence[Threshold], drug: Sequence[Threshold]) -> tuple[Values, Values]:
    if len(control) != len(drug):
        raise ValueError(f"expected as many thresholds under drug as under control, got {len(drug)} and {len(control)}")
    (of_control, to_control), (of_drug, to_drug) = log_limits(control), log_limits(drug)
    # The same rungs on both days give the same limits, whatever the rounding of their logarithms.
    return np.round(of_drug - to_control, 12), np.round(to_drug - of_control, 12)
