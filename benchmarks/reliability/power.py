"""What is on the disk when the power fails: the system calls of a session in real time, traced, and read back.

The session runs on the emulated rig under strace, which tells each write and sync with its file and instant. Needs
strace. A failure of power at any instant is then played through: every file as far as it had been synced, and some of
what had not.
"""

import random
import re
import shutil
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import tomli_w

from benchmarks.reliability.kill_sessions import ANIMAL
from benchmarks.reliability.result import Result
from kindle.recording import open_recording, verify
from kindle.rows import Animal
from kindle.study import create_study, open_study
from kindle.toml_files import read_toml

SYNC_EVERY_S = 1.1
"""Longest that appended bytes may wait for their sync, beside what the sync itself takes."""
INSTANTS, QUICK_INSTANTS = 400, 60
SESSION = """\
name = "power"
schedule = "guide_at_adt"
[threshold]
max_ua = 200.0
onset_window_s = 5.0
lockout_after_ad_s = 60.0
[threshold.train]
shape = "biphasic"
[kindling]
trains_per_day = 1
interval_s = 20.0
lockout_after_ad_s = 60.0
baseline_s = 5.0
watch_s = 6.0
current = { kind = "fixed", current_ua = 80.0 }
[kindling.train]
shape = "biphasic"
phase_us = 1000.0
pulse_hz = 50.0
train_s = 1.0
"""

_CALL = re.compile(
    r"^(?P<pid>\d+) +(?P<at>\d+\.\d+) (?P<call>\w+)\((?P<fd>\d+)<(?P<path>[^>]*)>(?P<rest>.*) = (?P<result>-?\d+)"
    r".*<(?P<took>[\d.]+)>$"
)


@dataclass(frozen=True, slots=True)
class Call:
    """``at_s`` is when it began, ``end_s`` when it had returned."""

    at_s: float
    end_s: float
    name: str
    path: str
    result: int

    @property
    def writes(self) -> bool:
        return self.name in ("write", "pwrite64", "writev")

    @property
    def syncs(self) -> bool:
        return self.name in ("fsync", "fdatasync")


def run(quick: bool, seconds: float, seed: int = 1) -> Result:
    if shutil.which("strace") is None:
        return Result(("strace is not here: install it; nothing was traced",), True, left_out=True)
    with tempfile.TemporaryDirectory(prefix="kindle-power-") as place:
        study, calls = traced(Path(place))
        folder = next(path for path in study.glob("recordings/*/*") if path.is_dir())
        findings = [*_header_first(calls, folder), *_index_last(calls, folder)]
        waits_s = {name: _longest_wait_s(calls, folder / name) for name in ("signal.eeg", "signal.vmrk", "index.bin")}
        findings += [
            f"{name} waited {wait_s:.2f} s for its sync; promised {SYNC_EVERY_S} s"
            for name, wait_s in waits_s.items()
            if wait_s > SYNC_EVERY_S
        ]
        n_rows, unsynced = _journal(calls, study)
        findings += unsynced
        n_instants = QUICK_INSTANTS if quick else INSTANTS
        lost_s, wrong = _failures(calls, folder, n_instants, random.Random(seed))
        findings += wrong
    return Result(
        (
            f"{sum(call.syncs for call in calls)} syncs and {sum(call.writes for call in calls)} writes traced",
            "longest wait of appended bytes for their sync: "
            + ", ".join(f"{name} {wait_s:.2f} s" for name, wait_s in waits_s.items()),
            f"{n_rows} times something was sent to the stimulator, each with the whole journal on the disk",
            f"power failed at {n_instants} instants: at most {lost_s:.2f} s of signal lost, all opened and verified",
            *findings,
        ),
        not findings,
    )


def traced(place: Path) -> tuple[Path, list[Call]]:
    """A kindling session of about a quarter of a minute in real time, and its calls in the order of their ends."""
    study, trace = place / "study", place / "trace.txt"
    create_study(study, SESSION)
    with open_study(study) as opened:
        opened.add_animal(Animal(ANIMAL), datetime.now(UTC))
    rig = rig_in_real_time(place)
    watched = "trace=write,pwrite64,writev,fsync,fdatasync"
    command = [
        *("strace", "-f", "-y", "-ttt", "-T", "-s", "4", "--seccomp-bpf", "-e", watched, "-o", str(trace)),
        *(sys.executable, "-m", "kindle", "run", "kindling", "--study", str(study), "--animal", ANIMAL),
        *("--rig", str(rig)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=180)
    if done.returncode != 0:
        raise RuntimeError(f"the traced session failed: {done.stderr}")
    return study, sorted(_calls(trace.read_text(encoding="utf-8", errors="replace")), key=lambda call: call.end_s)


def rig_in_real_time(place: Path) -> Path:
    """The emulated rig, its bench as slow as the world."""
    rig = read_toml(Path(__file__).parents[2] / "kindle" / "rigs" / "emulated.toml")
    rig["bench"] |= {"clock": "real", "threshold_ua": 200.0}
    path = place / "rig.toml"
    path.write_text(tomli_w.dumps(rig), encoding="utf-8")
    return path


def _calls(trace: str) -> Iterator[Call]:
    """Calls that strace tells in two halves, because another thread came between, are joined first."""
    begun: dict[tuple[str, str], str] = {}
    for line in trace.splitlines():
        if line.endswith("<unfinished ...>"):
            pid, _, rest = line.split(maxsplit=2)
            begun[pid, rest.split("(")[0]] = line.removesuffix("<unfinished ...>").rstrip()
        elif resumed := re.match(r"^(\d+) +[\d.]+ <\.\.\. (\w+) resumed>(.*)$", line):
            line = begun.pop((resumed[1], resumed[2]), "") + resumed[3]
        if found := _CALL.match(line):
            at_s = float(found["at"])
            yield Call(at_s, at_s + float(found["took"]), found["call"], found["path"], int(found["result"]))


def _header_first(calls: list[Call], folder: Path) -> Iterator[str]:
    """The header, under its first name, and the folder are synced before the first sample."""
    first = next(call for call in calls if call.writes and call.path == str(folder / "signal.eeg"))
    synced = {call.path for call in calls if call.syncs and call.end_s <= first.at_s}
    for path in (folder / "signal.vhdr.partial", folder, folder.parent):
        if str(path) not in synced:
            yield f"{path.name} was not synced before the first sample"


def _index_last(calls: list[Call], folder: Path) -> Iterator[str]:
    """The index never vouches for signal that is not on the disk: each of its syncs follows one of the signal."""
    signal_synced = 0.0
    for call in calls:
        if call.syncs and call.path == str(folder / "signal.eeg"):
            signal_synced = call.at_s
        if call.syncs and call.path == str(folder / "index.bin") and call.at_s - signal_synced > SYNC_EVERY_S:
            yield f"the index was synced {call.at_s - signal_synced:.2f} s after the signal"


def _longest_wait_s(calls: list[Call], path: Path) -> float:
    """From a write to the beginning of the sync that covers it."""
    longest_s, waiting_since = 0.0, None
    for call in sorted(calls, key=lambda call: call.at_s):
        if call.path != str(path):
            continue
        if call.writes and waiting_since is None:
            waiting_since = call.end_s
        if call.syncs and waiting_since is not None:
            longest_s, waiting_since = max(longest_s, call.at_s - waiting_since), None
    return longest_s


def _journal(calls: list[Call], study: Path) -> tuple[int, list[str]]:
    """Whenever bytes go to the stimulator, every row written before is synced: no trigger without its request."""
    n_sent, unsynced, findings = 0, set[str](), list[str]()
    journals = tuple(f"{study / 'journal.sqlite'}{ending}" for ending in ("", "-wal", "-journal"))
    for call in calls:
        if call.path in journals:
            (unsynced.add if call.writes else unsynced.discard)(call.path)
        elif call.writes and call.path.startswith("/dev/pts/"):
            n_sent += 1
            if unsynced:
                findings.append(f"{call.path} was written to at {call.at_s:.3f} with a journal row not yet synced")
    return n_sent, findings


def _failures(calls: list[Call], folder: Path, n: int, draw: random.Random) -> tuple[float, list[str]]:
    """Most seconds of signal lost, and what did not open or verify, when the power fails at ``n`` random instants."""
    lengths = {name: _lengths(calls, folder / name) for name in ("signal.eeg", "signal.vmrk", "index.bin")}
    written = lengths["signal.eeg"].written
    n_channels = len(open_recording(folder).channels)
    rate_hz = open_recording(folder).rate_hz
    most_s, wrong = 0.0, []
    for number in range(n):
        at_s = draw.uniform(written[0][0], written[-1][0])
        with tempfile.TemporaryDirectory(prefix="kindle-power-") as place:
            left = shutil.copytree(folder, Path(place) / "left", ignore=shutil.ignore_patterns("*.lock"))
            for name, known in lengths.items():
                safe, most = known.at(at_s)
                # Whole or torn, what was not synced may be there or not.
                (left / name).write_bytes((folder / name).read_bytes()[: draw.randint(safe, most)])
            try:
                n_samples = open_recording(left).n_samples
                wrong += [f"power failed at instant {number}: {problem}" for problem in verify(left)]
            except Exception as error:
                wrong.append(f"power failed at instant {number}: {type(error).__name__}: {error}")
                continue
            there = lengths["signal.eeg"].at(at_s)[1] // (2 * n_channels)
            most_s = max(most_s, (there - n_samples) / rate_hz)
    if most_s > SYNC_EVERY_S:
        wrong.append(f"{most_s:.2f} s of signal were lost; promised {SYNC_EVERY_S} s")
    return most_s, wrong


@dataclass(frozen=True, slots=True)
class Lengths:
    """Bytes of an append-only file over time: as written, and as known to be on the disk."""

    written: list[tuple[float, int]]
    synced: list[tuple[float, int]]

    def at(self, at_s: float) -> tuple[int, int]:
        """What is safe, and what was written, at this instant."""
        return _last(self.synced, at_s), _last(self.written, at_s)


def _last(steps: list[tuple[float, int]], at_s: float) -> int:
    return steps[bisect_right(steps, at_s, key=lambda step: step[0]) - 1][1] if steps and steps[0][0] <= at_s else 0


def _lengths(calls: list[Call], path: Path) -> Lengths:
    known: dict[str, list[tuple[float, int]]] = defaultdict(list)
    n_bytes = 0
    for call in calls:
        if call.path == str(path) and call.writes:
            n_bytes += call.result
            known["written"].append((call.end_s, n_bytes))
        elif call.path == str(path) and call.syncs:
            # Only what was written before the sync began is surely on the disk when it returns.
            known["synced"].append((call.end_s, _last(known["written"], call.at_s)))
    return Lengths(known["written"], known["synced"])
