"""What a quantal fit and a dose read from it look like."""

from dataclasses import dataclass

from kindle import __version__
from kindle.analysis.dose_table import DoseTable
from kindle.analysis.outcome import Note, Result
from kindle.analysis.quantal_options import Ci, QuantalOptions


@dataclass(frozen=True, slots=True)
class Fit(Result):
    """eta = ``intercept`` + ``slope`` * log10 dose. Numbers are ``None`` where the table does not give them.

    Standard errors and ``vcov`` are those of the likelihood; limits use them times ``h``, with the quantile ``t``.
    """

    status: Note
    options: QuantalOptions
    table: DoseTable | None
    slope: float | None = None
    se_slope: float | None = None
    intercept: float | None = None
    se_intercept: float | None = None
    vcov: tuple[tuple[float, float], tuple[float, float]] | None = None
    chi2: float | None = None
    """Pearson's; with ``df`` degrees of freedom and its ``p``."""
    deviance: float | None = None
    df: int | None = None
    p: float | None = None
    h: float = 1.0
    """The heterogeneity factor applied to variances: chi2/df, or 1."""
    t: float | None = None
    """The two-sided quantile of limits: normal, or Student's where ``h`` is applied."""
    g: float | None = None
    """Finney's g with ``h`` and ``t``; from 1 on there are no finite Fieller limits."""
    loglik: float | None = None
    """With binomial coefficients; of a separated table its supremum."""
    natural_rate: float | None = None
    se_natural_rate: float | None = None
    bracket: tuple[float, float] | None = None
    """Of a separated table: the doses between which, or the one at which, the ED50 lies."""
    notes: tuple[Note, ...] = ()
    version: str = __version__

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(note.message for note in self.notes if note.kind != "ok")

    def ed(self, p: float = 0.5, ci: Ci = "auto") -> "Estimate":
        """The dose that protects the share ``p`` of animals. Raises ``ValueError`` unless 0 < p < 1."""
        from kindle.analysis.effective_dose import effective_dose

        return effective_dose(self, p, ci)

    def slope_limits(self) -> tuple[float | None, float | None]:
        """Slope -+ t SE; with Firth's penalty by its profile."""
        from kindle.analysis.effective_dose import slope_limits

        return slope_limits(self)


@dataclass(frozen=True, slots=True)
class Estimate(Result):
    """The dose ED``p`` with its limits; a limit that is ``None`` is explained by a note."""

    value: float | None
    low: float | None
    high: float | None
    method: str | None
    """How the limits were found; ``None`` without any."""
    se_log10: float | None
    status: Note
    p: float
    level: float
    notes: tuple[Note, ...] = ()
    version: str = __version__

    @property
    def sem(self) -> float | None:
        """Standard error of the dose itself, by the delta method."""
        return None if self.se_log10 is None or self.value is None else 2.302585092994046 * self.value * self.se_log10
