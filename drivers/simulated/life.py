"""The life of a simulated rat over weeks: how it kindles, what drugs do to it, and whether it stays in the study.

Threshold, stages and durations follow measured series where there are any (hippocampal kindling of Takeuchi et al.
2021, its axis of trains compressed for the amygdala); what is assumed says so. For testing, not for physiology.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import exp, log10, sqrt
from typing import Literal

import numpy as np
from scipy.special import ndtr

from drivers.simulated.pharmacology import Given, Interaction, effect

DURATION_SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
DURATION_QUANTILES_S = (4.0, 11.0, 28.0, 41.0, 58.0, 77.0, 85.0)
"""Discharges of kindled, untreated rats above their threshold; the shortest is an extrapolation."""

BETWEEN_RATS = 0.40**2 / (0.40**2 + 0.26**2)
"""Share of the variance of ln duration that lies between rats."""

NAIVE_DURATION = 0.25
"""Of a naive discharge's length in the kindled one's: 5 to 20 s."""

COMPRESSION = 2.2
"""Trains of hippocampal kindling for one of amygdala kindling once a day."""

GENERALISED_KINDLES = 4.0
"""A generalised seizure takes the animal as far as so many others. An assumption."""

STAGES = (
    (0, (0.56, 0.31, 0.12, 0.01, 0.00, 0.00)),
    (12, (0.34, 0.31, 0.26, 0.06, 0.02, 0.01)),
    (18, (0.02, 0.39, 0.29, 0.12, 0.09, 0.09)),
    (24, (0.01, 0.30, 0.29, 0.07, 0.09, 0.24)),
    (30, (0.00, 0.26, 0.17, 0.09, 0.12, 0.36)),
    (36, (0.01, 0.15, 0.17, 0.04, 0.11, 0.52)),
    (48, (0.00, 0.05, 0.15, 0.04, 0.11, 0.65)),
    (60, (0.00, 0.00, 0.01, 0.02, 0.10, 0.87)),
)
"""From so many trains on, the probabilities of stages 0 to 5; the last row, an assumption, is full kindling."""

STAGE_OF_RAT = 0.35
"""Share of the variance of stages that lies between rats. An assumption."""

PROTECTED_STAGE = 2
PROTECTED_DURATION = 0.5
"""A drug that protects keeps the seizure partial and shortens the discharge."""

Fate = Literal["electrode_lost", "died"]


@dataclass(frozen=True, slots=True)
class Nature:
    """What an animal is born with; the scores are standard normal over a population."""

    seed: int
    threshold_ua: float
    stage_score: float
    duration_score: float
    tolerance_ln10: float
    """log10 of the effect that protects this animal; 0 protects the median one."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """How the animal would answer a train at one moment."""

    threshold_ua: float
    """That holds for this train, noise included."""
    expected_threshold_ua: float
    discharge_s: float
    stage: int
    protected: bool


@dataclass(frozen=True, slots=True)
class Population:
    """Rats are drawn by their number: the same population gives the same rat."""

    seed: int
    threshold_ua: float = 78.0
    threshold_sd_ln: float = 0.6
    tolerance_sd_log10: float = 0.12
    """Between rats; its inverse is the slope of the probit line."""
    electrode_lost_per_day: float = 0.002
    died_per_day: float = 0.0005
    interactions: tuple[Interaction, ...] = ()

    def rat(self, number: int) -> "Life":
        rng = np.random.default_rng([self.seed, number])
        scores = rng.standard_normal(4)
        threshold_ua = self.threshold_ua * exp(self.threshold_sd_ln * scores[0])
        tolerance = float(self.tolerance_sd_log10 * scores[3])
        seed = int(rng.integers(2**31))
        return Life(Nature(seed, threshold_ua, float(scores[1]), float(scores[2]), tolerance), self)

    def fates(self, number: int) -> Iterator[Fate | None]:
        """Day after day, until the animal is lost."""
        rng = np.random.default_rng([self.seed, number, 1])
        while True:
            drawn = rng.random()
            if drawn < self.died_per_day:
                yield "died"
                return
            if drawn < self.died_per_day + self.electrode_lost_per_day:
                yield "electrode_lost"
                return
            yield None


@dataclass
class Life:
    """One animal across its sessions. Seconds are of one clock that the caller keeps running over all of them."""

    nature: Nature
    population: Population
    n_trains: int = 0
    progress: float = 0.0
    """Trains of the series that the stages are read from."""
    given: list[Given] = field(default_factory=list)
    reactions: list[tuple[Reaction, bool]] = field(default_factory=list)
    """To each train, and whether it discharged."""

    @property
    def kindled(self) -> float:
        """From 0, naive, to 1, fully kindled."""
        return min(self.progress / STAGES[-1][0], 1.0)

    @property
    def expected_threshold_ua(self) -> float:
        """Without noise and drugs: all trains lower it, down to half of what it was."""
        return self.nature.threshold_ua * (0.5 + 0.5 * exp(-self.n_trains / 30))

    @property
    def last_stage(self) -> int:
        """Of the seizure after the last train; 0 where it did not discharge."""
        if not self.reactions:
            return 0
        reaction, discharged = self.reactions[-1]
        return reaction.stage if discharged else 0

    def inject(self, given: Given) -> None:
        self.given.append(given)

    def reaction(self, now_s: float) -> Reaction:
        """A pure function of what the animal has been through, and of the time."""
        rng = np.random.default_rng([self.nature.seed, 3, self.n_trains])
        noise, stage_score, duration_score = rng.standard_normal(3)
        drugged = effect(self.given, self.population.interactions, now_s)
        protected = drugged > 0 and log10(drugged) >= self.nature.tolerance_ln10
        expected_ua = self.expected_threshold_ua * (1 + 0.3 * drugged)
        stage = self._stage(_mixed(self.nature.stage_score, stage_score, STAGE_OF_RAT))
        share = float(ndtr(_mixed(self.nature.duration_score, duration_score, BETWEEN_RATS)))
        discharge_s = float(np.interp(share, DURATION_SHARES, DURATION_QUANTILES_S))
        discharge_s *= NAIVE_DURATION + (1 - NAIVE_DURATION) * self.kindled
        return Reaction(
            threshold_ua=expected_ua * exp(0.1 * noise),
            expected_threshold_ua=expected_ua,
            discharge_s=max(discharge_s * (PROTECTED_DURATION if protected else 1.0), 4.0),
            stage=min(stage, PROTECTED_STAGE) if protected else stage,
            protected=protected,
        )

    def had(self, reaction: Reaction, discharged: bool) -> None:
        """One train has passed; only discharges kindle, whatever the stage that they reach."""
        self.reactions.append((reaction, discharged))
        self.n_trains += 1
        if discharged:
            self.progress += COMPRESSION * (GENERALISED_KINDLES if reaction.stage >= 4 else 1.0)

    def _stage(self, score: float) -> int:
        probabilities = next(row for since, row in reversed(STAGES) if self.progress >= since)
        return int(min(np.searchsorted(np.cumsum(probabilities), ndtr(score)), 5))


def _mixed(of_rat: float, of_trial: float, share: float) -> float:
    return float(sqrt(share) * of_rat + sqrt(1 - share) * of_trial)
