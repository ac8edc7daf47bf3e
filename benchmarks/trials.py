"""Which trials are measured, and what is kept of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from drivers.simulated.scenarios import SCENARIOS, Family, Recording, scenario

Group = Literal["scenario", "band", "sham"]

BANDS = {"1.5-2": (1.5, 2.0), "2-3": (2.0, 3.0), ">=3": (3.0, 20.0)}
BANDED = ("1", "8", "10", "11", "12", "16")
"""Scenarios that are drawn again at ratios from each band."""
SHAPELESS = ("4", "5", "6", "19", "20", "21a", "22b", "23a", "23b", "24")
"""No waveform family appears in these: the seeds alone differ."""
SHAMS_CLEAN, SHAMS_SPIKING = ("4",), ("sham-clusters", "sham-poisson")
BAND_SEED, SHAM_SEED = 2_000, 10_000


@dataclass(frozen=True, slots=True)
class Trial:
    """``index`` counts the trials of one kind; the seed differs for every one, so that no two share a recording."""

    group: Group
    number: str
    index: int
    seed: int
    family: Family
    ratio: float | None = None

    def draw(self) -> Recording:
        return scenario(self.number, self.seed, family=self.family, ratio=self.ratio)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one method says of one trial; errors in s, signed, 0 inside the range that is right."""

    verdict: str
    onset_error_s: float | None = None
    end_error_s: float | None = None
    duration_error_s: float | None = None
    duration_s: float | None = None
    n_events: int = 0
    n_secondary: int = 0
    end_grade: str | None = None
    confidence: float | None = None
    onset_censored: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """A trial's truth, and the reading of every method by name; ``causal`` and ``refined`` are ours."""

    group: Group
    number: str
    name: str
    seed: int
    family: str
    ratio: float
    verdict: str
    borderline: bool
    duration_s: float | None
    onset_exact: bool
    end_exact: bool
    n_events: int
    end_grade: str | None
    readings: dict[str, Reading]
    train_error_s: float | None = None
    """Of the train found by its artefact, the worse of its two ends; ``None`` when it was not found alone."""

    @property
    def clear(self) -> bool:
        """Nothing, or a discharge at 2.5 times the baseline or more for 3.5 s or longer."""
        if self.verdict == "none":
            return True
        large = self.ratio >= 2.5 and self.duration_s is not None and self.duration_s >= 3.5
        return self.verdict == "afterdischarge" and large and not self.borderline

    @property
    def onset_hidden(self) -> bool:
        return self.verdict == "afterdischarge" and not self.onset_exact

    @property
    def band(self) -> str:
        return next((name for name, (low, high) in BANDS.items() if low <= self.ratio < high), ">=3")


def plan(seeds: int, shams: int, *, first_seed: int = 0) -> list[Trial]:
    """``seeds`` per scenario and family, as many for each band of amplitudes, and ``shams`` of either kind."""
    return [*_scenarios(seeds, first_seed), *_bands(seeds, first_seed), *_shams(shams, first_seed)]


def _scenarios(seeds: int, first_seed: int) -> Iterator[Trial]:
    families = list(Family)
    for number in SCENARIOS:
        if number in SHAMS_SPIKING:
            continue
        for index in range(seeds):
            for k, family in enumerate(families):
                if number not in SHAPELESS or k == index % len(families):
                    yield Trial("scenario", number, index, first_seed + len(families) * index + k, family)


def _bands(seeds: int, first_seed: int) -> Iterator[Trial]:
    """Ratios even in logarithm over the band, another one for every trial."""
    rng = np.random.default_rng([first_seed, 5])
    families = list(Family)
    for place, (low, high) in enumerate(BANDS.values(), start=1):
        for number in BANDED:
            for index in range(seeds):
                for k, family in enumerate(families):
                    ratio = float(np.exp(rng.uniform(np.log(low), np.log(high))))
                    seed = first_seed + BAND_SEED * place + len(families) * index + k
                    yield Trial("band", number, index, seed, family, ratio)


def _shams(shams: int, first_seed: int) -> Iterator[Trial]:
    families = list(Family)
    for numbers in (SHAMS_CLEAN, SHAMS_SPIKING):
        for index in range(shams):
            seed = first_seed + SHAM_SEED + index
            # Not in step with the families, so that every kind of sham is seen in every family.
            number = numbers[index // len(families) % len(numbers)]
            yield Trial("sham", number, index, seed, families[index % len(families)])
