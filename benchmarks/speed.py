"""Speed of the detector, as ratios within one run: `python -m benchmarks.speed [--json] [--hours H]`.

Offline: one hour of 16 channels at 2 kHz, int16, through the complete detector, against copying the same data.
Streaming: the cost of one block. Absolute times belong to the machine of the day; the ratios are what to compare.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from numpy.typing import NDArray

from detectors.afterdischarge import AfterdischargeDetector
from detectors.criterion import Criterion

RATE_HZ = 2000.0
N_CHANNELS = 16
CHUNK_S = 10.0
RESOLUTION_UV = 0.1
RAILS = (-32768, 32767)


def recording(n_channels: int, seconds: float, seed: int) -> NDArray[np.int16]:
    """Background with one train and one discharge a minute, ``(n_channels, n_samples)``: trials, not a quiet file."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE_HZ)
    base = rng.normal(0, 400, 2**18).cumsum()
    base -= np.convolve(base, np.ones(501) / 501, mode="same")
    background = (base / base.std() * 500).astype(np.int16)
    signal = np.empty((n_channels, n), np.int16)
    for channel in range(n_channels):
        shift = 7919 * (channel + 1)
        signal[channel] = np.resize(np.roll(background, shift), n)
    spike = (6000 * np.exp(-0.5 * (np.arange(-60, 61) / 30.0) ** 2)).astype(np.int16)
    for onset in trains(seconds):
        signal[:, onset : onset + 2000 : 40] = 32767
        for at in range(onset + 3000, min(onset + 30_000, n - 200), 500):
            signal[:, at : at + spike.size] += spike
    return signal


def trains(seconds: float) -> list[int]:
    return [round((30 + 60 * minute) * RATE_HZ) for minute in range(int(seconds // 60))]


def new_detector(n_channels: int) -> AfterdischargeDetector:
    resolutions = [RESOLUTION_UV] * n_channels
    return AfterdischargeDetector(n_channels, RATE_HZ, resolutions, Criterion(), rails=[RAILS] * n_channels)


def detect(signal: NDArray[np.int16], chunk: int) -> int:
    """The complete detector over ``signal``; how many afterdischarges it found."""
    n_channels, n = signal.shape
    detector = new_detector(n_channels)
    due = trains(n / RATE_HZ)
    for first in range(0, n, chunk):
        while due and due[0] < first + chunk:
            onset = due.pop(0)
            detector.stimulus_begins(onset)
            detector.stimulus_ends(onset + 2000)
        detector.push(signal[:, first : first + chunk])
    detector.finish()
    return sum(len(j.afterdischarges) for channel in detector.judgements() for j in channel)


def best_of(repeats: int, work: Callable[[], object]) -> float:
    """Seconds of the fastest run: what the machine can do when nobody else wants it."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return min(times)


def offline(hours: float) -> dict[str, float]:
    seconds = 3600 * hours
    signal = recording(N_CHANNELS, seconds, seed=1)
    chunk = round(CHUNK_S * RATE_HZ)
    found = detect(signal, chunk)
    detect_s = best_of(3, lambda: detect(signal, chunk))
    copy_s = best_of(5, signal.copy)
    return {
        "copy_ratio": detect_s / copy_s,
        "real_time_factor": seconds / detect_s,
        "two_process_speedup": two_process_speedup(),
        "detect_s": detect_s,
        "copy_s": copy_s,
        "afterdischarges": found,
    }


def one_file(seed: int) -> float:
    """Process time of one file, made beforehand; a worker's unit of work."""
    signal = recording(N_CHANNELS, 600, seed)
    begun = time.perf_counter()
    detect(signal, round(CHUNK_S * RATE_HZ))
    return time.perf_counter() - begun


def two_process_speedup(files: int = 8) -> float:
    """The same files in one worker process and in two; start-up of the workers is left out."""
    times = []
    for workers in (1, 2):
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            list(pool.map(warm_up, range(2 * workers)))
            begun = time.perf_counter()
            list(pool.map(one_file, range(files)))
            times.append(time.perf_counter() - begun)
    return times[0] / times[1]


def warm_up(_: int) -> None:
    detect(recording(1, 60, 0), 20_000)


def streaming(n_channels: int, block_ms: int, seconds: float = 240.0) -> dict[str, float]:
    """Cost of each block while a train, a discharge and quiet pass through."""
    signal = recording(n_channels, seconds, seed=2)
    block = round(block_ms * 1e-3 * RATE_HZ)
    detector = new_detector(n_channels)
    due = trains(seconds)
    costs = []
    for first in range(0, signal.shape[1], block):
        part = signal[:, first : first + block]
        begun = time.perf_counter()
        while due and due[0] < first + block:
            detector.stimulus_begins(due[0])
            detector.stimulus_ends(due.pop(0) + 2000)
        detector.push(part)
        costs.append(time.perf_counter() - begun)
    milliseconds = 1e3 * np.array(costs[50:])
    return {
        "median_ms": float(np.median(milliseconds)),
        "p99_ms": float(np.percentile(milliseconds, 99)),
        "share_of_block": float(np.median(milliseconds) / block_ms),
    }


def growth(hours: float = 24.0) -> dict[str, float]:
    """Memory held and cost per pushed second at the start and at the end of a long stream of one channel."""
    minute = recording(1, 600, seed=3)
    detector = new_detector(1)
    chunk = round(CHUNK_S * RATE_HZ)
    tracemalloc.start()
    held, costs = [], []
    pushed = 0
    for _ in range(round(hours * 6)):
        begun = time.perf_counter()
        for first in range(0, minute.shape[1], chunk):
            detector.push(minute[:, first : first + chunk])
        costs.append(time.perf_counter() - begun)
        held.append(tracemalloc.get_traced_memory()[0])
        pushed += minute.shape[1]
    tracemalloc.stop()
    tenth = max(1, len(held) // 10)
    return {
        "hours": pushed / RATE_HZ / 3600,
        "memory_growth_kb": (np.median(held[-tenth:]) - np.median(held[tenth : 2 * tenth])) / 1024,
        "cost_growth": float(np.median(costs[-tenth:]) / np.median(costs[tenth : 2 * tenth])),
    }


def peers() -> dict[str, float]:
    """Real-time factors of other programs' single steps on ten minutes of the same data."""
    signal = recording(N_CHANNELS, 600, seed=4)
    floats = signal.astype(np.float64)
    factors = {"kindle detector": 600 / best_of(3, lambda: detect(signal, round(CHUNK_S * RATE_HZ)))}

    from mne.filter import filter_data

    def filtered(method: str) -> object:
        return filter_data(floats, RATE_HZ, 3, 70, method=method, verbose="error")

    factors["mne filter_data, FIR 3-70 Hz"] = 600 / best_of(1, lambda: filtered("fir"))
    factors["mne filter_data, IIR 3-70 Hz"] = 600 / best_of(1, lambda: filtered("iir"))
    try:
        from mne_features.univariate import compute_line_length, compute_teager_kaiser_energy
    except ImportError:
        return factors
    windows = floats.reshape(N_CHANNELS, -1, round(RATE_HZ)).swapaxes(0, 1)
    factors["mne-features line length"] = 600 / best_of(1, lambda: [compute_line_length(w) for w in windows])
    factors["mne-features Teager-Kaiser"] = 600 / best_of(1, lambda: [compute_teager_kaiser_energy(w) for w in windows])
    return factors


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--hours", type=float, default=1.0, help="of the offline recording")
    asked = parser.parse_args()
    result = {
        "offline": offline(asked.hours),
        "streaming": {f"{n}x{ms}ms": streaming(n, ms) for n, ms in ((1, 20), (8, 20), (64, 20), (256, 20), (256, 50))},
        "growth": growth(),
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
