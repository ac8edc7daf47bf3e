"""What comparisons of the same rats with and without a drug give, one type for each kind of measure."""

from dataclasses import dataclass

from kindle import __version__
from kindle.analysis.outcome import Interval, Note, Result
from kindle.analysis.proportions import Share
from kindle.analysis.signed_rank import Shift, SignedRank


@dataclass(frozen=True, slots=True)
class PairedT:
    """Of the mean difference control - drug."""

    t: float
    df: int
    p: float
    mean: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class RatioT:
    """Geometric mean of drug / control, with Student's interval on the log scale."""

    value: float
    interval: Interval
    t: float
    df: int
    p: float


@dataclass(frozen=True, slots=True)
class PairedDurations(Result):
    """Differences are control - drug. The signed rank is primary; Student's t and the ratio stand beside it."""

    status: Note
    n: int
    signed_rank: SignedRank | None
    shift: Shift | None
    t: PairedT | None
    ratio: RatioT | None
    """``None`` unless all values are above 0."""
    notes: tuple[Note, ...]
    level: float
    version: str = __version__


@dataclass(frozen=True, slots=True)
class PairedThresholds(Result):
    """The ratio is primary; with thresholds above the maximal current only the direction of a change is used."""

    status: Note
    n: int
    ratio: RatioT | None
    """``None`` with a censored threshold: `threshold_change` then estimates it from what is known."""
    signed_rank: SignedRank | None
    """Of log control - log drug; ``None`` with a censored threshold."""
    n_raised: int
    n_lowered: int
    n_undecided: int
    """Equal, or censored on both days."""
    p_sign: float
    """Two-sided exact sign test."""
    notes: tuple[Note, ...]
    level: float
    version: str = __version__


@dataclass(frozen=True, slots=True)
class PairedStages(Result):
    """Differences are control - drug; a stage is a rank, so that counts and medians describe it and means do not."""

    status: Note
    n: int
    signed_rank: SignedRank | None
    control_counts: tuple[tuple[float, int], ...]
    """Every stage that occurred, with the number of rats."""
    drug_counts: tuple[tuple[float, int], ...]
    control_median: float | None
    drug_median: float | None
    notes: tuple[Note, ...]
    level: float
    version: str = __version__


@dataclass(frozen=True, slots=True)
class PairedIncidence(Result):
    """McNemar's exact test from the rats that had a seizure on one of the two days only."""

    status: Note
    control: Share | None
    drug: Share | None
    n_control_only: int
    n_drug_only: int
    p: float | None
    notes: tuple[Note, ...]
    level: float
    version: str = __version__


Paired = PairedDurations | PairedThresholds | PairedStages | PairedIncidence
