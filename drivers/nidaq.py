"""NI-DAQ acquisition: a local board, or one behind a gRPC device server, as a ``SampleSource`` that cannot hang."""

from collections.abc import Sequence
from functools import partial
from math import isfinite

from drivers.daq_input import Input, Terminal, highest_safe_rate_hz
from drivers.interface import Block, Channel, DeviceRefused, LinkLost
from drivers.nidaq_connection import Connection
from drivers.nidaq_task import Acquisition
from drivers.task_notes import TaskNotes

__all__ = ["Input", "NidaqSource", "Terminal", "highest_safe_rate_hz"]


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
        self._notes = TaskNotes(remote, device) if remote else None
        self._connect = partial(
            Connection,
            device,
            tuple(inputs),
            Acquisition(rate_hz, block, buffer_s),
            where=self._where,
            remote=remote,
            serial_number=serial_number,
            notes=self._notes,
        )
        try:
            self._connection = self._connect()
        except BaseException:
            self._close_notes()
            raise
        self._closed = False

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self._connection.task.channels

    @property
    def rate_hz(self) -> float:
        return self._connection.task.rate_hz

    @property
    def scaling(self) -> tuple[tuple[float, ...], ...]:
        """Per channel, the device's polynomial from counts to volts; ``resolution`` uses its linear term only."""
        return self._connection.task.scaling

    @property
    def task_name(self) -> str:
        """Of the task on the board, by which others on the same server can reach it."""
        return self._connection.task.known.task_name

    def identify(self) -> str:
        return f"{self._connection.task.known.identity}, {len(self.channels)} inputs at {self.rate_hz:.6g} Hz"

    def start(self) -> None:
        self._connection.start()

    def read(self, n_samples: int) -> Block:
        """See ``SampleSource``; ``partial`` of what is raised holds the samples of this read that were not lost."""
        if n_samples < 0:
            raise ValueError(f"cannot read {n_samples} samples; ask for 0 or more")
        return self._connection.read(n_samples)

    def n_unread(self) -> int:
        """See ``Buffered``."""
        return self._connection.n_unread()

    def reopen(self) -> None:
        """See ``Reopenable``; the board is known by its serial number, and must be set as it was."""
        if self._closed:
            raise LinkLost(self._closed_for_good)
        before = self._connection
        before.close(f"{self._where} was given up; open it again to read on")
        fresh = self._connect(known=before.task.known)
        try:
            if (fresh.task.channels, fresh.task.rate_hz) != (before.task.channels, before.task.rate_hz):
                raise DeviceRefused(
                    f"{self._where} came back with another rate or scaling than it had; begin a new session on it"
                )
            fresh.start()
        except BaseException:
            fresh.close(f"{self._where} could not be started again")
            raise
        self._connection = fresh

    def close(self) -> None:
        self._closed = True
        self._connection.close(self._closed_for_good)
        self._close_notes()

    def _close_notes(self) -> None:
        if self._notes is not None:
            self._notes.close()

    @property
    def _closed_for_good(self) -> str:
        return f"{self._where} is closed; open it again to read on"


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
