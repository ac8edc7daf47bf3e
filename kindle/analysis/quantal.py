"""Quantal dose-response: protected or not, on log10 dose, by maximum likelihood.

The data are diagnosed before anything is fitted: a table whose likelihood has no finite maximum gets a status, never
the numbers at which an iteration happened to stop.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri

from kindle.analysis.dose_table import DoseTable, read_doses
from kindle.analysis.findings import after_the_fit, before_the_fit, refusal, separated
from kindle.analysis.firth import climb_penalised
from kindle.analysis.fit import Fit
from kindle.analysis.heterogeneity import applied
from kindle.analysis.likelihood import Assay, covariance_of, information, line_design, log_coefficients, saturated
from kindle.analysis.limits import Line
from kindle.analysis.links import LinkName, Values
from kindle.analysis.natural_rates import control_loglik
from kindle.analysis.outcome import Note, headline
from kindle.analysis.preparing import Prepared, prepare
from kindle.analysis.quantal_options import Heterogeneity, Information, Natural, Penalty, QuantalOptions

HOPELESS_CHI2 = 1e12
"""No table of animals is so far from a line that describes it."""


def fit_quantal(
    doses: Sequence[float],
    n: Sequence[int],
    responded: Sequence[int],
    *,
    link: LinkName = "probit",
    control: tuple[int, int] | None = None,
    natural: Natural = "none",
    information: Information = "expected",
    heterogeneity: Heterogeneity = "p<0.05",
    penalty: Penalty | None = None,
    pool: bool = True,
    level: float = 0.95,
    unit: str = "",
) -> Fit:
    """``responded`` of ``n`` animals at each of ``doses``; ``control`` = (n, responded), as rows of dose 0 are.

    ``natural`` is the response without the drug: ignored, Abbott's correction, estimated, or a known rate.
    ``information`` and ``heterogeneity`` decide the standard errors (SPSS, SAS, PoloPlus: observed; R, EPA, Finney:
    expected); an estimated natural rate always takes the observed one. ``pool`` adds equal doses up; without it each
    row is its own group in the goodness of fit. Data that cannot be fitted come back with their status; an option that
    is not there raises ``ValueError``.
    """
    options = QuantalOptions(link, natural, information, heterogeneity, penalty, pool, level, unit)
    return fit_table(read_doses(doses, n, responded, control, pool=pool), options)


def fit_table(table: DoseTable | Note, options: QuantalOptions, notes: tuple[Note, ...] = ()) -> Fit:
    """As `fit_quantal`, of a table that was read already; ``notes`` are what is known of it."""
    if options.natural == "estimate":
        options = replace(options, information="observed")
    if isinstance(table, Note):
        return Fit(table, options, None, notes=(table,))
    refused = refusal(table, options)
    if refused is not None:
        return Fit(refused, options, table, notes=(refused, *notes))
    notes = (*notes, *before_the_fit(table, options))
    prepared = prepare(table, options)
    if isinstance(prepared, Note):
        return Fit(prepared, options, table, notes=(prepared, *notes))
    if prepared.separation is not None:
        notes = (separated(prepared.separation, options), *notes)
        if options.penalty is None:
            return _separated(table, options, prepared, notes)
    return _fitted(table, options, prepared, notes)


def _separated(table: DoseTable, options: QuantalOptions, prepared: Prepared, notes: tuple[Note, ...]) -> Fit:
    assert prepared.separation is not None
    return Fit(
        headline(notes),
        options,
        table,
        t=float(ndtri(0.5 + options.level / 2)),
        loglik=prepared.top_loglik + log_coefficients(prepared.assay.n, prepared.assay.responded),
        natural_rate=prepared.natural_rate,
        bracket=(prepared.separation.lower, prepared.separation.upper),
        notes=notes,
    )


def _fitted(table: DoseTable, options: QuantalOptions, prepared: Prepared, notes: tuple[Note, ...]) -> Fit:
    of_line = prepared.assay
    if options.penalty is None:
        assert prepared.peak is not None
        coefficients, terms = prepared.peak.coefficients, prepared.peak.terms
    else:
        penalised = climb_penalised(of_line)
        coefficients, terms = penalised.coefficients, penalised.terms
        notes = (*notes, Note("ok", "firth", "Firth's penalised likelihood: not the maximum likelihood estimate"))
    weights = terms.observed if options.information == "observed" else terms.expected
    covariance = prepared.covariance
    if covariance is None:
        covariance = covariance_of(information(line_design(of_line), weights))
    if covariance is None:
        return _no_line(table, options, notes)
    line = _on_log10_dose(of_line, coefficients, covariance)
    chi2, deviance, df = _goodness(table, options, of_line, coefficients, terms.loglik)
    if not chi2 < HOPELESS_CHI2:
        return _no_line(table, options, notes)
    p = float(chdtrc(df, chi2)) if df > 0 else None
    h, t = applied(options, chi2, df, p, max(table.n))
    g = h * line.g(t)
    notes = (*notes, *after_the_fit(g, h, chi2, df, p))
    rate_known = prepared.natural_rate is not None
    return Fit(
        headline(notes),
        options,
        table,
        slope=line.slope,
        se_slope=sqrt(line.v22),
        intercept=line.intercept,
        se_intercept=sqrt(line.v11),
        vcov=((line.v11, line.v12), (line.v12, line.v22)),
        chi2=chi2,
        deviance=deviance,
        df=df,
        p=p,
        h=h,
        t=t,
        g=g,
        loglik=terms.loglik + log_coefficients(of_line.n, of_line.responded),
        natural_rate=prepared.natural_rate,
        se_natural_rate=sqrt(covariance[2, 2]) if rate_known and covariance.shape == (3, 3) else None,
        bracket=(prepared.separation.lower, prepared.separation.upper) if prepared.separation else None,
        notes=notes,
    )


def _no_line(table: DoseTable, options: QuantalOptions, notes: tuple[Note, ...]) -> Fit:
    refused = Note("error", "no_line", "animals respond where this line says that none can; try another link")
    return Fit(refused, options, table, notes=(refused, *notes))


def _on_log10_dose(of_line: Assay, coefficients: Values, covariance: NDArray[np.float64]) -> Line:
    """From the standardised log dose back: intercept = alpha - beta * centre / spread, slope = beta / spread."""
    back = np.array([[1.0, -of_line.centre / of_line.spread], [0.0, 1.0 / of_line.spread]])
    intercept, slope = (float(value) for value in back @ coefficients)
    (v11, v12), (_, v22) = (back @ covariance[:2, :2] @ back.T).tolist()
    return Line(intercept, slope, v11, v12, v22)


def _goodness(
    table: DoseTable, options: QuantalOptions, of_line: Assay, coefficients: Values, loglik: float
) -> tuple[float, float, int]:
    """Pearson's chi2, deviance and degrees of freedom; the control counts where its rate is estimated."""
    p = of_line.probability(of_line.eta(*coefficients))
    n, responded = of_line.n, of_line.responded
    parameters = 2
    if options.natural == "estimate":
        parameters = 3
        if table.control is not None:
            p = np.append(p, of_line.natural)
            n, responded = np.append(n, table.control[0]), np.append(responded, table.control[1])
            loglik += control_loglik(table.control, of_line.natural)
    variance = n * p * (1 - p)
    # Where the line says never or always and the data agree, there is nothing to add.
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(np.abs(responded - n * p) < 1e-12, 0.0, (responded - n * p) ** 2 / variance)
    return float(parts.sum()), max(2 * (saturated(n, responded) - loglik), 0.0), max(len(n) - parameters, 0)
