"""What the front end does to a wave: how much of its height it leaves, and how much too early its peak appears."""

from dataclasses import dataclass

import numpy as np
from scipy import signal

from detectors.ticks import Floats, Grid

OVERSAMPLED = 16
SHARP_S = (0.002, 0.06)
"""Standard deviations of the lone sharp waves that are tabulated,"""
SMOOTH_HZ = (1.0, 40.0)
"""and the frequencies of the rhythms."""
N_ENTRIES = 40
LEAST_GAIN = 0.6
"""More than this is not made up for: slow waves of the background would pass for spikes."""
LONE, RHYTHMIC = 0.3, 0.85
"""Deflection of the other sign beside a peak, as a share of it: what a lone wave leaves, and what a rhythm has."""


@dataclass(frozen=True, slots=True)
class Table:
    """By the width of a filtered peak at half its height, ascending: the height left, and its lead; in groups."""

    width: Floats
    gain: Floats
    lead: Floats


class Response:
    """Corrections for the peak of a lone sharp wave, of a rhythm, and of what lies between."""

    def __init__(self, grid: Grid, coefficients: tuple[Floats, Floats]) -> None:
        self._sharp = _sharp_waves(grid, coefficients)
        self._smooth = _rhythms(grid, coefficients)

    def correction(self, width: Floats, opposite: Floats) -> tuple[Floats, Floats]:
        """Gain and lead (in groups) of filtered peaks, by width in groups and share of the opposite deflection."""
        rhythmic = np.clip((opposite - LONE) / (RHYTHMIC - LONE), 0.0, 1.0)
        gain, lead = (
            (1 - rhythmic) * np.interp(width, self._sharp.width, sharp)
            + rhythmic * np.interp(width, self._smooth.width, smooth)
            for sharp, smooth in ((self._sharp.gain, self._smooth.gain), (self._sharp.lead, self._smooth.lead))
        )
        return np.maximum(gain, LEAST_GAIN), lead


def half_width(window: Floats, at: int) -> float:
    """Width at half height of the positive peak at index ``at``, in steps of ``window``."""
    half = window[at] / 2
    before = np.flatnonzero(window[:at] <= half)
    after = np.flatnonzero(window[at:] <= half)
    if not before.size or not after.size:
        return float(window.size)
    left, right = int(before[-1]), at + int(after[0])
    rise = (half - window[left]) / (window[left + 1] - window[left])
    fall = (window[right - 1] - half) / (window[right - 1] - window[right])
    return float((right - 1 + fall) - (left + rise))


def _sharp_waves(grid: Grid, coefficients: tuple[Floats, Floats]) -> Table:
    """Gaussians through the triangular low-pass and the high-pass, at many phases of the decimation."""
    fine_hz = grid.group_hz * OVERSAMPLED
    triangle = np.convolve(np.ones(OVERSAMPLED), np.ones(OVERSAMPLED)) / OVERSAMPLED**2
    rows = []
    for sigma_s in np.geomspace(*SHARP_S, N_ENTRIES):
        reach = round(8 * sigma_s * fine_hz) // OVERSAMPLED * OVERSAMPLED + 8 * OVERSAMPLED
        wave = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (sigma_s * fine_hz)) ** 2)
        low = np.convolve(wave, triangle, mode="same")
        gains, leads, widths = [], [], []
        for phase in range(0, OVERSAMPLED, 4):
            y = signal.lfilter(*coefficients, low[phase::OVERSAMPLED])
            at = int(y.argmax())
            gains.append(float(y[at]))
            leads.append((reach - phase) / OVERSAMPLED - at)
            widths.append(half_width(y, at))
        rows.append((float(np.mean(widths)), float(np.mean(gains)), float(np.mean(leads))))
    return _table(rows)


def _rhythms(grid: Grid, coefficients: tuple[Floats, Floats]) -> Table:
    """Sinusoids: a third of their period is their width at half height."""
    hz = np.geomspace(SMOOTH_HZ[1], SMOOTH_HZ[0], N_ENTRIES)
    hz = hz[hz < 0.4 * grid.group_hz]
    _, response = signal.freqz(*coefficients, worN=hz, fs=grid.group_hz)
    lead = np.angle(response) / (2 * np.pi * hz) * grid.group_hz
    return _table(list(zip(grid.group_hz / (3 * hz), np.ones(hz.size), lead, strict=True)))


def _table(rows: list[tuple[float, float, float]]) -> Table:
    width, gain, lead = np.array(sorted(rows)).T
    return Table(width, gain, lead)
