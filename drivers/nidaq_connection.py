"""One connection to an NI board: its link, its task and the thread that owns them; a hung call stays in that thread."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

import numpy as np

from drivers.daq_input import Input
from drivers.interface import Block, DeviceNotFound, LinkLost, SamplesLost
from drivers.nidaq_device import open_channel
from drivers.nidaq_task import Acquisition, BoardTask, Known
from drivers.task_notes import TaskNotes
from drivers.watched_thread import NoAnswer, WatchedThread, result_within

OPEN_S = 15.0
REOPEN_S = 5.0
"""A board that was lost is looked for again and again, by somebody who may want to stop."""

CLOSE_S = 2.0
GRACE_S = 2.0
"""A read that is this much later than its samples is given up."""

FETCH_S = 0.5
"""Longer reads are split, so that silence is noticed early."""

TIMEOUT_FRACTION = 0.3
"""Of the deadline: the driver's own time-out, so that three of them fit under the watchdog's."""


class Connection:
    """One caller reads, anybody may close; once it has ended it stays so, and what was read before is not lost.

    ``known`` is the board that must be there, and the task that an earlier connection may have left on its server;
    ``notes`` are of what earlier programs may have left there.
    Raises ``DeviceNotFound`` and ``DeviceRefused`` as ``NidaqSource`` does.
    """

    def __init__(
        self,
        device: str,
        inputs: Sequence[Input],
        acquisition: Acquisition,
        *,
        where: str,
        remote: str | None,
        serial_number: int | None,
        known: Known | None = None,
        notes: TaskNotes | None = None,
    ) -> None:
        self._where = where
        self._ready: deque[Block] = deque()
        self._fetching: Future[None] | None = None
        self._ended = ""
        self._open_s = OPEN_S if known is None else REOPEN_S
        self._link: Any = open_channel(remote) if remote else None
        self._thread = WatchedThread(f"nidaq {device}")
        self._opening = self._thread.submit(
            lambda: BoardTask(
                device,
                tuple(inputs),
                acquisition,
                where=where,
                link=self._link,
                serial_number=serial_number,
                known=known,
                notes=notes,
            )
        )
        try:
            self.task = result_within(self._open_s, self._opening)
        except NoAnswer:
            self._let_go(0.0)
            raise DeviceNotFound(
                f"{where} gives no answer within {self._open_s:g} s; restart the device or its server"
            ) from None
        except BaseException:
            self._let_go(0.0)
            raise

    def start(self) -> None:
        self._check_open()
        try:
            result_within(self._open_s, self._thread.submit(self.task.start))
        except NoAnswer as silence:
            raise self._lost(self._silent(silence), 0.0) from None
        except LinkLost as lost:
            raise self._lost(str(lost), CLOSE_S) from lost

    def read(self, n_samples: int) -> Block:
        """See ``SampleSource``; ``partial`` of what is raised holds the samples of this read that were not lost."""
        while (missing := n_samples - self._n_ready) > 0:
            self._check_open()
            n = min(missing, max(1, round(FETCH_S * self.task.rate_hz)), self.task.buffer)
            deadline_s = n / self.task.rate_hz + GRACE_S
            # A wait that was interrupted (Ctrl-C) leaves its fetch behind; those samples come first.
            self._fetching = self._fetching or self._thread.submit(
                partial(self.task.fetch, n, TIMEOUT_FRACTION * deadline_s, self._ready.append)
            )
            self._await_fetch(self._fetching, deadline_s)
        return self._take(n_samples)

    def n_unread(self) -> int:
        """See ``Buffered``."""
        self._check_open()
        try:
            return self._n_ready + result_within(GRACE_S, self._thread.submit(self.task.n_unread))
        except NoAnswer as silence:
            raise self._lost(self._silent(silence), 0.0) from None

    def close(self, why: str) -> None:
        if not self._ended:
            self._ended = why
            self._let_go(CLOSE_S)

    @property
    def _n_ready(self) -> int:
        return sum(block.shape[1] for block in tuple(self._ready))  # a copy: the fetching thread may append

    def _await_fetch(self, fetching: Future[None], deadline_s: float) -> None:
        try:
            result_within(deadline_s, fetching)
        except NoAnswer as silence:
            raise self._lost(self._silent(silence), 0.0) from None
        except LinkLost as lost:
            raise self._lost(str(lost), CLOSE_S) from lost
        except SamplesLost as lost:
            self._fetching = None
            lost.partial = self._drain()
            raise
        except Exception as error:
            # Whoever closed the source from another thread took the task away under this read.
            if not self._ended:
                raise
            raise self._end() from error
        self._fetching = None

    def _take(self, n_samples: int) -> Block:
        pieces, missing = [np.empty((len(self.task.channels), 0), np.int16)], n_samples
        while missing:
            block = self._ready.popleft()
            if block.shape[1] > missing:
                self._ready.appendleft(block[:, missing:])
            pieces.append(block[:, :missing])
            missing -= pieces[-1].shape[1]
        return pieces[1] if len(pieces) == 2 else np.concatenate(pieces, axis=1)

    def _drain(self) -> Block:
        return self._take(self._n_ready)

    def _silent(self, silence: NoAnswer) -> str:
        return f"{self._where} hangs: {silence}; check its cable and its power, then open it again"

    def _lost(self, message: str, wait_s: float) -> LinkLost:
        """Give the board up; ``wait_s`` is how long it may take to release its task."""
        if not self._ended:
            self._ended = message
            self._let_go(wait_s)
        return self._end()

    def _end(self) -> LinkLost:
        """Why nothing more can be read, with what was."""
        error = LinkLost(self._ended)
        error.partial = self._drain()
        return error

    def _check_open(self) -> None:
        if self._ended:
            raise self._end()

    def _let_go(self, wait_s: float) -> None:
        """Close task, link and thread; a thread that hangs is left to die with the program."""
        releasing = self._thread.submit(self._release)
        try:
            if wait_s:
                result_within(wait_s, releasing)
        except NoAnswer:
            pass  # the link is closed below, which is the only way to end a hung call
        finally:
            if self._link is not None:
                self._link.close()
            self._thread.finish()

    def _release(self) -> None:
        if self._opening.done() and self._opening.exception() is None:
            self._opening.result().close()
