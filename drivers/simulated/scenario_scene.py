"""A trial being drawn: 60 s before the train, the train, 180 s after it; times are seconds from the train's end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.scenario_artefacts import Amplifier, monitor_counts, pulses_uv
from drivers.simulated.scenario_background import Animal, background, baseline_peak_uv
from drivers.simulated.scenario_waveforms import Family, Floats, Stretch, Wave, discharge, lone_spike

BEFORE_S, TRAIN_S, AFTER_S = 60.0, 1.0, 180.0
RAIL_UV, RAIL_COUNTS = 5000.0, 32767
LARGEST_UV = 4600.0
"""Discharges stay within the rails, the background being made smaller where they would not."""

Grade = Literal["clear", "gradual", "artefact", "truncated"]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """A discharge, by sample: the peaks of its first and last spike, and the range that is as right as those."""

    kind: Literal["primary", "secondary"]
    onset_sample: int
    end_sample: int
    onset_range: Span
    end_range: Span
    end_grade: Grade
    lowest_ratio: float
    """Of its spikes to the baseline peak, before variation from spike to spike."""


class Scene:
    """Everything random is drawn from streams of its own, so that a ratio or a family changes nothing else."""

    def __init__(
        self, seeds: Sequence[int], family: Family, scale: float, peak_ratio: float, rate_hz: float, enlarged: float
    ) -> None:
        ground, of_waves, of_artefacts, of_animal = (
            np.random.default_rng([*seeds, *stream]) for stream in ([0], [1, list(Family).index(family)], [2], [3])
        )
        self.family, self.scale, self.rate_hz = family, scale, rate_hz
        self.waves, self.artefacts = of_waves, of_artefacts
        self.onset, self.end = round(BEFORE_S * rate_hz), round((BEFORE_S + TRAIN_S) * rate_hz)
        self.n = self.end + round(AFTER_S * rate_hz)
        self.t_s: Floats = (np.arange(self.n) - self.end) / rate_hz
        animal = Animal.draw(of_animal)
        if enlarged != 1:
            animal = replace(animal, rms_uv=50 * enlarged * of_animal.uniform(0.8, 1.1))
        self.ground = background(animal, ground, self.n, rate_hz)
        self.added = np.zeros(self.n)
        if enlarged != 1:
            self._add_slow_waves(animal.rms_uv, of_animal)
        self.amplifier = Amplifier.draw(of_artefacts)
        self.sign = float(of_waves.choice([-1.0, 1.0]))
        self.pulse_hz = 50.0
        self.delivered = True
        self.free_from_s = 0.05
        self.events: list[TrueEvent] = []
        self.gaps: list[Span] = []
        self.blind: list[Span] = []
        self._peak_ratio = peak_ratio * scale
        self.b_uv = 0.0
        self.measure()

    def measure(self) -> None:
        """Take B from the baseline as drawn so far, small enough for the discharge to fit between the rails."""
        self.b_uv = baseline_peak_uv((self.ground + self.added)[: self.onset], self.rate_hz)
        shrink = min(1.0, LARGEST_UV / max(self.b_uv * self._peak_ratio, 1e-9))
        self.ground *= shrink
        self.added *= shrink
        self.b_uv *= shrink

    def sample(self, time_s: float) -> int:
        return self.end + round(time_s * self.rate_hz)

    def span(self, first_s: float, last_s: float) -> slice:
        return slice(max(0, self.sample(first_s)), min(self.n, self.sample(last_s)))

    def add(self, first_s: float, uv: Floats) -> None:
        start = self.sample(first_s)
        stop = min(start + uv.size, self.n)
        self.added[max(start, 0) : stop] += uv[max(0, -start) : stop - start]

    def _add_slow_waves(self, rms_uv: float, rng: np.random.Generator) -> None:
        """1 to 3 Hz, of half the size of the rest."""
        knots_s = np.arange(-BEFORE_S - TRAIN_S, AFTER_S + 5, 5.0)
        rate = np.interp(self.t_s, knots_s, rng.uniform(1, 3, knots_s.size))
        self.ground += 0.5 * rms_uv * np.sqrt(2) * np.sin(2 * np.pi * np.cumsum(rate) / self.rate_hz)

    def dim(self, first_s: float, last_s: float, from_factor: float, to_factor: float) -> None:
        """Multiply the background by a factor that goes from the one to the other."""
        where = self.span(first_s, last_s)
        self.ground[where] *= np.linspace(from_factor, to_factor, where.stop - where.start)

    def discharge(
        self,
        *stretches: Stretch,
        kind: Literal["primary", "secondary"] = "primary",
        grade: Grade = "clear",
        onset_range_s: tuple[float, float] | None = None,
        end_range_s: tuple[float, float] | None = None,
    ) -> None:
        """One discharge of several stretches; ranges replace the peaks as what is right."""
        waves = [self._stretch(stretch) for stretch in stretches]
        onset, end = self.sample(waves[0].first_s), self.sample(waves[-1].last_s)
        if end_range_s:
            end = min(max(end, self.sample(end_range_s[0])), self.sample(end_range_s[1]))
        lowest = min(min(stretch.ratios) for stretch in stretches) * self.scale
        self.events.append(
            TrueEvent(
                kind,
                onset,
                end,
                self._samples(onset_range_s) if onset_range_s else (onset, onset),
                self._samples(end_range_s) if end_range_s else (end, end),
                grade,
                lowest,
            )
        )

    def run(self, stretch: Stretch) -> None:
        """Spikes that are no discharge of the criterion."""
        self._stretch(stretch)

    def spikes(self, times_s: Sequence[float], ratio: float) -> None:
        """Single spikes, none of them part of a discharge."""
        for time_s in times_s:
            size = self.sign * ratio * self.scale * self.b_uv * self.waves.uniform(0.85, 1.15)
            self._put(lone_spike(self.family, time_s, size, self.rate_hz))

    def rail(self, first_s: float, last_s: float) -> None:
        """Saturated; it can be judged again only after that."""
        self.added[self.span(first_s, last_s)] = 2 * RAIL_UV * np.sign(self.amplifier.exponential_uv)
        self.ground[self.span(first_s, last_s)] = 0
        self.blind.append(self._samples((first_s, last_s)))

    def cover(self, first_s: float, last_s: float) -> None:
        self.blind.append(self._samples((first_s, last_s)))

    def lose(self, first_s: float, last_s: float) -> None:
        self.gaps.append(self._samples((first_s, last_s)))
        self.blind.append(self._samples((first_s, last_s)))

    def counts(self) -> NDArray[np.int16]:
        """With the train, the amplifier's recovery and its rails."""
        uv = self.ground + self.added
        if self.delivered:
            train = slice(self.onset, self.end)
            uv[train] += pulses_uv(self.t_s[train] + TRAIN_S, self.pulse_hz, self.amplifier, self.rate_hz)
            uv += self.amplifier.recovery_uv(self.t_s - self.free_from_s)
            # From the last pulse on, not from the end of the gate: no current flows there that could start it.
            last_pulse_s = 2 * 0.001 - TRAIN_S + (round(TRAIN_S * self.pulse_hz) - 1) / self.pulse_hz
            uv[self.span(last_pulse_s, 0.05)] = 2 * RAIL_UV * np.sign(self.amplifier.exponential_uv)
        return np.clip(np.rint(uv / RAIL_UV * RAIL_COUNTS), -RAIL_COUNTS, RAIL_COUNTS).astype(np.int16)

    def ttl(self) -> NDArray[np.int16]:
        row = np.zeros(self.n, np.int16)
        row[self.onset : self.end] = 16_384
        return row

    def current_monitor(self) -> NDArray[np.int16]:
        row = np.zeros(self.n, np.int16)
        if self.delivered:
            row[self.onset : self.end] = monitor_counts(
                self.t_s[self.onset : self.end] + TRAIN_S, self.pulse_hz, self.rate_hz
            )
        return row

    def _stretch(self, stretch: Stretch) -> Wave:
        scaled = replace(stretch, ratios=tuple(ratio * self.scale for ratio in stretch.ratios))
        wave = discharge(self.family, scaled, self.b_uv, self.sign, self.waves, self.rate_hz)
        self._put(wave)
        return wave

    def _put(self, wave: Wave) -> None:
        self.add(wave.start_s, wave.uv)

    def _samples(self, span_s: tuple[float, float]) -> Span:
        return self.sample(span_s[0]), self.sample(span_s[1])
