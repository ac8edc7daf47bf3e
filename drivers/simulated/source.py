"""The emulated board read without a wire: a source of samples inside this process."""

from collections.abc import Sequence

import numpy as np

from drivers.daq_input import Input, channel_of, highest_safe_rate_hz, refuse_unsettled
from drivers.interface import Block, Channel, DeviceNotFound, LinkLost, SamplesLost
from drivers.simulated.analogue_input import AnalogInput, SampleMode
from drivers.simulated.board import Board
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.products import Terminal

MAX_STALLS = 3
"""Reads in a row that may end early before the board counts as lost."""

TIMEOUT_S = 1.0


class BoardSource:
    """``inputs`` of ``board``, as counts of its converter, sampled continuously.

    Raises ``DeviceRefused`` for a rate at which the inputs do not settle.
    """

    def __init__(self, board: Board, inputs: Sequence[Input], rate_hz: float, *, buffer_s: float = 10.0) -> None:
        self._board = board
        self._inputs = tuple(inputs)
        self._rate_hz = rate_hz
        self._buffer_s = buffer_s
        self._serial_number = board.serial_number
        self._closed = False
        product = board.product
        safe_hz = highest_safe_rate_hz(
            len(inputs), product.single_rate_hz, product.aggregate_rate_hz, simultaneous=product.simultaneous
        )
        refuse_unsettled(board.name, len(inputs), rate_hz, safe_hz)
        self._task = self._new_task()

    @property
    def channels(self) -> tuple[Channel, ...]:
        ranges_v = [channel.range_v for channel in self._task.channels]
        return tuple(
            channel_of(wanted, self._board.coefficients(range_v), -range_v, range_v)
            for wanted, range_v in zip(self._inputs, ranges_v, strict=True)
        )

    @property
    def rate_hz(self) -> float:
        return self._board.sample_clock(self._rate_hz).rate_hz

    def identify(self) -> str:
        return f"simulated {self._board.product.name} (serial {self._serial_number:X})"

    def start(self) -> None:
        self._check_open()
        self._task.start()

    def read(self, n_samples: int) -> Block:
        """See ``SampleSource``; after ``SamplesLost`` the task runs again."""
        self._check_open()
        pieces = [np.empty((len(self._inputs), 0), np.int16)]
        missing, stalls = n_samples, 0
        try:
            while missing:
                pieces.append(self._task.read(missing, missing / self.rate_hz + TIMEOUT_S).counts)
                missing -= pieces[-1].shape[1]
                stalls += missing > 0
                if stalls == MAX_STALLS:
                    raise LinkLost(f"{self.identify()} delivers no samples: {stalls} reads in a row ended early")
        except BoardError as error:
            lost = self._restarted() if error.code == DaqCode.SAMPLES_NO_LONGER_AVAILABLE else None
            gone = lost or LinkLost(f"{self.identify()} stopped: {error}")
            gone.partial = np.concatenate(pieces, axis=1)
            raise gone from None
        except LinkLost as gone:
            gone.partial = np.concatenate(pieces, axis=1)
            raise
        return np.concatenate(pieces, axis=1)

    def n_unread(self) -> int:
        """See ``Buffered``."""
        self._check_open()
        try:
            return self._task.available
        except BoardError:
            return 0

    def reopen(self) -> None:
        """See ``Reopenable``."""
        self._check_open()
        if not self._board.faults.plugged:
            raise DeviceNotFound(f"{self.identify()} is not there; check its cable")
        if self._board.serial_number != self._serial_number:
            raise DeviceNotFound(f"{self.identify()} was lost; serial {self._board.serial_number:X} is there now")
        self._task.unreserve()
        self._task = self._new_task()
        self._task.start()

    def close(self) -> None:
        self._closed = True
        self._task.unreserve()

    def _new_task(self) -> AnalogInput:
        task = AnalogInput(self._board)
        for wanted in self._inputs:
            pin = self._board.pin(f"{self._board.name}/{wanted.physical}")
            terminal = Terminal[wanted.terminal.upper()]
            task.add_channels([wanted.name], [pin], terminal, -wanted.range_v, wanted.range_v)
        task.set_clock(self._rate_hz, SampleMode.CONTINUOUS, 1000)
        task.set_buffer_size(round(self._buffer_s * task.rate_hz))
        return task

    def _restarted(self) -> SamplesLost:
        n_lost = self._task.acquired - self._task.position
        self._task.stop()
        self._task.start()
        return SamplesLost(f"{self.identify()}: samples were overwritten before they were read", n_lost)

    def _check_open(self) -> None:
        if self._closed:
            raise LinkLost(f"{self.identify()} is closed; open it again to read on")
