"""NI-DAQ acquisition: a local board, or one behind a gRPC device server, as a ``SampleSource`` that cannot hang."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from math import isfinite

import numpy as np

from drivers.daq_input import Input, Terminal
from drivers.interface import Block, Channel, DeviceNotFound, DeviceRefused, LinkLost, SamplesLost
from drivers.nidaq_task import BoardTask, highest_safe_rate_hz, open_channel
from drivers.watched_thread import NoAnswer, WatchedThread, result_within

__all__ = ["Input", "NidaqSource", "Terminal", "highest_safe_rate_hz"]

OPEN_S = 15.0
CLOSE_S = 2.0
GRACE_S = 2.0
"""A read that is this much later than its samples is given up."""

FETCH_S = 0.5
"""Longer reads are split, so that silence is noticed early."""

TIMEOUT_FRACTION = 0.3
"""Of the deadline: the driver's own time-out, so that three of them fit under the watchdog's."""


class NidaqSource:
    """All inputs of one board. One task, owned by one thread; one caller reads, anybody may close.

    Raises ``DeviceNotFound`` for a missing driver, server, device or pin, ``DeviceRefused`` for settings that the
    board cannot honour. ``block`` is the usual size of a read; ``remote`` is ``host:port`` of a device server.
    """

    def __init__(
        self,
        device: str,
        inputs: Sequence[Input],
        rate_hz: float,
        *,
        block: int,
        remote: str | None = None,
        serial_number: int | None = None,
        buffer_s: float = 10.0,
    ) -> None:
        self._where = f"{device} at {remote}" if remote else device
        _check_settings(self._where, inputs, rate_hz, block, buffer_s)
        self._ready: deque[Block] = deque()
        self._fetching: Future[None] | None = None
        self._ended = ""
        self._link = open_channel(remote) if remote else None
        self._thread = WatchedThread(f"nidaq {device}")
        self._opening = self._thread.submit(
            lambda: BoardTask(
                device,
                tuple(inputs),
                rate_hz,
                block,
                buffer_s,
                where=self._where,
                link=self._link,
                serial_number=serial_number,
            )
        )
        try:
            self._task = result_within(OPEN_S, self._opening)
        except NoAnswer:
            self._let_go(0.0)
            raise DeviceNotFound(
                f"{self._where} gives no answer within {OPEN_S:g} s; restart the device or its server"
            ) from None
        except BaseException:
            self._let_go(0.0)
            raise

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self._task.channels

    @property
    def rate_hz(self) -> float:
        return self._task.rate_hz

    @property
    def scaling(self) -> tuple[tuple[float, ...], ...]:
        """Per channel, the device's polynomial from counts to volts; ``resolution`` uses its linear term only."""
        return self._task.scaling

    def identify(self) -> str:
        return f"{self._task.identity}, {len(self.channels)} inputs at {self.rate_hz:.6g} Hz"

    def start(self) -> None:
        self._check_open()
        try:
            result_within(OPEN_S, self._thread.submit(self._task.start))
        except NoAnswer as silence:
            raise self._lost(self._silent(silence), 0.0) from None
        except LinkLost as lost:
            raise self._lost(str(lost), CLOSE_S) from lost

    def read(self, n_samples: int) -> Block:
        """See ``SampleSource``; ``partial`` of what is raised holds the samples of this read that were not lost."""
        if n_samples < 0:
            raise ValueError(f"cannot read {n_samples} samples; ask for 0 or more")
        while (missing := n_samples - self._n_ready) > 0:
            self._check_open()
            n = min(missing, max(1, round(FETCH_S * self.rate_hz)), self._task.buffer)
            deadline_s = n / self.rate_hz + GRACE_S
            # A wait that was interrupted (Ctrl-C) leaves its fetch behind; those samples come first.
            self._fetching = self._fetching or self._thread.submit(
                partial(self._task.fetch, n, TIMEOUT_FRACTION * deadline_s, self._ready.append)
            )
            self._await_fetch(self._fetching, deadline_s)
        return self._take(n_samples)

    def close(self) -> None:
        if not self._ended:
            self._ended = f"{self._where} is closed; open it again to read on"
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
        pieces, missing = [np.empty((len(self.channels), 0), np.int16)], n_samples
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


def _check_settings(where: str, inputs: Sequence[Input], rate_hz: float, block: int, buffer_s: float) -> None:
    """Raises ``DeviceRefused`` for what no board can do."""
    if not inputs:
        raise DeviceRefused(f"{where} was given no inputs; list at least one")
    if not (isfinite(rate_hz) and rate_hz > 0 and block > 0 and isfinite(buffer_s) and buffer_s > 0):
        raise DeviceRefused(
            f"{where} was asked for {rate_hz:g} Hz in blocks of {block} with {buffer_s:g} s of buffer; "
            "each must be a positive number"
        )
    for names, what in (([i.name for i in inputs], "name"), ([i.physical for i in inputs], "input")):
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DeviceRefused(f"{where}: the {what} {twice[0]!r} is used twice; each channel needs its own")
    for wanted in inputs:
        if not (isfinite(wanted.units_per_volt) and wanted.units_per_volt and wanted.range_v > 0):
            raise DeviceRefused(
                f"{where}: {wanted.name} has {wanted.units_per_volt:g} {wanted.unit} per volt and a range of "
                f"{wanted.range_v:g} V; the first must not be 0, the second must be positive"
            )
