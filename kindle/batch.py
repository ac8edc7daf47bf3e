"""Many recordings through any ``concurrent.futures.Executor``: each result is handed over as soon as it is there.

Only a few recordings are on their way at any time, so thousands of them need no more memory than a few. One that
fails stops no other. With a table, a recording that it holds already is not analysed again.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from drivers.interface import DriverError
from kindle.batch_identity import Identity, identify, software, stamps
from kindle.batch_table import BatchTable
from kindle.errors import KindleError, RecordingError
from kindle.reanalysis import Asked, Part, Plan, judge, parts, plan, together
from kindle.results import ChannelFindings, Findings
from kindle.spreading import Stopped

IN_FLIGHT_PER_WORKER = 3
"""Recordings: enough that no worker waits for the next, few enough that a kill loses little."""


@dataclass(frozen=True, slots=True)
class Analysed:
    path: Path
    findings: Findings


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The table holds the result of this recording, maybe under another path."""

    path: Path


@dataclass(frozen=True, slots=True)
class Failed:
    path: Path
    reason: str


Outcome = Analysed | AlreadyDone | Failed


@dataclass(frozen=True, slots=True)
class _Planned:
    """A recording that is long enough for its channels to be shared out."""

    plan: Plan
    parts: list[Part]
    by: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Judged:
    findings: Findings
    by: dict[str, str]


@dataclass(slots=True)
class _OnItsWay:
    path: Path
    identity: Identity | None = None
    planned: _Planned | None = None
    judging: list[Future[Any]] = field(default_factory=list)
    n_judged: int = 0


def analysed(
    recordings: Iterable[Path], asked: Asked, executor: Executor, workers: int = 1, table: BatchTable | None = None
) -> Iterator[Outcome]:
    """One outcome for each recording, in the order in which they are done; what a table gets, stands in it by then."""
    batch = _Batch(asked, executor, workers, table)
    waiting = iter(recordings)
    try:
        while True:
            while len(batch.pending) < batch.most and (path := next(waiting, None)) is not None:
                yield from batch.begin(path)
            if not batch.pending:
                return
            for future in wait(batch.pending, return_when=FIRST_COMPLETED).done:
                yield from batch.go_on(future)
    finally:
        for future in batch.pending:
            future.cancel()


class _Batch:
    def __init__(self, asked: Asked, executor: Executor, workers: int, table: BatchTable | None) -> None:
        self.asked = asked
        self.executor = executor
        self.workers = workers
        self.table = table
        self.most = 1 if workers == 1 else IN_FLIGHT_PER_WORKER * workers
        self.pending: dict[Future[Any], _OnItsWay] = {}
        self._analysis = "" if table is None else table.begin(asked)
        self._contents: set[str] = set()
        """Of the recordings of this run: two copies of one recording are one."""

    def begin(self, path: Path) -> Iterator[Outcome]:
        on = _OnItsWay(path)
        if self.table is None:
            yield from self._submit(on, _begun, path, self.asked, self.workers)
            return
        try:
            now = stamps(path)
        except KindleError as error:
            yield self._failed(on, str(error))
            return
        known = self.table.content_of(path, now)
        if known is None:
            yield from self._submit(on, identify, path)
        else:
            yield from self._identified(on, Identity(now, known))

    def go_on(self, future: Future[Any]) -> Iterator[Outcome]:
        on = self.pending.pop(future, None)
        if on is None:  # a part of a recording of which another part has failed
            return
        try:
            found = future.result()
        except Exception as error:
            self._forget(on)
            yield self._failed(on, _reason(on.path, error))
            return
        match found:
            case Identity():
                yield from self._identified(on, found)
            case _Judged(findings, by):
                yield self._done(on, findings, by)
            case _Planned():
                on.planned = found
                for part in found.parts:
                    yield from self._submit(on, judge, part)
            case _:
                assert on.planned is not None
                on.n_judged += 1
                if on.n_judged == len(on.planned.parts):
                    judged: list[list[ChannelFindings]] = [part.result() for part in on.judging]
                    yield self._done(on, together(on.planned.plan, judged), on.planned.by)

    def _identified(self, on: _OnItsWay, identity: Identity) -> Iterator[Outcome]:
        assert self.table is not None
        on.identity = identity
        self.table.saw(on.path, identity.stamps, identity.content)
        if identity.content in self._contents or self.table.has(self._analysis, identity.content):
            yield AlreadyDone(on.path)
            return
        self._contents.add(identity.content)
        yield from self._submit(on, _begun, on.path, self.asked, self.workers)

    def _submit(self, on: _OnItsWay, act: Any, *given: Any) -> Iterator[Outcome]:
        try:
            future: Future[Any] = self.executor.submit(partial(act, *given))
        except Exception as error:  # the pool is broken
            self._forget(on)
            yield self._failed(on, _reason(on.path, error))
            return
        if on.planned is not None:
            on.judging.append(future)
        self.pending[future] = on

    def _forget(self, on: _OnItsWay) -> None:
        """What else is on its way for a recording that failed is of no use."""
        for future in [future for future, other in self.pending.items() if other is on]:
            future.cancel()
            del self.pending[future]

    def _done(self, on: _OnItsWay, findings: Findings, by: dict[str, str]) -> Outcome:
        if self.table is not None:
            assert on.identity is not None
            differing = [name for name in ("kindle", "detector") if by[name] != software()[name]]
            if differing:
                name = differing[0]
                return self._failed(
                    on,
                    f"{on.path}: a worker has {name} {by[name]}, this computer {software()[name]}: "
                    "install the same version on all of them",
                )
            try:
                same = stamps(on.path) == on.identity.stamps
            except RecordingError:
                same = False
            if not same:
                return self._failed(on, f"{on.path} was changed while it was analysed: run the command again")
            self.table.done(self._analysis, on.identity.content, findings.result(), by)
        return Analysed(on.path, findings)

    def _failed(self, on: _OnItsWay, reason: str) -> Failed:
        if self.table is not None:
            self.table.failed(self._analysis, on.identity.content if on.identity else None, on.path, reason)
        return Failed(on.path, reason)


def _begun(path: Path, asked: Asked, workers: int) -> _Judged | _Planned:
    """In a worker: one task for all but the longest recordings."""
    planned = plan(path, asked)
    shared = parts(planned, workers)
    if len(shared) > 1:
        return _Planned(planned, shared, software())
    return _Judged(together(planned, [judge(part) for part in shared]), software())


def _reason(path: Path, error: Exception) -> str:
    """One sentence that names the recording."""
    match error:
        case Stopped():
            raise error
        case KindleError() | DriverError():
            said = " ".join(str(error).split())
            return said if str(path) in said or path.name in said else f"{path}: {said}"
        case BrokenExecutor():
            return f"{path}: the process that analysed it was ended by the system: try --jobs 1, or free some memory"
        case OSError():
            return f"{path} cannot be analysed ({error}): check the file and the disk"
        case _:
            return (
                f"{path} cannot be analysed ({type(error).__name__}: {error}): check that other programs read it, and "
                "report this with the file"
            )
