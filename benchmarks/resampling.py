"""Intervals of a figure by drawing animals again, with all trials of each: trials of one animal are alike."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def animal_interval(
    trials: Sequence[T],
    animal: Callable[[T], Hashable],
    figure: Callable[[Sequence[T]], float | None],
    *,
    level: float = 0.95,
    draws: int = 400,
    seed: int = 1,
) -> tuple[float, float] | None:
    """Percentiles of ``figure`` over ``draws`` sets of animals, drawn with replacement; ``None`` from fewer than 3."""
    of_animal: dict[Hashable, list[T]] = {}
    for trial in trials:
        of_animal.setdefault(animal(trial), []).append(trial)
    animals = list(of_animal.values())
    if len(animals) < 3:
        return None
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = [trial for k in rng.integers(len(animals), size=len(animals)) for trial in animals[k]]
        if (value := figure(drawn)) is not None:
            found.append(value)
    if not found:
        return None
    tail = (1 - level) / 2
    return float(np.quantile(found, tail)), float(np.quantile(found, 1 - tail))
