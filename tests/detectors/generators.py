"""Recordings with known truth, from two families of waveforms that share no code with the detector.

``units``: sharp waves with a slow wave after them, at given times. ``cycles``: a smooth rhythm that sweeps in rate.
Times are seconds from the train's end; the signal is in uV and becomes int16 counts clipped at +/- 5 mV.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from detectors.criterion import Stimulus

Uv = NDArray[np.float64]
BEFORE_S, TRAIN_S = 60.0, 1.0
UV_PER_COUNT = 5000 / 32767
RAILS = (-32767, 32767)


@dataclass
class Recording:
    """A recording being drawn; ``b_uv`` is the median of the 1 s maxima of the baseline at 2 to 70 Hz."""

    rate_hz: float
    after_s: float
    rng: np.random.Generator
    background: Callable[[np.random.Generator, int, float], Uv]
    uv: Uv = field(init=False)
    b_uv: float = field(init=False)
    rails: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        n = round((BEFORE_S + TRAIN_S + self.after_s) * self.rate_hz)
        self.uv = self.background(self.rng, n, self.rate_hz)
        high_hz = min(70, 0.4 * self.rate_hz)
        sos = signal.butter(2, [2, high_hz], "bandpass", fs=self.rate_hz, output="sos")
        banded = np.abs(signal.sosfiltfilt(sos, self.uv[: round(BEFORE_S * self.rate_hz)]))
        second = int(self.rate_hz)
        self.b_uv = float(np.median(banded[: banded.size // second * second].reshape(-1, second).max(axis=1)))

    @property
    def stimulus(self) -> Stimulus:
        return Stimulus(round(BEFORE_S * self.rate_hz), round((BEFORE_S + TRAIN_S) * self.rate_hz))

    def seconds_after(self, sample: int) -> float:
        return (sample - self.stimulus.end_sample) / self.rate_hz

    def at(self, after_s: float) -> int:
        return self.stimulus.end_sample + round(after_s * self.rate_hz)

    def span(self, first_s: float, last_s: float) -> slice:
        return slice(max(0, self.at(first_s)), max(0, self.at(last_s)))

    def scale(self, first_s: float, last_s: float, factor: float | Uv) -> None:
        self.uv[self.span(first_s, last_s)] *= factor

    def add(self, after_s: float, wave: Uv) -> None:
        start = min(self.at(after_s), self.uv.size)
        stop = min(start + wave.size, self.uv.size)
        self.uv[max(0, start) : stop] += wave[max(0, -start) : stop - start]

    def units(self, times_s: Sequence[float] | Uv, ratio: float | Sequence[float] | Uv, width_s: float = 0.015) -> None:
        """Sharp wave (peak ``ratio`` x B at each time) and an opposite slow wave of 40 %, 90 ms later."""
        t = np.arange(-round(0.1 * self.rate_hz), round(0.3 * self.rate_hz) + 1) / self.rate_hz
        wave = np.exp(-0.5 * (t / width_s) ** 2) - 0.4 * np.exp(-0.5 * ((t - 0.09) / 0.05) ** 2)
        wave /= wave.max()
        for time_s, size in zip(times_s, np.broadcast_to(np.asarray(ratio, float), len(times_s)), strict=True):
            self.add(time_s - 0.1, wave * size * self.b_uv)

    def cycles(
        self, first_s: float, last_s: float, rates_hz: Sequence[float], ratio: float, sharpness: float = 1.0
    ) -> None:
        """Cycles whose rate passes through ``rates_hz``, from peak to peak; ``sharpness`` 1 is a sine."""
        n = round((last_s - first_s) * self.rate_hz) + 1
        t = np.arange(n) / self.rate_hz
        rate = np.interp(t, np.linspace(0, t[-1], len(rates_hz)), rates_hz)
        phase = np.cumsum(rate) / self.rate_hz
        phase *= round(phase[-1]) / phase[-1]
        wave = np.cos(2 * np.pi * phase)
        wave = np.sign(wave) * np.abs(wave) ** sharpness
        edge = min(n // 4, round(0.02 * self.rate_hz))
        window = np.ones(n)
        window[:edge], window[n - edge :] = np.linspace(0.5, 1, edge), np.linspace(1, 0.5, edge)
        self.add(first_s, wave * window * ratio * self.b_uv)

    def exponential(self, size_uv: float, tau_s: float, from_s: float = 0.0) -> None:
        t = np.arange(self.uv.size - self.at(from_s)) / self.rate_hz
        self.add(from_s, size_uv * np.exp(-t / tau_s))

    def saturate(self, first_s: float, last_s: float) -> None:
        self.rails.append((first_s, last_s))

    def counts(self) -> NDArray[np.int16]:
        """``(1, n)`` counts with the train's pulses clipped at both rails."""
        uv = self.uv.copy()
        train = slice(self.stimulus.onset_sample, self.stimulus.end_sample)
        phase = np.arange(train.stop - train.start) / self.rate_hz * 50 % 1
        uv[train] = np.where(phase < 0.5, 6000, -6000)
        for first_s, last_s in self.rails:
            uv[self.span(first_s, last_s)] = 6000
        return np.clip(np.rint(uv / UV_PER_COUNT), *RAILS).astype(np.int16)[None]


def pink(rng: np.random.Generator, n: int, rate_hz: float, rms_uv: float = 50.0) -> Uv:
    """1/f power from 1 to 70 Hz, and white amplifier noise of 2 uV."""
    hz = np.fft.rfftfreq(n, 1 / rate_hz)
    band = (hz >= 1) & (hz <= min(70, 0.45 * rate_hz))
    spectrum = np.zeros(hz.size, complex)
    spectrum[band] = (rng.standard_normal(band.sum()) + 1j * rng.standard_normal(band.sum())) / np.sqrt(hz[band])
    noise = np.fft.irfft(spectrum, n)
    return noise / noise.std() * rms_uv + 2 * rng.standard_normal(n)


def with_theta(rng: np.random.Generator, n: int, rate_hz: float) -> Uv:
    return pink(rng, n, rate_hz) + 30 * np.sin(2 * np.pi * 7 * np.arange(n) / rate_hz + rng.uniform(0, 6))


def autoregressive(rng: np.random.Generator, n: int, rate_hz: float) -> Uv:
    """A second kind of background: steeper noise, wandering in amplitude, with spindles of alpha and hum."""
    white = rng.standard_normal(n)
    pole = np.exp(-2 * np.pi * 4 / rate_hz)
    noise = signal.lfilter([1.0], [1.0, -pole], white)
    slow = 1 + 0.25 * np.sin(2 * np.pi * np.arange(n) / rate_hz / rng.uniform(15, 40) + rng.uniform(0, 6))
    hum = 8 * np.sin(2 * np.pi * 50 * np.arange(n) / rate_hz)
    return 50 * noise / noise.std() * slow + hum + 3 * rng.standard_normal(n)


def regular(rate_hz: float, first_s: float, last_s: float) -> Uv:
    """Times from ``first_s`` to ``last_s``, both included, as near to ``rate_hz`` as that allows."""
    return np.linspace(first_s, last_s, max(2, round((last_s - first_s) * rate_hz) + 1))


def falling(rng: np.random.Generator, first_s: float, last_s: float, from_hz: float, to_hz: float) -> Uv:
    """Spike times whose rate falls, irregular by 15 %; the last one is at ``last_s``."""
    times = [first_s]
    while True:
        rate = np.interp(times[-1], [first_s, last_s], [from_hz, to_hz])
        following = times[-1] + rng.uniform(0.85, 1.15) / rate
        if following > last_s - 0.5 / rate:
            return np.array([*times, last_s])
        times.append(following)


def movement(rng: np.random.Generator, n: int, rate_hz: float, low_hz: float, high_hz: float) -> Uv:
    """Noise of unit variance between two frequencies: muscle, cable and movement."""
    band = [low_hz, min(high_hz, 0.45 * rate_hz)]
    sos = signal.butter(4, band, "bandpass", fs=rate_hz, output="sos")
    noise = signal.sosfilt(sos, rng.standard_normal(n + round(rate_hz)))[-n:]
    return noise / noise.std()


def draw(
    seed: int,
    rate_hz: float = 1000.0,
    after_s: float = 180.0,
    background: Callable[[np.random.Generator, int, float], Uv] = with_theta,
) -> Recording:
    return Recording(rate_hz, after_s, np.random.default_rng(seed), background)
