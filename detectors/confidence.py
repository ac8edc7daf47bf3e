"""How far a discharge can be trusted, as a probability.

The weights are those of a logistic regression on simulated recordings of 24 scenarios and five kinds of waveform, right
being onset within 0.25 s and end within 1 s of what was drawn: ``python -m benchmarks.confidence`` makes them again.
On recordings of real animals they have not been calibrated.
"""

from math import exp, log
from typing import NamedTuple

from detectors.discharge import Discharge
from detectors.follower import Follower

LEAST_SIZE, LARGEST_SIZE = 0.75, 3.0
LEAST_RATE, LARGEST_RATE = 1.0, 4.0
MOST_BEFORE = 0.5


class Evidence(NamedTuple):
    """What speaks for a discharge and against it; logarithms of multiples of the criterion, and shares."""

    size: float
    """ln of the median spike over the criterion's amplitude."""
    rate: float
    """ln of the spikes per second of spiking over the lowest rate of the criterion."""
    large: float
    """Of all its deflections, the share that is as large as the criterion asks."""
    unsettled: float
    """1 where it begins so soon after blindness that a bump of the returning amplifier may be its first spike."""
    before: float
    """Spikes per second before the train over those in the discharge."""


INTERCEPT = -3.53
WEIGHTS = Evidence(size=1.16, rate=2.31, large=1.71, unsettled=-0.50, before=-8.54)


def evidence(discharge: Discharge, follower: Follower, before_hz: float) -> Evidence:
    rules, tally = follower.rules, discharge.tally
    seconds = max(discharge.spiking / rules.rate_hz, 1e-9)
    spike_hz = (tally.n - discharge.n_runs) / seconds
    return Evidence(
        size=log(_between(tally.median_ratio() / rules.criterion.amplitude_ratio, LEAST_SIZE, LARGEST_SIZE)),
        rate=log(_between(spike_hz / rules.criterion.min_spike_hz, LEAST_RATE, LARGEST_RATE)),
        large=tally.n_high / (tally.n + tally.n_small),
        unsettled=float(discharge.first.unsettled),
        before=min(MOST_BEFORE, before_hz / spike_hz) if spike_hz > 0 else MOST_BEFORE,
    )


def confidence(weighed: Evidence) -> float:
    """Probability, 0 to 1, that there is a discharge with these boundaries."""
    return 1 / (1 + exp(-INTERCEPT - sum(weight * value for weight, value in zip(WEIGHTS, weighed, strict=True))))


def _between(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))
