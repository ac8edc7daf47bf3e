"""Every convention for the duration of an afterdischarge, computed from the one list of events."""

from collections.abc import Sequence
from dataclasses import dataclass

from detectors.criterion import Afterdischarge, Stimulus


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds; all zero when there is no afterdischarge. Name the convention wherever one of them is printed."""

    from_train_start: float
    from_train_end: float
    from_first_spike: float
    total: float
    """Sum over primary and secondary discharges."""
    span: float
    """First spike of the first to last spike of the last discharge, pauses included."""


def durations_s(stimulus: Stimulus, events: Sequence[Afterdischarge], rate_hz: float) -> Durations:
    if not events:
        return Durations(0.0, 0.0, 0.0, 0.0, 0.0)
    first, last = events[0], events[-1]
    return Durations(
        from_train_start=(first.end_sample - stimulus.onset_sample) / rate_hz,
        from_train_end=(first.end_sample - stimulus.end_sample) / rate_hz,
        from_first_spike=(first.end_sample - first.onset_sample) / rate_hz,
        total=sum(event.end_sample - event.onset_sample for event in events) / rate_hz,
        span=(last.end_sample - first.onset_sample) / rate_hz,
    )
