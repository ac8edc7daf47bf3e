"""Hostile input: each reader gets mutated files until its time is over, and may refuse them, but do nothing else.

An input that makes a reader refuse at a place where none did before is kept and mutated further; in the full campaign
atheris, where it is installed, steers a part of them to code that none has reached. Each reader works in a process of
its own.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.reliability.result import Result
from benchmarks.reliability.tally import Tally
from benchmarks.reliability.target import Target

ON_COMMANDS = 0.15
"""Of the time, for words on the command line."""
STEERED = 0.3
"""Of the time of the full campaign."""


def run(quick: bool, seconds: float, seed: int = 1) -> Result:
    if sys.platform != "linux":
        return Result(("limits of memory and of time for a reader need Linux",), True, left_out=True)
    from benchmarks.reliability import command_line
    from benchmarks.reliability.guard import MEMORY_MB
    from benchmarks.reliability.hostile_guided import available
    from benchmarks.reliability.scratch import scratch
    from benchmarks.reliability.specimen import recorded

    steered_s = 0.0 if quick or not available() else STEERED * seconds
    with scratch() as made:
        study = recorded(Path(made))
        tallies = _tried(study, Path(made), (1 - ON_COMMANDS) * seconds - steered_s, seed)
        steered = _steered(study, Path(made), [tally.name for tally in tallies], steered_s, seed)
        commands = command_line.run(study, Path(made), ON_COMMANDS * seconds, seed)
    grown_mb = max(tally.grown_mb for tally in tallies)
    all_told = [*tallies, *steered]
    findings = [*(what for tally in all_told for what in tally.found()), *commands.findings]
    lines = (
        f"{sum(tally.n for tally in all_told) + commands.n} inputs, seed {seed}: {len(findings)} findings; memory grew "
        f"by {grown_mb:.0f} MB at most",
        *(tally.line for tally in tallies),
        *([f"{sum(tally.n for tally in steered)} of them steered to new code by atheris"] if steered else []),
        commands.line,
        *findings,
    )
    return Result(lines, not findings and grown_mb <= MEMORY_MB)


def _tried(study: Path, made: Path, seconds: float, seed: int) -> list[Tally]:
    from benchmarks.reliability.hostile_child import fuzzed_apart
    from benchmarks.reliability.hostile_targets import targets

    readers = targets(study, made)
    return [
        fuzzed_apart(target, made / f"reader {number}", share_s, seed)
        for number, (target, share_s) in enumerate(zip(readers, _shares(readers, seconds), strict=True))
    ]


def _steered(study: Path, made: Path, names: Sequence[str], seconds: float, seed: int) -> list[Tally]:
    from benchmarks.reliability.hostile_guided import guided

    if not seconds:
        return []
    each_s = seconds / len(names)
    return [guided(name, study, made / f"steered {number}", each_s, seed) for number, name in enumerate(names)]


def _shares(readers: Sequence[Target], seconds: float) -> Iterator[float]:
    whole = sum(target.share for target in readers)
    return (seconds * target.share / whole for target in readers)
