"""Doses, animals and responders, checked: what every quantal method starts from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Real

from kindle.analysis.outcome import Note

Count = tuple[int, int]
"""Animals, and those of them that responded."""


@dataclass(frozen=True, slots=True)
class DoseTable:
    """Positive doses ascending, ``n`` animals at each and how many ``responded``; doses of 0 are the control."""

    doses: tuple[float, ...]
    n: tuple[int, ...]
    responded: tuple[int, ...]
    control: Count | None = None

    @property
    def animals(self) -> int:
        return sum(self.n)

    @property
    def responders(self) -> int:
        return sum(self.responded)

    @property
    def n_distinct(self) -> int:
        return len(set(self.doses))

    def groups(self) -> Iterator[tuple[float, int, int]]:
        return zip(self.doses, self.n, self.responded, strict=True)

    def __str__(self) -> str:
        return " ".join(f"{r}/{n}" for _, n, r in self.groups())


def read_doses(
    doses: Sequence[float],
    n: Sequence[float],
    responded: Sequence[float],
    control: tuple[float, float] | None = None,
    *,
    pool: bool = True,
) -> DoseTable | Note:
    """The table in the order of the doses, equal doses added up if ``pool``; an error note for what is no table."""
    lengths = {"doses": len(doses), "n": len(n), "responded": len(responded)}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{length} {name}" for name, length in lengths.items())
        return Note("error", "bad_input", f"columns of unequal length: {told}")
    if not lengths["doses"]:
        return Note("error", "bad_input", "no rows: at least two doses are needed")
    rows: list[tuple[float, int, int]] = []
    for row, (dose, animals, responders) in enumerate(zip(doses, n, responded, strict=True), 1):
        fault = _dose_fault(dose) or _count_fault(animals, responders)
        if fault is not None:
            code, what = fault
            return Note("error", code, f"row {row}, dose {_told(dose)}: {what}")
        rows.append((float(dose), int(animals), int(responders)))
    if control is not None:
        fault = _count_fault(*control)
        if fault is not None:
            return Note("error", fault[0], f"control group: {fault[1]}")
        rows.append((0.0, int(control[0]), int(control[1])))
    return _sorted(rows, pool)


def _sorted(rows: list[tuple[float, int, int]], pool: bool) -> DoseTable:
    controls = [(n, r) for dose, n, r in rows if dose == 0]
    groups = sorted(row for row in rows if row[0] > 0)
    if pool:
        added: dict[float, tuple[int, int]] = {}
        for dose, n, r in groups:
            animals, responders = added.get(dose, (0, 0))
            added[dose] = animals + n, responders + r
        groups = [(dose, n, r) for dose, (n, r) in added.items()]
    return DoseTable(
        doses=tuple(dose for dose, _, _ in groups),
        n=tuple(n for _, n, _ in groups),
        responded=tuple(r for _, _, r in groups),
        control=(sum(n for n, _ in controls), sum(r for _, r in controls)) if controls else None,
    )


def _dose_fault(dose: object) -> tuple[str, str] | None:
    if not isinstance(dose, Real) or not isfinite(dose):
        return "bad_input", "the dose is no finite number"
    if dose < 0:
        return "negative_dose", "a dose cannot be negative"
    return None


def _count_fault(n: object, responded: object) -> tuple[str, str] | None:
    for name, count in (("n", n), ("responded", responded)):
        if not isinstance(count, Real) or not isfinite(count) or float(count) % 1 != 0:
            return "bad_counts", f"{name} = {_told(count)} is no count of animals"
        if count < 0:
            return "bad_counts", f"{name} = {_told(count)} is negative"
    assert isinstance(n, Real)
    assert isinstance(responded, Real)
    if n == 0:
        return "bad_counts", "n = 0: no animal was tested; leave the row out"
    if responded > n:
        return "bad_counts", f"r > n: {_told(responded)} responded of {_told(n)} animals"
    return None


def _told(value: object) -> str:
    return f"{value:g}" if isinstance(value, Real) else repr(value)
