"""Hostile input: each reader gets mutated files until its time is over, and may refuse them, but do nothing else.

An input that makes a reader fail at a place where nobody failed before is kept and mutated further.
"""

import gc
import logging
import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic, perf_counter
from traceback import walk_tb

import numpy as np

from benchmarks.reliability import command_line
from benchmarks.reliability.guard import HANG_S, MEMORY_MB, Forbidden, Hung, bounded_memory, limited, scratch, watched
from benchmarks.reliability.hostile_targets import Target, targets
from benchmarks.reliability.mutation import mutated
from benchmarks.reliability.result import Result
from benchmarks.reliability.specimen import specimen
from kindle.telling import told

MOST_TOLD = 2000
"""Characters of one message."""
KEPT = 400
LEAST = 20
"""Inputs for the slowest reader, however short the time."""


@dataclass
class Tally:
    """Of one reader; ``findings`` are what it did that it must not, each kind once, with the input."""

    name: str
    read: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    findings: dict[str, bytes] = field(default_factory=dict)
    ways: Counter[tuple[object, ...]] = field(default_factory=Counter)

    @property
    def line(self) -> str:
        return (
            f"{self.name:22} {self.read + self.refused:>8} inputs: {self.read} read, {self.refused} refused in "
            f"{len(self.ways)} ways, slowest {1e3 * self.slowest_s:.0f} ms, {len(self.findings)} findings"
        )


def run(quick: bool, seconds: float, seed: int = 1) -> Result:
    tallies: list[Tally] = []
    with scratch() as made:
        study = specimen(Path(made))
        readers = targets(study)
        grown_mb = []
        for target, share_s in zip(readers, _shares(readers, 0.85 * seconds), strict=True):
            folder = Path(made) / "given"
            folder.mkdir()
            before_mb = _most_used_mb()
            tallies.append(fuzzed(target, folder, share_s, seed))
            grown_mb.append(_most_used_mb() - before_mb)
            folder.rename(Path(made) / f"was {target.name.replace('/', ' ')}")
        commands = command_line.run(study, Path(made), 0.15 * seconds, seed)
    total = sum(tally.read + tally.refused for tally in tallies) + commands.n
    findings = [
        f"{tally.name}: {what}; input {_shown(given)}" for tally in tallies for what, given in tally.findings.items()
    ]
    findings += commands.findings
    lines = (
        f"{total} inputs, seed {seed}: {len(findings)} findings; memory grew by {max(grown_mb):.0f} MB at most",
        *(tally.line for tally in tallies),
        commands.line,
        *findings,
    )
    return Result(lines, not findings and max(grown_mb) <= MEMORY_MB)


def fuzzed(target: Target, folder: Path, seconds: float, seed: int, most: int | None = None) -> Tally:
    """Mutated inputs for ``seconds``, or ``most`` of them."""
    random, tally, corpus = Random(f"{seed} {target.name}"), Tally(target.name), list(target.seeds)
    for given in target.seeds:  # sound files first: what is imported late is there before anything is watched
        with suppress(Exception):
            target.read(given, folder)
    end_s, n = monotonic() + seconds, 0
    gc.collect()
    logging.disable()
    with watched(folder) as seen, bounded_memory():
        while (monotonic() < end_s or n < LEAST) and n != most:
            given, n = mutated(random, corpus), n + 1
            begun_s = perf_counter()
            way = _outcome(target, given, folder)
            tally.slowest_s = max(tally.slowest_s, perf_counter() - begun_s)
            if way[0] == "finding":
                tally.findings.setdefault(str(way[1]), given)
            if seen:
                tally.findings.setdefault(seen.pop(), given)
            tally.read += way[0] == "read"
            tally.refused += way[0] != "read"
            tally.ways[way] += 1
            if tally.ways[way] == 1 and len(corpus) < KEPT and len(given) < 20_000:
                corpus.append(given)
    logging.disable(logging.NOTSET)
    return tally


def _outcome(target: Target, given: bytes, folder: Path) -> tuple[object, ...]:
    """``read``, ``refused`` with the place that refused, or ``finding`` with what is wrong."""
    try:
        with limited(), np.errstate(all="ignore"):
            target.read(given, folder)
    except Hung:
        return "finding", f"hangs longer than {HANG_S:g} s"
    except Forbidden as error:
        return "finding", str(error)
    except MemoryError as error:
        return "finding", f"wants more than {MEMORY_MB} MB ({_place(error)[-1]})"
    except Exception as error:
        said = told(error)
        if said is None:
            return "finding", f"{type(error).__name__} at {_place(error)[-1]}"
        if len(said) > MOST_TOLD or not said.isprintable() or not said:
            return "finding", f"a message that is not one short printable line, at {_place(error)[-1]}"
        return "refused", *_place(error)
    return ("read",)


def _place(error: BaseException) -> list[str]:
    return [f"{Path(frame.f_code.co_filename).name}:{line}" for frame, line in walk_tb(error.__traceback__)]


def _shares(readers: tuple[Target, ...], seconds: float) -> Iterator[float]:
    whole = sum(target.share for target in readers)
    return (seconds * target.share / whole for target in readers)


def _most_used_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _shown(given: bytes) -> str:
    return repr(given if len(given) < 300 else given[:150] + b" ... " + given[-150:])
