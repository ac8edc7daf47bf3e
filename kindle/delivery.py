"""Was the train delivered as asked? The recorded TTL and current monitor answer, not the program's intentions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.interface import DeliveredTrain
from kindle.exchange import MeasuredTrain

CURRENT_TOLERANCE = 0.10
"""Of the commanded current: isolators are good to a few per cent, a wrong byte is off by far more."""

NOISE_FACTOR = 6.0

STRAY_S = 0.004
STRAY_SHARE = 0.5
"""Of the last train's current, for ``STRAY_S`` of a second: less may be interference, more is current."""


@dataclass(frozen=True, slots=True)
class MonitorTrace:
    """The current monitor around a train, in uA; ``first_sample`` is its absolute sample index."""

    first_sample: int
    current_ua: NDArray[np.float64]
    noise_ua: float
    """Largest absolute deflection in the quiet second before the train was fired."""
    offset_ua: float = 0.0
    """What the monitor showed in that second, taken off ``current_ua``."""


@dataclass(frozen=True, slots=True)
class Silence:
    """From ``since_sample`` on the monitor must stay within ``limit_ua`` of ``rest_ua``: no train is going on."""

    since_sample: int
    rest_ua: float
    limit_ua: float

    @classmethod
    def after(
        cls, end_sample: int, quiet: MonitorTrace | None, delivered: DeliveredTrain, rate_hz: float
    ) -> "Silence | None":
        """After a train that ended at ``end_sample``; ``None`` where no monitor is wired."""
        if quiet is None:
            return None
        since = end_sample + round(delivered.period_us * 1e-6 * rate_hz) + 2
        limit_ua = max(NOISE_FACTOR * quiet.noise_ua, STRAY_SHARE * delivered.current_ua, 0.5)
        return cls(since, quiet.offset_ua, limit_ua)

    def broken_by(self, monitor_ua: NDArray[np.float64], rate_hz: float) -> float | None:
        """The largest current in a second of the monitor, in uA, if it flowed for long enough to be one."""
        deviation_ua = np.abs(monitor_ua - self.rest_ua)
        if np.count_nonzero(deviation_ua > self.limit_ua) < max(2.0, STRAY_S * rate_hz):
            return None
        return float(deviation_ua.max())


def flowed(trace: MonitorTrace) -> bool:
    """Whether any current can be told from the monitor's own noise."""
    return bool(np.abs(trace.current_ua).max(initial=0.0) > max(NOISE_FACTOR * trace.noise_ua, 0.5))


def measure(
    onset_sample: int, end_sample: int, trace: MonitorTrace | None, delivered: DeliveredTrain, rate_hz: float
) -> MeasuredTrain:
    """Onset and end from the TTL; plateau current and number of pulses from the monitor."""
    if trace is None:
        return MeasuredTrain(onset_sample, end_sample, None, None)
    absolute = np.abs(trace.current_ua)
    if not flowed(trace):
        return MeasuredTrain(onset_sample, end_sample, 0.0, 0)
    plateau = float(np.median(absolute[absolute > 0.5 * absolute.max()]))
    resolved = delivered.phase_us * 1e-6 * rate_hz >= 1.0
    n_pulses = _leading_phases(trace.current_ua, 0.5 * plateau) if resolved else None
    return MeasuredTrain(onset_sample, end_sample, plateau, n_pulses)


def discrepancy(delivered: DeliveredTrain, measured: MeasuredTrain, rate_hz: float) -> str:
    """What speaks against the delivery, in one sentence; empty when nothing does."""
    length_s = (measured.end_sample - measured.onset_sample) / rate_hz
    slack_s = delivered.period_us * 1e-6 + 2 / rate_hz
    if abs(length_s - delivered.train_s) > slack_s:
        return f"the recorded TTL lasted {length_s:.3f} s where the train should last {delivered.train_s:.3f} s"
    if measured.current_ua is not None:
        if measured.current_ua == 0.0:
            return f"the current monitor shows no current where {delivered.current_ua:.4g} uA should flow"
        if abs(measured.current_ua - delivered.current_ua) > max(CURRENT_TOLERANCE * delivered.current_ua, 0.5):
            shown, due = f"{measured.current_ua:.4g} uA", f"{delivered.current_ua:.4g} uA"
            return f"the current monitor shows {shown} where {due} should flow"
    if measured.n_pulses is not None and measured.n_pulses != delivered.n_pulses:
        return f"the current monitor shows {measured.n_pulses} pulses where {delivered.n_pulses} should come"
    return ""


def _leading_phases(current_ua: NDArray[np.float64], threshold_ua: float) -> int:
    """Phases of the sign that comes first."""
    sign = np.where(current_ua > threshold_ua, 1, np.where(current_ua < -threshold_ua, -1, 0))
    active = np.flatnonzero(sign)
    if active.size == 0:
        return 0
    leading = sign == sign[active[0]]
    return int(leading[0]) + int(np.count_nonzero(leading[1:] & ~leading[:-1]))
