"""A day of signal at full speed: simulated rig, stream, recording, detector and session as a rig runs them.

One session, one recording on the disk, a train every half hour. The file is read back sample by sample; what a block
costs and what the process holds are looked at all the while. A computer that others use is faster now and slower then:
a piece of work that is always the same is timed between the blocks, and growth is told against it.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from msgspec import structs

from benchmarks.reliability.result import Result
from benchmarks.reliability.soak_bench import N_INPUTS, RATE_HZ, in_process, rig
from benchmarks.reliability.soak_costs import WINDOWS, Costs, Timed, cost_of
from benchmarks.reliability.soak_measures import Counted, Growth, counted, growth
from benchmarks.reliability.soak_study import ANIMAL, soak_study
from kindle.experimenter import Unattended
from kindle.ordering import Order, prepare
from kindle.progress import Done, Progress
from kindle.session import run_session
from kindle.stopping import StoppedByExperimenter
from kindle.study import open_study
from kindle.verification import verify_study

FULL_S = 3 * 3600.0
"""Of wall time at most; the day takes about a quarter of an hour of one processor."""
HOURS, QUICK_HOURS = 24.0, 0.25
TRAIN_EVERY_S = 1800.0
JUDGED_H = 0.05
"""A run of less signal says nothing."""
ALLOWED_COST = 0.1
"""Growth of what a block costs over the whole run, as a share of its median."""
ALLOWED_MB = 10.0
ROOM = 1.05
"""Of the disk, beyond the samples themselves."""
BLOCK_S = 0.2


class UntilTime(Unattended):
    """Stops the session where the time for the run is over."""

    def __init__(self, ends_s: float) -> None:
        self._ends_s = ends_s

    def wants_stop(self) -> bool:
        return time.monotonic() > self._ends_s


@dataclass(frozen=True, slots=True)
class Ran:
    hours: float
    """That were wanted."""
    wall_s: float
    stopped: bool
    n_handed: int
    n_trials: int
    costs: Costs
    block: int
    counted: Counted
    problems: tuple[str, ...]

    @property
    def hours_run(self) -> float:
        return self.n_handed / RATE_HZ / 3600


def run(quick: bool, seconds: float) -> Result:
    with tempfile.TemporaryDirectory(prefix="kindle-soak-") as folder:
        wanted = QUICK_HOURS if quick else HOURS
        hours = min(wanted, shutil.disk_usage(folder).free / (ROOM * 3600 * RATE_HZ * 2 * N_INPUTS))
        ran = soak(Path(folder), hours, time.monotonic() + seconds)
    if ran.hours_run < JUDGED_H:
        return Result((f"only {60 * ran.hours_run:.1f} min of signal in the time given: nothing can be said",), False)
    left_out = [] if hours == wanted else [f"the disk has no room for more than {hours:.1f} of {wanted:g} h"]
    findings = list(_findings(ran))
    return Result((*_told(ran), *left_out, *findings), not findings)


def soak(folder: Path, hours: float, ends_s: float = float("inf")) -> Ran:
    """A session of so much signal, begun and recorded in ``folder``; stopped where the clock comes to ``ends_s``."""
    lasts_s = 3600 * hours
    study_folder = soak_study(folder / "study", lasts_s=lasts_s, trains=max(2, 1 + int(lasts_s // TRAIN_EVERY_S)))
    _, config = rig(folder)
    config = structs.replace(config, daq=structs.replace(config.daq, block_s=BLOCK_S))
    costs = Costs(int(1.2 * lasts_s * RATE_HZ / config.block) + 2000)
    n_trials = 0

    def hear(fact: Progress) -> None:
        nonlocal n_trials
        n_trials += isinstance(fact, Done)

    begun_s, stopped = time.monotonic(), False
    with open_study(study_folder) as study, in_process(config) as instruments:
        timed = Timed(instruments.source, costs, lasts_s / (20 * WINDOWS))
        watched = replace(instruments, source=timed)
        prepared = prepare(study, Order("kindling", ANIMAL), config, datetime.now(UTC).astimezone())
        try:
            run_session(study, prepared, watched, UntilTime(ends_s), hear)
        except StoppedByExperimenter:
            stopped = True
    wall_s = time.monotonic() - begun_s
    (recording,) = {header.parent for header in (study_folder / "recordings" / ANIMAL).rglob("signal.vhdr")}
    problems = tuple(str(problem) for problem in verify_study(study_folder))
    return Ran(hours, wall_s, stopped, timed.n_samples, n_trials, costs, config.block, counted(recording), problems)


def _memory(ran: Ran) -> tuple[float, Growth] | None:
    """Level after the first tenth, and growth from there on, in MB; ``None`` where the system does not tell."""
    since = len(ran.costs.mb) // 10
    if not ran.costs.mb:
        return None
    return ran.costs.mb[since], growth(ran.costs.at_s[since:], ran.costs.mb[since:])


def _findings(ran: Ran) -> Iterator[str]:
    if not ran.counted.whole or ran.counted.n_samples != ran.n_handed:
        yield f"the recording is not what the source handed over ({ran.n_handed} samples): {ran.counted}"
    yield from ran.problems
    grown = cost_of(ran.costs, ran.costs.program_s, ran.block).growth
    if not grown.within(ALLOWED_COST):
        yield f"what a block costs grew by {grown.in_percent}; {100 * ALLOWED_COST:g} % are allowed"
    memory = _memory(ran)
    if memory is not None and not memory[1].within(ALLOWED_MB):
        yield f"memory grew by {memory[1]} MB; {ALLOWED_MB:g} MB are allowed"


def _told(ran: Ran) -> Iterator[str]:
    ended = f", stopped by time before the {ran.hours:g} h were over" if ran.stopped else ""
    yield (
        f"{ran.hours_run:.2f} h of {N_INPUTS} channels at {RATE_HZ:g} Hz in {ran.wall_s:.0f} s "
        f"({3600 * ran.hours_run / ran.wall_s:.0f} times real time){ended}; {ran.n_trials} trains; "
        f"{2e-9 * N_INPUTS * ran.n_handed:.2f} GB written; load average {os.getloadavg()[1]:.1f}"
    )
    yield f"{ran.counted}; problems found by kindle verify: {len(ran.problems)}"
    for what, values in (("program", ran.costs.program_s), ("simulation", ran.costs.source_s)):
        cost = cost_of(ran.costs, values, ran.block)
        yield (
            f"{what}, processor time of a block of {ran.block}: median {cost.median:.3f} ms, 99 % {cost.high:.2f} ms; "
            f"medians of {WINDOWS} windows {min(cost.windows):.3f} to {max(cost.windows):.3f} ms; growth over the run, "
            f"against work that stays the same: {cost.growth.in_percent}"
        )
    wall = cost_of(ran.costs, ran.costs.program_wall_s, ran.block)
    lasts_ms = 1e3 * ran.block / RATE_HZ
    yield f"program, wall time of a block: median {wall.median:.3f} ms, 99 % {wall.high:.2f} ms of {lasts_ms:g} ms"
    if (memory := _memory(ran)) is not None:
        level, grown = memory
        last = ran.costs.mb[-1]
        yield f"memory: {level:.0f} MB after a tenth of the run, {last:.0f} MB at its end, growth {grown} MB"
