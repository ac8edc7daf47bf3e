"""The power fails under a session: its study lies on a disk of which every write and flush is known.

The shipped command runs a kindling session in real time on an ext4 file system. Then the power fails at many instants,
each time with another choice of what the disk had not been told to keep; the file system is mounted again as after any
crash, and looked at as a person would find it. Linux, ext4 and the right to mount.
"""

import random
import re
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import mne
from msgspec import structs

from benchmarks.reliability.kill_sessions import ANIMAL
from benchmarks.reliability.power import SESSION, SYNC_EVERY_S, rig_in_real_time
from benchmarks.reliability.recorded_disk import Disk, formatted, may_mount, recorded, remounted
from benchmarks.reliability.result import Result
from drivers.simulated.rat import SimulatedRat
from kindle.assembly import Instruments
from kindle.benches import on_bench
from kindle.errors import KindleError
from kindle.exchange import Trial
from kindle.experimenter import Unattended
from kindle.ordering import Order, prepare
from kindle.problem import Problem
from kindle.progress import unheard
from kindle.recording import open_recording
from kindle.rig_config import BenchConfig, load_rig
from kindle.rows import Animal
from kindle.session import LastTrain, run_session
from kindle.study import create_study, open_study
from kindle.verification import verify_study

DISK_BYTES = 24 << 20
INSTANTS, QUICK_INSTANTS = 400, 40
RESUMED_EVERY = 4
"""One in so many of the instants is followed by the rest of the session."""
TRAINS, QUICK_TRAINS = 2, 1
LEAST = 8
"""Instants, however short the time."""
THRESHOLD_UA = 200.0
RATE_HZ = 2000.0
_TORN = re.compile(r"run kindle recover$")


@dataclass(frozen=True, slots=True)
class Noted:
    """What the session was told, with the instants of the monotonic clock at which it was."""

    rows: tuple[tuple[float, str], ...]
    samples: tuple[tuple[float, int], ...]
    trains_s: tuple[float, ...]

    def hashes(self, at_s: float) -> set[str]:
        return {digest for since_s, digest in self.rows if since_s <= at_s}

    def n_samples(self, at_s: float) -> int:
        known = bisect_right(self.samples, at_s, key=lambda one: one[0])
        return self.samples[known - 1][1] if known else 0

    def n_trains(self, at_s: float) -> int:
        return bisect_right(self.trains_s, at_s)


@dataclass
class Tally:
    n: int = 0
    n_resumed: int = 0
    n_rows: int = 0
    lost_s: list[float] = field(default_factory=list)
    as_it_lay: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


def run(quick: bool, seconds: float, seed: int = 1) -> Result:
    """Stops after ``seconds`` where not all instants fit."""
    if not may_mount():
        return Result(
            ("left out: needs Linux with FUSE, ext4, loop devices and the right to mount",), True, left_out=True
        )
    mne.set_log_level("ERROR")
    ends_s, draw, tally = time.monotonic() + seconds, random.Random(seed), Tally()
    with tempfile.TemporaryDirectory(prefix="kindle-power-") as folder:
        place = Path(folder)
        disk, noted = session_on_disk(place, QUICK_TRAINS if quick else TRAINS)
        for number in range(QUICK_INSTANTS if quick else INSTANTS):
            if number >= LEAST and time.monotonic() > ends_s:
                break
            fail_at(_instant(disk, noted, draw), disk, noted, place, draw, tally, resume=number % RESUMED_EVERY == 0)
    return Result(tuple(_told(tally, disk)), tally.n > 0 and not tally.findings)


def session_on_disk(place: Path, n_trains: int) -> tuple[Disk, Noted]:
    """A whole session in real time."""
    settings = SESSION.replace("trains_per_day = 1", f"trains_per_day = {n_trains}")
    rig, notes = rig_in_real_time(place), place / "notes.txt"
    with (
        recorded(formatted(DISK_BYTES, place), place) as (disk, seen_at),
        remounted(seen_at, place / "mounted") as root,
    ):
        create_study(root / "study", settings)
        with open_study(root / "study") as study:
            study.add_animal(Animal(ANIMAL), datetime.now(UTC))
        child = [sys.executable, "-m", "benchmarks.reliability.power_child", str(notes)]
        ordered = ["run", "kindling", "--study", str(root / "study"), "--animal", ANIMAL, "--rig", str(rig)]
        done = subprocess.run([*child, *ordered], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=180)
    if done.returncode != 0:
        raise RuntimeError(f"the session on the recorded disk failed: {done.stderr}")
    return disk, _noted(notes)


def _noted(notes: Path) -> Noted:
    rows, samples, trains_s = [], [], []
    for line in notes.read_text(encoding="utf-8").splitlines():
        at, what, *rest = line.split()
        match what:
            case "row":
                rows.append((float(at), rest[0]))
            case "samples":
                samples.append((float(at), int(rest[0])))
            case "train":
                trains_s.append(float(at))
    return Noted(tuple(rows), tuple(samples), tuple(trains_s))


def _instant(disk: Disk, noted: Noted, draw: random.Random) -> float:
    """Anywhere in the session, or just as the disk is being written."""
    begin_s, end_s = noted.rows[0][0], noted.rows[-1][0] + 0.2
    if draw.random() < 0.5:
        return draw.uniform(begin_s, end_s)
    return draw.choice([write.at_s for write in disk.writes if begin_s <= write.at_s <= end_s])


def fail_at(
    at_s: float, disk: Disk, noted: Noted, place: Path, draw: random.Random, tally: Tally, *, resume: bool
) -> None:
    """One failure of the power, and everything that is looked at after it."""
    tally.n += 1
    where = f"power failed {at_s - noted.rows[0][0]:.4f} s into the session"
    image = place / "cut.img"
    image.write_bytes(disk.after_power_cut(at_s, draw))
    try:
        with remounted(image, place / "again") as root:
            tally.findings += [f"{where}: {what}" for what in _looked_at(root / "study", noted, at_s, tally)]
            if resume:
                tally.findings += [f"{where}: {what}" for what in _gone_on(root / "study", noted, at_s, tally)]
    except Exception as error:
        tally.findings.append(f"{where}: {type(error).__name__}: {error}")


def _looked_at(study: Path, noted: Noted, at_s: float, tally: Tally) -> Iterator[str]:
    headers = sorted(study.rglob("signal*.vhdr"))
    for header in headers:
        mne.io.read_raw_brainvision(header)
    problems = verify_study(study)
    tally.as_it_lay["torn" if problems else "whole"] += 1
    yield from (f"verify says of the files as they lay: {one}" for one in problems if not _about_a_torn_tail(one))
    n_there = sum(open_recording(header.parent).n_samples for header in headers)
    lost_s = (noted.n_samples(at_s) - n_there) / RATE_HZ
    tally.lost_s.append(lost_s)
    if lost_s > SYNC_EVERY_S:
        yield f"{lost_s:.2f} s of signal are lost"
    yield from (f"opened once, verify says: {problem}" for problem in verify_study(study))
    with open_study(study) as opened:
        there = {row.hash for row in opened.journal.rows()}
    acknowledged = noted.hashes(at_s)
    tally.n_rows += len(acknowledged)
    if missing := acknowledged - there:
        yield f"{len(missing)} journal rows were acknowledged and are gone"


def _about_a_torn_tail(problem: Problem) -> bool:
    return _TORN.search(problem.message) is not None


def _gone_on(study: Path, noted: Noted, at_s: float, tally: Tally) -> Iterator[str]:
    """The session resumed on a bench of its own: the rat has every train once."""
    rig = structs.replace(load_rig("emulated"), bench=(bench := BenchConfig("in_process")))
    rat = SimulatedRat(THRESHOLD_UA, 1, rig.daq.rate_hz)
    source, stimulator = on_bench(rig, bench, rat)
    n_had = noted.n_trains(at_s)
    try:
        with open_study(study) as opened:
            views = opened.sessions()
            n_known = sum(isinstance(exchange.reply, Trial) for view in views for exchange in view.exchanges)
            if any(view.outcome is not None for view in views):
                return
            prepared = prepare(opened, Order("kindling", ANIMAL), rig, datetime.now(UTC))
            came: LastTrain = "delivered" if n_had > n_known else "void"
            instruments = Instruments(source, stimulator, rig.block)
            run_session(opened, prepared, instruments, Unattended(), unheard, last_train=came)
            tally.n_resumed += 1
    except KindleError as error:
        yield f"the session does not go on: {error}"
        return
    finally:
        stimulator.close()
        source.close()
    if n_had + len(rat.heard) != len(noted.trains_s):
        yield f"the rat had {n_had} trains before and {len(rat.heard)} after; due were {len(noted.trains_s)}"
    yield from (f"after the session went on, verify says: {problem}" for problem in verify_study(study))


def _told(tally: Tally, disk: Disk) -> Iterator[str]:
    yield f"{len(disk.writes)} writes and {len(disk.flushes)} flushes of the disk recorded"
    yield (
        f"power failed at {tally.n} instants; as they lay {tally.as_it_lay['whole']} studies were whole, "
        f"{tally.as_it_lay['torn']} had a torn end that verify told of"
    )
    yield f"signal lost: at most {max(tally.lost_s, default=0.0):.2f} s (allowed {SYNC_EVERY_S} s)"
    n_lost = sum("acknowledged and are gone" in finding for finding in tally.findings)
    yield f"journal rows acknowledged before the failures: {tally.n_rows}; instants that lost any: {n_lost}"
    yield f"{tally.n_resumed} sessions resumed, each train given once"
    yield from tally.findings
