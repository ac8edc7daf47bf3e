"""A counter output task of a board: so many pulses, counted in ticks of its timebase."""

from dataclasses import dataclass
from itertools import chain

from drivers.simulated.board import Board, Engine
from drivers.simulated.board_outputs import LOGIC_HIGH_V
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.output_task import OutputTask

FEWEST_TICKS = 2


@dataclass(frozen=True, slots=True)
class CoChannel:
    name: str
    physical: str
    delay_ticks: int
    low_ticks: int
    high_ticks: int


class CounterOutput(OutputTask):
    """Idle low. Committing drives the pin, which is open at power-on; ending a train lowers it at once (an assumption).

    One counter per task.
    """

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self.channels: tuple[CoChannel, ...] = ()
        self.n_pulses: int | None = None
        """``None`` until the timing is set: one pulse, as the driver does without it."""

    @property
    def engines(self) -> tuple[Engine, ...]:
        """A board with two counters needs both for a train of more than one pulse."""
        counters = [channel.physical.partition("/")[2] for channel in self.channels]
        if self.n_pulses is not None and self.n_pulses > 1 and self.board.product.outputs.counters_paired:
            counters = ["ctr0", "ctr1"]
        return tuple(counters)

    @property
    def channel_names(self) -> list[str]:
        return [channel.name for channel in self.channels]

    @property
    def channel(self) -> CoChannel:
        if not self.channels:
            raise BoardError(DaqCode.CANNOT_PERFORM_OP_WITHOUT_CHANNELS)
        return self.channels[0]

    @property
    def timebase_hz(self) -> int:
        return self.board.product.timebase_hz

    @property
    def length_us(self) -> int:
        channel = self.channel
        return self._us(channel.delay_ticks + (self.n_pulses or 1) * (channel.high_ticks + channel.low_ticks))

    def add_channel(self, name: str, pin: str, delay_s: float, low_s: float, high_s: float) -> None:
        self._check_idle()
        if self.channels:
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, "one counter per task")
        ticks = [round(seconds * self.timebase_hz) for seconds in (delay_s, low_s, high_s)]
        if min(ticks[1:]) < FEWEST_TICKS or max(ticks) >= 2**32:
            raise BoardError(
                DaqCode.INVALID_ATTRIBUTE_VALUE, f"pulses of {high_s:g} s with gaps of {low_s:g} s on {name}"
            )
        self.channels = (CoChannel(name, pin, *ticks),)

    def set_n_pulses(self, n_pulses: int) -> None:
        self._check_idle()
        if n_pulses < 1:
            raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"{n_pulses} pulses")
        self.n_pulses = n_pulses

    def verify(self) -> None:
        if not self.channels:
            raise BoardError(DaqCode.CANNOT_PERFORM_OP_WITHOUT_CHANNELS)

    def commit(self) -> None:
        self.board.outputs.line(self.channel.physical).set(0.0, self.board.clock.now_us())

    def check_written(self) -> None:
        """A counter is told everything by its channel and its timing."""

    def _play(self, at_us: int) -> None:
        channel = self.channel
        period = channel.high_ticks + channel.low_ticks
        rises = [channel.delay_ticks + pulse * period for pulse in range(self.n_pulses or 1)]
        times_us = [at_us + self._us(tick) for tick in chain.from_iterable((r, r + channel.high_ticks) for r in rises)]
        self.board.outputs.line(channel.physical).plan(times_us, [LOGIC_HIGH_V, 0.0] * len(rises))
        number = channel.physical.rpartition("ctr")[2]
        self.board.outputs.edge(f"Ctr{number}InternalOutput", times_us[0])

    def _halt(self, at_us: int) -> None:
        self.board.outputs.line(self.channel.physical).set(0.0, at_us)

    def _us(self, ticks: int) -> int:
        return -(-ticks * 10**6 // self.timebase_hz)
