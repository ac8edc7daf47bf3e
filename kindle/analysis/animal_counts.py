"""Tests of single animals at several doses, so that any set of whole animals is a table at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kindle.analysis.dose_table import Count, DoseTable

Test = tuple[str, float, int]
"""The animal, its dose, and whether it responded."""


@dataclass(frozen=True, slots=True)
class AnimalCounts:
    """``n`` and ``responded`` ``(n_animals, n_doses)``, for ``doses`` ascending; rows of dose 0 are in ``control``."""

    doses: tuple[float, ...]
    n: NDArray[np.int64]
    responded: NDArray[np.int64]
    control: Count | None

    @classmethod
    def of(cls, animals: Sequence[str], tests: Sequence[Test]) -> "AnimalCounts":
        """The rows in the order of ``animals``; an animal without a test has zeros."""
        doses = sorted({dose for _, dose, _ in tests if dose > 0})
        place = {animal: row for row, animal in enumerate(animals)}
        n, responded = (np.zeros((len(animals), len(doses)), np.int64) for _ in range(2))
        for animal, dose, response in tests:
            if dose > 0:
                n[place[animal], doses.index(dose)] += 1
                responded[place[animal], doses.index(dose)] += response
        vehicle = [response for _, dose, response in tests if dose == 0]
        return cls(tuple(doses), n, responded, (len(vehicle), sum(vehicle)) if vehicle else None)

    def drawn(self, times: NDArray[np.int64]) -> DoseTable:
        """The table of animals that were drawn so many times each; the control is not drawn."""
        n, responded = times @ self.n, times @ self.responded
        kept = np.flatnonzero(n)
        return DoseTable(
            tuple(self.doses[k] for k in kept),
            tuple(n[kept].tolist()),
            tuple(responded[kept].tolist()),
            self.control,
        )
