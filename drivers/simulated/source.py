"""The emulated board read without a wire: a source of samples inside this process."""

from collections.abc import Sequence

from drivers.daq_input import Input, channel_of
from drivers.interface import Block, Channel, LinkLost, SamplesLost
from drivers.simulated.analogue_input import AnalogInput, SampleMode
from drivers.simulated.board import Board
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.products import Terminal


class BoardSource:
    """``inputs`` of ``board``, as counts of its converter, sampled continuously."""

    def __init__(self, board: Board, inputs: Sequence[Input], rate_hz: float) -> None:
        self._board = board
        self._inputs = tuple(inputs)
        self._task = AnalogInput(board)
        self._closed = False
        for wanted in self._inputs:
            pin = board.pin(f"{board.name}/{wanted.physical}")
            terminal = Terminal[wanted.terminal.upper()]
            self._task.add_channels([wanted.name], [pin], terminal, -wanted.range_v, wanted.range_v)
        self._task.set_clock(rate_hz, SampleMode.CONTINUOUS, 1000)

    @property
    def channels(self) -> tuple[Channel, ...]:
        ranges_v = [channel.range_v for channel in self._task.channels]
        return tuple(
            channel_of(wanted, self._board.coefficients(range_v), -range_v, range_v)
            for wanted, range_v in zip(self._inputs, ranges_v, strict=True)
        )

    @property
    def rate_hz(self) -> float:
        return self._task.rate_hz

    def identify(self) -> str:
        return f"simulated {self._board.product.name} (serial {self._board.serial_number:X})"

    def start(self) -> None:
        self._check_open()
        self._task.start()

    def read(self, n_samples: int) -> Block:
        self._check_open()
        try:
            reading = self._task.read(n_samples, n_samples / self.rate_hz + 2.0)
        except BoardError as error:
            if error.code == DaqCode.SAMPLES_NO_LONGER_AVAILABLE:
                raise SamplesLost(f"{self.identify()}: samples were overwritten before they were read") from None
            raise LinkLost(f"{self.identify()} stopped: {error}") from None
        if reading.counts.shape[1] < n_samples:
            lost = LinkLost(f"{self.identify()} delivered {reading.counts.shape[1]} of {n_samples} samples in time")
            lost.partial = reading.counts
            raise lost
        return reading.counts

    def close(self) -> None:
        self._closed = True
        self._task.unreserve()

    def _check_open(self) -> None:
        if self._closed:
            raise LinkLost(f"{self.identify()} is closed; open it again to read on")
