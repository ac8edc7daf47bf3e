"""The same rats tested at several doses: their responses are not independent, so whole rats are drawn again.

Rows taken as independent give limits that are too narrow. The bootstrap draws animals, each with all its tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isinf, log10

import numpy as np

from kindle import __version__
from kindle.analysis.animal_counts import AnimalCounts
from kindle.analysis.dose_table import read_doses
from kindle.analysis.fit import Fit
from kindle.analysis.outcome import Note, Result, headline
from kindle.analysis.quantal import fit_table
from kindle.analysis.quantal_options import QuantalOptions

TOO_MANY_UNUSABLE = 0.05
"""Of the resamples; beyond it the limits describe only those in which protection rose."""


@dataclass(frozen=True, slots=True)
class BootstrapEstimate(Result):
    """ED``p`` of the animals as they were, with percentile limits over resampled animals."""

    status: Note
    value: float | None
    low: float | None
    high: float | None
    p: float
    level: float
    n_animals: int
    n_resamples: int
    n_separated: int
    """Resamples without a finite slope; each counts with the geometric mean of its bracket."""
    n_unusable: int
    """Resamples in which protection did not rise with dose, left out of the limits."""
    seed: int
    notes: tuple[Note, ...] = ()
    version: str = __version__


def fit_animals(
    animals: Sequence[str],
    doses: Sequence[float],
    responded: Sequence[bool | int],
    options: QuantalOptions | None = None,
) -> Fit:
    """One row per test of an animal; where one occurs more than once the fit says that its limits are too narrow."""
    options = options or QuantalOptions()
    tests = [int(response) for response in responded]
    table = read_doses(doses, [1] * len(doses), tests)
    notes: tuple[Note, ...] = ()
    dosed = [animal for animal, dose in zip(animals, doses, strict=False) if dose > 0]
    if len(set(dosed)) < len(dosed):
        message = f"{len(set(dosed))} animals in {len(dosed)} tests: independence violated, limits too narrow; "
        notes = (Note("warning", "repeated_animals", message + "draw whole animals instead (bootstrap)"),)
    if len(animals) != len(doses):
        table = Note("error", "bad_input", f"{len(animals)} animals and {len(doses)} doses: one each is needed")
    return fit_table(table, options, notes)


def bootstrap_by_animal(
    animals: Sequence[str],
    doses: Sequence[float],
    responded: Sequence[bool | int],
    p: float = 0.5,
    *,
    options: QuantalOptions | None = None,
    n_resamples: int = 2000,
    seed: int = 0,
) -> BootstrapEstimate:
    """Percentile limits of ED``p``; the seed is part of the result. Raises ``ValueError`` below 100 resamples."""
    if n_resamples < 100:
        raise ValueError(f"n_resamples = {n_resamples}; percentile limits need at least 100, better 2000")
    options = options or QuantalOptions()
    fit = fit_animals(animals, doses, responded, options)
    estimate = fit.ed(p, ci="delta")
    names = sorted(set(animals))
    if fit.status.kind == "error":
        return BootstrapEstimate(
            fit.status, None, None, None, p, options.level, len(names), n_resamples, 0, 0, seed, fit.notes
        )
    tests = [(name, float(dose), int(r)) for name, dose, r in zip(animals, doses, responded, strict=True)]
    counts = AnimalCounts.of(names, tests)
    rng = np.random.default_rng(seed)
    drawn: list[float] = []
    n_separated = n_unusable = 0
    for _ in range(n_resamples):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        again = fit_table(counts.drawn(times), options)
        n_separated += again.bracket is not None
        found = log10_dose_of(again, p)
        if found is None:
            n_unusable += 1
        else:
            drawn.append(found)
    notes = tuple(note for note in fit.notes if note.code != "repeated_animals")
    if n_unusable > TOO_MANY_UNUSABLE * n_resamples:
        message = f"in {n_unusable} of {n_resamples} resamples protection did not rise with dose: limits are too narrow"
        notes = (*notes, Note("warning", "unusable_resamples", message))
    low, high = percentiles(drawn, options.level)
    notes += tuple(
        Note("status", f"no_{side}_limit", f"no {side} limit: too many resamples have no ED50 on that side")
        for side, end in (("lower", low), ("upper", high))
        if end is None
    )
    value = estimate.value
    return BootstrapEstimate(
        headline(notes),
        value,
        low,
        high,
        p,
        options.level,
        len(names),
        n_resamples,
        n_separated,
        n_unusable,
        seed,
        notes,
    )


def log10_dose_of(fit: Fit, p: float) -> float | None:
    """The middle of the bracket of a separated table, infinite where all or none responded, ``None`` without a line."""
    match fit.status.code:
        case "all_responded":
            return -inf
        case "none_responded":
            return inf
    if fit.bracket is not None:
        return (log10(fit.bracket[0]) + log10(fit.bracket[1])) / 2
    value = fit.ed(p, ci="delta").value
    return None if value is None else log10(value)


def percentiles(drawn: list[float], level: float) -> tuple[float | None, float | None]:
    """Of logarithms to base 10, as doses or ratios; ``None`` where that end is infinite."""
    if not drawn:
        return None, None
    ordered = np.sort(np.array(drawn))
    tail = (1 - level) / 2
    ends = [float(ordered[round(q * (ordered.size - 1))]) for q in (tail, 1 - tail)]
    low, high = (None if isinf(end) or abs(end) > 300 else 10**end for end in ends)
    return low, high
