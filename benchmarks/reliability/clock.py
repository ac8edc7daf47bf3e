"""The clock of the host set back and forth, across midnight and daylight saving, while a session runs.

Time is counted in samples: neither trains nor outcome may change. Between sessions only the clock of the host is known.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.reliability.faults_bench import FaultyBench, faulty_bench
from benchmarks.reliability.kill import place
from benchmarks.reliability.kill_child import ACTS, Truthful, settings
from benchmarks.reliability.kill_sessions import ANIMAL, PLANS
from benchmarks.reliability.result import Result
from kindle.errors import UnsafeStimulus
from kindle.prepared import Prepared
from kindle.progress import unheard
from kindle.protocols.catalogue import ObservingPlan, Outcome
from kindle.session import run_session
from kindle.study import open_study
from kindle.verification import verify_study

HOUR = timedelta(hours=1)
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 3, 23, 59, 58, tzinfo=UTC)
SPRING = datetime(2026, 3, 29, 0, 59, 58, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 25, 0, 59, 58, tzinfo=UTC)
ZONE = "CET-1CEST,M3.5.0,M10.5.0/3"
"""Berlin's rule: its clocks go forward and back at 01:00 UTC."""
QUICK_PLANS = ("kindling", "drug test")


@dataclass
class SteppedNow:
    """Each look at it is a second later; at look ``at`` it has been set by ``step``."""

    begins: datetime
    step: timedelta = timedelta()
    at: int = 4
    n_looks: int = 0

    def __call__(self) -> datetime:
        self.n_looks += 1
        set_by = self.step if self.n_looks >= self.at else timedelta()
        return self.begins + timedelta(seconds=self.n_looks) + set_by


STEPS: dict[str, tuple[datetime, timedelta]] = {
    "an hour forward": (NOON, HOUR),
    "an hour back": (NOON, -HOUR),
    "across midnight": (MIDNIGHT, timedelta()),
    "back across midnight": (MIDNIGHT + timedelta(seconds=4), -HOUR),
    "into daylight saving": (SPRING, timedelta()),
    "out of daylight saving": (AUTUMN, timedelta()),
    "a year back": (NOON, -timedelta(days=365)),
}


def run(quick: bool, seconds: float) -> Result:
    ends_s = time.monotonic() + seconds
    lines, findings = list[str](), list[str]()
    for plan in QUICK_PLANS if quick else tuple(PLANS):
        n_same = n = 0
        with zone(ZONE):
            calm = _session(plan, SteppedNow(NOON), findings)
            for name, (begins, step) in STEPS.items():
                if time.monotonic() > ends_s:
                    continue
                n += 1
                if _session(plan, SteppedNow(begins, step), findings) == calm:
                    n_same += 1
                else:
                    findings.append(f"{plan}: with the clock set {name} the session came to something else")
        lines.append(f"{plan}: {n_same} of {n} ways of setting the clock changed neither trains nor outcome")
    return Result((*lines, *findings), not findings)


Had = tuple[str, tuple[tuple[int, float], ...]]
"""The outcome without the dates in the names of its recordings; onset of each train in us of bench time, and uA."""


def _session(plan: str, now: SteppedNow, findings: list[str]) -> Had:
    with place() as (folder, notes), faulty_bench() as bench:
        outcome = _run(plan, folder, notes, bench, now)
        findings += [f"{plan}: {problem}" for problem in verify_study(folder)]
        heard = tuple((train.start_us, train.effective_ua) for train in bench.living.rat.heard)
        if not isinstance(PLANS[plan], ObservingPlan) and not _refused_an_hour_earlier(plan, folder, notes, bench, now):
            findings.append(f"{plan}: a clock set back after the session lets the next one begin at once")
    return re.sub(r"\d{8}_\d{6}", "", repr(outcome)), heard


def _refused_an_hour_earlier(plan: str, folder: Path, notes: Path, bench: FaultyBench, now: SteppedNow) -> bool:
    """Whether the next session has to wait although, or because, the clock was set back."""
    n_heard = len(bench.living.rat.heard)
    try:
        _run(plan, folder, notes, bench, SteppedNow(now() - HOUR))
    except UnsafeStimulus:
        return len(bench.living.rat.heard) == n_heard
    return False


def _run(plan: str, folder: Path, notes: Path, bench: FaultyBench, now: SteppedNow) -> Outcome:
    prepared = Prepared(ANIMAL, PLANS[plan], (), settings().limits, "emulated", simulated=True)
    with open_study(folder) as study, bench.instruments() as instruments:
        person = Truthful(study, notes / ACTS)
        return run_session(study, prepared, instruments, person, unheard, now=now, patience=bench.patience()).outcome


@contextmanager
def zone(name: str) -> Iterator[None]:
    """The time zone of this process."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()
