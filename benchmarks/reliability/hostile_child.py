"""One reader in a process of its own: what kills the process is told like anything else that it must not do."""

import multiprocessing
import resource
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.reliability.hostile_inputs import LEAST, Kept, fuzzed
from benchmarks.reliability.tally import Tally
from benchmarks.reliability.target import Target

SLACK_S = 60.0
"""Beyond its time: a C library that hangs cannot be interrupted from Python."""


def fuzzed_apart(target: Target, folder: Path, seconds: float, seed: int) -> Tally:
    """``fuzzed`` in a fork of this process, in which nothing of what it starts may stay."""
    folder.mkdir()
    kept = Kept.new(folder.with_name(f"{folder.name} last"))
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(
        target=_fuzz, args=(there, target, folder, seconds, seed, kept)
    )
    process.start()
    there.close()
    try:
        if not here.poll(seconds + SLACK_S + LEAST * target.most_s):
            process.kill()
            return Tally(target.name, findings={"hangs where Python cannot interrupt it": kept.given})
        told: Tally = here.recv()
        return told
    except EOFError:
        process.join()
        return Tally(target.name, findings={f"the process ends: {_end(process.exitcode)}": kept.given})
    finally:
        process.join()
        here.close()
        kept.close()


def _fuzz(there: Connection, target: Target, folder: Path, seconds: float, seed: int, kept: Kept) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tally = fuzzed(target, folder, seconds, seed, kept=kept)
    tally.grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    there.send(tally)


def _end(exitcode: int | None) -> str:
    return signal.Signals(-exitcode).name if exitcode and exitcode < 0 else f"exit code {exitcode}"
