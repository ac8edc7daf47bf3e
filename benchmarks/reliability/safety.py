"""A model of rig, experimenter, faults and crashes, run step by step in random order; see ``safety_machine``."""

import logging
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import count

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from benchmarks.reliability.result import Result
from benchmarks.reliability.safety_machine import SafetyMachine
from benchmarks.reliability.safety_second import second_openers
from benchmarks.reliability.safety_tally import Tally
from benchmarks.reliability.safety_wire import stops_on_wire

FULL_S = 14_400.0
STEPS, QUICK_STEPS = 1_000_000, 5_000
STEPS_A_RUN = 200
RUNS_A_BATCH = 20
TOLD_STEPS = 30
"""Of a run that broke a rule: the last of them are told."""


@dataclass(frozen=True, slots=True)
class Batch:
    tally: Tally
    findings: tuple[str, ...]


def run(quick: bool, seconds: float, first_seed: int = 1) -> Result:
    """As many steps as asked, in as many processes as there are cores, as far as they fit into ``seconds``."""
    begun_s = time.monotonic()
    wanted = QUICK_STEPS if quick else STEPS
    stops = list(stops_on_wire(3 if quick else 40))
    openers = second_openers(1 if quick else 20)
    tally = Tally()
    findings: list[str] = []
    for batch in batches(wanted, begun_s + seconds, first_seed):
        tally.add(batch.tally)
        findings += batch.findings
    lasted_s = time.monotonic() - begun_s
    lines = (
        *tally.lines(),
        f"{tally.n_steps} of {wanted} steps, {tally.n_steps / lasted_s:.0f} a second; rules broken: {len(findings)}",
        *(str(one) for one in stops),
        str(openers),
        *findings,
    )
    held = not findings and all(one.held for one in stops) and openers.held
    return Result(lines, held and tally.n_delivering_steps > 0)


def batches(wanted: int, ends_s: float, first_seed: int) -> Iterator[Batch]:
    """Until they have ``wanted`` steps, something was found, or the monotonic clock shows ``ends_s``."""
    n_steps, seeds = 0, count(first_seed)
    n_workers = os.cpu_count() or 1
    with ProcessPoolExecutor(n_workers, multiprocessing.get_context("spawn")) as pool:
        running: set[Future[Batch]] = {pool.submit(batch, next(seeds)) for _ in range(n_workers)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for finished in done:
                result = finished.result()
                n_steps += result.tally.n_steps
                yield result
                if n_steps < wanted and time.monotonic() < ends_s and not result.findings:
                    running.add(pool.submit(batch, next(seeds)))


def batch(number: int, n_runs: int = RUNS_A_BATCH) -> Batch:
    """The runs that belong to the seed ``number``, up to the first that breaks a rule."""
    logging.disable(logging.CRITICAL)
    tally = Tally()
    machine = seed(number)(type("SafetyMachine", (SafetyMachine,), {"tally": tally}))
    try:
        run_state_machine_as_test(machine, settings=_settings(n_runs))
    except Exception as error:
        steps = [line for note in getattr(error, "__notes__", ()) for line in note.splitlines()]
        told = [line for line in steps if "no_rule_is_broken" not in line][-TOLD_STEPS:]
        return Batch(tally, (f"seed {number}: {type(error).__name__}: {error}", *told))
    return Batch(tally, ())


def _settings(n_runs: int) -> settings:
    return settings(
        max_examples=n_runs,
        stateful_step_count=STEPS_A_RUN,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=tuple(HealthCheck),
    )
