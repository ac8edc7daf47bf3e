"""Offline refinement of boundaries with a zero-phase filter: it places them, it never judges again.

A boundary moves to the peak itself, by 60 ms at most. Shortly after the train the recovery of the amplifier hides
spikes from the live path, and bends the background into others; with the recovery taken away, the onset moves to the
first spike that stands among those that follow it. Deciding anew on the zero-phase signal would cut slow discharges.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from detectors.arrays import Floats
from detectors.criterion import Afterdischarge, Criterion, Judgement, Kind
from detectors.recovery import recovery_uv

LOW_HZ, HIGH_HZ = 2.0, 70.0
SNAP_S = 0.06
UNSETTLED_S = 1.5
"""An onset so soon after the signal is back is looked for anew."""
EDGE_S = 0.06
"""Where the signal begins, the filter makes peaks of its own."""
LEAST = 0.3
"""Of the baseline's peak: smaller deflections are noise, not even a measure of size."""
STANDS_OUT = 1.2
"""Of the baseline's peak: what the background reaches by chance is no spike that the recovery hid."""
AMONG, FOLLOWING_S = 0.4, 1.0
"""Of the typical height of those of the next second: a smaller deflection before them is not one of them."""
RHYTHM_S, UNKNOWN_INTERVAL_S = 2.0, 0.4
PACE = 1.5
"""A hidden spike comes no longer before the next than this many of their intervals."""

Samples = NDArray[np.intp]


def refine(
    judgement: Judgement, uv: Floats, first_sample: int, rate_hz: float, criterion: Criterion | None = None
) -> Judgement:
    """``uv`` ``(n,)`` is the channel's signal from ``first_sample`` on, over train and discharges; NaN is lost."""
    if not judgement.afterdischarges:
        return judgement
    criterion = criterion or Criterion()
    start = max(_believed_from(judgement) - first_sample, 0)
    z = _zero_phase(uv[start:], rate_hz, judgement.baseline_uv)
    origin = first_sample + start
    refined: list[Afterdischarge] = []
    for event in judgement.afterdischarges:
        onset = _snapped(z, event.onset_sample - origin, rate_hz)
        end = _snapped(z, event.end_sample - origin, rate_hz)
        gained = 0
        if event.kind is Kind.PRIMARY and onset <= UNSETTLED_S * rate_hz:
            latest = end - criterion.min_duration_s * rate_hz
            onset, gained = _first_spike(z[: end + 1], onset, latest, rate_hz, judgement.baseline_uv)
        refined.append(
            replace(
                event,
                onset_sample=origin + onset,
                end_sample=origin + max(onset, end),
                n_spikes=event.n_spikes + gained,
            )
        )
    return replace(judgement, afterdischarges=tuple(refined))


def _believed_from(judgement: Judgement) -> int:
    """Where the blindness of the train ends."""
    back = judgement.stimulus.end_sample
    for first, last in judgement.blind:
        if first <= back:
            back = max(back, last)
    return back


def _zero_phase(uv: Floats, rate_hz: float, baseline_uv: float) -> Floats:
    known = np.isfinite(uv)
    if not known.all():
        uv = np.interp(np.arange(uv.size), np.flatnonzero(known), uv[known]) if known.any() else np.zeros(uv.size)
    uv = uv - recovery_uv(uv, rate_hz, baseline_uv)
    sos = signal.butter(1, [LOW_HZ, min(HIGH_HZ, 0.4 * rate_hz)], "bandpass", fs=rate_hz, output="sos")
    padding = min(uv.size - 1, round(rate_hz))
    return np.asarray(signal.sosfiltfilt(sos, uv, padlen=max(0, padding)))


def _snapped(z: Floats, sample: int, rate_hz: float) -> int:
    reach = round(SNAP_S * rate_hz)
    low, high = max(0, sample - reach), min(z.size, sample + reach + 1)
    return low + int(np.abs(z[low:high]).argmax()) if low < high else sample


def _first_spike(z: Floats, onset: int, latest: float, rate_hz: float, baseline_uv: float) -> tuple[int, int]:
    """The first spike of the discharge, and how many more than were seen it has (-1 if the first seen was none)."""
    reach = round(SNAP_S * rate_hz)
    found, _ = signal.find_peaks(np.abs(z), height=LEAST * baseline_uv, distance=max(1, reach))
    peaks: Samples = found[found >= EDGE_S * rate_hz]

    def stands(peak: int) -> bool:
        least_uv = max(STANDS_OUT * baseline_uv, AMONG * _height_after(z, peaks, peak, rate_hz))
        return bool(abs(z[peak]) >= least_uv)

    believed = (int(peak) for peak in peaks if onset - reach <= peak <= latest)
    first = next((peak for peak in believed if stands(peak)), None)
    if first is None:
        return onset, 0
    gained = -1 if first > onset + reach else 0
    longest = PACE * _interval(z, peaks, first, rate_hz)
    for peak in reversed([int(peak) for peak in peaks if peak < first]):
        if first - peak > longest:
            break
        if stands(peak):
            first, gained = peak, gained + 1
    return first, gained


def _height_after(z: Floats, peaks: Samples, peak: int, rate_hz: float) -> float:
    """Median height of the peaks of the next second, those of the larger sign; 0 where there are not two."""
    after = z[peaks[(peaks > peak + SNAP_S * rate_hz / 2) & (peaks <= peak + FOLLOWING_S * rate_hz)]]
    sides = (after[after > 0], -after[after < 0])
    return max((float(np.median(side)) for side in sides if side.size >= 2), default=0.0)


def _interval(z: Floats, peaks: Samples, first: int, rate_hz: float) -> float:
    """Between the spikes of the larger sign in the first seconds."""
    near = peaks[(peaks >= first) & (peaks <= first + RHYTHM_S * rate_hz)]
    near = near[np.abs(z[near]) >= AMONG * _height_after(z, peaks, first, rate_hz)]
    heights = z[near]
    larger = near[heights * heights.sum() > 0]
    return float(np.median(np.diff(larger))) if larger.size > 2 else UNKNOWN_INTERVAL_S * rate_hz
