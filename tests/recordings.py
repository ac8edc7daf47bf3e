"""Recordings that know what is in them."""

import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import mne
import numpy as np
from numpy.typing import NDArray

from drivers.interface import Block, Channel
from kindle.recording import RecordingWriter

START = datetime(2025, 3, 1, 9, 30, 0, 123_456, UTC)
CHANNELS = (
    Channel("Hipp, left", "eeg", "µV", 0.30517578125, (-32000, 32001)),
    Channel("TTL", "stimulus_ttl", "n/a", 1.0),
    Channel("I", "current_monitor", "µA", 0.1),
)
RATE_HZ = 2000.0


def signal(first_sample: int, n_samples: int, n_channels: int = len(CHANNELS)) -> Block:
    """Every count is a function of its place, so that a shifted, swapped or missing sample shows."""
    sample = np.arange(first_sample, first_sample + n_samples, dtype=np.int64)
    return ((sample * 7919 + np.arange(n_channels)[:, None] * 104729) % 65536 - 32768).astype(np.int16)


def write(folder: Path, sizes: Iterable[int], *, block_s: float = 0.1) -> Block:
    """A closed recording in blocks of ``sizes`` samples that arrive every ``block_s``; returns what is in it."""
    with RecordingWriter.create(folder, CHANNELS, RATE_HZ, START) as writer:
        for number, size in enumerate(sizes):
            arrived_ns = round(number * block_s * 1e9)
            writer.append(signal(writer.n_samples, size), monotonic_ns=arrived_ns, utc_ns=10**18 + arrived_ns)
    return signal(0, writer.n_samples)


def counts_by_mne(header: Path) -> NDArray[np.int64]:
    """Another reader's opinion, back in counts."""
    raw = mne.io.read_raw_brainvision(header, verbose="error")
    if raw.n_times == 0:
        return np.empty((len(raw.ch_names), 0), np.int64)
    scale = np.array([channel.resolution * (1e-6 if channel.unit == "µV" else 1) for channel in CHANNELS])
    counts: NDArray[np.int64] = np.rint(raw.get_data() / scale[:, None]).astype(np.int64)
    return counts


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another Python that runs ``code``; its output is piped back."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    root = Path(__file__).parents[1]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root)
