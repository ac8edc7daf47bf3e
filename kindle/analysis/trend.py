"""A trend of protection with the dose, without a curve."""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import chdtrc

from kindle import __version__
from kindle.analysis.dose_table import read_doses
from kindle.analysis.outcome import Note, Result


@dataclass(frozen=True, slots=True)
class Trend(Result):
    """One degree of freedom; ``slope`` is the change of the proportion per unit of score."""

    status: Note
    chi2: float | None = None
    p: float | None = None
    slope: float | None = None
    version: str = __version__


def dose_trend(scores: Sequence[float], n: Sequence[int], responded: Sequence[int]) -> Trend:
    """Cochran and Armitage's test (as R's prop.trend.test); ``scores`` are doses, their logarithms or ranks."""
    if not len(scores) == len(n) == len(responded):
        told = f"{len(scores)} scores, {len(n)} n, {len(responded)} responded"
        return Trend(Note("error", "bad_input", f"columns of unequal length: {told}"))
    # Scores may be logarithms and negative; only the counts are those of a dose table.
    counts = read_doses([1.0] * len(scores), n, responded)
    if isinstance(counts, Note):
        return Trend(counts)
    if any(not abs(score) < float("inf") for score in scores):
        return Trend(Note("error", "bad_input", "a score is no finite number"))
    total, q = counts.animals, counts.responders / counts.animals
    mean = sum(s * animals for s, animals in zip(scores, n, strict=True)) / total
    spread = sum(animals * (s - mean) ** 2 for s, animals in zip(scores, n, strict=True))
    if len(set(scores)) < 2:
        return Trend(Note("error", "one_dose", "at least two distinct doses needed"))
    if q in (0, 1):
        message = "all animals protected" if q else "no animal protected"
        return Trend(Note("error", "all_responded" if q else "none_responded", f"{message}: no trend to test"))
    covered = sum((s - mean) * (r - animals * q) for s, animals, r in zip(scores, n, responded, strict=True))
    chi2 = covered**2 / (q * (1 - q) * spread)
    return Trend(Note("ok", "ok", ""), chi2, float(chdtrc(1, chi2)), covered / spread)
