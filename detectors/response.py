"""What the front end does to a wave: how much of its height it leaves, and how much too early its peak appears."""

import numpy as np
from scipy import signal

from detectors.arrays import Floats
from detectors.grid import Grid
from detectors.kernels import compiled
from detectors.spike_shape import half_width

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


class Response:
    """Corrections for the peak of a lone ``sharp`` wave and of a ``smooth`` rhythm.

    Each is a table ``(3, n)``: widths of a filtered peak at half its height, ascending; the height left there; its
    lead; widths and leads in groups.
    """

    def __init__(self, grid: Grid, coefficients: tuple[Floats, Floats]) -> None:
        self.sharp = _sharp_waves(grid, coefficients)
        self.smooth = _rhythms(grid, coefficients)


@compiled
def correction(sharp: Floats, smooth: Floats, width: float, opposite: float) -> tuple[float, float]:
    """Gain and lead (in groups) of a filtered peak, by its width in groups and the share of its opposite deflection."""
    rhythmic = min(1.0, max(0.0, (opposite - LONE) / (RHYTHMIC - LONE)))
    gain = (1 - rhythmic) * _looked_up(sharp, 1, width) + rhythmic * _looked_up(smooth, 1, width)
    lead = (1 - rhythmic) * _looked_up(sharp, 2, width) + rhythmic * _looked_up(smooth, 2, width)
    return max(gain, LEAST_GAIN), lead


@compiled
def _looked_up(table: Floats, row: int, width: float) -> float:
    """``row`` of ``table`` at ``width``, linear in between and constant beyond."""
    last = table.shape[1] - 1
    if width <= table[0, 0]:
        return float(table[row, 0])
    if width >= table[0, last]:
        return float(table[row, last])
    below = np.searchsorted(table[0], width, side="right") - 1
    share = (width - table[0, below]) / (table[0, below + 1] - table[0, below])
    return float(table[row, below] + share * (table[row, below + 1] - table[row, below]))


def _sharp_waves(grid: Grid, coefficients: tuple[Floats, Floats]) -> Floats:
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
            widths.append(half_width(y, 0, y.size, at))
        rows.append((float(np.mean(widths)), float(np.mean(gains)), float(np.mean(leads))))
    return _table(rows)


def _rhythms(grid: Grid, coefficients: tuple[Floats, Floats]) -> Floats:
    """Sinusoids: a third of their period is their width at half height."""
    hz = np.geomspace(SMOOTH_HZ[1], SMOOTH_HZ[0], N_ENTRIES)
    hz = hz[hz < 0.4 * grid.group_hz]
    _, response = signal.freqz(*coefficients, worN=hz, fs=grid.group_hz)
    lead = np.angle(response) / (2 * np.pi * hz) * grid.group_hz
    return _table(list(zip(grid.group_hz / (3 * hz), np.ones(hz.size), lead, strict=True)))


def _table(rows: list[tuple[float, float, float]]) -> Floats:
    return np.ascontiguousarray(np.array(sorted(rows)).T)
