"""Runs of spikes that belong together, and what a criterion asks of them."""

from dataclasses import dataclass, field

from detectors.runs import Rules, Run, Timed
from detectors.tally import Tally

SUSTAINED = 0.8
"""Of the least duration: shorter bursts with pauses between them are interictal, however many there are."""
LONG_INTERVAL = 1.3
"""Of the mean interval of a discharge: where none was seen for longer, none was missed."""
TYPICAL = 0.4
"""Of all deflections in a discharge: so many are as large as the criterion asks."""


@dataclass(slots=True)
class Discharge:
    """Runs of spikes that belong together."""

    first: Timed
    last: Timed
    tally: Tally = field(default_factory=Tally)
    spiking: float = 0.0
    """Samples from first to last spike of each run, blindness and pauses left out."""
    longest_run: float = 0.0
    n_runs: int = 0
    gaps: tuple[float, float] = (0.0, 0.0)
    """The last two pauses between runs."""
    sign_of_life: float = 0.0
    """Clean time of the last spikes too small to count, close together, after the last run."""
    level_uv: float = 0.0
    median_uv: float = 0.0
    """Of all its spikes, up to the last run that is over."""
    interrupted: bool = False
    """A later discharge, not a silence, ended it."""

    def absorb(self, run: Run, rules: Rules) -> None:
        assert run.first is not None
        assert run.last is not None
        if self.n_runs:
            self.pause(run.first.clean, rules)
        self.tally.merge(run.tally)
        self.spiking += run.spiking
        self.longest_run = max(self.longest_run, run.spiking)
        self.n_runs += 1
        self.last = run.last
        self.sign_of_life = max(self.sign_of_life, run.last.clean)
        self.level_uv = run.level_uv
        self.median_uv = self.tally.median_ratio() * abs(self.first.spike.uv) / self.first.spike.ratio

    @property
    def latest(self) -> float:
        """Clean time of the last that was seen of it."""
        return max(self.last.clean, self.sign_of_life)

    def pause(self, until: float, rules: Rules) -> None:
        """A pause ended at ``until``. Signs of life in it shorten only one that would otherwise have ended all."""
        bridged = self.sign_of_life - self.last.clean > rules.afterglow and until - self.last.clean > rules.merge_gap
        if until > self.latest:
            self.gaps = (self.gaps[1], until - (self.latest if bridged else self.last.clean))

    def copy(self) -> "Discharge":
        return Discharge(
            self.first,
            self.last,
            self.tally.copy(),
            self.spiking,
            self.longest_run,
            self.n_runs,
            self.gaps,
            self.sign_of_life,
            self.level_uv,
            self.median_uv,
        )

    def reach(self, rules: Rules) -> float:
        """How far from its first and last spike another one may have been missed: a long interval of its own."""
        n_intervals = self.tally.n - self.n_runs
        return min(rules.slow, LONG_INTERVAL * self.spiking / n_intervals) if n_intervals > 0 else rules.slow

    def tolerated_gap(self, rules: Rules) -> float:
        """Pauses grow towards the end of a discharge (Bauer 2017), so the tolerance follows the last two of them."""
        c = rules.criterion
        grown = min(c.merge_gap_growth * max(self.gaps), c.merge_gap_limit_s * rules.rate_hz)
        return max(c.merge_gap_s * rules.rate_hz, grown, rules.max_gap)

    def typical_uv(self) -> float:
        """The present size of its spikes, unless something larger, such as movement, was taken for them of late."""
        return min(self.level_uv, self.median_uv) if self.n_runs else self.level_uv

    def meets(self, rules: Rules) -> bool:
        """Amplitude, rate and duration as the criterion asks, pauses and blindness not counted."""
        sustained = self.longest_run >= SUSTAINED * self.required(rules)
        return sustained and self.dense(rules) and self.spiking >= self.required(rules)

    def dense(self, rules: Rules) -> bool:
        lowest = rules.criterion.min_spike_hz / rules.rate_hz
        # Half a sample of slack: a rate of exactly the minimum must not fall to rounding.
        span = max(self.spiking - 0.5 * self.n_runs, 1.0)
        return (
            self.tally.n_high >= 4
            and self.tally.n_high >= TYPICAL * (self.tally.n + self.tally.n_small)
            and (self.tally.n - self.n_runs) >= lowest * span * 0.98
            and self.tally.n_high >= 0.7 * lowest * span
        )

    def required(self, rules: Rules) -> float:
        return rules.criterion.min_duration_s * rules.rate_hz - 0.01 * rules.rate_hz
