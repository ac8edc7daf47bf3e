"""What is not brain in a trial: the train, the amplifier coming back from it, muscle, movement and cables; in uV."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.scenario_background import coloured
from drivers.simulated.scenario_waveforms import Floats


@dataclass(frozen=True, slots=True)
class Amplifier:
    """How it comes back: an exponential and a slope that is gone after some seconds."""

    exponential_uv: float
    tau_s: float
    slope_uv: float
    slope_s: float
    pulse_tau_s: float
    """With which it falls back between pulses."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Amplifier":
        sign = float(rng.choice([-1.0, 1.0]))
        # Half of them are switched back, with a jump; the others leave the rail by themselves, without one.
        switched = rng.random() < 0.5
        return cls(
            exponential_uv=sign * (rng.uniform(100, 5000) if switched else 5000.0),
            tau_s=float(np.exp(rng.uniform(np.log(0.03), np.log(0.35)))),
            slope_uv=float(rng.choice([-1.0, 1.0])) * rng.uniform(0, 300),
            slope_s=rng.uniform(1, 5),
            pulse_tau_s=float(np.exp(rng.uniform(np.log(0.001), np.log(0.006)))),
        )

    def recovery_uv(self, t_s: Floats) -> Floats:
        """``t_s`` from where it is free to come back; nothing before 0."""
        coming = self.exponential_uv * np.exp(-np.maximum(t_s, 0) / self.tau_s)
        slope = self.slope_uv * np.clip(1 - t_s / self.slope_s, 0, 1)
        return np.where(t_s >= 0, coming + slope, 0.0)


def since_pulse_s(t_s: Floats, pulse_hz: float) -> Floats:
    """Time since the latest of the pulses that begin at 0; times that differ by rounding alone are the same."""
    cycles = np.round(t_s * pulse_hz, 6)
    return np.asarray(np.round((cycles - np.floor(cycles)) / pulse_hz, 8))


def pulses_uv(t_s: Floats, pulse_hz: float, amplifier: Amplifier, rate_hz: float) -> Floats:
    """Biphasic pulses of 1 ms and 1 ms, far beyond the rails, and the amplifier falling back between them."""
    since = since_pulse_s(t_s, pulse_hz)
    phase_s = max(0.001, round(1 / rate_hz, 8))
    falling = -4000 * np.exp(-(since - 2 * phase_s) / amplifier.pulse_tau_s)
    return np.where(since < phase_s, 8000.0, np.where(since < 2 * phase_s, -8000.0, falling))


def monitor_counts(t_s: Floats, pulse_hz: float, rate_hz: float) -> NDArray[np.int16]:
    """The current of the pulses as a monitor shows it: up and down by 10,000 counts."""
    since = since_pulse_s(t_s, pulse_hz)
    phase_s = max(0.001, round(1 / rate_hz, 8))
    return np.where(since < phase_s, 10_000, np.where(since < 2 * phase_s, -10_000, 0)).astype(np.int16)


def movement(rng: np.random.Generator, n: int, rate_hz: float, rail_uv: float = 5000.0) -> Floats:
    """Swings of 0.5 to 4 Hz, mV, beyond the rail for a tenth of the time."""
    swings = coloured(rng, n, rate_hz, 0.5, 0.5, 4)
    return np.asarray(swings * rail_uv / np.quantile(np.abs(swings), 0.9))


def chewing(rng: np.random.Generator, n: int, rate_hz: float) -> Floats:
    """Muscle of 20 to 200 Hz, 300 uV RMS, in bursts of 150 ms at 5 Hz."""
    t = np.arange(n) / rate_hz
    return np.where((t * 5) % 1 < 0.75, 300 * coloured(rng, n, rate_hz, 0.0, 20, 200), 0.0)


def shake(n: int, rate_hz: float) -> Floats:
    """Wet-dog shake: 9 Hz, 1.5 mV, rising and falling."""
    return np.asarray(1500 * np.sin(2 * np.pi * 9 * np.arange(n) / rate_hz) * np.hanning(n))


def spindle(rng: np.random.Generator, n: int, rate_hz: float) -> Floats:
    """High-voltage spindle: spike and wave at 8 Hz, 1 from top to bottom."""
    t = np.arange(n) / rate_hz
    angle = 2 * np.pi * 8 * t + rng.uniform(0, 2 * np.pi)
    wave = np.cos(angle) + 0.5 * np.cos(2 * angle) + 0.25 * np.cos(3 * angle)
    edge = np.clip(np.minimum(t, t[-1] - t) / 0.3, 0, 1)
    return np.asarray(wave * edge / np.ptp(wave))


def disconnected(rng: np.random.Generator, n: int, rate_hz: float) -> Floats:
    """A step of 3 mV that the amplifier lets go, then 5 uV of noise and 20 uV of mains."""
    t = np.arange(n) / rate_hz
    return np.asarray(
        3000 * np.exp(-t / rng.uniform(0.2, 1.0)) + 5 * rng.standard_normal(n) + 20 * np.sin(2 * np.pi * 50 * t)
    )
