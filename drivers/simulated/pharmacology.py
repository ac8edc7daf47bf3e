"""Drugs in a simulated rat: their level over time, what a dose of each does, and how two of them act together."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log


@dataclass(frozen=True, slots=True)
class Drug:
    """``ed50_mg_per_kg`` protects half of the rats at the drug's peak, on the basis in which it is injected."""

    name: str
    ed50_mg_per_kg: float
    absorption_per_h: float = 8.0
    elimination_per_h: float = 0.7
    """Faster than the absorption or slower, but never the same."""

    def level(self, elapsed_s: float) -> float:
        """One compartment with first-order absorption, 1 at its peak and 0 before the injection."""
        if elapsed_s <= 0:
            return 0.0
        peak_h = log(self.absorption_per_h / self.elimination_per_h) / (self.absorption_per_h - self.elimination_per_h)
        return self._amount(elapsed_s / 3600) / self._amount(peak_h)

    def ed50_after(self, pretreatment_s: float) -> float:
        """The dose that protects half of the rats tested so long after its injection, in mg/kg."""
        return self.ed50_mg_per_kg / self.level(pretreatment_s)

    def _amount(self, hours: float) -> float:
        return abs(exp(-self.elimination_per_h * hours) - exp(-self.absorption_per_h * hours))


VALPROATE = Drug("sodium valproate", ed50_mg_per_kg=100.0)
"""A figure to be found again, of the order of those of the field; not a measurement."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """``index`` of a mixture whose parts are equally effective: 1 is additive, less synergistic, more antagonistic."""

    first: str
    second: str
    index: float


@dataclass(frozen=True, slots=True)
class Given:
    drug: Drug
    mg_per_kg: float
    at_s: float


def effect(given: Iterable[Given], interactions: Iterable[Interaction], now_s: float) -> float:
    """Dose in units of the ED50: 1 protects the median rat. Loewe additivity, bent by the interaction index.

    The index acts in full where both parts contribute the same, and not at all where one of them is absent.
    """
    parts: dict[str, float] = {}
    for dose in given:
        part = dose.mg_per_kg / dose.drug.ed50_mg_per_kg * dose.drug.level(now_s - dose.at_s)
        parts[dose.drug.name] = parts.get(dose.drug.name, 0.0) + part
    total = sum(parts.values())
    for pair in interactions:
        product = parts.get(pair.first, 0.0) * parts.get(pair.second, 0.0)
        if product > 0:
            both = parts[pair.first] + parts[pair.second]
            total *= pair.index ** (-4 * product / both**2)
    return total
