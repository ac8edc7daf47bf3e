"""Two drugs on parallel lines: one slope, an intercept each."""

from dataclasses import dataclass
from math import log10
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from kindle.analysis.dose_table import DoseTable
from kindle.analysis.fit import Fit
from kindle.analysis.heterogeneity import applied
from kindle.analysis.likelihood import Assay, climb, covariance_of, information, log_coefficients
from kindle.analysis.limits import Line
from kindle.analysis.links import LINKS
from kindle.analysis.outcome import Note

Group = Literal["test", "reference"]


@dataclass(frozen=True, slots=True)
class ParallelFit:
    """On log10 dose; ``vcov`` ``(3, 3)`` of intercept of test, of reference, and slope, before ``h``."""

    slope: float
    intercept_test: float
    intercept_reference: float
    vcov: NDArray[np.float64]
    loglik: float
    chi2: float
    df: int
    p: float | None
    h: float
    t: float

    def line(self, group: Group) -> Line:
        """The line of one drug, for doses and their limits."""
        i = 0 if group == "test" else 1
        intercept = self.intercept_test if group == "test" else self.intercept_reference
        return Line(intercept, self.slope, float(self.vcov[i, i]), float(self.vcov[i, 2]), float(self.vcov[2, 2]))

    def log10_potency(self) -> Line:
        """As a line whose dose at 0 is log10 of the potency of test relative to reference."""
        of_difference = np.array([-1.0, 1.0, 0.0])
        v11 = float(of_difference @ self.vcov @ of_difference)
        v12 = float(of_difference @ self.vcov[:, 2])
        return Line(self.intercept_reference - self.intercept_test, self.slope, v11, v12, float(self.vcov[2, 2]))


def fit_parallel(test: Fit, reference: Fit) -> ParallelFit | Note:
    """The common slope of two fits that share their options. One of them may be separated, not both."""
    fault = _fault(test, reference)
    if fault is not None:
        return fault
    assert test.table is not None
    assert reference.table is not None
    of_line, design = _joined(test.table, reference.table, test)
    peak = climb(of_line, design, np.array([0.0, 0.0, 1.0]))
    if not peak.converged:
        return Note("error", "not_converged", "no common slope can be found; the drugs can be compared by their doses")
    alpha_test, alpha_reference, beta = (float(value) for value in peak.coefficients)
    if beta <= 0:
        return Note("error", "non_positive_slope", "protection falls with dose on the common line: no potency")
    weights = peak.terms.observed if test.options.information == "observed" else peak.terms.expected
    back = np.array([[1.0, 0.0, -of_line.centre], [0.0, 1.0, -of_line.centre], [0.0, 0.0, 1.0]])
    back[:, 2] /= of_line.spread
    covariance = covariance_of(information(design, weights))
    if covariance is None:
        return Note("error", "not_converged", "the common slope has no finite error; compare the drugs by their ED50s")
    vcov = back @ covariance @ back.T
    p = of_line.link.probability(design @ peak.coefficients)
    chi2 = float(((of_line.responded - of_line.n * p) ** 2 / (of_line.n * p * (1 - p))).sum())
    df = of_line.n.size - 3
    p_chi2 = float(chdtrc(df, chi2)) if df > 0 else None
    h, t = applied(test.options, chi2, df, p_chi2, int(of_line.n.max()))
    return ParallelFit(
        slope=beta / of_line.spread,
        intercept_test=alpha_test - beta * of_line.centre / of_line.spread,
        intercept_reference=alpha_reference - beta * of_line.centre / of_line.spread,
        vcov=np.asarray(vcov),
        loglik=peak.loglik + log_coefficients(of_line.n, of_line.responded),
        chi2=chi2,
        df=df,
        p=p_chi2,
        h=h,
        t=t,
    )


def _fault(test: Fit, reference: Fit) -> Note | None:
    for name, fit in (("test", test), ("reference", reference)):
        if fit.status.kind == "error":
            return Note("error", "no_ratio", f"{name}: {fit.status.message}")
        if fit.options.natural != "none" or fit.options.penalty is not None:
            message = f"{name}: parallel lines are fitted without natural response and without penalty"
            return Note("error", "no_ratio", message)
    ours, theirs = test.options, reference.options
    for what, a, b in (
        ("links", ours.link, theirs.link),
        ("information", ours.information, theirs.information),
        ("levels", ours.level, theirs.level),
        ("units", ours.unit, theirs.unit),
    ):
        if a != b:
            return Note("error", "options_differ", f"the two fits differ in {what}: {a} and {b}")
    if test.slope is None and reference.slope is None:
        return Note("error", "no_ratio", "neither drug has a finite slope: their ED50s are known by their doses only")
    return None


def _joined(test: DoseTable, reference: DoseTable, fit: Fit) -> tuple[Assay, NDArray[np.float64]]:
    x = np.array([log10(dose) for dose in (*test.doses, *reference.doses)])
    n = np.array((*test.n, *reference.n), np.float64)
    responded = np.array((*test.responded, *reference.responded), np.float64)
    centre, spread = float(n @ x / n.sum()), float(np.ptp(x))
    of_test = np.arange(x.size) < len(test.doses)
    joined = Assay(LINKS[fit.options.link], (x - centre) / spread, n, responded, centre, spread)
    return joined, np.column_stack([of_test, ~of_test, joined.z]).astype(np.float64)
