"""What a long run is judged by: its count of samples, what its process holds, and how its figures grow."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

from benchmarks.reliability.soak_bench import COUNTER_NAME, COUNTER_PERIOD
from kindle.recording import open_recording
from kindle.recording_index import read_records
from kindle.recording_layout import segment_files

CHUNK = 1_000_000
"""Samples looked at at once."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the counter channel of a recording says, sample by sample."""

    n_samples: int
    n_lost: int = 0
    """Steps forward add up to so many samples, gaps that the recording itself tells of not among them."""
    n_doubled: int = 0
    n_back: int = 0
    """Steps back, by whatever number of samples."""
    n_told: int = 0
    """Samples that the recording itself says are missing."""
    first_fault: int | None = None

    @property
    def whole(self) -> bool:
        return self.n_samples > 0 and self.first_fault is None and not self.n_told

    def __str__(self) -> str:
        faults = f"{self.n_lost} lost, {self.n_doubled} doubled, {self.n_back} out of order"
        said = f"{self.n_samples} samples counted: {faults}"
        if self.n_told:
            said += f", {self.n_told} that the recording tells of"
        return said if self.first_fault is None else f"{said}; first at sample {self.first_fault}"


def counted(recording: Path, chunk: int = CHUNK) -> Counted:
    """Every sample of the counter channel against the one before it; each segment begins at 0."""
    opened = open_recording(recording)
    row = [channel.name for channel in opened.channels].index(COUNTER_NAME)
    total = Counted(0)
    for segment in opened.segments:
        before = -1
        for first in range(0, segment.n_samples, chunk):
            counts = np.array(segment.counts[row, first : first + chunk], np.int64)
            total = _added(total, steps(counts, before))
            before = int(counts[-1])
        total = _added(total, Counted(0, n_told=segment.n_lost or 0))
    return total


def steps(counts: NDArray[np.int64], before: int) -> Counted:
    """Of a stretch whose last sample before it counted ``before``; -1 where there was none.

    A loss of a whole number of ``COUNTER_PERIOD`` samples cannot be seen in the counts alone: the times in the index
    would show it.
    """
    ahead = (np.diff(counts, prepend=before) - 1) % COUNTER_PERIOD
    wrong = np.flatnonzero(ahead)
    if not wrong.size:
        return Counted(counts.size)
    by = ahead[wrong]
    doubled = by == COUNTER_PERIOD - 1
    back = (by > COUNTER_PERIOD // 2) & ~doubled
    lost = int(by[~doubled & ~back].sum())
    return Counted(counts.size, lost, int(doubled.sum()), int(back.sum()), first_fault=int(wrong[0]))


def _added(total: Counted, more: Counted) -> Counted:
    fault = total.first_fault
    if fault is None and more.first_fault is not None:
        fault = total.n_samples + more.first_fault
    return Counted(
        total.n_samples + more.n_samples,
        total.n_lost + more.n_lost,
        total.n_doubled + more.n_doubled,
        total.n_back + more.n_back,
        total.n_told + more.n_told,
        fault,
    )


def lateness_s(recording: Path, rate_hz: float) -> NDArray[np.float64]:
    """For each block, how much later than the promptest one it was handed over, by the host's clock."""
    late = []
    for files in segment_files(recording):
        records = read_records(files.index)
        ends = np.cumsum(records["n_samples"], dtype=np.int64) / rate_hz
        since_s = records["monotonic_ns"] * 1e-9 - ends
        late.append(since_s - since_s.min(initial=np.inf))
    return np.concatenate(late)


@dataclass(frozen=True, slots=True)
class Growth:
    """Over the whole run, by the slope of Theil and Sen and its 95 % limits; in the unit of the values."""

    by: float
    low: float
    high: float

    def within(self, most: float) -> bool:
        """Whether nothing speaks for a growth by more than ``most``."""
        return self.low <= most

    @property
    def in_percent(self) -> str:
        """Of values that are shares."""
        return f"{100 * self.by:+.1f} % ({100 * self.low:+.1f} to {100 * self.high:+.1f})"

    def __str__(self) -> str:
        return f"{self.by:+.1f} ({self.low:+.1f} to {self.high:+.1f})"


def growth(at: Sequence[float], values: Sequence[float]) -> Growth:
    """Of ``values`` measured ``at`` these times, from the first to the last."""
    slope, _, low, high = theilslopes(values, at, 0.95)
    span = at[-1] - at[0]
    return Growth(float(slope * span), float(low * span), float(high * span))


def resident_mb(process: int | str = "self") -> float:
    """What the process holds in memory now; NaN where the system does not tell."""
    statm = Path(f"/proc/{process}/statm")
    if not statm.exists():
        return float("nan")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_s(process: int | str) -> float:
    """Processor time that the process has had, all its threads together; NaN where the system does not tell."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.exists():
        return float("nan")
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
