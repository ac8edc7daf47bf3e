"""A second process opens the animal, or the rig, that a first one has: it is turned away, and the first goes on."""

import multiprocessing
import os
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from benchmarks.reliability.kill import place, process, said
from benchmarks.reliability.kill_bench import living_bench
from benchmarks.reliability.kill_child import Life

PLAN = "kindling"
PHASES = ("resting", "arming", "fired", "watching")
WHOLE_PULSES = 50
"""Of each train of the plan; a disturbed one would have fewer."""


@dataclass
class SecondOpeners:
    n_animal: int = 0
    n_rig: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return not self.findings

    def __str__(self) -> str:
        told = f"second processes turned away: {self.n_animal} from an animal, {self.n_rig} from a rig in use"
        return "; ".join((told, *self.findings))


def second_openers(n_each: int, seed: int = 1) -> SecondOpeners:
    """At random phases of the first one's session. POSIX only, as the kills are."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["benchmarks.reliability.kill_child"])
    draw, found = random.Random(seed), SecondOpeners()
    for _ in range(n_each):
        for same_animal in (True, False):
            phase = draw.choice(PHASES)
            found.findings += [f"while {phase}: {what}" for what in _tried(phase, same_animal, found)]
    return found


def _tried(phase: str, same_animal: bool, found: SecondOpeners) -> Iterator[str]:
    with place() as first_place, place() as other_place, living_bench() as bench, bench.daq() as daq:
        first = Life(PLAN, *first_place, daq, bench.stimulator)
        second = (
            replace(first, notes=other_place[1]) if same_animal else Life(PLAN, *other_place, daq, bench.stimulator)
        )
        with process(first) as (child, line):
            phases = said(line)
            while (now := next(phases)) != phase and now != "over":
                pass
            assert child.pid is not None
            # It would be over before the other one is there.
            os.kill(child.pid, signal.SIGSTOP)
            with process(second) as (_, second_line):
                last = list(said(second_line))[-1]
            os.kill(child.pid, signal.SIGCONT)
            if last.startswith("refused: "):
                found.n_animal += same_animal
                found.n_rig += not same_animal
            else:
                yield f"the second program came to {last!r}"
            if (end := [now, *phases][-1]) != "over":
                yield f"the first program came to {end!r}"
        if [train.n_pulses for train in bench.rat.heard] != [WHOLE_PULSES] * 2:
            yield f"the rat heard trains of {[train.n_pulses for train in bench.rat.heard]} pulses"
