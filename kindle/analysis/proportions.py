"""Counts of animals: exact limits, Fisher's test for different animals and McNemar's for the same ones."""

from dataclasses import dataclass

from scipy import stats

from detectors.agreement import clopper_pearson
from kindle.analysis.outcome import Interval


@dataclass(frozen=True, slots=True)
class Share:
    """``k`` of ``n`` animals, with the limits of Clopper and Pearson."""

    k: int
    n: int
    interval: Interval

    @property
    def value(self) -> float:
        return self.k / self.n

    def __str__(self) -> str:
        return f"{self.k}/{self.n}"


def share(k: int, n: int, level: float = 0.95) -> Share:
    """Raises ``ValueError`` unless 0 <= k <= n and n > 0."""
    limits = clopper_pearson(k, n, level)
    return Share(k, n, Interval(limits.low, limits.high))


def fisher(a: Share, b: Share) -> float:
    """Two-sided exact p that two groups of different animals respond alike."""
    return min(1.0, float(stats.fisher_exact([[a.k, a.n - a.k], [b.k, b.n - b.k]])[1]))


def mcnemar(only_first: int, only_second: int) -> float:
    """Two-sided exact p from the animals that responded on one occasion only; 1 without any."""
    discordant = only_first + only_second
    if discordant == 0:
        return 1.0
    return min(1.0, 2 * float(stats.binom.cdf(min(only_first, only_second), discordant, 0.5)))
