"""What each block of a long run costs: noted as it is handed over, and judged when the run is over."""

import time
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from benchmarks.reliability.soak_bench import N_INPUTS, RATE_HZ
from benchmarks.reliability.soak_measures import Growth, growth, resident_mb
from drivers.interface import Block, Channel, SampleSource

WINDOWS = 24
YARDSTICK_EVERY = 10
"""Blocks."""
_YARD = np.random.default_rng(1).normal(size=(N_INPUTS, 1000))


@dataclass
class Costs:
    """Processor time of the session's thread; ``(n_blocks,)``, made and filled beforehand, so that nothing grows."""

    n_blocks: int
    n: int = 0
    n_samples: NDArray[np.int32] = field(init=False)
    source_s: NDArray[np.float32] = field(init=False)
    """Of the simulation."""
    program_s: NDArray[np.float32] = field(init=False)
    """Of all that the program does between getting a block and asking for the next one."""
    program_wall_s: NDArray[np.float32] = field(init=False)
    yardstick_s: NDArray[np.float32] = field(init=False)
    at_s: list[float] = field(default_factory=list)
    mb: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.n_samples = np.full(self.n_blocks, -1, np.int32)
        self.source_s, self.program_s, self.program_wall_s, self.yardstick_s = (
            np.full(self.n_blocks, np.nan, np.float32) for _ in range(4)
        )


class Timed:
    """``source``, with the cost of each block noted, and now and then what the process holds."""

    def __init__(self, source: SampleSource, costs: Costs, look_every_s: float) -> None:
        self._source = source
        self._costs = costs
        self._look_every = round(look_every_s * source.rate_hz)
        self._look_at = 0
        self._handed_cpu_s = self._handed_s = 0.0
        self.n_samples = 0

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self._source.channels

    @property
    def rate_hz(self) -> float:
        return self._source.rate_hz

    def identify(self) -> str:
        return self._source.identify()

    def start(self) -> None:
        self._source.start()

    def read(self, n_samples: int) -> Block:
        costs, n = self._costs, self._costs.n
        asked_cpu_s = time.thread_time()
        if 0 < n <= costs.n_blocks:
            costs.program_s[n - 1] = asked_cpu_s - self._handed_cpu_s
            costs.program_wall_s[n - 1] = time.perf_counter() - self._handed_s
        if n % YARDSTICK_EVERY == 0 and n < costs.n_blocks:
            costs.yardstick_s[n] = yardstick_s()
            asked_cpu_s = time.thread_time()
        block = self._source.read(n_samples)
        self.n_samples += block.shape[1]
        if self.n_samples >= self._look_at:
            self._look_at += self._look_every
            if isfinite(held_mb := resident_mb()):
                costs.at_s.append(self.n_samples / self.rate_hz)
                costs.mb.append(held_mb)
        self._handed_cpu_s, self._handed_s = time.thread_time(), time.perf_counter()
        if n < costs.n_blocks:
            costs.n_samples[n] = block.shape[1]
            costs.source_s[n] = self._handed_cpu_s - asked_cpu_s
        costs.n += 1
        return block

    def close(self) -> None:
        self._source.close()


def yardstick_s() -> float:
    """Processor time of the same work each time: short rows through numpy, as detector and simulation do it."""
    begun_s = time.thread_time()
    for row in _YARD:
        np.minimum(np.maximum(row, -1.0), 1.0).sum()
    np.sort(_YARD[:, :100], axis=1)
    return time.thread_time() - begun_s


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a block, in ms; ``growth`` is that of its windows' medians in yardsticks, as a share of their median."""

    median: float
    high: float
    windows: tuple[float, ...]
    growth: Growth


def cost_of(costs: Costs, values: NDArray[np.float32], block: int) -> Cost:
    """Whole blocks of so many samples, in equal windows, the first beginning after the first minute."""
    at_h = np.cumsum(np.maximum(costs.n_samples, 0)) / RATE_HZ / 3600
    whole = np.flatnonzero((costs.n_samples == block) & np.isfinite(values) & (at_h > 1 / 60))
    parts = np.array_split(whole, WINDOWS)
    medians = [1e3 * float(np.median(values[part])) for part in parts]
    yardsticks = [1e3 * float(np.nanmedian(costs.yardstick_s[part])) for part in parts]
    relative = np.divide(medians, yardsticks)
    grown = growth([float(np.median(at_h[part])) for part in parts], list(relative / np.median(relative)))
    return Cost(
        1e3 * float(np.median(values[whole])), 1e3 * float(np.percentile(values[whole], 99)), tuple(medians), grown
    )
