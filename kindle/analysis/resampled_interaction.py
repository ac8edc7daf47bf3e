"""The interaction of two drugs over whole animals drawn again, where the same animals were tested more than once.

Rats that had several doses, or both drugs, are no different rats: an animal is drawn with all its tests, the lines are
fitted anew and their index is taken. A verdict needs these limits too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isinf, isnan, log10
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kindle import __version__
from kindle.analysis.additivity import totals_between
from kindle.analysis.animal_counts import AnimalCounts, Test
from kindle.analysis.interaction import Verdict
from kindle.analysis.isoboles import Isobole
from kindle.analysis.outcome import Interval, Note, Result, headline
from kindle.analysis.partner_shift import PartnerShift
from kindle.analysis.quantal import fit_table
from kindle.analysis.quantal_options import QuantalOptions
from kindle.analysis.repeated import TOO_MANY_UNUSABLE, log10_dose_of, percentiles
from kindle.analysis.report_line import three_digits

Judged = TypeVar("Judged", Isobole, PartnerShift)


@dataclass(frozen=True, slots=True)
class Lines:
    """Tests of drug A, of drug B and of both together, each with the vehicle's; none of a drug that is inactive."""

    a: Sequence[Test]
    b: Sequence[Test]
    both: Sequence[Test]


@dataclass(frozen=True, slots=True)
class ResampledIndex(Result):
    """Percentile limits of the index that the verdict is about."""

    status: Note
    interval: Interval
    level: float
    n_animals: int
    n_resamples: int
    n_unusable: int
    """Resamples in which a line did not rise, left out of the limits."""
    seed: int
    notes: tuple[Note, ...] = ()
    version: str = __version__

    def __str__(self) -> str:
        low, high = ("none" if end is None else three_digits(end) for end in (self.interval.low, self.interval.high))
        return (
            f"limits over whole animals {low} to {high} ({self.n_animals} animals, {self.n_resamples} resamples, seed "
            f"{self.seed})"
        )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A line of one set of animals; the ED50 is infinite where all or none responded."""

    log10_ed50: float
    slope: float | None


Index = Callable[[_Drawn | None, _Drawn | None, _Drawn], tuple[float, float] | None]
"""log10 of the index, twice or against two additive curves; ``None`` where there is none."""


def resampled_isobole(iso: Isobole, lines: Lines, options: QuantalOptions, n: int, seed: int) -> ResampledIndex:
    """Of the mixture's ED50 over the additive one; its two limits are those of the two curves, if there are two."""
    rho = iso.mass_fraction_a
    assert rho is not None

    def index(a: _Drawn | None, b: _Drawn | None, both: _Drawn) -> tuple[float, float] | None:
        if iso.kind == "I-nonparallel":
            if a is None or b is None or not a.slope or not b.slope or isinf(a.log10_ed50) or isinf(b.log10_ed50):
                return None
            lower, upper = totals_between(10**a.log10_ed50, 10**b.log10_ed50, a.slope / b.slope, rho)
            return both.log10_ed50 - log10(upper), both.log10_ed50 - log10(lower)
        shares = [share * _ten_to(-drug.log10_ed50) for drug, share in ((a, rho), (b, 1 - rho)) if drug is not None]
        found = both.log10_ed50 + _log10(sum(shares))
        return found, found

    return _resampled(lines, options, index, n, seed)


def resampled_shift(shift: PartnerShift, lines: Lines, options: QuantalOptions, n: int, seed: int) -> ResampledIndex:
    """Of the ED50 beside the partner over that alone, with what the partner's dose is worth where it acts alone."""

    def index(a: _Drawn | None, b: _Drawn | None, both: _Drawn) -> tuple[float, float] | None:
        assert a is not None
        of_partner = 0.0 if b is None else shift.partner_dose * _ten_to(-b.log10_ed50)
        found = _log10(_ten_to(both.log10_ed50 - a.log10_ed50) + of_partner)
        return found, found

    return _resampled(lines, options, index, n, seed)


def judged(result: Judged, resampled: ResampledIndex) -> Judged:
    """The result with a verdict that the limits over whole animals bear as well, and with these limits in its words."""
    told, low, high = result.verdict, resampled.interval.low, resampled.interval.high
    borne = {
        Verdict.SYNERGY: high is not None and high < 1,
        Verdict.POTENTIATION: high is not None and high < 1,
        Verdict.ANTAGONISM: low is not None and low > 1,
        Verdict.NONE: True,
    }
    if told is None:
        return result
    verdict = told if borne[told] else Verdict.NONE
    return replace(result, verdict=verdict, words=f"{verdict}{result.words.removeprefix(told)}; {resampled}")


def _resampled(lines: Lines, options: QuantalOptions, index: Index, n: int, seed: int) -> ResampledIndex:
    names = sorted({name for line in (lines.a, lines.b, lines.both) for name, dose, _ in line if dose > 0})
    of_a, of_b, of_both = (AnimalCounts.of(names, line) if line else None for line in (lines.a, lines.b, lines.both))
    rng = np.random.default_rng(seed)
    lowest: list[float] = []
    highest: list[float] = []
    for _ in range(n):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        a, b, both = (_line(counts, times, options) for counts in (of_a, of_b, of_both))
        if both is None or (lines.a and a is None) or (lines.b and b is None):
            continue
        found = index(a, b, both)
        if found is not None and not any(isnan(end) for end in found):
            lowest.append(found[0])
            highest.append(found[1])
    n_unusable = n - len(lowest)
    notes: tuple[Note, ...] = ()
    if n_unusable > TOO_MANY_UNUSABLE * n:
        message = f"in {n_unusable} of {n} resamples a line did not rise or had no animals: limits are too narrow"
        notes = (Note("warning", "unusable_resamples", message),)
    interval = Interval(percentiles(lowest, options.level)[0], percentiles(highest, options.level)[1])
    return ResampledIndex(headline(notes), interval, options.level, len(names), n, n_unusable, seed, notes)


def _line(counts: AnimalCounts | None, times: NDArray[np.int64], options: QuantalOptions) -> _Drawn | None:
    if counts is None:
        return None
    fit = fit_table(counts.drawn(times), options)
    found = log10_dose_of(fit, 0.5)
    return None if found is None else _Drawn(found, fit.slope)


def _ten_to(x: float) -> float:
    """Infinite past the numbers of the machine."""
    return inf if x > 300 else float(10.0**x)


def _log10(x: float) -> float:
    return -inf if x <= 0 else (inf if isinf(x) else log10(x))
