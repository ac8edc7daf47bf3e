"""Errors of the sync thread, and interruptions at any moment of writing."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from kindle.errors import RecordingError
from kindle.recording import RecordingWriter, open_recording, verify
from tests.recordings import CHANNELS, RATE_HZ, START, child, signal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX devices and timers")

INTERRUPT = """
import random, signal as signals, sys
from pathlib import Path
from kindle.recording import RecordingWriter
from tests.recordings import CHANNELS, RATE_HZ, START, signal

def interrupt(*_):
    raise KeyboardInterrupt

signals.signal(signals.SIGALRM, interrupt)
chance = random.Random(1)
n_interrupted = 0
with RecordingWriter.create(Path(sys.argv[1]), CHANNELS, RATE_HZ, START) as writer:
    for _ in range(3000):
        try:
            signals.setitimer(signals.ITIMER_REAL, chance.uniform(1e-6, 3e-4))
            writer.append(signal(writer.n_samples, 50), monotonic_ns=0, utc_ns=0)
            signals.setitimer(signals.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            n_interrupted += 1
print(n_interrupted, writer.n_samples)
"""


def break_syncing(path: Path) -> None:
    """Put a device that takes every byte and cannot be synced in the place of the open file."""
    wanted = path.stat().st_ino
    null = os.open(os.devnull, os.O_WRONLY)
    for fd in range(3, 256):
        try:
            found = os.fstat(fd).st_ino == wanted
        except OSError:
            continue
        if found:
            os.dup2(null, fd)
    os.close(null)


def append_many(writer: RecordingWriter, n_blocks: int) -> None:
    block = signal(0, 1)
    for _ in range(n_blocks):
        writer.append(block, monotonic_ns=0, utc_ns=0)


def test_a_failed_sync_is_raised_by_an_append_after_it(tmp_path: Path) -> None:
    with RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START, sync_every_s=0.001) as writer:
        break_syncing(tmp_path / "r" / "signal.eeg")
        with pytest.raises(RecordingError, match=r"cannot sync .*signal\.eeg"):
            append_many(writer, 1_000_000)
        with pytest.raises(RecordingError, match="cannot sync"):
            writer.mark("Comment", "x", 0)


def test_a_failed_last_sync_is_raised_by_closing(tmp_path: Path) -> None:
    writer = RecordingWriter.create(tmp_path / "r", CHANNELS, RATE_HZ, START, sync_every_s=3600)
    break_syncing(tmp_path / "r" / "signal.eeg")
    writer.append(signal(0, 1), monotonic_ns=0, utc_ns=0)
    with pytest.raises(RecordingError, match=r"cannot sync .*signal\.eeg"):
        writer.close()


def test_an_interruption_at_any_moment_leaves_whole_blocks_with_their_records(tmp_path: Path) -> None:
    with child(INTERRUPT, tmp_path / "r") as writer:
        printed, errors = writer.communicate(timeout=120)
    assert writer.returncode == 0, errors
    n_interrupted, n_samples = map(int, printed.split())
    assert n_interrupted > 100
    assert verify(tmp_path / "r") == []
    assert np.array_equal(open_recording(tmp_path / "r").counts, signal(0, n_samples))
