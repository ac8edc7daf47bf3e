"""An analogue output task of a board: on demand, or a finite waveform played by the sample clock.

A converter keeps its last value whatever ends the playing. What lies in the board's own memory is played even when the
computer has died; what lies beyond it never comes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from drivers.simulated.board import Board, Engine
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.output_task import OutputTask


@dataclass(frozen=True, slots=True)
class AoChannel:
    name: str
    physical: str
    low_v: float
    high_v: float


class AnalogOutput(OutputTask):
    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self.channels: tuple[AoChannel, ...] = ()
        self.timed = False
        self.samples_per_channel = 1000
        self._clock = board.output_clock(1000.0)
        self._volts: NDArray[np.float64] = np.empty((0, 0))

    @property
    def engines(self) -> tuple[Engine, ...]:
        return ("ao",)

    @property
    def channel_names(self) -> list[str]:
        return [channel.name for channel in self.channels]

    @property
    def rate_hz(self) -> float:
        """As the timebase allows it."""
        return self._clock.rate_hz

    @property
    def memory(self) -> int:
        """Samples per channel that the board itself holds."""
        return self.board.product.outputs.memory // max(1, len(self.channels))

    @property
    def length_us(self) -> int:
        return self._clock.duration_us(self.samples_per_channel) if self.timed else 0

    def add_channels(self, names: list[str], pins: list[str], low_v: float, high_v: float) -> None:
        self._check_idle()
        outputs = self.board.product.outputs
        if not outputs.low_v <= low_v < high_v <= outputs.high_v:
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"no output range holds {low_v:g} to {high_v:g} V")
        for name, pin in zip(names, pins, strict=True):
            if name.casefold() in (channel.name.casefold() for channel in self.channels):
                raise BoardError(DaqCode.CHANNEL_ALREADY_IN_TASK, name)
            self.channels += (AoChannel(name, pin, low_v, high_v),)

    def channel(self, name: str) -> AoChannel:
        for channel in self.channels:
            if channel.name.casefold() == name.casefold():
                return channel
        raise BoardError(DaqCode.PHYSICAL_CHAN_DOES_NOT_EXIST, name)

    def set_clock(self, rate_hz: float, samples_per_channel: int) -> None:
        self._check_idle()
        if not self.board.product.outputs.timed:
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"{self.board.product.name} has no output sample clock")
        self._clock = self.board.output_clock(rate_hz)
        self.samples_per_channel = samples_per_channel
        self.timed = True

    def write(self, volts: NDArray[np.float64], *, auto_start: bool) -> int:
        """``(n_channels, n_samples)``; returns how many samples per channel were taken. Raises ``BoardError``."""
        self.check_alive()
        if (code := self.board.faults.take_write_code()) is not None:
            raise BoardError(code)
        for row, channel in zip(volts, self.channels, strict=True):
            if row.size and not (channel.low_v <= row.min() and row.max() <= channel.high_v):
                raise BoardError(DaqCode.INVALID_AO_DATA_WRITE, channel.name)
        steps = self.board.product.outputs.step_v
        quantised = np.rint(volts / steps) * steps
        if self.timed:
            taken = self.board.faults.take_partial_write()
            self._volts = quantised if taken is None else quantised[:, :taken]
            if auto_start:
                self.start()
            return int(self._volts.shape[1])
        self._volts = quantised[:, -1:]
        if self.running:
            self._play(self.board.clock.now_us())
        elif auto_start:
            self.start()
        return int(volts.shape[1])

    def verify(self) -> None:
        if not self.channels:
            raise BoardError(DaqCode.CANNOT_PERFORM_OP_WITHOUT_CHANNELS)

    def commit(self) -> None:
        """The pins keep their levels."""

    def check_written(self) -> None:
        if self.timed and self._volts.shape[1] == 0:
            raise BoardError(DaqCode.OUTPUT_BUFFER_EMPTY)

    def _play(self, at_us: int) -> None:
        if self._volts.shape[1] == 0:
            return
        for row, channel in zip(self._volts, self.channels, strict=True):
            # A buffer that is shorter than what is to be played is played again from its beginning.
            played = np.resize(row, self.samples_per_channel) if self.timed else row
            changes = np.concatenate(([0], np.flatnonzero(np.diff(played)) + 1))
            times_us = [at_us + self._clock.duration_us(int(k)) for k in changes]
            self.board.outputs.line(channel.physical).plan(times_us, played[changes].tolist())
        if self.timed:
            self.board.outputs.edge("ao/StartTrigger", at_us)
            self.board.outputs.edge("ao/SampleClock", at_us)

    def _halt(self, at_us: int) -> None:
        for channel in self.channels:
            self.board.outputs.line(channel.physical).hold(at_us)
        if self.timed:
            self.board.outputs.clock_stops("ao/SampleClock", at_us)

    def lose_computer(self, at_us: int) -> None:
        """Nobody refills the board's memory any more."""
        if self.timed and self._began_us is not None:
            n_played = int(self._clock.n_periods(at_us - self._began_us)) + 1
            starves_us = self._began_us + self._clock.duration_us(n_played + self.memory)
            self.break_off(starves_us, DaqCode.DAC_UNDERFLOW)
