"""The exact Wilcoxon signed-rank test with ties and zeros, and the Hodges-Lehmann shift with its exact interval.

The distribution is counted over doubled mid-ranks, so it is exact at every n; a normal approximation is never used.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from kindle.analysis.outcome import Interval

Zeros = Literal["wilcoxon", "pratt"]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SignedRank:
    """``v`` is the sum of the ranks of positive differences (control - drug)."""

    v: float
    n: int
    """Differences that are not zero."""
    n_zero: int
    zeros: Zeros
    p: float
    """Two-sided."""
    p_greater: float
    """That the control values are the greater ones."""
    p_less: float


@dataclass(frozen=True, slots=True)
class Shift:
    """Hodges-Lehmann: the median of the Walsh averages of all differences, zeros among them."""

    value: float
    interval: Interval | None
    """``None`` where so few differences allow no exact interval at ``level``."""
    level: float
    achieved: float | None
    """The exact coverage of ``interval`` for differences without ties; conservative with them."""


def signed_rank(differences: Values, zeros: Zeros = "wilcoxon") -> SignedRank:
    """Wilcoxon drops zeros before ranking, Pratt after it. Raises ``ValueError`` when every difference is zero."""
    differences = tidied(differences)
    nonzero = differences != 0
    n = int(nonzero.sum())
    if n == 0:
        raise ValueError("all differences are zero")
    ranked = nonzero if zeros == "wilcoxon" else np.ones_like(nonzero)
    ranks = np.zeros(differences.size)
    ranks[ranked] = rankdata(np.abs(differences[ranked]))
    doubled = np.rint(2 * ranks).astype(np.int64)
    v2 = int(doubled[differences > 0].sum())
    chances = _chances(tuple(sorted(doubled[nonzero].tolist())))
    p_less, p_greater = float(chances[: v2 + 1].sum()), float(chances[v2:].sum())
    return SignedRank(v2 / 2, n, differences.size - n, zeros, min(1.0, 2 * min(p_less, p_greater)), p_greater, p_less)


def hodges_lehmann(differences: Values, level: float = 0.95) -> Shift:
    """Limits are the k-th smallest and k-th largest Walsh average, k the signed-rank quantile at (1 - level)/2."""
    n = differences.size
    rows, columns = np.triu_indices(n)
    walsh = np.sort((differences[rows] + differences[columns]) / 2)
    chances = _chances(tuple(range(2, 2 * n + 2, 2)))[::2]
    below = np.cumsum(chances)
    k = int(np.searchsorted(below, (1 - level) / 2 + 1e-12, side="right"))
    middle = float(np.median(walsh))
    if k == 0:
        return Shift(middle, None, level, None)
    interval = Interval(float(walsh[k - 1]), float(walsh[-k]))
    return Shift(middle, interval, level, 1 - 2 * float(below[k - 1]))


def tidied(differences: Values) -> Values:
    """Ties in what was measured stay ties: 1.83 - 1.62 and 1.21 - 1.00 differ by a rounding of the machine only."""
    scale = float(np.abs(differences).max(initial=0.0))
    return differences if scale == 0 else np.round(differences / scale, 12) * scale


@lru_cache(maxsize=256)
def _chances(doubled: tuple[int, ...]) -> Values:
    """The chance of every doubled rank sum when each sign is a fair coin's."""
    chances = np.zeros(sum(doubled) + 1)
    chances[0] = 1.0
    for rank in doubled:
        with_it = chances[: chances.size - rank] / 2
        chances /= 2
        chances[rank:] += with_it
    chances.flags.writeable = False
    return chances
