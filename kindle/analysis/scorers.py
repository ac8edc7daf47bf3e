"""Scorers against each other: stages by weighted kappa and Gwet's coefficient, durations by ICC and limits.

Kappa depends on how often each stage occurs, and is low for two scorers who agree that nearly all seizures are of one
stage; Gwet's AC2 is not, and takes seizures that some scorers did not see. Print both, with the share of agreement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from detectors.agreement import BlandAltman, Icc, bland_altman, icc_a1
from kindle import __version__
from kindle.analysis.outcome import Interval, Note, Result, headline

Values = NDArray[np.float64]
Weights = Literal["identity", "linear", "quadratic"]


@dataclass(frozen=True, slots=True)
class Coefficient:
    """``None`` where it is not defined, as kappa is not for scorers who only ever gave one and the same stage."""

    value: float | None
    se: float | None
    interval: Interval
    observed: float
    """(Weighted) share of agreement."""
    by_chance: float


@dataclass(frozen=True, slots=True)
class StageAgreement(Result):
    status: Note
    scorers: tuple[str, ...]
    n: int
    """Seizures with at least two scores."""
    exact_agreement: float | None
    """Share of pairs of scores that are the same."""
    kappas: tuple[tuple[str, str, Coefficient], ...]
    """Cohen's weighted kappa of each two scorers, with the standard error of Fleiss, Cohen and Everitt 1969."""
    gwet: Coefficient | None
    """Of all scorers together; AC1 with identity weights, AC2 else (Gwet 2008)."""
    weights: Weights
    level: float
    notes: tuple[Note, ...]
    version: str = __version__


@dataclass(frozen=True, slots=True)
class DurationAgreement(Result):
    scorers: tuple[str, ...]
    n: int
    icc: Icc
    """ICC(A,1), absolute agreement of single scorers."""
    pairs: tuple[tuple[str, str, BlandAltman], ...]
    version: str = __version__


def stage_agreement(
    scores: Mapping[str, Sequence[float | None]],
    stages: Sequence[float],
    *,
    weights: Weights = "quadratic",
    level: float = 0.95,
) -> StageAgreement:
    """``scores`` of everyone for the same seizures, ``None`` where one was not scored; ``stages`` in order.

    Raises ``ValueError`` for fewer than two scorers, lists of unequal length and stages that the scale does not have.
    """
    names = tuple(scores)
    table = _table(scores, stages)
    given = (table >= 0).sum(axis=1) >= 2
    n = int(given.sum())
    if n < 2:
        note = Note("error", "too_few_seizures", f"{n} seizures with two scores: agreement needs at least two")
        return StageAgreement(note, names, n, None, (), None, weights, level, (note,))
    weight = _weights(len(stages), weights)
    kappas, notes = [], []
    for i, j in combinations(range(len(names)), 2):
        both = (table[:, i] >= 0) & (table[:, j] >= 0)
        if not both.any():
            notes.append(Note("warning", "no_common_seizure", f"{names[i]} and {names[j]} scored no seizure in common"))
            continue
        kappa = _kappa(table[both, i], table[both, j], weight, level)
        kappas.append((names[i], names[j], kappa))
        if kappa.value is None:
            message = f"{names[i]} and {names[j]} gave one and the same stage throughout: kappa is not defined"
            notes.append(Note("warning", "one_stage", message))
    counts = np.stack([(table[given] == stage).sum(axis=1) for stage in range(len(stages))], axis=1).astype(float)
    exact = _observed(counts, np.eye(len(stages)))
    gwet = _gwet(table, weight, level)
    return StageAgreement(
        headline(tuple(notes)), names, n, float(exact.mean()), tuple(kappas), gwet, weights, level, tuple(notes)
    )


def duration_agreement(durations: Mapping[str, Sequence[float]], *, level: float = 0.95) -> DurationAgreement:
    """The same events scored by everyone. Raises ``ValueError`` for missing or equal values and fewer than 3."""
    names = tuple(durations)
    if len(names) < 2:
        raise ValueError("agreement needs at least two scorers")
    pairs = tuple((a, b, bland_altman(durations[a], durations[b], level)) for a, b in combinations(names, 2))
    ratings = np.array([durations[name] for name in names], np.float64).T
    return DurationAgreement(names, ratings.shape[0], icc_a1(ratings, level), pairs)


def _table(scores: Mapping[str, Sequence[float | None]], stages: Sequence[float]) -> NDArray[np.int64]:
    """``(n_seizures, n_scorers)`` places on the scale, -1 where none was given."""
    if len(scores) < 2:
        raise ValueError("agreement needs at least two scorers")
    if len({len(given) for given in scores.values()}) != 1:
        counts = ", ".join(f"{name} {len(given)}" for name, given in scores.items())
        raise ValueError(f"expected as many scores of everyone, None where a seizure was not scored; got {counts}")
    place = {stage: index for index, stage in enumerate(stages)}
    if len(place) < 2:
        raise ValueError(f"a scale has at least two stages, got {list(stages)}")
    for name, given in scores.items():
        for row, score in enumerate(given, 1):
            if score is not None and score not in place:
                raise ValueError(f"{name}, seizure {row}: the scale has no stage {score}")
    return np.array([[-1 if s is None else place[s] for s in given] for given in scores.values()], np.int64).T


def _weights(n_stages: int, weights: Weights) -> Values:
    """1 on the diagonal; ``(n_stages, n_stages)``."""
    apart = np.abs(np.subtract.outer(np.arange(n_stages), np.arange(n_stages))) / (n_stages - 1)
    match weights:
        case "identity":
            return np.eye(n_stages)
        case "linear":
            return 1.0 - apart
        case "quadratic":
            return 1.0 - apart**2


def _kappa(a: NDArray[np.int64], b: NDArray[np.int64], weight: Values, level: float) -> Coefficient:
    n, q = a.size, weight.shape[0]
    p = np.bincount(a * q + b, minlength=q * q).reshape(q, q) / n
    row, column = p.sum(axis=1), p.sum(axis=0)
    observed, chance = float((weight * p).sum()), float(row @ weight @ column)
    if chance > 1 - 1e-12:
        return Coefficient(None, None, Interval(None, None), observed, chance)
    value = max(-1.0, (observed - chance) / (1 - chance))
    margins = (weight @ column)[:, None] + (row @ weight)[None, :]
    spread = (p * (weight - margins * (1 - value)) ** 2).sum() - (value - chance * (1 - value)) ** 2
    se = sqrt(max(float(spread), 0.0) / n) / (1 - chance)
    return Coefficient(value, se, _around(value, se, float(stats.norm.ppf(0.5 + level / 2))), observed, chance)


def _observed(counts: Values, weight: Values) -> Values:
    """Share of agreeing pairs of scores of each seizure; ``counts`` ``(n_seizures, n_stages)``, two or more a row."""
    of_row = counts.sum(axis=1)
    pairs: Values = (counts * (counts @ weight - 1)).sum(axis=1) / (of_row * (of_row - 1))
    return pairs


def _gwet(table: NDArray[np.int64], weight: Values, level: float) -> Coefficient:
    """Gwet 2008, with his linearised variance and Student's quantile; a seizure with one score informs chance only."""
    q = weight.shape[0]
    counts = np.stack([(table == stage).sum(axis=1) for stage in range(q)], axis=1).astype(float)
    counts = counts[counts.sum(axis=1) > 0]
    n, of_row = counts.shape[0], counts.sum(axis=1)
    paired = of_row >= 2
    shares = counts / of_row[:, None]
    prevalence = shares.mean(axis=0)
    scale = float(weight.sum()) / (q * (q - 1))
    chance = scale * float((prevalence * (1 - prevalence)).sum())
    agreed = np.zeros(n)
    agreed[paired] = _observed(counts[paired], weight)
    lift = n / paired.sum()
    observed = float(agreed.sum() / paired.sum())
    value = (observed - chance) / (1 - chance)
    each = lift * (agreed - chance * paired) / (1 - chance)
    each -= 2 * (1 - value) * (scale * (shares * (1 - prevalence)).sum(axis=1) - chance) / (1 - chance)
    se = sqrt(float(((each - value) ** 2).sum()) / (n * (n - 1)))
    return Coefficient(value, se, _around(value, se, float(stats.t.ppf(0.5 + level / 2, n - 1))), observed, chance)


def _around(value: float, se: float, quantile: float) -> Interval:
    return Interval(max(-1.0, value - quantile * se), min(1.0, value + quantile * se))
