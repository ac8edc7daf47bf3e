"""The emulated board read without a wire: a source of samples inside this process."""

from collections.abc import Sequence

from drivers.interface import Block, Channel, LinkLost, SamplesLost
from drivers.nidaq import Input
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
        for wanted in self._inputs:
            pin = board.pin(f"{board.name}/{wanted.physical}")
            terminal = Terminal[wanted.terminal.upper()]
            self._task.add_channels([wanted.name], [pin], terminal, -wanted.range_v, wanted.range_v)
        self._task.set_clock(rate_hz, SampleMode.CONTINUOUS, 1000)

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(self._channel(wanted) for wanted in self._inputs)

    @property
    def rate_hz(self) -> float:
        return self._task.rate_hz

    def identify(self) -> str:
        return f"simulated {self._board.product.name} (serial {self._board.serial_number:X})"

    def start(self) -> None:
        self._task.start()

    def read(self, n_samples: int) -> Block:
        try:
            reading = self._task.read(n_samples, n_samples / self.rate_hz + 2.0)
        except BoardError as error:
            if error.code == DaqCode.SAMPLES_NO_LONGER_AVAILABLE:
                raise SamplesLost(f"{self.identify()}: samples were overwritten before they were read") from None
            raise LinkLost(f"{self.identify()} stopped: {error}") from None
        if reading.counts.shape[1] < n_samples:
            raise LinkLost(f"{self.identify()} delivered {reading.counts.shape[1]} of {n_samples} samples in time")
        return reading.counts

    def close(self) -> None:
        self._task.unreserve()

    def _channel(self, wanted: Input) -> Channel:
        resolution = self._board.coefficients(wanted.range_v)[1] * wanted.units_per_volt
        rail = int(wanted.range_v / self._board.coefficients(wanted.range_v)[1])
        return Channel(wanted.name, wanted.role, wanted.unit, resolution, (-rail, rail))
