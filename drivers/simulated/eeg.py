"""Waveforms of a simulated amygdala: background, spikes and afterdischarges, in microvolts.

Shapes and values follow the domain reference where it gives any (1/f background with theta, sharp wave with an
opposite slow wave, rate rising and falling again over a discharge); they are for testing, not for physiology.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Microvolts = NDArray[np.float64]


@dataclass(frozen=True)
class Background:
    """Ongoing activity as a pure function of the sample index, so that it can be asked for in any pieces."""

    rate_hz: float
    seed: int
    rms_uv: float = 50.0
    theta_hz: float = 7.0
    theta_uv: float = 30.0

    def uv(self, first: int, n: int) -> Microvolts:
        index = np.arange(first, first + n)
        long, short = self._noise
        noise = _repeated(long, first, n) + _repeated(short, first, n)
        theta = self.theta_uv * np.sin(2 * np.pi * self.theta_hz / self.rate_hz * index)
        return np.asarray(self.rms_uv / np.sqrt(2) * noise + theta)

    @cached_property
    def _noise(self) -> tuple[Microvolts, Microvolts]:
        """Two periodic tables of unit variance with coprime lengths: their sum does not repeat within days."""
        rng = np.random.default_rng([self.seed, 1])
        return _pink(rng, 2**17, self.rate_hz), _pink(rng, 7**6, self.rate_hz)


def _repeated(table: Microvolts, first: int, n: int) -> Microvolts:
    """Samples ``first`` to ``first + n`` of ``table`` repeated for ever; a view where they lie together."""
    start = first % table.size
    if start + n <= table.size:
        return table[start : start + n]
    return np.take(table, np.arange(start, start + n), mode="wrap")


def _pink(rng: np.random.Generator, n: int, rate_hz: float, low_hz: float = 1.0, high_hz: float = 70.0) -> Microvolts:
    hz = np.fft.rfftfreq(n, 1 / rate_hz)
    band = (hz >= low_hz) & (hz <= min(high_hz, 0.45 * rate_hz))
    spectrum = np.zeros(hz.size, complex)
    phases = rng.uniform(0, 2 * np.pi, int(band.sum()))
    spectrum[band] = np.exp(1j * phases) / np.sqrt(hz[band])
    noise = np.fft.irfft(spectrum, n)
    return np.asarray(noise / noise.std())


def spike(rate_hz: float, width_s: float = 0.015) -> tuple[Microvolts, int]:
    """A sharp wave and the opposite slow wave after it, peak 1; returns the samples and the index of the peak."""
    before_s, after_s = 5 * width_s, 0.3
    time_s = np.arange(-round(before_s * rate_hz), round(after_s * rate_hz) + 1) / rate_hz
    sharp = np.exp(-0.5 * (time_s / width_s) ** 2)
    slow = -0.4 * np.exp(-0.5 * ((time_s - 0.09) / 0.05) ** 2)
    wave = sharp + slow
    peak = round(before_s * rate_hz)
    return wave / wave[peak], peak


@dataclass(frozen=True, slots=True)
class Discharge:
    """``uv`` starts ``first_spike`` samples before the first spike's peak; offsets count from ``uv[0]``."""

    uv: Microvolts
    first_spike: int
    last_spike: int


def discharge(
    rng: np.random.Generator,
    rate_hz: float,
    duration_s: float,
    peak_uv: float,
    rates_hz: tuple[float, ...] = (2, 6, 1.5),
) -> Discharge:
    """Spikes whose rate passes through ``rates_hz`` over the discharge; first to last peak is ``duration_s``."""
    wave, peak = spike(rate_hz)
    times_s = _spike_times(rng, duration_s, rates_hz)
    centres = np.round(times_s * rate_hz).astype(int)
    uv = np.zeros(centres[-1] + wave.size)
    for centre in centres:
        uv[centre : centre + wave.size] += peak_uv * rng.uniform(0.8, 1.2) * wave
    return Discharge(uv, first_spike=peak, last_spike=int(centres[-1]) + peak)


def _spike_times(rng: np.random.Generator, duration_s: float, rates_hz: tuple[float, ...]) -> Microvolts:
    knots = np.linspace(0, duration_s, len(rates_hz))
    times = [0.0]
    while True:
        rate = float(np.interp(times[-1], knots, rates_hz))
        following = times[-1] + rng.uniform(0.85, 1.15) / rate
        if following > duration_s - 0.5 / rate:
            return np.array([*times, duration_s])
        times.append(following)
