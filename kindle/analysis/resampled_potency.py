"""The potency of one drug relative to another over whole animals, where the same animals were tested more than once."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from kindle import __version__
from kindle.analysis.animal_counts import AnimalCounts, Test
from kindle.analysis.outcome import Note, Result, headline
from kindle.analysis.quantal import fit_table
from kindle.analysis.quantal_options import QuantalOptions
from kindle.analysis.repeated import TOO_MANY_UNUSABLE, log10_dose_of, percentiles
from kindle.analysis.report_line import three_digits


@dataclass(frozen=True, slots=True)
class ResampledPotency(Result):
    """Percentile limits of the ED50 of the reference over that of the test drug, each line with a slope of its own."""

    status: Note
    low: float | None
    high: float | None
    level: float
    n_animals: int
    n_resamples: int
    n_unusable: int
    """Resamples in which a line did not rise, left out of the limits."""
    seed: int
    notes: tuple[Note, ...] = ()
    version: str = __version__

    def __str__(self) -> str:
        low, high = ("none" if end is None else three_digits(end) for end in (self.low, self.high))
        return f"limits over whole animals {low} to {high} ({self.n_animals} animals, {self.n_resamples} resamples)"


def tested_again(test: Sequence[Test], reference: Sequence[Test]) -> bool:
    """Whether an animal had more than one test, of either drug or of both."""
    dosed = [animal for animal, dose, _ in (*test, *reference) if dose > 0]
    return len(set(dosed)) < len(dosed)


def potency_by_animal(
    test: Sequence[Test], reference: Sequence[Test], options: QuantalOptions, *, n_resamples: int, seed: int
) -> ResampledPotency:
    """An animal is drawn with all its tests, on every line that it stands in."""
    names = sorted({animal for animal, dose, _ in (*test, *reference) if dose > 0})
    of_test, of_reference = AnimalCounts.of(names, test), AnimalCounts.of(names, reference)
    rng = np.random.default_rng(seed)
    drawn: list[float] = []
    for _ in range(n_resamples):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        ours, theirs = (
            log10_dose_of(fit_table(counts.drawn(times), options), 0.5) for counts in (of_test, of_reference)
        )
        if ours is not None and theirs is not None and not isnan(theirs - ours):
            drawn.append(theirs - ours)
    n_unusable = n_resamples - len(drawn)
    notes: tuple[Note, ...] = ()
    if n_unusable > TOO_MANY_UNUSABLE * n_resamples:
        message = f"in {n_unusable} of {n_resamples} resamples a line did not rise or had no animals: limits too narrow"
        notes = (Note("warning", "unusable_resamples", message),)
    low, high = percentiles(drawn, options.level)
    return ResampledPotency(headline(notes), low, high, options.level, len(names), n_resamples, n_unusable, seed, notes)
