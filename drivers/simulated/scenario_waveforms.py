"""Discharges of five families that share no shape: cycles with known peak times, in microvolts.

Amplitudes are peaks in the band in which a baseline peak is measured (2 to 70 Hz), so that a slow rounded wave and a
sharp one of the same ratio stand equally high above the background there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Shape = Callable[[Floats], Floats]

LOOSENED_SHARE = 0.3
"""Of a long discharge of polyspikes, over which the gaps between bursts grow (Bauer 2017)."""
LONGEST_GAP_S = 2.4


class Family(StrEnum):
    SPIKE_WAVE = "spike_wave"
    """A sharp wave, sigma 15 ms, and an opposite slow wave of 40 %, 90 ms later."""
    SMOOTH = "smooth"
    """Rounded cycles, nearly a sine."""
    POLYSPIKE = "polyspike"
    """Bursts of 2 to 5 narrow spikes at irregular intervals; long ones end in ever later bursts of 3 or more."""
    SAWTOOTH = "sawtooth"
    """A steep rise and a slow fall, waxing and waning."""
    RECORDED = "recorded"
    """Cycles that differ in shape, size and length, modulated by noise, building up over the first few."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Cycles from peak to peak; ``rates_hz`` and ``ratios`` (of the baseline peak) are passed through evenly."""

    first_s: float
    last_s: float
    rates_hz: tuple[float, ...]
    ratios: tuple[float, ...]
    loosens: bool = False
    """The discharge ends here, and may do so in bursts ever further apart."""


@dataclass(frozen=True, slots=True)
class Wave:
    """``uv[0]`` lies at ``start_s``; ``first_s`` and ``last_s`` are the peaks of the first and the last spike."""

    uv: Floats
    start_s: float
    first_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class _Cycles:
    """Peak times from the start of ``t_s``, the sizes of the peaks in uV, both ``(n_cycles,)``; ``t_s`` ``(n,)``."""

    peaks_s: Floats
    sizes_uv: Floats
    t_s: Floats
    rate_hz: float

    @property
    def periods_s(self) -> Floats:
        """From each peak to the next; the last repeats the one before it."""
        gaps = np.diff(self.peaks_s)
        return np.append(gaps, gaps[-1])


_LEAD_S, _TAIL_S = 0.5, 1.0


def discharge(
    family: Family, stretch: Stretch, baseline_uv: float, sign: float, rng: np.random.Generator, rate_hz: float
) -> Wave:
    """The stretch as ``family`` draws it. Where time 0 falls between samples, peaks do too."""
    start_s = np.floor((stretch.first_s - _LEAD_S) * rate_hz) / rate_hz
    n = int(np.ceil((stretch.last_s + _TAIL_S - start_s) * rate_hz))
    peaks_s = _peak_times(stretch, _IRREGULARITY[family], rng)
    if family is Family.POLYSPIKE and stretch.loosens and stretch.last_s - stretch.first_s >= 15:
        peaks_s = _loosened(peaks_s, rng)
    along = (peaks_s - peaks_s[0]) / (peaks_s[-1] - peaks_s[0])
    sizes_uv = baseline_uv * np.interp(along, np.linspace(0, 1, len(stretch.ratios)), stretch.ratios)
    cycles = _Cycles(peaks_s - start_s, sizes_uv, np.arange(n) / rate_hz, rate_hz)
    uv, first_s, last_s = _DRAWN[family](cycles, rng)
    return Wave(sign * uv, start_s, start_s + first_s, start_s + last_s)


def lone_spike(family: Family, at_s: float, size_uv: float, rate_hz: float) -> Wave:
    """One spike away from any discharge; narrow in the sharp families, rounded in the others."""
    start_s = np.floor((at_s - _LEAD_S) * rate_hz) / rate_hz
    t = start_s + np.arange(round((_LEAD_S + _TAIL_S) * rate_hz)) / rate_hz - at_s
    if family in (Family.SMOOTH, Family.RECORDED):
        uv = np.where(np.abs(t) < 0.125, 0.5 + 0.5 * np.cos(2 * np.pi * t / 0.25), 0.0)
    else:
        uv = _spike_and_wave(t)
    return Wave(size_uv * uv, start_s, at_s, at_s)


def _peak_times(stretch: Stretch, irregularity: float, rng: np.random.Generator) -> Floats:
    """Even in phase, the first and the last exactly where the stretch says; those between off by a share of a cycle."""
    span = stretch.last_s - stretch.first_s
    t = np.linspace(0, span, max(2, round(1000 * span)))
    rate = np.interp(t, np.linspace(0, span, len(stretch.rates_hz)), stretch.rates_hz)
    phase = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(t))])
    n = max(1, round(float(phase[-1])))
    times = np.interp(np.linspace(0, phase[-1], n + 1), phase, t)
    if n >= 2:
        off = np.clip(irregularity * rng.standard_normal(n - 1), -0.35, 0.35)
        times[1:-1] += off * np.minimum(np.diff(times)[1:], np.diff(times)[:-1])
    return np.asarray(stretch.first_s + times)


def _loosened(peaks_s: Floats, rng: np.random.Generator) -> Floats:
    """The last part again, every gap longer than the one before by the same factor."""
    turn_s = peaks_s[-1] - LOOSENED_SHARE * (peaks_s[-1] - peaks_s[0])
    kept = peaks_s[peaks_s <= turn_s]
    span = peaks_s[-1] - kept[-1]
    growth, gap = rng.uniform(1.12, 1.3), float(np.median(np.diff(kept[-8:])))
    gaps = [gap]
    while sum(gaps) < span:
        gaps.append(min(gaps[-1] * growth, LONGEST_GAP_S))
    grown = np.cumsum(gaps) * span / sum(gaps)
    return np.concatenate([kept, kept[-1] + grown])


def _spike_and_wave(t: Floats, width_s: float = 0.015) -> Floats:
    wave = np.exp(-0.5 * (t / width_s) ** 2) - 0.4 * np.exp(-0.5 * ((t - 0.09) / 0.05) ** 2)
    return np.asarray(wave / (1 - 0.4 * np.exp(-0.5 * (0.09 / 0.05) ** 2)))


def _bump(width_s: float) -> Shape:
    return lambda t: np.asarray(np.exp(-0.5 * (t / width_s) ** 2))


def _placed(cycles: _Cycles, at_s: Floats, sizes: Floats, before_s: float, after_s: float, shape: Shape) -> Floats:
    """The sum of ``shape(t)`` times its size at each time, every copy exact between samples."""
    first = np.round((at_s - before_s) * cycles.rate_hz).astype(int)
    index = first[:, None] + np.arange(round((before_s + after_s) * cycles.rate_hz) + 1)
    uv = np.zeros(cycles.t_s.size)
    values = sizes[:, None] * shape(index / cycles.rate_hz - at_s[:, None])
    inside = (index >= 0) & (index < uv.size)
    np.add.at(uv, index[inside], values[inside])
    return uv


Drawn = tuple[Floats, float, float]


def _spike_waves(cycles: _Cycles, rng: np.random.Generator) -> Drawn:
    sizes = cycles.sizes_uv * rng.uniform(0.88, 1.12, cycles.peaks_s.size)
    uv = _placed(cycles, cycles.peaks_s, sizes, 0.1, 0.3, _spike_and_wave)
    return uv, cycles.peaks_s[0], cycles.peaks_s[-1]


def _polyspikes(cycles: _Cycles, rng: np.random.Generator) -> Drawn:
    peaks, periods = cycles.peaks_s, cycles.periods_s
    n = peaks.size
    spacing = np.minimum(rng.uniform(0.025, 0.055, n), 0.14 * np.minimum(periods, np.append(periods[:1], periods[:-1])))
    # Far apart, every burst is a run of its own: three spikes or more.
    per_burst = np.where(periods > 0.9, rng.integers(3, 6, n), rng.integers(2, 6, n))
    # The last burst ends on the last peak, every other one begins on its own.
    begins = peaks.copy()
    begins[-1] -= (per_burst[-1] - 1) * spacing[-1]
    burst = np.repeat(np.arange(n), per_burst)
    place = np.arange(burst.size) - np.repeat(np.cumsum(per_burst) - per_burst, per_burst)
    at_s = begins[burst] + place * spacing[burst]
    sizes = cycles.sizes_uv[burst] * np.where(place == 0, 1.0, rng.uniform(0.75, 1.0, burst.size))
    width_s = rng.uniform(0.006, 0.009)
    spikes = _placed(cycles, at_s, sizes, 0.05, 0.05, _bump(width_s))
    ends = begins + (per_burst - 1) * spacing
    waves = _placed(cycles, ends + 0.12, -0.35 * cycles.sizes_uv, 0.25, 0.25, _bump(0.05))
    return spikes + waves, at_s[0], at_s[-1]


def _phase(cycles: _Cycles) -> Floats:
    """Cycles since the first peak, running on for a quarter of one on either side."""
    peaks, periods = cycles.peaks_s, cycles.periods_s
    knots = np.concatenate([[peaks[0] - periods[0]], peaks, [peaks[-1] + periods[-1]]])
    return np.interp(cycles.t_s, knots, np.arange(-1, peaks.size + 1))


def _within(phase: Floats, n_cycles: int) -> NDArray[np.bool_]:
    return (phase >= -0.25) & (phase <= n_cycles - 1 + 0.25)


def _band_gain(periods_s: Floats) -> Floats:
    """What a 2 Hz high-pass of second order leaves of a cycle."""
    return np.asarray(1 / np.sqrt(1 + (2 * periods_s) ** 4))


def _smooth(cycles: _Cycles, rng: np.random.Generator) -> Drawn:
    phase, n = _phase(cycles), cycles.peaks_s.size
    sizes = np.interp(phase, np.arange(n), cycles.sizes_uv / _band_gain(cycles.periods_s))
    second = rng.uniform(0.0, 0.15)
    angle = 2 * np.pi * phase
    uv = sizes * (np.cos(angle) + second * (np.cos(2 * angle) + 1)) / (1 + 2 * second)
    return np.where(_within(phase, n), uv, 0.0), cycles.peaks_s[0], cycles.peaks_s[-1]


def _sawtooth(cycles: _Cycles, rng: np.random.Generator) -> Drawn:
    peaks, n = cycles.peaks_s, cycles.peaks_s.size
    turn = 2 * np.pi * rng.uniform(0.08, 0.25) * (peaks - peaks[0])
    sizes = cycles.sizes_uv * (1 + 0.3 * np.sin(turn + rng.uniform(0, 2 * np.pi)))
    rise, sag = rng.uniform(0.08, 0.16), rng.uniform(0.35, 0.6)
    phase = _phase(cycles)
    whole = np.clip(np.floor(phase), 0, n - 1).astype(int)
    part = phase - whole
    following = np.minimum(whole + 1, n - 1)
    low = -sag * sizes[whole]
    falling = sizes[whole] + (low - sizes[whole]) * np.clip(part / (1 - rise), 0, 1) ** 0.7
    rising = low + (sizes[following] - low) * (part - (1 - rise)) / rise
    uv = np.where(part <= 1 - rise, falling, rising)
    # The first rises from nothing, and the last falls back to it.
    lead = np.clip(1 + (cycles.t_s - peaks[0]) / (rise * cycles.periods_s[0]), 0, 1)
    tail = np.clip(1 - (cycles.t_s - peaks[-1]) / min(0.3, cycles.periods_s[-1]), 0, 1)
    uv = np.where(cycles.t_s < peaks[0], sizes[0] * lead, np.where(cycles.t_s > peaks[-1], sizes[-1] * tail, uv))
    return uv, peaks[0], peaks[-1]


def _recorded(cycles: _Cycles, rng: np.random.Generator) -> Drawn:
    phase, n = _phase(cycles), cycles.peaks_s.size
    smoothed = np.convolve(np.pad(rng.standard_normal(n), 2, mode="reflect"), [0.1, 0.2, 0.4, 0.2, 0.1], "valid")
    building = np.minimum(1, 0.7 + 0.3 * np.arange(n) / 4)
    sizes = cycles.sizes_uv / _band_gain(cycles.periods_s) * np.exp(0.35 * smoothed) * building
    envelope = np.interp(phase, np.arange(n), sizes)
    second, third = rng.uniform(0.15, 0.4, n), rng.uniform(0.05, 0.2, n)
    skew = rng.uniform(-0.8, 0.8)
    angle = 2 * np.pi * phase
    shape = (
        np.cos(angle)
        + np.interp(phase, np.arange(n), second) * np.cos(2 * angle + skew)
        + np.interp(phase, np.arange(n), third) * np.cos(3 * angle)
    )
    noise = _band_noise(rng, cycles.t_s.size, cycles.rate_hz, 6, 40)
    # Noise rides on the peaks more than on the troughs, as it does on real spikes.
    uv = envelope / 1.3 * (shape + 0.25 * noise * (0.6 + 0.4 * np.cos(angle)))
    edge = np.clip(np.minimum(phase + 0.3, n - 1 + 0.3 - phase) / 0.1, 0, 1)
    uv = uv * edge
    return uv, _highest(cycles, uv, 0), _highest(cycles, uv, -1)


def _highest(cycles: _Cycles, uv: Floats, cycle: int) -> float:
    """Where the cycle's peak came to lie with the noise on it."""
    near = np.abs(cycles.t_s - cycles.peaks_s[cycle]) <= 0.2 * cycles.periods_s[cycle]
    return float(cycles.t_s[np.flatnonzero(near)[uv[near].argmax()]])


def _band_noise(rng: np.random.Generator, n: int, rate_hz: float, low_hz: float, high_hz: float) -> Floats:
    hz = np.fft.rfftfreq(n, 1 / rate_hz)
    spectrum = rng.standard_normal(hz.size) + 1j * rng.standard_normal(hz.size)
    noise = np.fft.irfft(spectrum * ((hz >= low_hz) & (hz <= min(high_hz, 0.45 * rate_hz))), n)
    return np.asarray(noise / noise.std())


_IRREGULARITY = {
    Family.SPIKE_WAVE: 0.05,
    Family.SMOOTH: 0.0,
    Family.POLYSPIKE: 0.2,
    Family.SAWTOOTH: 0.08,
    Family.RECORDED: 0.12,
}
_DRAWN: dict[Family, Callable[[_Cycles, np.random.Generator], Drawn]] = {
    Family.SPIKE_WAVE: _spike_waves,
    Family.SMOOTH: _smooth,
    Family.POLYSPIKE: _polyspikes,
    Family.SAWTOOTH: _sawtooth,
    Family.RECORDED: _recorded,
}
