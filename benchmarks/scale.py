"""Analysis of many recordings by the three ways of sharing them out: `python -m benchmarks.scale [--json]`.

200 recordings of 160 s, one channel and a TTL, as BrainVision files. Told: seconds of detection alone, then of the
same into a table here, on 2 processes and on a local Dask cluster of 2, what each costs a recording beyond the
detection, and how quickly a table says that all is done already. Ratios are within one run: seconds belong to the
computer of the day and to what else it does, processor time (of all processes together) less so.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np

from detectors.criterion import Criterion
from drivers.simulated.eeg import Background, discharge
from kindle.batch import Analysed, analysed
from kindle.batch_identity import content
from kindle.batch_table import open_table
from kindle.reanalysis import Asked, judge, parts, plan
from kindle.spreading import at_once, cluster, processes

RATE_HZ, LENGTH_S, TRAIN_S = 500.0, 160.0, 40.0
ASKED = Asked(Criterion())

Figures = dict[str, float]


def recording(folder: Path, number: int) -> Path:
    """A train and, in every second one, a discharge of 15 s."""
    uv = Background(RATE_HZ, number).uv(0, round(LENGTH_S * RATE_HZ))
    if number % 2 == 0:
        drawn = discharge(np.random.default_rng(number), RATE_HZ, 15.0, 1000.0, (3, 5, 3))
        first = round((TRAIN_S + 2) * RATE_HZ) - drawn.first_spike
        uv[first : first + drawn.uv.size] += drawn.uv
    ttl = np.zeros_like(uv)
    ttl[round(TRAIN_S * RATE_HZ) : round((TRAIN_S + 1) * RATE_HZ)] = 5000
    header = folder / f"{number:05d}.vhdr"
    counts = np.rint(np.clip(np.stack([uv, ttl]), -30000, 30000)).astype("<i2")
    header.with_suffix(".eeg").write_bytes(np.ascontiguousarray(counts.T).tobytes())
    header.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\n"
        f"DataFile={number:05d}.eeg\nNumberOfChannels=2\nSamplingInterval={1e6 / RATE_HZ}\n"
        "[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\nCh1=HPC,,1\nCh2=TTL,,1,mV\n"
    )
    return header


def session(folder: Path) -> Path:
    """As a rig records it: 20 min at 2 kHz, two channels of EEG, TTL and current monitor, 10 trains."""
    rate_hz, n = 2000.0, 2_400_000
    rows = [Background(rate_hz, 1).uv(0, n), Background(rate_hz, 2).uv(0, n), np.zeros(n), np.zeros(n)]
    for k in range(1, 11):
        rows[2][k * 200_000 : k * 200_000 + 2000] = 5000
    header = folder / "session.vhdr"
    counts = np.rint(np.stack(rows)).astype("<i2")
    header.with_suffix(".eeg").write_bytes(np.ascontiguousarray(counts.T).tobytes())
    header.write_text(
        "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nDataFile=session.eeg\n"
        "NumberOfChannels=4\nSamplingInterval=500\n[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\n"
        "Ch1=EEG,,1\nCh2=EEG 2,,1\nCh3=TTL,,1,mV\nCh4=Current,,1,uA\n"
    )
    return header


def cpu_s() -> float:
    """Of this process and all below it."""
    import psutil

    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(spent.user + spent.system for spent in times)


def seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def alone(paths: list[Path]) -> None:
    for path in paths:
        for part in parts(plan(path, ASKED), 1):
            judge(part)


def table_of(
    name: str, paths: list[Path], workers: int, how: AbstractContextManager[Executor], folder: Path
) -> Figures:
    """With what starting and ending the workers takes told apart."""
    begun = time.perf_counter()
    with open_table(folder / f"{name}.sqlite", create=True) as table, how as executor:
        ready = time.perf_counter()
        # The libraries are loaded by the first recording of each worker.
        warm = sum(1 for _ in analysed(paths[: 4 * workers], ASKED, executor, workers, table))
        first, cpu = time.perf_counter(), cpu_s()
        n = sum(isinstance(outcome, Analysed) for outcome in analysed(paths[warm:], ASKED, executor, workers, table))
        took, cpu = time.perf_counter() - first, cpu_s() - cpu
    assert n == len(paths) - warm
    return {
        "start s": first - begun,
        "connect s": ready - begun,
        "per recording ms": 1e3 * took / n,
        "CPU per recording ms": 1e3 * cpu / n,
    }


@contextmanager
def local_cluster() -> Iterator[Executor]:
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as local,
        cluster(local.scheduler_address) as found,
    ):
        yield found.executor


def measure(n: int, folder: Path) -> dict[str, Figures]:
    paths = [recording(folder, number) for number in range(n)]
    alone(paths[:4])
    figures: dict[str, Figures] = {"detection alone": {}}
    cpu_before = cpu_s()
    before = seconds(lambda: alone(paths))
    plain_cpu_ms = 1e3 * (cpu_s() - cpu_before) / n
    figures["here, 1 process"] = table_of("one", paths, 1, at_once(), folder)
    figures["2 processes"] = table_of("two", paths, 2, processes(2), folder)
    figures["Dask, 2 workers"] = table_of("dask", paths, 2, local_cluster(), folder)
    # The other users of the computer are as busy at the end as they were on average.
    plain_ms = 1e3 * (before + seconds(lambda: alone(paths))) / (2 * n)
    figures["detection alone"] = {"per recording ms": plain_ms, "CPU per recording ms": plain_cpu_ms}
    for name in ("here, 1 process", "2 processes", "Dask, 2 workers"):
        own = figures[name]
        own["speed, times alone"] = plain_ms / own["per recording ms"]
        own["CPU beyond detection ms"] = own["CPU per recording ms"] - plain_cpu_ms
    with open_table(folder / "one.sqlite") as table, at_once() as executor:
        again = seconds(lambda: list(analysed(paths, ASKED, executor, 1, table)))
    figures["all done before"] = {"per recording ms": 1e3 * again / n}
    whole = session(folder)
    cpu_before = cpu_s()
    alone([whole])
    judged = cpu_s()
    content(whole)
    figures["a session of 20 min"] = {"CPU s": judged - cpu_before, "CPU s of its digest": cpu_s() - judged}
    size = (folder / "one.sqlite").stat().st_size
    figures["table"] = {"kB per recording": size / n / 1e3}
    hours = n * LENGTH_S / 3600
    figures["detection alone"]["channel-hours a core-hour"] = hours / (n * plain_cpu_ms / 3.6e6)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kindle-scale-") as folder:
        figures = measure(given.recordings, Path(folder))
    if given.json:
        print(json.dumps(figures))
        return
    print(f"{given.recordings} recordings of {LENGTH_S:g} s at {RATE_HZ:g} Hz, {os.cpu_count()} cores")
    for name, values in figures.items():
        for key, value in values.items():
            print(f"{name:<22}{key:<28}{value:10.4g}")


if __name__ == "__main__":
    main()
