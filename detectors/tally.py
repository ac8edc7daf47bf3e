"""What is remembered of the spikes of a run or a discharge, however many they are."""

from bisect import bisect_left
from dataclasses import dataclass, field
from math import exp, log

from detectors.spikes import Spike

BIN = 0.01
"""Width of a bin of ln(ratio): medians are kept as counts, so that memory does not grow with a discharge."""


@dataclass(slots=True)
class Tally:
    """What is remembered of spikes: bounded, and exact when merged in any order."""

    n: int = 0
    n_high: int = 0
    """Of these, as large as the criterion asks."""
    n_tops: int = 0
    """Of those, polyspikes counted one by one."""
    n_small: int = 0
    """Deflections between them that were too small to be kept."""
    peak_uv: float = 0.0
    ratios: dict[int, int] = field(default_factory=dict)

    def add(self, spike: Spike, high: bool) -> None:
        self.n += 1
        self.n_high += high
        self.n_tops += spike.n_peaks if high else 0
        self.peak_uv = max(self.peak_uv, abs(spike.uv))
        ratio_bin = round(log(spike.ratio) / BIN)
        self.ratios[ratio_bin] = self.ratios.get(ratio_bin, 0) + 1

    def merge(self, other: "Tally") -> None:
        self.n += other.n
        self.n_high += other.n_high
        self.n_tops += other.n_tops
        self.n_small += other.n_small
        self.peak_uv = max(self.peak_uv, other.peak_uv)
        for ratio_bin, count in other.ratios.items():
            self.ratios[ratio_bin] = self.ratios.get(ratio_bin, 0) + count

    def copy(self) -> "Tally":
        return Tally(self.n, self.n_high, self.n_tops, self.n_small, self.peak_uv, dict(self.ratios))

    def median_ratio(self) -> float:
        """To half a per cent."""
        bins = sorted(self.ratios)
        cumulative, total = [], 0
        for ratio_bin in bins:
            total += self.ratios[ratio_bin]
            cumulative.append(total)
        return exp(BIN * bins[bisect_left(cumulative, (total + 1) // 2)])
