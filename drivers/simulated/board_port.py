"""The outputs of an emulated board without a wire: an ``OutputPort`` inside this process."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np

from drivers.daq_output import TTL_V, Armed, BoardFacts, Pins, Programme, Pulses, Waveform
from drivers.interface import DeviceNotFound, DeviceRefused, DriverError, LinkLost
from drivers.simulated.analogue_output import AnalogOutput
from drivers.simulated.board import Board
from drivers.simulated.board_outputs import named
from drivers.simulated.counter_output import CounterOutput
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.digital_output import DigitalOutput
from drivers.simulated.output_task import OutputTask

IDLE_S = 0.01
"""Both parts of a pulse that a counter at rest never puts out."""


class BoardPort:
    """``pins`` of ``board``; the same steps as over NI-DAQmx, and the same refusals."""

    def __init__(self, board: Board, pins: Pins) -> None:
        self._board = board
        self._pins = pins
        self._tasks: list[OutputTask] = []
        self._master: OutputTask | None = None

    def open(self) -> BoardFacts:
        with self._answering(DeviceNotFound):
            product = self._board.product
            for pins, present in (
                (self._pins.analogue, self._board.outputs.analogue),
                (self._pins.counters, self._board.outputs.counters),
                (self._pins.digital, self._board.outputs.digital),
            ):
                for pin in pins:
                    if self._physical(pin) not in present:
                        raise DeviceRefused(f"{self._board.name}, a {product.name}, has no output {pin}")
            outputs = product.outputs
            return BoardFacts(
                identity=f"simulated {product.name} (serial {self._board.serial_number:X})",
                low_v=outputs.low_v,
                high_v=outputs.high_v,
                step_v=outputs.step_v,
                max_rate_hz=outputs.rate_hz if outputs.timed else 0.0,
                memory=outputs.memory // max(1, len(self._pins.analogue)),
            )

    def silence(self) -> None:
        with self._answering(LinkLost):
            self._drop_tasks()
            if self._pins.analogue:
                zero = AnalogOutput(self._board)
                self._add_analogue(zero, ((0.0, TTL_V),) * len(self._pins.analogue))
                zero.write(np.zeros((len(self._pins.analogue), 1)), auto_start=True)
                zero.unreserve()
            for pin in self._pins.digital:
                low = self._line(pin)
                low.write(np.zeros(1, np.bool_), auto_start=True)
                low.unreserve()
            for pin in self._pins.counters:
                idle = CounterOutput(self._board)
                idle.add_channel(pin, self._physical(pin), 0.0, IDLE_S, IDLE_S)
                self._tasks.append(idle)
                idle.reserve()

    def arm(self, programme: Programme) -> Armed:
        with self._answering(DeviceRefused):
            self._drop_tasks()
            try:
                return self._arm(programme)
            except BaseException:
                self._drop_tasks()
                raise

    def start(self) -> None:
        with self._answering(LinkLost):
            if self._master is None:
                raise LinkLost(f"{self._board.name}: nothing is armed; connect again")
            self._master.start()

    def done(self, timeout_s: float) -> bool:
        with self._answering(LinkLost):
            try:
                for task in self._tasks:
                    task.wait_until_done(timeout_s)
            except BoardError as error:
                if error.code != DaqCode.WAIT_UNTIL_DONE_DOES_NOT_INDICATE_DONE:
                    raise
                return False
            return True

    def close(self) -> None:
        self._drop_tasks()

    def _arm(self, programme: Programme) -> Armed:
        master: OutputTask | None = None
        rate_hz, pulses_s = 0.0, []
        if programme.waveform is not None:
            master, rate_hz = self._load(programme.waveform)
        if programme.levels is not None:
            line = self._line(programme.levels.line)
            self._tasks.append(line)
            line.set_clock(f"/{self._board.name}/ao/SampleClock", rate_hz, programme.levels.high.size)
            line.write(programme.levels.high, auto_start=False)
            line.start()
        for pulses in programme.pulses:
            task = self._load_pulses(pulses)
            channel = task.channel
            pulses_s.append((channel.high_ticks / task.timebase_hz, channel.low_ticks / task.timebase_hz))
            if pulses.starts_with:
                task.set_start_trigger(pulses.starts_with)
                task.start()
            else:
                master = task
        assert master is not None
        master.reserve()
        self._master = master
        return Armed(rate_hz, tuple(pulses_s))

    def _load(self, waveform: Waveform) -> tuple[AnalogOutput, float]:
        task = AnalogOutput(self._board)
        self._tasks.append(task)
        self._add_analogue(task, waveform.limits_v)
        n_samples = waveform.volts.shape[1]
        task.set_clock(waveform.rate_hz, n_samples)
        written = task.write(waveform.volts, auto_start=False)
        if written != n_samples:
            raise DeviceRefused(f"{self._board.name} took {written} of the {n_samples} samples of the train")
        return task, task.rate_hz

    def _load_pulses(self, pulses: Pulses) -> CounterOutput:
        task = CounterOutput(self._board)
        self._tasks.append(task)
        task.add_channel(pulses.counter, self._physical(pulses.counter), 0.0, pulses.low_s, pulses.high_s)
        task.set_n_pulses(pulses.n_pulses)
        return task

    def _line(self, pin: str) -> DigitalOutput:
        task = DigitalOutput(self._board)
        task.add_line(pin, named(self._physical(pin), self._board.outputs.digital))
        return task

    def _add_analogue(self, task: AnalogOutput, limits_v: tuple[tuple[float, float], ...]) -> None:
        for pin, (low_v, high_v) in zip(self._pins.analogue, limits_v, strict=True):
            task.add_channels([pin], [self._physical(pin)], low_v, high_v)

    def _physical(self, pin: str) -> str:
        return f"{self._board.name}/{pin}"

    def _drop_tasks(self) -> None:
        tasks, self._tasks, self._master = self._tasks, [], None
        for task in tasks:
            with suppress(BoardError):
                task.stop()
            task.unreserve()

    @contextmanager
    def _answering(self, failing: type[DriverError]) -> Iterator[None]:
        """Hang, answer nonsense or be gone, as the board's faults say; what it refuses becomes ``failing``."""
        faults = self._board.faults
        faults.wait_while_hung()
        if not faults.plugged:
            raise (DeviceNotFound if failing is DeviceNotFound else LinkLost)(f"{self._board.name} is unplugged")
        try:
            faults.check_sense()
        except BoardError as error:
            raise (DeviceNotFound if failing is DeviceNotFound else LinkLost)(
                f"{self._board.name} answers nonsense: {error}"
            ) from None
        try:
            yield
        except BoardError as error:
            raise failing(f"{self._board.name}: {error}") from None
