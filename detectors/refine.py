"""Offline refinement of boundaries with a zero-phase filter: it snaps, it never judges again.

A boundary moves to the peak itself, by 60 ms at most, and the onset may move further back over spikes that the
recovery of the amplifier hid. Letting the zero-phase signal decide anew would cut slow discharges short.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import optimize, signal

from detectors.arrays import Floats
from detectors.criterion import Afterdischarge, Criterion, Judgement, Kind

SNAP_S = 0.06
HIDDEN_S = 3.0
"""After the signal is back, spikes may be hidden by the recovery for this long."""
SUPPORT = 0.7
"""An added spike has this share of the height of those that follow it, and their sign,"""
PACE = 1.5
"""and comes no longer before them than this many of their intervals."""


def refine(
    judgement: Judgement, uv: Floats, first_sample: int, rate_hz: float, criterion: Criterion | None = None
) -> Judgement:
    """``uv`` ``(n,)`` is the channel's signal from ``first_sample`` on, over train and discharges; NaN is lost."""
    if not judgement.afterdischarges:
        return judgement
    criterion = criterion or Criterion()
    back = _believed_from(judgement)
    start = max(back - first_sample, 0)
    z = _zero_phase(uv[start:], rate_hz)
    origin = first_sample + start
    limit_uv = criterion.amplitude_ratio * judgement.baseline_uv
    refined: list[Afterdischarge] = []
    for event in judgement.afterdischarges:
        onset = _snapped(z, event.onset_sample - origin, rate_hz)
        end = _snapped(z, event.end_sample - origin, rate_hz)
        added = 0
        if event.kind is Kind.PRIMARY and onset <= HIDDEN_S * rate_hz:
            earlier = _hidden_spikes(z, onset, limit_uv, rate_hz)
            onset, added = (earlier[-1] if earlier else onset), len(earlier)
        refined.append(
            replace(
                event,
                onset_sample=origin + onset,
                end_sample=origin + max(onset, end),
                n_spikes=event.n_spikes + added,
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


def _zero_phase(uv: Floats, rate_hz: float) -> Floats:
    known = np.isfinite(uv)
    if not known.all():
        uv = np.interp(np.arange(uv.size), np.flatnonzero(known), uv[known]) if known.any() else np.zeros(uv.size)
    uv = uv - _recovery(uv, rate_hz)
    sos = signal.butter(1, [3.0, min(70.0, 0.4 * rate_hz)], "bandpass", fs=rate_hz, output="sos")
    padding = min(uv.size - 1, round(rate_hz))
    return np.asarray(signal.sosfiltfilt(sos, uv, padlen=max(0, padding)))


def _recovery(uv: Floats, rate_hz: float) -> Floats:
    """The exponential of an amplifier coming back, fitted with a line, robustly, to the first seconds."""
    n = min(uv.size, round(HIDDEN_S * rate_hz))
    step = max(1, round(rate_hz / 250))
    t, head = np.arange(0, n, step) / rate_hz, uv[:n:step]
    if head.size < 50:
        return np.zeros(uv.size)
    scale = float(np.median(np.abs(head - np.median(head)))) or 1.0
    best, best_cost = np.zeros(3), np.inf
    best_tau = 1.0
    for tau in np.geomspace(0.02, 1.5, 12):
        design = np.stack([np.exp(-t / tau), np.ones_like(t), t], axis=1)
        guess = np.linalg.lstsq(design, head, rcond=None)[0]
        fit = optimize.least_squares(
            _residual, guess, jac=_jacobian, loss="soft_l1", f_scale=scale, max_nfev=15, args=(design, head)
        )
        if fit.cost < best_cost:
            best, best_cost, best_tau = fit.x, fit.cost, float(tau)
    return np.asarray(best[0] * np.exp(-np.arange(uv.size) / rate_hz / best_tau))


def _residual(weights: Floats, design: Floats, head: Floats) -> Floats:
    return np.asarray(design @ weights - head)


def _jacobian(weights: Floats, design: Floats, head: Floats) -> Floats:
    return design


def _snapped(z: Floats, sample: int, rate_hz: float) -> int:
    reach = round(SNAP_S * rate_hz)
    low, high = max(0, sample - reach), min(z.size, sample + reach + 1)
    return low + int(np.abs(z[low:high]).argmax()) if low < high else sample


def _hidden_spikes(z: Floats, onset: int, limit_uv: float, rate_hz: float) -> list[int]:
    """Spikes before ``onset``, the latest first, each as large and as close as those after it."""
    separation = max(1, round(SNAP_S * rate_hz))
    sign = np.sign(z[onset])
    after, _ = signal.find_peaks(sign * z[onset : onset + round(2 * rate_hz)], height=limit_uv, distance=separation)
    following: Sequence[int] = [onset, *(onset + after).tolist()][:4]
    if len(following) < 3:
        return []
    height = float(np.median(np.abs(z[list(following)])))
    interval = float(np.median(np.diff(following)))
    before, _ = signal.find_peaks(sign * z[:onset], height=max(limit_uv, SUPPORT * height), distance=separation)
    found: list[int] = []
    for sample in reversed(before.tolist()):
        if (found[-1] if found else onset) - sample > PACE * interval:
            break
        if (found[-1] if found else onset) - sample >= 0.5 * interval:
            found.append(sample)
    return found
