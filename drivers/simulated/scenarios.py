"""Recordings with known truth: the 24 scenarios of the domain reference in five families of waveforms.

    recording = scenario(10, seed=3, family="smooth")
    recording.counts, recording.stimulus, recording.truth.events[0].end_sample

Each is a pure function of scenario, seed, family, ratio and rate. Backgrounds, amplifiers and electrodes differ from
seed to seed; nothing here knows a detector.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.scenario_catalogue import CATALOGUE, Entry, TrueVerdict
from drivers.simulated.scenario_scene import RAIL_COUNTS, RAIL_UV, Scene, Span, TrueEvent
from drivers.simulated.scenario_waveforms import Family

__all__ = ["SCENARIOS", "Family", "Recording", "TrueEvent", "Truth", "scenario"]

SCENARIOS = tuple(entry.number for entry in CATALOGUE)
"""Numbers of the reference, with ``3b``, ``17b``, ``21a`` ... for its variants; names alone are further ones."""
RATES_HZ = (250.0, 10_000.0)


@dataclass(frozen=True, slots=True)
class Truth:
    verdict: TrueVerdict
    events: tuple[TrueEvent, ...]
    blind: tuple[Span, ...]
    """Spans ``[first, last)`` in which nothing can be judged: saturated, covered, disconnected or lost."""
    borderline: bool
    """Careful readers differ on the verdict."""
    b_uv: float
    """Median over the baseline of 1 s maxima of ``|signal|`` at 2 to 70 Hz; ratios are multiples of it."""
    onset_tolerance_s: float = 0.25
    end_tolerance_s: float = 1.0


@dataclass(frozen=True, eq=False, slots=True)
class Recording:
    """``counts``, ``ttl`` and ``current_monitor`` are int16 ``(n_samples,)``; within ``gaps`` they never arrived."""

    number: str
    name: str
    seed: int
    family: Family
    ratio: float
    """Of the spikes to the baseline peak where the scenario begins; 1 where it has none."""
    rate_hz: float
    counts: NDArray[np.int16]
    ttl: NDArray[np.int16]
    current_monitor: NDArray[np.int16]
    resolution_uv: float
    rails: tuple[int, int]
    """Counts at which the amplifier clips."""
    stimulus: Span
    gaps: tuple[Span, ...]
    truth: Truth

    def pieces(self) -> Iterator[tuple[int, NDArray[np.int16]]]:
        """First sample and counts of each stretch that arrived."""
        first = 0
        for lost, back in (*self.gaps, (self.counts.size, self.counts.size)):
            if lost > first:
                yield first, self.counts[first:lost]
            first = back

    def seconds_after(self, sample: int) -> float:
        """Since the train's end."""
        return (sample - self.stimulus[1]) / self.rate_hz


def scenario(
    which: int | str, seed: int, *, family: Family | str, ratio: float | None = None, rate_hz: float | None = None
) -> Recording:
    """``which`` is a number or a name; ``ratio`` replaces the scenario's own, ``rate_hz`` its 1000 Hz (250 Hz in 23a).

    Raises ``ValueError`` for an unknown scenario or family, a rate outside 250 to 10,000 Hz, a ratio outside 1 to 20.
    """
    entry, family = _entry(which), Family(family)
    rate_hz = entry.rate_hz if rate_hz is None else rate_hz
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise ValueError(f"scenarios are drawn at 250 to 10,000 Hz, not at {rate_hz:g} Hz")
    if ratio is not None and not 1 <= ratio <= 20:
        raise ValueError(f"spikes are drawn at 1 to 20 times the baseline peak, not at {ratio:g} times")
    scale = 1.0 if ratio is None else ratio / entry.ratio
    seeds = (seed, crc32(entry.number.encode()), round(1000 * rate_hz))
    scene = Scene(seeds, family, scale, entry.peak_ratio, rate_hz, entry.enlarged)
    entry.draw(scene)
    lowest = min((event.lowest_ratio for event in scene.events), default=np.inf)
    borderline = entry.borderline or (ratio is not None and lowest < 2.5)
    truth = Truth(entry.verdict, tuple(scene.events), tuple(scene.blind), borderline, scene.b_uv)
    return Recording(
        number=entry.number,
        name=entry.name,
        seed=seed,
        family=family,
        ratio=entry.ratio * scale,
        rate_hz=rate_hz,
        counts=scene.counts(),
        ttl=scene.ttl(),
        current_monitor=scene.current_monitor(),
        resolution_uv=RAIL_UV / RAIL_COUNTS,
        rails=(-RAIL_COUNTS, RAIL_COUNTS),
        stimulus=(scene.onset, scene.end),
        gaps=tuple(scene.gaps),
        truth=truth,
    )


def _entry(which: int | str) -> Entry:
    for entry in CATALOGUE:
        if str(which) in (entry.number, entry.name):
            return entry
    known = ", ".join(f"{entry.number} ({entry.name})" for entry in CATALOGUE)
    raise ValueError(f"no scenario {which!r}; there are: {known}")
