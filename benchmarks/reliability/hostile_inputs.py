"""One reader and its inputs: mutated until the time is over, each read under guard, and what came of it."""

import gc
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import monotonic, process_time
from traceback import walk_tb

import numpy as np

from benchmarks.reliability.guard import MEMORY_MB, Forbidden, Hung, bounded_memory, limited, watched
from benchmarks.reliability.mutation import mutated
from benchmarks.reliability.tally import Tally
from benchmarks.reliability.target import Target

MOST_TOLD = 2000
"""Characters of one message."""
KEPT = 400
"""Inputs that made a reader refuse in a new way, and are mutated further."""
LEAST = 3
"""Inputs for the slowest reader, however short the time."""


@dataclass(frozen=True)
class Kept:
    """The input that is being read, outside of this process: it outlives what kills it."""

    file: int

    @classmethod
    def new(cls, path: Path) -> "Kept":
        return cls(os.open(path, os.O_RDWR | os.O_CREAT))

    def keep(self, given: bytes) -> None:
        os.pwrite(self.file, len(given).to_bytes(8, "little") + given, 0)

    def close(self) -> None:
        os.close(self.file)

    @property
    def given(self) -> bytes:
        return os.pread(self.file, int.from_bytes(os.pread(self.file, 8, 0), "little"), 8)


def fuzzed(
    target: Target, folder: Path, seconds: float, seed: int, most: int | None = None, kept: Kept | None = None
) -> Tally:
    """Mutated inputs for ``seconds``, or ``most`` of them."""
    random, tally, corpus = Random(f"{seed} {target.name}"), Tally(target.name), list(target.sound())
    warm_up(target, corpus, folder)
    end_s, n = monotonic() + seconds, 0
    with watched(folder) as seen, bounded_memory():
        while (monotonic() < end_s or n < LEAST) and n != most:
            given, n = mutated(random, corpus, target.well_formed), n + 1
            if kept is not None:
                kept.keep(given)
            way = told_of(tally, target, given, folder, seen)
            if tally.ways[way] == 1 and len(corpus) < KEPT and len(given) < 50_000:
                corpus.append(given)
    logging.disable(logging.NOTSET)
    return tally


def warm_up(target: Target, sound: Sequence[bytes], folder: Path) -> None:
    """Sound files first: what is imported late is there before anything is watched."""
    logging.disable()
    for given in sound:
        with suppress(Exception), np.errstate(all="ignore"):
            target.read(given, folder)
    gc.collect()


def told_of(tally: Tally, target: Target, given: bytes, folder: Path, seen: list[str]) -> tuple[object, ...]:
    """Read one input under guard; ``seen`` is what the guard saw."""
    begun_s = process_time()
    way = _outcome(target, given, folder)
    tally.slowest_s = max(tally.slowest_s, process_time() - begun_s)
    if way[0] == "finding":
        tally.findings.setdefault(str(way[1]), given)
    if seen:
        tally.findings.setdefault(seen.pop(), given)
    tally.read += way[0] == "read"
    tally.refused += way[0] != "read"
    tally.ways[way] += 1
    return way


def _outcome(target: Target, given: bytes, folder: Path) -> tuple[object, ...]:
    """``read``, ``refused`` with the place that refused, or ``finding`` with what is wrong."""
    from click import ClickException

    from kindle.telling import told

    try:
        with limited(target.most_s), np.errstate(all="ignore"):
            target.read(given, folder)
    except Hung:
        return "finding", f"hangs longer than {target.most_s:g} s"
    except Forbidden as error:
        return "finding", str(error)
    except MemoryError as error:
        return "finding", f"wants more than {MEMORY_MB} MB ({_place(error)[-1]})"
    except ClickException as error:
        return "refused", type(error).__name__, error.message
    except Exception as error:
        said = told(error)
        if said is None:
            return "finding", f"{type(error).__name__} at {_own_place(error)}"
        if _for_want_of_memory(error):
            return "finding", f"wants more than {MEMORY_MB} MB, and calls it a refusal ({_own_place(error)})"
        if len(said) > MOST_TOLD or not said.isprintable() or not said:
            return "finding", f"a message that is not one short printable line, at {_place(error)[-1]}"
        return "refused", *_place(error)
    return ("read",)


def _place(error: BaseException) -> list[str]:
    return [f"{Path(frame.f_code.co_filename).name}:{line}" for frame, line in walk_tb(error.__traceback__)]


def _for_want_of_memory(error: BaseException | None) -> bool:
    """Whether a refusal only hides that the memory was not enough."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


_OURS = tuple(f"{os.sep}{package}{os.sep}" for package in ("kindle", "drivers", "detectors"))


def _own_place(error: BaseException) -> str:
    """The last line of kindle's own on the way, and the last of all."""
    places = _place(error)
    own = [
        place
        for place, (frame, _) in zip(places, walk_tb(error.__traceback__), strict=True)
        if "site-packages" not in frame.f_code.co_filename and any(p in frame.f_code.co_filename for p in _OURS)
    ]
    return f"{own[-1]}, {places[-1]}" if own and own[-1] != places[-1] else places[-1]
