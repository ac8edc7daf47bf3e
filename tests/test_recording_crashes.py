"""Real processes that are killed, and a disk that is full."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from kindle.recording import open_recording, recover, verify
from tests.recordings import CHANNELS, child, counts_by_mne, signal

WRITE = """
import sys
from pathlib import Path
from kindle.recording import RecordingWriter
from tests.recordings import CHANNELS, RATE_HZ, START, signal
writer = RecordingWriter.create(Path(sys.argv[1]), CHANNELS, RATE_HZ, START, sync_every_s=0.01)
size = int(sys.argv[2])
while True:
    first = writer.n_samples
    writer.append(signal(first, size), monotonic_ns=first, utc_ns=first)
    writer.mark("Comment", f"block at {first}", first)
    print(writer.n_samples, flush=True)
"""
FILL_THE_DISK = """
import resource, sys
from pathlib import Path
from kindle.errors import RecordingError
from kindle.recording import RecordingWriter
from tests.recordings import CHANNELS, RATE_HZ, START, signal
what, limit = sys.argv[2], int(sys.argv[3])
writer = RecordingWriter.create(Path(sys.argv[1]), CHANNELS, RATE_HZ, START)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
refusals = []
for number in range(10_000):
    try:
        if what == "signal":
            writer.append(signal(writer.n_samples, 70), monotonic_ns=0, utc_ns=0)
        elif what == "index":
            writer.append(signal(writer.n_samples, 1), monotonic_ns=0, utc_ns=0)
        else:
            writer.mark("Comment", "x" * 70, number)
    except RecordingError as error:
        refusals.append(str(error))
        if len(refusals) == 2:
            break
print(writer.close())
print(*refusals, sep="\\n")
"""


@pytest.mark.parametrize(("size", "n_seen"), [(7, 40), (500, 60), (4000, 25), (70_000, 12), (1, 200)])
def test_a_killed_writer_leaves_files_that_open_as_they_lie_and_loses_nothing(
    tmp_path: Path, size: int, n_seen: int
) -> None:
    folder = tmp_path / "r"
    with child(WRITE, folder, size) as writer:
        assert writer.stdout is not None
        for _ in range(n_seen):
            writer.stdout.readline()
        writer.kill()
        acknowledged = [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    n_acknowledged = int(acknowledged[-1]) if acknowledged else n_seen * size

    by_mne = counts_by_mne(folder / "signal.vhdr")
    assert by_mne.shape[1] >= n_acknowledged
    assert np.array_equal(by_mne, signal(0, by_mne.shape[1]))

    as_it_lay = shutil.copytree(folder, tmp_path / "copy")
    recording = open_recording(folder)
    assert n_acknowledged <= recording.n_samples <= by_mne.shape[1]
    assert np.array_equal(recording.counts, signal(0, recording.n_samples))
    assert len(recording.markers) >= n_acknowledged // size
    assert verify(folder) == []
    assert recover(folder).cuts == ()
    assert sum(cut.n_bytes for cut in recover(as_it_lay).cuts) <= size * 2 * len(CHANNELS) + 200


@pytest.mark.skipif(sys.platform == "win32", reason="the limit on file sizes is POSIX")
@pytest.mark.parametrize(
    ("what", "named", "n_expected"), [("signal", "signal.eeg", 140), ("index", "index.bin", 25), ("markers", "vmrk", 0)]
)
def test_a_full_disk_is_told_again_and_again_and_leaves_whole_files(
    tmp_path: Path, what: str, named: str, n_expected: int
) -> None:
    folder = tmp_path / "r"
    with child(FILL_THE_DISK, folder, what, 1020) as writer:
        printed, errors = writer.communicate(timeout=60)
    assert writer.returncode == 0, errors
    n_samples, first, second = printed.splitlines()
    assert int(n_samples) == n_expected
    assert first == second
    assert named in first
    assert "MB free on its disk" in first
    assert np.array_equal(counts_by_mne(folder / "signal.vhdr"), signal(0, n_expected))
    assert verify(folder) == []
    assert recover(folder).cuts == ()
