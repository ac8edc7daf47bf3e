"""How much more potent one drug is than another: on parallel lines, or by their two ED50s."""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from scipy.special import chdtrc, ndtr, ndtri

from kindle import __version__
from kindle.analysis.effective_dose import line_of
from kindle.analysis.fit import Fit
from kindle.analysis.limits import fieller
from kindle.analysis.links import LINKS
from kindle.analysis.outcome import Note, Result, headline
from kindle.analysis.parallel import ParallelFit, fit_parallel

NOT_PARALLEL_P = 0.05


@dataclass(frozen=True, slots=True)
class PotencyRatio(Result):
    """``ratio`` is the potency of test relative to reference: above 1, test needs the smaller dose.

    ``ed50_ratio`` is ED50 of test over ED50 of reference, its inverse. ``z`` and ``p`` test log10 ``ed50_ratio`` = 0.
    """

    status: Note
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    ed50_ratio: float | None = None
    ed50_ratio_low: float | None = None
    ed50_ratio_high: float | None = None
    method: Literal["parallel", "separate"] | None = None
    slope: float | None = None
    """Common to both drugs, where the lines are parallel."""
    z: float | None = None
    p: float | None = None
    parallelism_chi2: float | None = None
    parallelism_df: int | None = None
    parallelism_p: float | None = None
    level: float = 0.95
    notes: tuple[Note, ...] = ()
    version: str = __version__


@dataclass(frozen=True, slots=True)
class _Parallelism:
    chi2: float
    p: float


def potency_ratio(test: Fit, reference: Fit, parallel: bool | Literal["auto"] = "auto") -> PotencyRatio:
    """Parallel: one slope, Fieller's limits. Separate: difference of the two log10 ED50s, variances added.

    "auto" takes parallel lines unless their test gives p < 0.05. Both fits need the same link, information and level.
    """
    common = fit_parallel(test, reference)
    level = test.options.level
    if isinstance(common, Note):
        if parallel is True or common.code != "not_converged":
            return PotencyRatio(common, level=level, notes=(common,))
        return _separate(test, reference, None, ())
    parallelism = _parallelism(test, reference, common)
    notes: tuple[Note, ...] = ()
    if parallelism.p < NOT_PARALLEL_P:
        message = f"the lines are not parallel (chi2 {parallelism.chi2:.3g}, p = {parallelism.p:.2g}): "
        message += "the potency depends on the effect that is compared"
        notes = (Note("warning", "not_parallel", message),)
    finite = test.slope is not None and reference.slope is not None
    if parallel is False or (parallel == "auto" and parallelism.p < NOT_PARALLEL_P and finite):
        return _separate(test, reference, parallelism, notes)
    return _parallel(common, parallelism, level, notes)


def _parallelism(test: Fit, reference: Fit, common: ParallelFit) -> _Parallelism:
    assert test.loglik is not None
    assert reference.loglik is not None
    chi2 = max(2 * (test.loglik + reference.loglik - common.loglik), 0.0)
    return _Parallelism(chi2, float(chdtrc(1, chi2)))


def _parallel(common: ParallelFit, parallelism: _Parallelism, level: float, notes: tuple[Note, ...]) -> PotencyRatio:
    line = common.log10_potency()
    m = line.log10_dose(0.0)
    limits = fieller(line, m, common.t * sqrt(common.h))
    if limits is None:
        message = "common slope not significant (g >= 1); no finite Fieller limits"
        notes = (Note("status", "g_ge_1", message), *notes)
    se = line.se(m) * sqrt(common.h)
    return _result(
        "parallel", -m, None if limits is None else (-limits[1], -limits[0]), se, parallelism, level, notes, common
    )


def _separate(test: Fit, reference: Fit, parallelism: _Parallelism | None, notes: tuple[Note, ...]) -> PotencyRatio:
    level = test.options.level
    log10_ed50, variance = 0.0, 0.0
    for name, fit, sign in (("test", test, 1), ("reference", reference, -1)):
        if fit.slope is None:
            note = Note(
                "error", "no_ratio", f"{name} has no finite slope, its ED50 no standard error: {fit.status.message}"
            )
            return PotencyRatio(note, level=level, notes=(note, *notes))
        line = line_of(fit)
        m = line.log10_dose(LINKS[fit.options.link].quantile(0.5))
        log10_ed50 += sign * m
        variance += line.se(m) ** 2 * fit.h
        if fit.g is not None and fit.g >= 1:
            notes = (*notes, Note("warning", "g_ge_1", f"{name}: {fit.status.message}; its limits are not reliable"))
    se = sqrt(variance)
    half = float(ndtri(0.5 + level / 2)) * se
    limits = (log10_ed50 - half, log10_ed50 + half)
    return _result("separate", log10_ed50, limits, se, parallelism, level, notes)


def _result(
    method: Literal["parallel", "separate"],
    log10_ratio: float,
    limits: tuple[float, float] | None,
    se: float,
    parallelism: _Parallelism | None,
    level: float,
    notes: tuple[Note, ...],
    common: ParallelFit | None = None,
) -> PotencyRatio:
    """From log10 of the ratio of ED50s."""
    ends = (log10_ratio, *(limits or ()))
    if max(abs(end) for end in ends) > 300:
        note = Note("error", "no_ratio", "the slope is nearly 0: the ratio lies beyond any number")
        return PotencyRatio(note, level=level, notes=(note, *notes))
    z = log10_ratio / se
    return PotencyRatio(
        headline(notes),
        ratio=10**-log10_ratio,
        low=None if limits is None else 10 ** -limits[1],
        high=None if limits is None else 10 ** -limits[0],
        ed50_ratio=10**log10_ratio,
        ed50_ratio_low=None if limits is None else 10 ** limits[0],
        ed50_ratio_high=None if limits is None else 10 ** limits[1],
        method=method,
        slope=common.slope if common is not None else None,
        z=z,
        p=float(2 * ndtr(-abs(z))),
        parallelism_chi2=parallelism.chi2 if parallelism is not None else None,
        parallelism_df=1 if parallelism is not None else None,
        parallelism_p=parallelism.p if parallelism is not None else None,
        level=level,
        notes=notes,
    )
