"""An ED50 as the analysis of an interaction takes it: from a fit of this program, or from a published table."""

from dataclasses import dataclass
from math import isfinite, log

from kindle.analysis.outcome import Interval, Note
from kindle.analysis.proportions import Share


@dataclass(frozen=True, slots=True)
class Potency:
    """Of a drug, or of a mixture as its total dose. ``se_log10`` is the standard error of log10 ED50."""

    ed50: float
    se_log10: float | None
    n: int | None = None
    """Animals at doses with an expected effect of 16-84 %."""
    slope: float | None = None
    """Of the line on log10 dose, or a Hill exponent: only ratios of slopes under the same link are used."""
    se_slope: float | None = None
    name: str = ""
    unit: str = ""
    interval: Interval | None = None
    """Headline limits of the ED50 where there are better ones than the standard error gives."""

    @classmethod
    def from_sem(cls, ed50: float, sem: float, n: int | None = None, *, name: str = "", unit: str = "") -> "Potency":
        """From an ED50 with its SEM in dose units."""
        return cls(ed50, sem / (log(10) * ed50), n, name=name, unit=unit)

    @property
    def sem(self) -> float | None:
        """In dose units, by the delta method."""
        return None if self.se_log10 is None else log(10) * self.ed50 * self.se_log10

    def scaled(self, factor: float, unit: str) -> "Potency":
        """With doses in another unit, as from mg of a salt to mmol: ED50 and limits times ``factor``."""
        limits = self.interval and Interval(
            *(None if x is None else x * factor for x in (self.interval.low, self.interval.high))
        )
        return Potency(self.ed50 * factor, self.se_log10, self.n, self.slope, self.se_slope, self.name, unit, limits)


@dataclass(frozen=True, slots=True)
class Inactive:
    """A drug that protected no more than its vehicle up to ``highest_dose``: it has no ED50."""

    name: str
    highest_dose: float
    protected: Share
    """At all its doses together."""
    unit: str = ""


Drug = Potency | Inactive


def named(drug: Drug | None, otherwise: str) -> str:
    return drug.name if drug is not None and drug.name else otherwise


def fault_of(drug: Potency, called: str) -> Note | None:
    """What keeps an ED50 from being combined with others."""
    if not (isfinite(drug.ed50) and drug.ed50 > 0):
        return Note("error", "bad_input", f"{called}: an ED50 above 0 expected, got {drug.ed50:g}")
    if drug.se_log10 is None:
        return Note("error", "no_standard_error", f"{called} has no standard error: its ED50 cannot be combined")
    if not (isfinite(drug.se_log10) and drug.se_log10 > 0):
        return Note("error", "bad_input", f"{called}: a standard error above 0 expected, got {drug.se_log10:g}")
    for what, value in (("slope", drug.slope), ("se_slope", drug.se_slope)):
        if value is not None and not (isfinite(value) and value > 0):
            return Note("error", "bad_input", f"{called}: {what} must be above 0, got {value:g}")
    if drug.n is not None and drug.n < 2:
        return Note("error", "bad_input", f"{called}: n = {drug.n} animals allow no standard error")
    return None
