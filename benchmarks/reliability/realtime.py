"""An hour in real time: the window and its session in one process, board and stimulator in another, nothing shortened.

The vendor's client over gRPC, the serial port, the rig file of a laboratory: the program knows of no emulation. A loop
that does nothing runs beside it and tells what the computer itself was late. POSIX only.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.reliability.event_loop import Absences, of_its_own
from benchmarks.reliability.realtime_window import Seen
from benchmarks.reliability.result import Result
from benchmarks.reliability.soak_bench import N_INPUTS, RATE_HZ, rig
from benchmarks.reliability.soak_measures import Counted, Growth, counted, cpu_s, growth, lateness_s, resident_mb
from benchmarks.reliability.soak_study import ANIMAL, soak_study

FULL_S, QUICK_S = 3600.0, 35.0
TRAIN_EVERY_S = 300.0
ALLOWED_S = 0.1
"""For the loop of the window to be away."""
ALLOWED_MB = 10.0
"""For the process of the window to grow in the whole run, once its pages and rings are filled."""
FILLED_S, JUDGED_S = 240.0, 600.0
"""Until then memory is not looked at; a shorter run says nothing about it."""
SAMPLED_EVERY_S = 5.0
PATIENCE_S = 120.0
"""Longer than the session is due, the window is given up."""


@dataclass
class Held:
    """Memory and processor time of a process, looked at now and then."""

    process: int
    at_s: list[float] = field(default_factory=list)
    mb: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def look(self, at_s: float) -> None:
        try:
            mb, spent_s = resident_mb(self.process), cpu_s(self.process)
        except OSError:  # it has just ended
            return
        if mb > 0:
            self.at_s.append(at_s)
            self.mb.append(mb)
            self.cpu_s.append(spent_s)

    @property
    def share(self) -> float:
        """Of one processor."""
        return (self.cpu_s[-1] - self.cpu_s[0]) / max(1e-9, self.at_s[-1] - self.at_s[0])


@dataclass(frozen=True, slots=True)
class Lasted:
    seen: Seen
    idle: Absences
    window: Held
    bench: Held
    load: list[float]
    counted: Counted
    late_s: NDArray[np.float64]


def run(quick: bool, seconds: float) -> Result:
    """``seconds`` is how long the session lasts."""
    lasts_s = QUICK_S if quick else seconds
    with tempfile.TemporaryDirectory(prefix="kindle-realtime-") as folder:
        lasted = last(Path(folder), lasts_s)
    findings = list(_findings(lasted))
    return Result((*_told(lasted), *findings), not findings)


def last(folder: Path, lasts_s: float) -> Lasted:
    # The session ends with its last train: one in the middle and one at the end, or as many as the time has room for.
    trains = 1 if lasts_s <= QUICK_S else 1 + max(1, int(lasts_s // TRAIN_EVERY_S))
    study = soak_study(folder / "study", lasts_s=lasts_s, trains=trains)
    with _process("soak_bench") as bench:
        said = bench.stdout.readline() if bench.stdout else ""
        addresses = json.loads(said)
        path, _ = rig(folder, daq=addresses["daq"], stimulator=addresses["stimulator"])
        asked = (study, path, folder / "settings.ini", folder / "seen.json")
        with _process("event_loop") as idle, _process("realtime_window", *asked) as window:
            held = Held(window.pid), Held(bench.pid)
            load = list[float]()
            _follow(window, lasts_s, held, load)
            alone = msgspec.json.decode(idle.communicate("")[0], type=Absences)
    seen = msgspec.json.decode((folder / "seen.json").read_bytes(), type=Seen)
    (recording,) = {header.parent for header in (study / "recordings" / ANIMAL).rglob("signal.vhdr")}
    return Lasted(seen, alone, *held, load, counted(recording), lateness_s(recording, RATE_HZ))


def _follow(window: "subprocess.Popen[str]", lasts_s: float, held: tuple[Held, ...], load: list[float]) -> None:
    """Look at the processes until the window's has ended. Raises ``TimeoutError``."""
    begun_s = time.monotonic()
    while window.poll() is None:
        since_s = time.monotonic() - begun_s
        if since_s > lasts_s + PATIENCE_S:
            raise TimeoutError(f"the session was to last {lasts_s:.0f} s and is not over after {since_s:.0f} s")
        for process in held:
            process.look(since_s)
        load.append(os.getloadavg()[0])
        try:
            window.wait(SAMPLED_EVERY_S)
        except subprocess.TimeoutExpired:
            continue
    if window.returncode:
        raise RuntimeError(f"the process of the window left with {window.returncode}; its message stands above")


@contextmanager
def _process(module: str, *arguments: Path) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", f"benchmarks.reliability.{module}", *map(str, arguments)]
    quiet = {**os.environ, "QT_LOGGING_RULES": "default.warning=false"}
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=quiet)
    try:
        yield started
    finally:
        if started.stdin is not None and not started.stdin.closed:
            started.stdin.close()
        try:
            started.wait(10.0)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        if started.stdout is not None:
            started.stdout.close()


def _findings(lasted: Lasted) -> Iterator[str]:
    seen = lasted.seen
    if not seen.finished:
        yield f"the session came to no end: {seen.said}"
    if not lasted.counted.whole:
        yield f"samples are missing from the recording: {lasted.counted}"
    for absence in of_its_own(seen.session, lasted.idle, ALLOWED_S):
        yield (
            f"the window was away for {absence.lasted_s * 1e3:.0f} ms, of which it worked "
            f"{absence.worked_s * 1e3:.0f} ms and waited {absence.queued_s * 1e3:.0f} ms for a processor"
        )
    settled = _settled(lasted.window)
    if settled is not None and not settled.within(ALLOWED_MB):
        yield f"the process of the window grew by {settled} MB; {ALLOWED_MB:g} MB are allowed"


def _told(lasted: Lasted) -> Iterator[str]:
    seen, late_s = lasted.seen, lasted.late_s
    minutes = lasted.counted.n_samples / RATE_HZ / 60
    yield (
        f"{minutes:.1f} min of {N_INPUTS} channels at {RATE_HZ:g} Hz in real time, {seen.n_trials} trains armed and "
        f"fired in the window; load average {np.median(lasted.load):.1f}, at most {max(lasted.load):.1f}"
    )
    yield str(lasted.counted)
    yield (
        f"blocks handed over later than the promptest by {1e3 * np.median(late_s):.1f} ms (median), "
        f"{1e3 * np.percentile(late_s, 99):.0f} ms (99 %), {1e3 * late_s.max():.0f} ms (most; the board holds 10 s)"
    )
    yield f"samples that the display left out: {seen.n_display_dropped}"
    for when, absences in (("while the window opened and connected", seen.opening), ("in the session", seen.session)):
        n_own = len(of_its_own(absences, lasted.idle, ALLOWED_S))
        yield f"event loop {when}: {_rounds(absences)}, {n_own} of them not the computer's doing"
    yield f"an idle loop at the same time: {_rounds(lasted.idle)}"
    for name, held in (("window and session", lasted.window), ("emulated bench", lasted.bench)):
        if not held.mb:  # the system does not tell
            continue
        settled = _settled(held)
        grown = "" if settled is None else f", growth after {FILLED_S:.0f} s: {settled} MB"
        yield f"{name}: {held.mb[-1]:.0f} MB at the end{grown}; {100 * held.share:.0f} % of a processor"


def _rounds(absences: Absences) -> str:
    n_long = sum(absence.lasted_s >= ALLOWED_S for absence in absences.told)
    return (
        f"{absences.n} rounds, away at most {absences.percentile_ms(50)} ms in half of them, "
        f"{absences.percentile_ms(99)} ms in 99 %, {absences.percentile_ms(99.9)} ms in 99.9 %, longest "
        f"{1e3 * absences.longest_s():.0f} ms; {n_long} of {1e3 * ALLOWED_S:.0f} ms or more"
    )


def _settled(held: Held) -> Growth | None:
    """Of memory once everything is filled, in MB; ``None`` for a run that is too short to tell."""
    since = [n for n, at_s in enumerate(held.at_s) if at_s >= FILLED_S]
    if not since or held.at_s[-1] < JUDGED_S:
        return None
    return growth([held.at_s[n] for n in since], [held.mb[n] for n in since])
