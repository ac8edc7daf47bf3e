"""Isobolographic analysis of a fixed-ratio mixture of two drugs (Loewe additivity), types I and II."""

from dataclasses import dataclass, replace

from scipy import stats

from kindle import __version__
from kindle.analysis.additivity import AdditivePoint, not_parallel, one_inactive, parallel
from kindle.analysis.fit import Fit
from kindle.analysis.fitted_potencies import drug_of, parallel_lines
from kindle.analysis.interaction import AdditiveTest, Convention, Index, Verdict, index_of, tests_of
from kindle.analysis.isobole_inputs import IsoboleKind, Parallelism, fault_in, kind_of, ratio_of
from kindle.analysis.outcome import Note, Result, headline
from kindle.analysis.potencies import Drug, Inactive, Potency, named


@dataclass(frozen=True, slots=True)
class Isobole(Result):
    """``additive`` and ``index`` hold one entry, or the lower and the upper one where the lines are not parallel."""

    status: Note
    kind: IsoboleKind | None
    convention: Convention
    level: float
    a: Drug | None = None
    """``None``, as of the others, for a fit that has no ED50 and says why."""
    b: Drug | None = None
    mixture: Potency | None = None
    fraction_of_ed50: float | None = None
    """Of drug A; the rest is B's. ``None`` with an inactive drug, which has no ED50."""
    mass_fraction_a: float | None = None
    additive: tuple[AdditivePoint, ...] = ()
    index: tuple[Index, ...] = ()
    tests: tuple[AdditiveTest, ...] = ()
    parallelism: Parallelism | None = None
    verdict: Verdict | None = None
    words: str = ""
    """The verdict with its numbers, as one may print it."""
    notes: tuple[Note, ...] = ()
    version: str = __version__


def isobole(
    a: Drug | Fit,
    b: Drug | Fit,
    mixture: Potency | Fit | None = None,
    *,
    fraction_of_ed50: float | None = None,
    mass_fraction_a: float | None = None,
    kind: IsoboleKind | None = None,
    se: Convention = "log-delta",
    parallelism: Parallelism | None = None,
    level: float = 0.95,
) -> Isobole:
    """Of the mixture's ED50 (its total dose) against the additive dose of the same mixture.

    Exactly one of ``fraction_of_ed50`` (A's share f, with B's 1 - f) and ``mass_fraction_a`` (of the total dose) says
    what was mixed. ``kind`` ``None`` takes type II with an inactive drug, the two curves for slopes that differ at
    p < 0.05, else type I. Without ``mixture`` the additive dose alone is computed. Of two fits, and with
    ``parallelism``, the lines are compared by their likelihood, otherwise by slopes and standard errors.
    """
    if parallelism is None and isinstance(a, Fit) and isinstance(b, Fit):
        parallelism = parallel_lines(a, b)
    of_a, of_b = _read(a, "drug A"), _read(b, "drug B")
    of_mixture = None if mixture is None else _read(mixture, "the mixture")
    for read in (of_a, of_b, of_mixture):
        if isinstance(read, Note):
            return Isobole(read, kind, se, level, notes=(read,))
    assert not isinstance(of_a, Note)
    assert not isinstance(of_b, Note)
    if isinstance(of_mixture, Inactive):
        note = Note("error", "none_responded", f"the mixture protected {of_mixture.protected} animals: it has no ED50")
        return Isobole(note, kind, se, level, of_a, of_b, notes=(note,))
    assert not isinstance(of_mixture, Note)
    chosen, parallelism, notes = kind_of(of_a, of_b, kind, parallelism)
    fault = fault_in(of_a, of_b, of_mixture, fraction_of_ed50, mass_fraction_a, chosen, se, level)
    if fault is not None:
        return Isobole(fault, chosen, se, level, of_a, of_b, of_mixture, parallelism=parallelism, notes=(fault,))
    f, rho = ratio_of(of_a, of_b, fraction_of_ed50, mass_fraction_a)
    points = _additive(of_a, of_b, rho, chosen, float(stats.norm.ppf(0.5 + level / 2)))
    alone = Isobole(
        headline(notes), chosen, se, level, of_a, of_b, None, f, rho, points, (), (), parallelism, notes=notes
    )
    return alone if of_mixture is None else _with_mixture(alone, of_a, of_b, of_mixture)


def _read(given: Drug | Fit, called: str) -> Drug | Note:
    return drug_of(given, called) if isinstance(given, Fit) else given


def _with_mixture(iso: Isobole, a: Drug, b: Drug, mixture: Potency) -> Isobole:
    index = tuple(index_of(mixture, point.total, point.se_log10, iso.level) for point in iso.additive)
    tests: tuple[AdditiveTest, ...] = ()
    if len(iso.additive) == 1:
        (point,) = iso.additive
        sems = _sems(a, b, iso.fraction_of_ed50, point)
        tests = tests_of(mixture, point.total, point.se_log10, sems, point.n, iso.level)
    verdict = _verdict(index, next((test for test in tests if test.convention == iso.convention), None), iso.level)
    notes = iso.notes + _told(tests, iso.convention, iso.level)
    words = _words(verdict, index, iso.level, iso.kind, a, b)
    return replace(
        iso,
        status=headline(notes),
        mixture=mixture,
        index=index,
        tests=tests,
        verdict=verdict,
        words=words,
        notes=notes,
    )


def _additive(a: Drug, b: Drug, rho: float, kind: IsoboleKind | None, z: float) -> tuple[AdditivePoint, ...]:
    if isinstance(a, Inactive):
        assert isinstance(b, Potency)
        return (one_inactive(b, 1 - rho, False, z),)
    if isinstance(b, Inactive):
        return (one_inactive(a, rho, True, z),)
    return not_parallel(a, b, rho, z) if kind == "I-nonparallel" else (parallel(a, b, rho, z),)


def _sems(a: Drug, b: Drug, f: float | None, point: AdditivePoint) -> dict[Convention, float]:
    """SEM of the additive dose: in quadrature (Tallarida), or as the weighted mean of the two SEMs (Lublin)."""
    if f is None or isinstance(a, Inactive) or isinstance(b, Inactive):
        active = b if isinstance(a, Inactive) else a
        assert isinstance(active, Potency)
        assert active.sem is not None
        sem = active.sem * point.total / active.ed50
        return {"tallarida": sem, "lublin": sem}
    assert a.sem is not None
    assert b.sem is not None
    of_a, of_b = f * a.sem, (1 - f) * b.sem
    return {"tallarida": (of_a**2 + of_b**2) ** 0.5, "lublin": of_a + of_b}


def _verdict(indices: tuple[Index, ...], test: AdditiveTest | None, level: float) -> Verdict:
    """Against the nearer of two curves; the index interval and the chosen test have to agree."""
    if test is not None and test.p >= 1 - level:
        return Verdict.NONE
    if all(index.value < 1 and index.excludes_1 for index in indices):
        return Verdict.SYNERGY
    if all(index.value > 1 and index.excludes_1 for index in indices):
        return Verdict.ANTAGONISM
    return Verdict.NONE


def _told(tests: tuple[AdditiveTest, ...], convention: Convention, level: float) -> tuple[Note, ...]:
    by_p = {test.convention: test.p for test in tests}
    if len({p < 1 - level for p in by_p.values()}) < 2:
        return ()
    told = ", ".join(f"{name} p = {p:.2g}" for name, p in by_p.items())
    return (
        Note("warning", "conventions_disagree", f"the verdict depends on the convention ({told}); taken: {convention}"),
    )


def _words(
    verdict: Verdict,
    indices: tuple[Index, ...],
    level: float,
    kind: IsoboleKind | None,
    a: Drug,
    b: Drug,
) -> str:
    shown = " and ".join(
        f"{index.value:.3g} ({level:.0%} CI {index.interval.low:.3g}-{index.interval.high:.3g})" for index in indices
    )
    if kind == "II":
        active, other = (b, a) if isinstance(a, Inactive) else (a, b)
        names = named(active, "the active drug"), named(other, "its partner")
        return f"{verdict}: ED50 of {names[0]} with {names[1]} / alone = {shown}"
    name = "interaction indices against the two additive curves" if len(indices) > 1 else "interaction index"
    return f"{verdict} at this ratio: {name} {shown}"
