"""Practice at reading traces: trials whose truth is known, with the artefacts that mislead, and kappa at the end."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from drivers.interface import Block, Channel
from drivers.simulated.scenarios import SCENARIOS, Family, Recording, scenario
from kindle.analysis.scorers import Coefficient, stage_agreement

BEFORE_S, AFTER_S = 10.0, 110.0
"""Of each trial that is shown, around its train."""

CONSENSUS = 0.81
"""Kappa that ten minutes of training brought scorers of rat seizures to, from 0.31 (reference, section 15)."""


class Reading(StrEnum):
    AFTERDISCHARGE = "afterdischarge"
    NONE = "none"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Clip:
    """``block`` is ``(n_channels, n_samples)``; ``train`` counts its samples."""

    number: str
    channels: tuple[Channel, ...]
    rate_hz: float
    block: Block
    train: tuple[int, int]
    baseline_uv: float
    truth: Reading
    explained: str
    """What the trial was, told after the answer."""
    discharges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """``kappa`` is Cohen's, unweighted, against the truth; ``None`` with fewer than two answers."""

    n: int
    n_right: int
    kappa: Coefficient | None

    def __str__(self) -> str:
        said = f"{self.n_right} of {self.n} right"
        if self.kappa is None or self.kappa.value is None:
            return f"{said}; kappa needs answers of more than one kind"
        low, high = self.kappa.interval.low, self.kappa.interval.high
        within = "" if low is None or high is None else f" (95 % interval {low:.2f} to {high:.2f})"
        return f"{said}, kappa {self.kappa.value:.2f}{within}; trained scorers reach {CONSENSUS}"


@dataclass(frozen=True, slots=True)
class Training:
    """``seed`` draws the order of the trials and every trace in them; nothing else does."""

    seed: int
    numbers: tuple[str, ...]
    readings: tuple[Reading, ...] = ()

    @property
    def over(self) -> bool:
        return len(self.readings) == len(self.numbers)

    def clip(self, place: int | None = None) -> Clip:
        """The trial that is to be read now, or one at an earlier place."""
        place = len(self.readings) if place is None else place
        families = list(Family)
        family = families[(self.seed + place) % len(families)]
        return _clip(scenario(self.numbers[place], self.seed + place, family=family))

    def answered(self, reading: Reading) -> "Training":
        return replace(self, readings=(*self.readings, reading))

    def result(self) -> TrainingResult:
        truths = [self.clip(place).truth for place in range(len(self.readings))]
        n_right = sum(said is truth for said, truth in zip(self.readings, truths, strict=True))
        if len(truths) < 2:
            return TrainingResult(len(truths), n_right, None)
        places = {reading: float(place) for place, reading in enumerate(Reading)}
        agreement = stage_agreement(
            {"you": [places[said] for said in self.readings], "truth": [places[truth] for truth in truths]},
            sorted(places.values()),
            weights="identity",
        )
        return TrainingResult(len(truths), n_right, agreement.kappas[0][2])


def training(seed: int, n: int = 12) -> Training:
    """``n`` trials drawn without repetition; void ones and those on which careful readers differ are left out."""
    usable = [number for number in SCENARIOS if number not in _NOT_TO_READ]
    drawn = np.random.default_rng(seed).permutation(len(usable))[:n]
    return Training(seed, tuple(usable[place] for place in drawn))


_NOT_TO_READ = ("3b", "24", "23a", "22a", "22b")
"""On the border, never delivered, at another rate, or with samples that never came."""


def _clip(recording: Recording) -> Clip:
    rate_hz = recording.rate_hz
    first = recording.stimulus[0] - round(BEFORE_S * rate_hz)
    last = min(recording.counts.size, recording.stimulus[1] + round(AFTER_S * rate_hz))
    channels = (
        Channel("EEG", "eeg", "µV", recording.resolution_uv, recording.rails),
        Channel("TTL", "stimulus_ttl", "", 1.0 / max(1, int(recording.ttl.max()))),
    )
    block = np.stack([recording.counts[first:last], recording.ttl[first:last]])
    truth = Reading(recording.truth.verdict)
    return Clip(
        recording.number,
        channels,
        rate_hz,
        block,
        (recording.stimulus[0] - first, recording.stimulus[1] - first),
        recording.truth.b_uv,
        truth,
        f"{recording.name}: {truth.value}",
        tuple(_within(recording, first)),
    )


def _within(recording: Recording, first: int) -> Iterator[tuple[int, int]]:
    return ((event.onset_sample - first, event.end_sample - first) for event in recording.truth.events)
