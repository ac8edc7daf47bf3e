"""Was the train delivered as asked? The recorded TTL and current monitor answer, not the program's intentions."""

from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from drivers.delivery_report import DeliveryReport, SelfMeasuring
from drivers.interface import DeliveredTrain, Stimulator
from kindle.exchange import MeasuredTrain

CURRENT_TOLERANCE = 0.10
"""Of the commanded current: isolators are good to a few per cent, a wrong byte is off by far more."""

PHASE_TOLERANCE = 0.25
"""Of the commanded current, for the strongest sample of a single phase: that of the weakest one, noise included."""

SAMPLES_A_PHASE = 2.0
"""From this many on each phase is seen for itself, whatever the clocks of board and stimulator do to each other."""

NOISE_FACTOR = 6.0

COMPLIANCE = "the isolator may have run out of voltage: check electrode, wires and compliance"

STRAY_S = 0.004
"""Of any second: what the monitor shows for less time may be interference."""

STRAY_SHARE = 0.5
"""Of the last train's current: less may be interference, more is current."""

REST_LIMIT_UA = 5.0
"""At rest a sound monitor shows less, offset and noise together; electrode sites are marked with hardly more."""

Current = NDArray[np.float64]


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
    """From ``since_sample`` on no train is going on.

    The monitor must stay within ``most_ua`` of zero, whatever it showed before: nothing else tells its offset from a
    current that flows all the time. After a train it must also stay within ``limit_ua`` of ``rest_ua``.
    """

    since_sample: int
    most_ua: float
    rest_ua: float = 0.0
    limit_ua: float = inf

    @classmethod
    def after(
        cls, end_sample: int, quiet: MonitorTrace | None, delivered: DeliveredTrain, rate_hz: float, *, most_ua: float
    ) -> "Silence":
        """After a train that ended at ``end_sample``; ``quiet`` is the monitor before it, where one is wired."""
        since = end_sample + round(delivered.period_us * 1e-6 * rate_hz) + 2
        if quiet is None:
            return cls(since, most_ua)
        limit_ua = max(NOISE_FACTOR * quiet.noise_ua, STRAY_SHARE * delivered.current_ua, 0.5)
        return cls(since, most_ua, quiet.offset_ua, limit_ua)

    def broken_by(self, monitor_ua: NDArray[np.float64], rate_hz: float) -> str:
        """What a second of the monitor shows against it and what to look at; empty when nothing does."""
        if (shown_ua := lasting_ua(monitor_ua - self.rest_ua, self.limit_ua, rate_hz)) is not None:
            return f"shows {shown_ua:.4g} uA while no train is going on"
        if (shown_ua := lasting_ua(monitor_ua, self.most_ua, rate_hz)) is not None:
            return (
                f"shows {shown_ua:.4g} uA while no train is going on, where at most {self.most_ua:g} uA are its offset"
            )
        return ""


def lasting_ua(deviation_ua: NDArray[np.float64], limit_ua: float, rate_hz: float) -> float | None:
    """The largest deviation in a second of the monitor, if it was beyond ``limit_ua`` for long enough to be current."""
    absolute_ua = np.abs(deviation_ua)
    if np.count_nonzero(absolute_ua > limit_ua) < max(2.0, STRAY_S * rate_hz):
        return None
    return float(absolute_ua.max())


def flowed(trace: MonitorTrace) -> bool:
    """Whether any current can be told from the monitor's own noise."""
    return bool(np.abs(trace.current_ua).max(initial=0.0) > max(NOISE_FACTOR * trace.noise_ua, 0.5))


def self_measured(stimulator: Stimulator) -> DeliveryReport | None:
    """What a stimulator that measures its own output says of the train that ended last; ``None`` of any other."""
    return stimulator.delivery_report() if isinstance(stimulator, SelfMeasuring) else None


def measure(
    onset_sample: int, end_sample: int, trace: MonitorTrace | None, delivered: DeliveredTrain, rate_hz: float
) -> MeasuredTrain:
    """Onset and end from the TTL; current, pulses and, where the samples are close enough, phases from the monitor."""
    if trace is None:
        return MeasuredTrain(onset_sample, end_sample, None, None)
    absolute = np.abs(trace.current_ua)
    if not flowed(trace):
        return MeasuredTrain(onset_sample, end_sample, 0.0, 0)
    plateau = float(np.median(absolute[absolute > 0.5 * absolute.max()]))
    a_phase = delivered.phase_us * 1e-6 * rate_hz
    if a_phase < 1.0:
        return MeasuredTrain(onset_sample, end_sample, plateau, None)
    leading, opposite = _phases(trace.current_ua, 0.5 * plateau)
    if a_phase < SAMPLES_A_PHASE:
        return MeasuredTrain(onset_sample, end_sample, plateau, len(leading))
    return MeasuredTrain(
        onset_sample,
        end_sample,
        plateau,
        len(leading),
        lowest_ua=min((float(phase.max()) for phase in leading), default=None),
        n_opposite=len(opposite),
        opposite_ua=float(np.median(np.concatenate(opposite))) if opposite else None,
    )


def discrepancy(delivered: DeliveredTrain, measured: MeasuredTrain, rate_hz: float) -> str:
    """What speaks against the delivery, in one sentence; empty when nothing does."""
    length_s = (measured.end_sample - measured.onset_sample) / rate_hz
    slack_s = delivered.period_us * 1e-6 + 2 / rate_hz
    if abs(length_s - delivered.train_s) > slack_s:
        return f"the recorded TTL lasted {length_s:.3f} s where the train should last {delivered.train_s:.3f} s"
    due_ua = delivered.current_ua
    if measured.current_ua is not None:
        if measured.current_ua == 0.0:
            return f"the current monitor shows no current where {due_ua:.4g} uA should flow"
        slack_ua = max(CURRENT_TOLERANCE * due_ua, 0.5)
        if abs(measured.current_ua - due_ua) > slack_ua:
            too_weak = measured.current_ua < due_ua
            told = f"the current monitor shows {measured.current_ua:.4g} uA where {due_ua:.4g} uA should flow"
            return f"{told}; {COMPLIANCE}" if too_weak else told
    if measured.n_pulses is not None and measured.n_pulses != delivered.n_pulses:
        return f"the current monitor shows {measured.n_pulses} pulses where {delivered.n_pulses} should come"
    if (told := _phase_discrepancy(delivered, measured)) or measured.reported is None:
        return told
    return measured.reported.complaint


def _phase_discrepancy(delivered: DeliveredTrain, measured: MeasuredTrain) -> str:
    """What speaks against single phases, where the monitor resolves them."""
    due_ua = delivered.current_ua
    if measured.lowest_ua is not None and measured.lowest_ua < due_ua - max(PHASE_TOLERANCE * due_ua, 1.0):
        return (
            f"the current monitor shows a pulse of {measured.lowest_ua:.4g} uA where {due_ua:.4g} uA should flow in "
            f"each; {COMPLIANCE}"
        )
    if measured.n_opposite is None:
        return ""
    n_due = delivered.n_pulses if delivered.shape == "biphasic" else 0
    if measured.n_opposite != n_due:
        return f"the current monitor shows {measured.n_opposite} phases of the opposite sign where {n_due} should come"
    if measured.opposite_ua is not None and abs(measured.opposite_ua - due_ua) > max(CURRENT_TOLERANCE * due_ua, 0.5):
        return (
            f"the current monitor shows {measured.opposite_ua:.4g} uA in the opposite phases where {due_ua:.4g} uA "
            "should flow: the train was not balanced"
        )
    return ""


def _phases(current_ua: NDArray[np.float64], threshold_ua: float) -> tuple[list[Current], list[Current]]:
    """Absolute currents of each phase of the sign that comes first, and of each phase of the other."""
    sign = np.where(current_ua > threshold_ua, 1, np.where(current_ua < -threshold_ua, -1, 0))
    edges = np.flatnonzero(np.diff(sign)) + 1
    runs = zip(np.split(sign, edges), np.split(np.abs(current_ua), edges), strict=True)
    phases = [(int(signs[0]), phase) for signs, phase in runs if signs.size and signs[0]]
    first = phases[0][0] if phases else 0
    return [phase for way, phase in phases if way == first], [phase for way, phase in phases if way != first]
