"""Ongoing activity before and after a train, differing from animal to animal; and the baseline peak measured on it."""

from dataclasses import dataclass

import numpy as np

from drivers.simulated.scenario_waveforms import Floats


@dataclass(frozen=True, slots=True)
class Animal:
    """What differs between recordings; ``rms_uv`` is that of the 1/f part from 1 to 70 Hz."""

    rms_uv: float
    slope: float
    """Of the power over frequency, in log units."""
    theta_uv: float
    theta_hz: float
    mains_uv: float
    mains_hz: float
    amplifier_uv: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Animal":
        """50 uV and 30 uV of theta in the middle, sizes from half to three times that."""
        size = float(np.exp(rng.uniform(np.log(0.5), np.log(3.0))))
        return cls(
            rms_uv=50 * size,
            slope=rng.uniform(0.8, 2.0),
            theta_uv=rng.uniform(0, 60) * size,
            theta_hz=rng.uniform(6, 9),
            mains_uv=float(rng.choice([0.0, 2.0, 10.0, 20.0])) * size,
            mains_hz=float(rng.choice([50.0, 60.0])),
            amplifier_uv=rng.uniform(1, 4),
        )


def background(animal: Animal, rng: np.random.Generator, n: int, rate_hz: float) -> Floats:
    """1/f noise that wanders by a quarter in size, theta in bouts, mains and amplifier noise, in uV."""
    t = np.arange(n) / rate_hz
    theta = _wandering(rng, t, 8.0, 0.0, 1.0) * np.sin(
        2 * np.pi * animal.theta_hz * t + np.cumsum(_wandering(rng, t, 1.0, -1, 1)) * 2 / rate_hz
    )
    return np.asarray(
        animal.rms_uv * _wandering(rng, t, 20.0, 0.8, 1.25) * coloured(rng, n, rate_hz, animal.slope, 1, 70)
        + animal.theta_uv * theta
        + animal.mains_uv * np.sin(2 * np.pi * animal.mains_hz * t + rng.uniform(0, 2 * np.pi))
        + animal.amplifier_uv * rng.standard_normal(n)
    )


def coloured(rng: np.random.Generator, n: int, rate_hz: float, slope: float, low_hz: float, high_hz: float) -> Floats:
    """Noise of unit RMS with power falling as frequency to the ``slope``, within the band."""
    size = 1 << (n - 1).bit_length()
    hz = np.fft.rfftfreq(size, 1 / rate_hz)
    spectrum = rng.standard_normal(hz.size) + 1j * rng.standard_normal(hz.size)
    band = (hz >= low_hz) & (hz <= min(high_hz, 0.45 * rate_hz))
    weight = np.zeros(hz.size)
    weight[band] = hz[band] ** (-slope / 2)
    noise = np.fft.irfft(spectrum * weight, size)[:n]
    return np.asarray(noise / noise.std())


def baseline_peak_uv(uv: Floats, rate_hz: float) -> float:
    """B: the median over whole seconds of the largest ``|signal|`` at 2 to 70 Hz, ``uv`` being the baseline alone."""
    padded = np.concatenate([uv, uv[::-1]])
    hz = np.fft.rfftfreq(padded.size, 1 / rate_hz)
    with np.errstate(divide="ignore"):
        gain = 1 / np.sqrt(1 + (2 / hz) ** 4) / np.sqrt(1 + (hz / 70) ** 4)
    banded = np.abs(np.fft.irfft(np.fft.rfft(padded) * gain, padded.size)[: uv.size])
    second = int(rate_hz)
    return float(np.median(banded[: banded.size // second * second].reshape(-1, second).max(axis=1)))


def _wandering(rng: np.random.Generator, t: Floats, every_s: float, low: float, high: float) -> Floats:
    """Between two levels, turning slowly about every so often."""
    knots = np.arange(0, t[-1] + 2 * every_s, every_s)
    return np.interp(t, knots, rng.uniform(low, high, knots.size))
