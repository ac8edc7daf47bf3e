"""Speed of the detector, as ratios within one run: `python -m benchmarks.speed [--json] [--hours H]`.

Offline: one hour of 16 channels at 2 kHz, int16, through the complete detector, against copying the same data.
Streaming: the cost of one block. Absolute times belong to the machine of the day; the ratios are what to compare.
Wall time counts what others do on the machine too; the processor's time, beside it, does not.
"""

import argparse
import importlib
import json
import multiprocessing
import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.afterdischarge import AfterdischargeDetector
from detectors.criterion import Criterion

RATE_HZ = 2000.0
N_CHANNELS = 16
CHUNK_S = 10.0
RESOLUTION_UV = 0.1
RAILS = (-32768, 32767)
USUAL, DENSE = "one in 10 min", "one a minute"
DENSITIES = {"one an hour": 3600.0, USUAL: 600.0, DENSE: 60.0}
"""Seconds between discharges, that all channels have at once."""


def background(n_channels: int, seconds: float, seed: int) -> NDArray[np.int16]:
    """``(n_channels, n_samples)``, no train and no discharge in it."""
    rng = np.random.default_rng(seed)
    base = rng.normal(0, 400, 2**18).cumsum()
    base -= np.convolve(base, np.ones(501) / 501, mode="same")
    ground = (base / base.std() * 500).astype(np.int16)
    n = round(seconds * RATE_HZ)
    return np.stack([np.resize(np.roll(ground, 7919 * (channel + 1)), n) for channel in range(n_channels)])


def recording(n_channels: int, seconds: float, seed: int, every_s: float) -> NDArray[np.int16]:
    """Background with a train and a discharge on every channel each ``every_s``: trials, not a quiet file."""
    signal = background(n_channels, seconds, seed)
    n = signal.shape[1]
    spike = (6000 * np.exp(-0.5 * (np.arange(-60, 61) / 30.0) ** 2)).astype(np.int16)
    for onset in trains(seconds, every_s):
        signal[:, onset : onset + 2000 : 40] = 32767
        for at in range(onset + 3000, min(onset + 30_000, n - 200), 500):
            signal[:, at : at + spike.size] += spike
    return signal


def trains(seconds: float, every_s: float) -> list[int]:
    return [round(at * RATE_HZ) for at in np.arange(30.0, seconds - 25, every_s).tolist()]


def new_detector(n_channels: int) -> AfterdischargeDetector:
    resolutions = [RESOLUTION_UV] * n_channels
    return AfterdischargeDetector(n_channels, RATE_HZ, resolutions, Criterion(), rails=[RAILS] * n_channels)


def detect(signal: NDArray[np.int16], chunk: int, every_s: float) -> int:
    """The complete detector over ``signal``; how many afterdischarges it found."""
    n_channels, n = signal.shape
    detector = new_detector(n_channels)
    due = trains(n / RATE_HZ, every_s)
    for first in range(0, n, chunk):
        while due and due[0] < first + chunk:
            onset = due.pop(0)
            detector.stimulus_begins(onset)
            detector.stimulus_ends(onset + 2000)
        detector.push(signal[:, first : first + chunk])
    detector.finish()
    return sum(len(j.afterdischarges) for channel in detector.judgements() for j in channel)


@dataclass(frozen=True, slots=True)
class Cost:
    wall_s: float
    cpu_s: float


def best_of(repeats: int, work: Callable[[], object]) -> Cost:
    """Of the fastest run: what the machine can do when nobody else wants it."""
    runs = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        runs.append(Cost(time.perf_counter() - wall, time.process_time() - cpu))
    return min(runs, key=lambda run: run.wall_s)


def offline(hours: float) -> dict[str, Any]:
    """``copy_ratio`` and what stands beside it are those of a discharge in ten minutes on each of the channels, more
    than laboratories evoke; the other densities follow under their names."""
    densities = {name: density(hours, every_s) for name, every_s in DENSITIES.items()}
    return {**densities[USUAL], "two_process_speedup": two_process_speedup(), **densities}


def density(hours: float, every_s: float) -> dict[str, float]:
    seconds = 3600 * hours
    signal = recording(N_CHANNELS, seconds, 1, every_s)
    chunk = round(CHUNK_S * RATE_HZ)
    found = detect(signal, chunk, every_s)
    detection = best_of(3, lambda: detect(signal, chunk, every_s))
    copy = best_of(5, signal.copy)
    return {
        "copy_ratio": detection.wall_s / copy.wall_s,
        "copy_ratio_cpu": detection.cpu_s / copy.cpu_s,
        "real_time_factor": seconds / detection.wall_s,
        "real_time_factor_cpu": seconds / detection.cpu_s,
        "detect_s": detection.wall_s,
        "detect_cpu_s": detection.cpu_s,
        "copy_s": copy.wall_s,
        "copy_cpu_s": copy.cpu_s,
        "afterdischarges": found,
    }


@cache
def file_of_worker() -> NDArray[np.int16]:
    """Ten minutes that each worker keeps: what is timed is detection, not how the data came to be."""
    return recording(N_CHANNELS, 600, 0, DENSITIES[USUAL])


def one_file(_: int) -> int:
    return detect(file_of_worker(), round(CHUNK_S * RATE_HZ), DENSITIES[USUAL])


def two_process_speedup(files: int = 24) -> float:
    """The same files in one worker process and in two; start-up of the workers is left out."""
    times = []
    for workers in (1, 2):
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            list(pool.map(one_file, range(4 * workers)))
            begun = time.perf_counter()
            list(pool.map(one_file, range(files)))
            times.append(time.perf_counter() - begun)
    return times[0] / times[1]


def streaming(n_channels: int, block_ms: int, seconds: float = 240.0) -> dict[str, float]:
    """Cost of each block while a train, a discharge and quiet pass through."""
    signal = recording(n_channels, seconds, 2, DENSITIES[DENSE])
    block = round(block_ms * 1e-3 * RATE_HZ)
    detector = new_detector(n_channels)
    due = trains(seconds, DENSITIES[DENSE])
    costs = []
    for first in range(0, signal.shape[1], block):
        part = signal[:, first : first + block]
        begun, used = time.perf_counter(), time.process_time()
        while due and due[0] < first + block:
            detector.stimulus_begins(due[0])
            detector.stimulus_ends(due.pop(0) + 2000)
        detector.push(part)
        costs.append((time.perf_counter() - begun, time.process_time() - used))
    wall_ms, cpu_ms = 1e3 * np.array(costs[50:]).T
    return {
        "median_ms": float(np.median(wall_ms)),
        "p99_ms": float(np.percentile(wall_ms, 99)),
        "median_cpu_ms": float(np.median(cpu_ms)),
        "p99_cpu_ms": float(np.percentile(cpu_ms, 99)),
        "mean_cpu_ms": float(np.mean(cpu_ms)),
        "share_of_block": float(np.mean(wall_ms) / block_ms),
    }


def growth(hours: float = 24.0) -> dict[str, float]:
    """A day of one channel: memory held and cost, at its start and at its end.

    ``quiet`` has neither trains nor discharges. ``stimulated`` has a trial a minute, each marked as one; its judgement
    is kept, as a result, and that is all that may grow.
    """
    quiet, stimulated = day(hours, trials=False), day(hours, trials=True)
    n_trials = max(1, len(trains(600, DENSITIES[DENSE])) * round(hours * 6))
    return {
        "hours": hours,
        "memory_growth_kb": quiet["memory_growth_kb"],
        "cost_growth": quiet["cost_growth"],
        "stimulated_memory_kb_per_trial": stimulated["memory_growth_kb"] / (0.8 * n_trials),
        "stimulated_cost_growth": stimulated["cost_growth"],
    }


def day(hours: float, *, trials: bool) -> dict[str, float]:
    part = recording(1, 600, 3, DENSITIES[DENSE]) if trials else background(1, 600, seed=3)
    detector = new_detector(1)
    chunk = round(CHUNK_S * RATE_HZ)
    tracemalloc.start()
    held, costs = [], []
    for k in range(round(hours * 6)):
        due = [onset + k * part.shape[1] for onset in trains(600, DENSITIES[DENSE])] if trials else []
        begun = time.process_time()
        for first in range(0, part.shape[1], chunk):
            while due and due[0] < k * part.shape[1] + first + chunk:
                detector.stimulus_begins(due[0])
                detector.stimulus_ends(due.pop(0) + 2000)
            detector.push(part[:, first : first + chunk])
        costs.append(time.process_time() - begun)
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    tenth = max(1, len(held) // 10)
    return {
        "memory_growth_kb": float(np.median(held[-tenth:]) - np.median(held[tenth : 2 * tenth])) / 1024,
        "cost_growth": float(np.median(costs[-tenth:]) / np.median(costs[tenth : 2 * tenth])),
    }


def peers() -> dict[str, float]:
    """Real-time factors, by the processor's time, of other programs' single steps on ten minutes of the same data."""
    every_s = DENSITIES[USUAL]
    signal = recording(N_CHANNELS, 600, 4, every_s)
    floats = signal.astype(np.float64)
    works: dict[str, tuple[str, Callable[[], object]]] = {
        "kindle detector": ("numpy", lambda: detect(signal, round(CHUNK_S * RATE_HZ), every_s)),
        "mne filter_data, FIR 3-70 Hz": ("mne.filter", lambda: mne_filter(floats, "fir")),
        "mne filter_data, IIR 3-70 Hz": ("mne.filter", lambda: mne_filter(floats, "iir")),
        "scipy sosfilt, 3-70 Hz": ("scipy.signal", lambda: band_pass(floats)),
        "mne-features line length": ("mne_features.univariate", lambda: by_second(floats, "compute_line_length")),
        "mne-features Teager-Kaiser": (
            "mne_features.univariate",
            lambda: by_second(floats, "compute_teager_kaiser_energy"),
        ),
        "antropy Hjorth": ("antropy", lambda: importlib.import_module("antropy").hjorth_params(floats, axis=-1)),
        "yasa bandpower": ("yasa", lambda: importlib.import_module("yasa").bandpower(floats, sf=RATE_HZ)),
    }
    return {name: 600 / best_of(2, work).cpu_s for name, (module, work) in works.items() if installed(module)}


def installed(module: str) -> bool:
    """Import it too, so that no work waits for that."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def mne_filter(floats: NDArray[np.float64], method: str) -> object:
    from mne.filter import filter_data

    return filter_data(floats, RATE_HZ, 3, 70, method=method, verbose="error")


def band_pass(floats: NDArray[np.float64]) -> object:
    from scipy import signal

    return signal.sosfilt(signal.butter(2, [3, 70], "bandpass", fs=RATE_HZ, output="sos"), floats, axis=1)


def by_second(floats: NDArray[np.float64], feature: str) -> object:
    compute = getattr(importlib.import_module("mne_features.univariate"), feature)
    windows = floats.reshape(floats.shape[0], -1, round(RATE_HZ)).swapaxes(0, 1)
    return [compute(window) for window in windows]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--hours", type=float, default=1.0, help="of the offline recording")
    parser.add_argument("--stream-hours", type=float, default=24.0, help="of the stream whose memory is watched")
    asked = parser.parse_args()
    blocks = ((1, 20), (8, 20), (64, 20), (256, 20), (256, 50))
    result: dict[str, dict[str, Any]] = {
        "offline": offline(asked.hours),
        "streaming": {f"{n}x{ms}ms": streaming(n, ms) for n, ms in blocks},
        "growth": growth(asked.stream_hours),
        "peers": peers(),
    }
    if asked.json:
        print(json.dumps(result))
        return
    for part, values in result.items():
        print(part)
        for name, value in values.items():
            shown = ", ".join(f"{k} {v:.3g}" for k, v in value.items()) if isinstance(value, dict) else f"{value:.4g}"
            print(f"  {name:32} {shown}")


if __name__ == "__main__":
    # One thread a process, as in a cluster: set before numpy makes its pools.
    if os.environ.get("OMP_NUM_THREADS") != "1":
        os.environ["OMP_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.speed", *sys.argv[1:]])
    main()
