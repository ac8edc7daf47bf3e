"""Two drugs at one dose each, alone and together: what such a study can say, and what it cannot.

It has no dose-response line and so no additive dose: potentiation it may show, never the synergy of an isobole.
Fisher's test of both drugs against one says that both protect more, which two drugs that only add up do as well.
"""

from dataclasses import dataclass

from kindle import __version__
from kindle.analysis.interaction import Verdict
from kindle.analysis.outcome import Note, Result, headline
from kindle.analysis.proportions import Share, fisher, share


@dataclass(frozen=True, slots=True)
class Bliss:
    """Shares protected if the drugs act independently; ``excess`` is observed - expected. Descriptive only."""

    expected: float
    excess: float


@dataclass(frozen=True, slots=True)
class OneDose(Result):
    """Each ``p_*`` is Fisher's, two-sided, of both drugs together against that group."""

    status: Note
    names: tuple[str, str]
    vehicle: Share | None
    a: Share
    b: Share
    both: Share
    bliss: Bliss
    p_vehicle: float | None
    p_a: float
    p_b: float
    verdict: Verdict
    words: str
    level: float
    notes: tuple[Note, ...]
    version: str = __version__


def bliss(protected_a: float, protected_b: float, protected_both: float) -> Bliss:
    """Of shares between 0 and 1 (Bliss 1939). Raises ``ValueError`` for others."""
    for protected in (protected_a, protected_b, protected_both):
        if not 0 <= protected <= 1:
            raise ValueError(f"a share between 0 and 1 expected, got {protected:g}")
    expected = protected_a + protected_b - protected_a * protected_b
    return Bliss(expected, protected_both - expected)


def one_dose(
    a: tuple[int, int],
    b: tuple[int, int],
    both: tuple[int, int],
    vehicle: tuple[int, int] | None = None,
    *,
    names: tuple[str, str] = ("A", "B"),
    level: float = 0.95,
) -> OneDose:
    """Of ``(protected, n)`` in separate groups of animals.

    Potentiation needs more protection than by each drug alone, each by Fisher's test, and more than Bliss expects.
    Raises ``ValueError`` for counts that are none.
    """
    of_a, of_b, of_both = (share(*counted, level) for counted in (a, b, both))
    of_vehicle = None if vehicle is None else share(*vehicle, level)
    independent = bliss(of_a.value, of_b.value, of_both.value)
    p_a, p_b = fisher(of_both, of_a), fisher(of_both, of_b)
    notes = [
        Note("warning", "one_dose", "one dose of each drug: no additive dose and no synergy can be derived"),
        Note("ok", "fisher", "Fisher's test of both drugs against one is no test of their interaction"),
    ]
    if of_vehicle is None:
        notes.append(Note("warning", "no_vehicle", "no vehicle group: protection by handling alone is not known"))
    more = of_both.value > max(of_a.value, of_b.value) and max(p_a, p_b) < 1 - level
    verdict = Verdict.POTENTIATION if more and independent.excess > 0 else Verdict.NONE
    words = (
        f"{verdict}: {names[0]} {of_a}, {names[1]} {of_b}, both {of_both} protected (both v {names[0]} p = {p_a:.2g}, "
        f"v {names[1]} p = {p_b:.2g}, Fisher; {independent.expected:.0%} expected of independent drugs)"
    )
    p_vehicle = None if of_vehicle is None else fisher(of_both, of_vehicle)
    return OneDose(
        headline(tuple(notes)),
        names,
        of_vehicle,
        of_a,
        of_b,
        of_both,
        independent,
        p_vehicle,
        p_a,
        p_b,
        verdict,
        words,
        level,
        tuple(notes),
    )
