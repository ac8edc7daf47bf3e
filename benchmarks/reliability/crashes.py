"""Crashes: the process ends at every point of a session, each row and each phase of it, and the next one goes on.

In this process and in signal time, which reaches every point; `kill` is the real thing, at random instants.
"""

from pathlib import Path
from random import Random
from time import monotonic

import pytest

from benchmarks.reliability.result import Result
from benchmarks.reliability.scratch import scratch

LEAST = 3
"""Points, however short the time."""


def run(quick: bool, seconds: float, seed: int = 1) -> Result:
    from tests.bench import new_study
    from tests.crash_points import Life
    from tests.test_crash_points import PLANS, lived, open_points, resumes_as_if_nothing_had_been

    end_s, n_tried, findings = monotonic() + seconds, 0, list[str]()
    with pytest.MonkeyPatch.context() as patch, scratch() as made:
        wholes = {name: lived(new_study(Path(made) / name), plan, Life(), patch) for name, plan in PLANS.items()}
        points = [(name, n, point) for name, whole in wholes.items() for n, point in enumerate(open_points(whole))]
        Random(seed).shuffle(points)
        for name, n, point in points:
            if monotonic() > end_s and n_tried >= LEAST:
                break
            n_tried += 1
            try:
                folder = Path(made) / f"{name} {n}"
                resumes_as_if_nothing_had_been(folder, PLANS[name], n, point, wholes[name], patch)
            except AssertionError as error:
                findings.append(f"{name}, point {n} ({point}): {str(error).splitlines()[0][:200]}")
    lines = (f"{n_tried} of {len(points)} points of {len(PLANS)} sessions, seed {seed}: {len(findings)} findings",)
    return Result((*lines, *findings), not findings)
