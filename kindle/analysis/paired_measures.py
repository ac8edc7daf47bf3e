"""The same rats with and without the drug: durations, thresholds, stages, and whether a seizure generalised."""

from collections import Counter
from collections.abc import Sequence
from math import exp, isfinite
from typing import Literal, overload

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from kindle.analysis.outcome import Interval, Note, headline
from kindle.analysis.paired_results import (
    Paired,
    PairedDurations,
    PairedIncidence,
    PairedStages,
    PairedT,
    PairedThresholds,
    RatioT,
)
from kindle.analysis.proportions import mcnemar, share
from kindle.analysis.signed_rank import Zeros, hodges_lehmann, signed_rank, tidied

Values = NDArray[np.float64]
PairedKind = Literal["duration", "threshold", "ordinal", "incidence"]


@overload
def paired(
    control: Sequence[float],
    drug: Sequence[float],
    kind: Literal["duration"] = ...,
    *,
    zeros: Zeros = ...,
    level: float = ...,
) -> PairedDurations: ...
@overload
def paired(
    control: Sequence[float],
    drug: Sequence[float],
    kind: Literal["threshold"],
    *,
    control_above: Sequence[bool] | None = ...,
    drug_above: Sequence[bool] | None = ...,
    zeros: Zeros = ...,
    level: float = ...,
) -> PairedThresholds: ...
@overload
def paired(
    control: Sequence[float], drug: Sequence[float], kind: Literal["ordinal"], *, zeros: Zeros = ..., level: float = ...
) -> PairedStages: ...
@overload
def paired(
    control: Sequence[float],
    drug: Sequence[float],
    kind: Literal["incidence"],
    *,
    zeros: Zeros = ...,
    level: float = ...,
) -> PairedIncidence: ...
def paired(
    control: Sequence[float],
    drug: Sequence[float],
    kind: PairedKind = "duration",
    *,
    control_above: Sequence[bool] | None = None,
    drug_above: Sequence[bool] | None = None,
    zeros: Zeros = "wilcoxon",
    level: float = 0.95,
) -> Paired:
    """One value of each rat under control and under drug, the rats in the same order.

    ``*_above`` marks thresholds of a ``"threshold"`` comparison that lie above the current given; incidence is 0 or 1.
    """
    fault = _fault(control, drug, kind, (control_above, drug_above))
    c, d = (np.asarray([] if fault else side, np.float64) for side in (control, drug))
    notes = () if fault is None else (fault,)
    match kind:
        case "duration":
            return _durations(c, d, zeros, level, notes)
        case "threshold":
            above = [
                np.asarray([False] * c.size if side is None or fault else side, bool)
                for side in (control_above, drug_above)
            ]
            return _thresholds(c, d, above[0], above[1], zeros, level, notes)
        case "ordinal":
            return _stages(c, d, zeros, level, notes)
        case "incidence":
            return _incidence(c, d, level, notes)


def _fault(
    control: Sequence[float], drug: Sequence[float], kind: PairedKind, above: tuple[Sequence[bool] | None, ...]
) -> Note | None:
    """What makes the values unusable: nothing is left out silently."""
    if len(control) != len(drug):
        message = f"control has {len(control)} values and drug {len(drug)}: give one of each for every rat"
        return Note("error", "bad_input", message)
    if not len(control):
        return Note("error", "bad_input", "no values: give one under control and one under drug for every rat")
    for name, side in (("control", control), ("drug", drug)):
        for row, value in enumerate(side, 1):
            if not isfinite(value):
                return Note(
                    "error", "bad_input", f"{name}, rat {row}: {value} is no number; leave the rat out on both days"
                )
            if kind == "threshold" and value <= 0:
                message = f"{name}, rat {row}: a threshold above 0 expected, got {value:g}; the rank test of durations"
                return Note("error", "log_of_nonpositive", f"{message} takes it")
            if kind == "incidence" and value not in (0, 1):
                return Note("error", "bad_input", f"{name}, rat {row}: 0 or 1 expected for no or yes, got {value:g}")
    for name, marks in zip(("control_above", "drug_above"), above, strict=True):
        if marks is not None and kind != "threshold":
            return Note("error", "bad_input", f"{name} belongs to thresholds, not to kind {kind!r}")
        if marks is not None and len(marks) != len(control):
            return Note("error", "bad_input", f"{name} has {len(marks)} marks for {len(control)} rats")
    return None


def _durations(c: Values, d: Values, zeros: Zeros, level: float, notes: tuple[Note, ...]) -> PairedDurations:
    if not notes:
        notes = _about(c - d, zeros)
    if headline(notes).kind == "error":
        return PairedDurations(headline(notes), c.size, None, None, None, None, notes, level)
    rank, shift = signed_rank(c - d, zeros), hodges_lehmann(c - d, level)
    if shift.interval is None:
        notes += (
            Note("warning", "no_exact_interval", f"{c.size} rats allow no exact {level:.0%} interval of the shift"),
        )
    ratio = _ratio(c, d, level) if min(c.min(), d.min()) > 0 else None
    return PairedDurations(headline(notes), c.size, rank, shift, _student(c - d, level), ratio, notes, level)


def _thresholds(
    c: Values,
    d: Values,
    c_above: NDArray[np.bool_],
    d_above: NDArray[np.bool_],
    zeros: Zeros,
    level: float,
    notes: tuple[Note, ...],
) -> PairedThresholds:
    raised = ((d > c) & ~c_above) | (d_above & ~c_above & (d >= c))
    lowered = ((c > d) & ~d_above) | (c_above & ~d_above & (c >= d))
    counts = int(raised.sum()), int(lowered.sum())
    undecided = c.size - sum(counts)
    p_sign = mcnemar(*counts)
    if not notes and (censored := int((c_above | d_above).sum())):
        message = f"{censored} of {c.size} rats with a threshold above the maximal current: sign test, no mean"
        notes = (Note("warning", "censored", message),)
        return PairedThresholds(headline(notes), c.size, None, None, *counts, undecided, p_sign, notes, level)
    if not notes:
        notes = _about(np.log(c) - np.log(d), zeros)
    if headline(notes).kind == "error":
        return PairedThresholds(headline(notes), c.size, None, None, *counts, undecided, p_sign, notes, level)
    rank = signed_rank(np.log(c) - np.log(d), zeros)
    return PairedThresholds(
        headline(notes), c.size, _ratio(c, d, level), rank, *counts, undecided, p_sign, notes, level
    )


def _stages(c: Values, d: Values, zeros: Zeros, level: float, notes: tuple[Note, ...]) -> PairedStages:
    if not notes:
        notes = _about(c - d, zeros)
    counts = [tuple(sorted(Counter(side.tolist()).items())) for side in (c, d)]
    medians = [float(np.median(side)) if side.size else None for side in (c, d)]
    rank = None if headline(notes).kind == "error" else signed_rank(c - d, zeros)
    return PairedStages(headline(notes), c.size, rank, counts[0], counts[1], medians[0], medians[1], notes, level)


def _incidence(c: Values, d: Values, level: float, notes: tuple[Note, ...]) -> PairedIncidence:
    if notes:
        return PairedIncidence(headline(notes), None, None, 0, 0, None, notes, level)
    control_only, drug_only = int(((c == 1) & (d == 0)).sum()), int(((c == 0) & (d == 1)).sum())
    discordant = control_only + drug_only
    if discordant == 0:
        notes = (Note("warning", "no_differences", "no rat differs between control and drug"),)
    elif discordant <= 5:
        notes = (_cannot_reach(discordant, "rats that differ"),)
    shares = [share(int(side.sum()), side.size, level) for side in (c, d)]
    return PairedIncidence(
        headline(notes), shares[0], shares[1], control_only, drug_only, mcnemar(control_only, drug_only), notes, level
    )


def _about(differences: Values, zeros: Zeros) -> tuple[Note, ...]:
    n = int((tidied(differences) != 0).sum())
    if n == 0:
        return (Note("error", "no_differences", "all differences are zero"),)
    notes = [] if n > 5 else [_cannot_reach(n, "differences")]
    if n < differences.size:
        rule = "dropped (Wilcoxon)" if zeros == "wilcoxon" else "ranked, then dropped (Pratt)"
        notes.append(Note("ok", "zeros", f"{differences.size - n} differences of zero {rule}"))
    return tuple(notes)


def _cannot_reach(n: int, of: str) -> Note:
    message = f"{n} {of}: the smallest possible two-sided p is {2.0 ** (1 - n):g}"
    return Note("warning", "cannot_reach_0.05", message)


def _student(differences: Values, level: float) -> PairedT | None:
    """``None`` for one rat, or where every difference is the same."""
    n = differences.size
    if n < 2 or np.ptp(tidied(differences)) == 0:
        return None
    mean, error = float(differences.mean()), float(stats.sem(differences))
    t = mean / error
    half = float(stats.t.ppf(0.5 + level / 2, n - 1)) * error
    return PairedT(t, n - 1, 2 * float(stats.t.sf(abs(t), n - 1)), mean, Interval(mean - half, mean + half))


def _ratio(c: Values, d: Values, level: float) -> RatioT | None:
    logs = _student(np.log(d) - np.log(c), level)
    if logs is None or logs.interval.low is None or logs.interval.high is None:
        return None
    return RatioT(exp(logs.mean), Interval(exp(logs.interval.low), exp(logs.interval.high)), logs.t, logs.df, logs.p)
