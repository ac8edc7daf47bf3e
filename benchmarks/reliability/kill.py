"""SIGKILL of the acquiring process at random instants of every protocol, and what is left of its session.

The process runs the shipped clients against a bench in this one, which lives on. POSIX only.
"""

import multiprocessing
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import mne

from benchmarks.reliability.kill_bench import LivingBench, living_bench
from benchmarks.reliability.kill_child import ACTS, ROWS, SAMPLES, Life, live
from benchmarks.reliability.kill_sessions import ANIMAL, PLANS, STUDY
from benchmarks.reliability.result import Result
from kindle.exchange import Trial
from kindle.journal_verification import verify_chain
from kindle.rows import Animal
from kindle.session import LastTrain, end_unfinished
from kindle.study import JOURNAL, create_study, open_study
from kindle.verification import verify_study

KILLS, QUICK_KILLS = 300, 7
MISSING_S = 1.1
"""Most that may be missing at the end of a recording."""
TRAIN_S = 1.0
PATIENCE_S = 60.0
"""A process that says nothing for so long hangs."""
RATE_HZ = 1000.0

_PROCESSES = multiprocessing.get_context("forkserver")


@dataclass(frozen=True, slots=True)
class Whole:
    """A session that nobody disturbed: what came when, in seconds since the process began, and what the rat had."""

    phases: tuple[tuple[str, float], ...]
    heard_ua: tuple[float, ...]
    n_given: int


@dataclass
class Tally:
    """What all kills together showed."""

    killed_in: Counter[str] = field(default_factory=Counter)
    missing_s: list[float] = field(default_factory=list)
    played_on_s: list[float] = field(default_factory=list)
    n_rows: int = 0
    n_recordings: int = 0
    n_resumed: int = 0
    findings: list[str] = field(default_factory=list)


def run(quick: bool, seconds: float, seed: int = 1) -> Result:
    """Stops after ``seconds`` where not all kills fit."""
    _PROCESSES.set_forkserver_preload(["benchmarks.reliability.kill_child"])
    mne.set_log_level("ERROR")
    draw, tally = random.Random(seed), Tally()
    ends_s = time.monotonic() + seconds
    wholes: dict[str, Whole] = {}
    names = list(PLANS)
    due = QUICK_KILLS if quick else KILLS
    for number in count():
        if max(len(tally.missing_s), len(tally.findings)) >= due or time.monotonic() > ends_s:
            break
        name = names[number % len(names)]
        if name not in wholes:
            wholes[name] = undisturbed(name)
        try:
            kill_once(name, wholes[name], draw, tally)
        except Exception as error:
            tally.findings.append(f"{name}, kill {number}: {type(error).__name__}: {error}")
    return Result(tuple(_told(tally)), not tally.findings and bool(tally.missing_s))


def undisturbed(name: str) -> Whole:
    with place() as (study, notes), living_bench() as bench, bench.daq() as daq:
        begun_s, phases = time.monotonic(), []
        with process(Life(name, study, notes, daq, bench.stimulator)) as (_, line):
            for phase in said(line):
                phases.append((phase, time.monotonic() - begun_s))
        if phases[-1][0] != "over":
            raise RuntimeError(f"the undisturbed session of {name} came to no end: {phases[-1]}")
        return Whole(tuple(phases), tuple(bench.heard_ua()), _n_given(notes))


def kill_once(name: str, whole: Whole, draw: random.Random, tally: Tally) -> None:
    """One process killed in a phase drawn among those that such a session has, and its session brought to its end.

    One that was over by then was not killed, and is not counted.
    """
    at = draw.randrange(len(whole.phases) - 1)
    lasts_s = whole.phases[at + 1][1] - whole.phases[at][1]
    phase, delay_s = whole.phases[at][0], draw.uniform(0.0, lasts_s)
    where = f"{name}, {delay_s:.3f} s into {phase} ({at})"
    with place() as (study, notes), living_bench() as bench, bench.daq() as daq:
        life = Life(name, study, notes, daq, bench.stimulator)
        with process(life) as (child, line):
            for _, _ in zip(range(at + 1), said(line), strict=False):
                pass
            child.join(delay_s)
            child.kill()
            child.join()
        if child.exitcode == 0:
            return
        tally.killed_in[phase] += 1
        tally.played_on_s.append(bench.plays_on())
        if tally.played_on_s[-1] > TRAIN_S:
            tally.findings.append(f"{where}: current flowed for {tally.played_on_s[-1]:.2f} s after the kill")
        tally.findings += [f"{where}: {what}" for what in _left_behind(study, notes, tally)]
        _resume(life, bench, where, tally)
        if bench.heard_ua() != list(whole.heard_ua):
            tally.findings.append(f"{where}: the rat had {bench.heard_ua()} uA, undisturbed {list(whole.heard_ua)} uA")
        if any(train.n_pulses != 50 for train in bench.rat.heard):
            tally.findings.append(f"{where}: a train was cut")
        if _n_given(notes) != whole.n_given:
            tally.findings.append(f"{where}: {_n_given(notes)} injections given, undisturbed {whole.n_given}")
        tally.findings += [f"{where}: {problem}" for problem in verify_study(study)]


def _left_behind(study: Path, notes: Path, tally: Tally) -> Iterator[str]:
    """What is wrong with the files as they lie, before kindle opens any of them."""
    in_mne = 0
    for header in sorted(study.rglob("signal*.vhdr")):
        in_mne += mne.io.read_raw_brainvision(header).n_times
        tally.n_recordings += 1
    samples = notes / SAMPLES
    handed_over = int.from_bytes(samples.read_bytes(), "little") if samples.exists() else 0
    missing_s = (handed_over - in_mne) / RATE_HZ
    tally.missing_s.append(missing_s)
    if missing_s > MISSING_S:
        yield f"{missing_s:.2f} s of signal are missing"
    yield from (str(problem) for problem in verify_chain(study / JOURNAL))
    with open_study(study) as opened:
        there = {f"{row.seq} {row.hash}" for row in opened.journal.rows()}
    acknowledged = (notes / ROWS).read_text(encoding="utf-8").splitlines() if (notes / ROWS).exists() else []
    tally.n_rows += len(acknowledged)
    if lost := [row for row in acknowledged if row not in there]:
        yield f"journal rows {lost} were acknowledged and are gone"


def _resume(life: Life, bench: LivingBench, where: str, tally: Tally) -> None:
    with open_study(life.study) as study:
        n_known = sum(isinstance(e.reply, Trial) for view in study.sessions() for e in view.exchanges)
        if any(view.outcome is not None for view in study.sessions()):
            return
    came: LastTrain = "delivered" if len(bench.rat.heard) > n_known else "void"
    with process(replace(life, last_train=came)) as (_, line):
        last = list(said(line))[-1]
    if "the observation was interrupted" in last:
        with open_study(life.study) as study:
            end_unfinished(study, ANIMAL, "what happened meanwhile was not seen")
    elif last != "over":
        tally.findings.append(f"{where}: resumed, it came to {last!r}")
    tally.n_resumed += 1


@contextmanager
def place() -> Iterator[tuple[Path, Path]]:
    """A study with one animal, and a folder for what the process notes."""
    with tempfile.TemporaryDirectory(prefix="kindle-kill-") as folder:
        study, notes = Path(folder) / "study", Path(folder) / "notes"
        notes.mkdir()
        create_study(study, STUDY)
        with open_study(study) as opened:
            opened.add_animal(Animal(ANIMAL), datetime.now(UTC))
        yield study, notes


@contextmanager
def process(life: Life) -> Iterator[tuple[BaseProcess, Connection]]:
    line, far_end = _PROCESSES.Pipe(duplex=False)
    child = _PROCESSES.Process(target=live, args=(life, far_end), daemon=True)
    child.start()
    far_end.close()
    try:
        yield child, line
    finally:
        if child.is_alive():
            child.join(5.0)
            child.kill()
            child.join()
        line.close()


def said(line: Connection) -> Iterator[str]:
    """Every phase until the process ends. Raises ``TimeoutError`` for one that hangs."""
    while True:
        if not line.poll(PATIENCE_S):
            raise TimeoutError(f"the process said nothing for {PATIENCE_S:g} s")
        try:
            yield line.recv()
        except EOFError:
            return


def _n_given(notes: Path) -> int:
    acts = notes / ACTS
    return len(acts.read_text(encoding="utf-8").split()) if acts.exists() else 0


def _told(tally: Tally) -> Iterator[str]:
    n = len(tally.missing_s)
    phases = ", ".join(f"{phase} {count}" for phase, count in sorted(tally.killed_in.items()))
    yield f"{n} processes killed ({phases}); {tally.n_resumed} sessions resumed"
    yield f"{tally.n_recordings} recordings opened in MNE as they lay"
    yield f"signal missing at the end: at most {max(tally.missing_s, default=0.0):.3f} s (allowed {MISSING_S} s)"
    n_lost = sum("acknowledged and are gone" in finding for finding in tally.findings)
    yield f"journal rows acknowledged before the kills: {tally.n_rows}; sessions that lost any: {n_lost}"
    n_playing = sum(left_s > 0 for left_s in tally.played_on_s)
    yield f"current flowing at the kill: {n_playing} times; at most {max(tally.played_on_s, default=0.0):.3f} s longer"
    yield from tally.findings
