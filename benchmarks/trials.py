"""Which trials are measured, and what is kept of each."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from drivers.simulated.scenarios import SCENARIOS, Family, Recording, scenario

Group = Literal["scenario", "band", "sham", "rate"]
GROUPS: tuple[Group, ...] = ("scenario", "band", "sham", "rate")

Span = tuple[float, float]

BANDS = {"1.5-2": (1.5, 2.0), "2-3": (2.0, 3.0), ">=3": (3.0, 20.0)}
BANDED = ("1", "8", "10", "11", "12", "16")
"""Scenarios that are drawn again at ratios from each band."""
SHAPELESS = ("4", "5", "6", "19", "20", "21a", "22b", "23a", "23b", "24")
"""No waveform family appears in these: the seeds alone differ."""
SHAMS_CLEAN, SHAMS_SPIKING = ("4",), ("sham-clusters", "sham-poisson")
AT_OTHER_RATES = ("1", "2", "4", "8", "10", "11", "13", "16", "17", "19", "recovery")
RATES_HZ = (250.0, 500.0, 512.0, 1017.25, 2000.0, 5000.0, 10_000.0)
BAND_SEED, SHAM_SEED, RATE_SEED = 2_000, 10_000, 20_000


@dataclass(frozen=True, slots=True)
class Trial:
    """``index`` counts the trials of one kind; the seed differs for every one, so that no two share a recording."""

    group: Group
    number: str
    index: int
    seed: int
    family: Family
    ratio: float | None = None
    rate_hz: float | None = None
    """Instead of the scenario's own."""

    def draw(self) -> Recording:
        return scenario(self.number, self.seed, family=self.family, ratio=self.ratio, rate_hz=self.rate_hz)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one method, or one person, says of one trial; errors in s, signed, 0 inside the range that is right."""

    verdict: str
    span_s: Span | None = None
    """Of the first discharge, in s since the train's end."""
    onset_error_s: float | None = None
    end_error_s: float | None = None
    duration_error_s: float | None = None
    n_events: int = 0
    n_secondary: int = 0
    end_grade: str | None = None
    confidence: float | None = None
    onset_censored: bool = False
    reason: str = ""

    @property
    def duration_s(self) -> float | None:
        return self.span_s[1] - self.span_s[0] if self.span_s else None


@dataclass(frozen=True, slots=True)
class Measured:
    """A trial's truth, and the reading of every method and rater by name; ``causal`` and ``refined`` are ours."""

    group: Group
    number: str
    name: str
    seed: int
    family: str
    ratio: float
    rate_hz: float
    verdict: str
    borderline: bool
    span_s: Span | None
    """Of the first discharge, in s since the train's end."""
    onset_exact: bool
    end_exact: bool
    n_events: int
    end_grade: str | None
    readings: dict[str, Reading]
    train_error_s: float | None = None
    """Of the train found by its artefact, the worse of its two ends; ``None`` when it was not found alone."""

    @property
    def duration_s(self) -> float | None:
        return self.span_s[1] - self.span_s[0] if self.span_s else None

    @property
    def animal(self) -> tuple[str, int, float]:
        """Background, amplifier and electrode are drawn anew for each of these."""
        return self.number, self.seed, self.rate_hz

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


def plan(
    seeds: int,
    shams: int,
    *,
    first_seed: int = 0,
    rate_seeds: int = 0,
    rates_hz: Sequence[float] = RATES_HZ,
    numbers: Collection[str] = (),
    groups: Collection[Group] = GROUPS,
) -> list[Trial]:
    """``seeds`` per scenario and family, as many for each band of amplitudes, and ``shams`` of either kind.

    ``rate_seeds`` of some scenarios are drawn at each of ``rates_hz``. With ``numbers``, of these scenarios alone.
    """
    drawn = [
        *_scenarios(seeds, first_seed),
        *_bands(seeds, first_seed),
        *_shams(shams, first_seed),
        *_rates(rate_seeds, rates_hz, first_seed),
    ]
    return [trial for trial in drawn if trial.group in groups and (not numbers or trial.number in numbers)]


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


def _rates(seeds: int, rates_hz: Sequence[float], first_seed: int) -> Iterator[Trial]:
    families = list(Family)
    for rate_hz in rates_hz:
        for number in AT_OTHER_RATES:
            for index in range(seeds):
                for k, family in enumerate(families):
                    if number not in SHAPELESS or k == index % len(families):
                        seed = first_seed + RATE_SEED + len(families) * index + k
                        yield Trial("rate", number, index, seed, family, rate_hz=rate_hz)
