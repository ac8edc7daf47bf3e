"""The outputs of an NI board through NI-DAQmx: tasks on demand, and finite ones on the board's clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import nidaqmx
import numpy as np
from nidaqmx.constants import AcquisitionType, Level, LineGrouping, TaskMode
from nidaqmx.errors import DaqError
from nidaqmx.stream_writers import AnalogMultiChannelWriter
from nidaqmx.system import System

from drivers.daq_output import Armed, BoardFacts, Levels, Pins, Programme, Pulses, Waveform
from drivers.interface import DeviceRefused, LinkLost
from drivers.nidaq_device import find_device, finding, gone, losing, open_channel, plainly, refusing
from drivers.nidaq_owned_tasks import OwnedTasks

NOT_DONE_IN_TIME = -200560
RESERVED = -50103
LOST = frozenset({-201003, -200324, -200220, -88709, -88710, -50405, -200045})
"""Codes that mean: there is no board to refuse anything."""

WAVEFORM, LEVELS = "waveform", "levels"
"""Tasks by what they do; those of counters are called like their counters."""

PROBE_HZ = 1000.0
"""Any rate: only asked how much the board holds at it."""


class NidaqOutputs:
    """An ``OutputPort`` over ``pins`` of ``device``; used from one thread.

    Opening takes over what an earlier program left at a device server, so that the pins can be set to 0 V.
    """

    def __init__(self, device: str, pins: Pins, *, remote: str | None = None, serial_number: int | None = None) -> None:
        self._device = device
        self._pins = pins
        self._remote = remote
        self._serial_number = serial_number
        self._where = f"{device} at {remote}" if remote else device
        self._link: Any = None
        self._master: Any = None
        self._tasks = OwnedTasks(device, None, self._where)

    def open(self) -> BoardFacts:
        if self._remote:
            self._link = open_channel(self._remote)
            self._tasks = OwnedTasks(self._device, self._link, self._where)
        with finding(self._where):
            system = System.remote(nidaqmx.GrpcSessionOptions(self._link, "")) if self._link else System.local()
            board = find_device(system, self._device, self._serial_number, self._where)
            identity = f"{board.product_type} (serial {board.serial_num:08X}) as {board.name}"
            self._check_pins(board)
            self._tasks.take_over((WAVEFORM, LEVELS, *self._pins.counters))
            if not self._pins.analogue:
                return BoardFacts(identity)
            timed = bool(board.ao_samp_clk_supported)
            # The widest: the steps of a narrower one, which the board may choose, are finer and lie on the same grid.
            ranges_v = board.ao_voltage_rngs
            low_v, high_v = max(zip(ranges_v[::2], ranges_v[1::2], strict=True), key=lambda pair: pair[1] - pair[0])
            max_rate_hz = float(board.ao_max_rate) if timed else 0.0
            bits, memory = self._probe(low_v, high_v, timed)
        return BoardFacts(identity, low_v, high_v, (high_v - low_v) / 2**bits, max_rate_hz, memory)

    def silence(self) -> None:
        self._drop()
        with losing(self._where), self._unshared():
            if self._pins.analogue:
                with self._tasks.brief(WAVEFORM) as task:
                    for pin in self._pins.analogue:
                        task.ao_channels.add_ao_voltage_chan(f"{self._device}/{pin}", min_val=0.0, max_val=5.0)
                    writer = AnalogMultiChannelWriter(task.out_stream)
                    writer.write_one_sample(np.zeros(len(self._pins.analogue)))
            for line in self._pins.digital:
                with self._tasks.brief(LEVELS) as task:
                    self._add_line(task, line)
                    task.write(False)
            for counter in self._pins.counters:
                self._hold_low(counter)

    def arm(self, programme: Programme) -> Armed:
        self._drop()
        try:
            with refusing(self._where):
                return self._arm(programme)
        except BaseException as error:
            self._drop()
            if isinstance(error.__cause__, DaqError) and error.__cause__.error_code in LOST:
                raise gone(self._where, error.__cause__) from error
            raise

    def start(self) -> None:
        if self._master is None:
            raise LinkLost(f"{self._where}: nothing is armed; connect again")
        with losing(self._where):
            self._master.start()

    def done(self, timeout_s: float) -> bool:
        if self._master is None:
            return True
        with losing(self._where):
            try:
                for task in self._tasks:
                    task.wait_until_done(timeout_s)
            except DaqError as error:
                if error.error_code == NOT_DONE_IN_TIME:
                    return False
                raise LinkLost(
                    f"{self._where} broke off in the middle of the train ({plainly(error)}); what was delivered is not "
                    "what was asked: check the isolator's output before going on"
                ) from error
        return True

    def close(self) -> None:
        self._drop()
        if self._link is not None:
            self._link.close()

    def _arm(self, programme: Programme) -> Armed:
        """Whoever follows is started first and waits; the master is committed, so that its start is one short call."""
        master: Any = None
        rate_hz = 0.0
        if programme.waveform is not None:
            master = self._tasks.new(WAVEFORM)
            rate_hz = self._load(master, programme.waveform)
        if programme.levels is not None:
            self._load_levels(programme.levels, rate_hz)
        pulses_s = []
        for pulses in programme.pulses:
            task = self._tasks.new(pulses.counter)
            pulses_s.append(self._load_pulses(task, pulses))
            if pulses.starts_with:
                task.triggers.start_trigger.cfg_dig_edge_start_trig(pulses.starts_with)
                task.start()
            else:
                master = task
        master.control(TaskMode.TASK_COMMIT)
        self._master = master
        return Armed(rate_hz, tuple(pulses_s))

    def _load(self, task: Any, waveform: Waveform) -> float:
        for pin, (low_v, high_v) in zip(self._pins.analogue, waveform.limits_v, strict=True):
            task.ao_channels.add_ao_voltage_chan(f"{self._device}/{pin}", min_val=low_v, max_val=high_v)
        n_samples = waveform.volts.shape[1]
        task.timing.cfg_samp_clk_timing(waveform.rate_hz, sample_mode=AcquisitionType.FINITE, samps_per_chan=n_samples)
        written = AnalogMultiChannelWriter(task.out_stream).write_many_sample(waveform.volts)
        self._check_written(written, n_samples)
        return float(task.timing.samp_clk_rate)

    def _load_levels(self, levels: Levels, rate_hz: float) -> None:
        task = self._tasks.new(LEVELS)
        self._add_line(task, levels.line)
        task.timing.cfg_samp_clk_timing(
            rate_hz,
            source=f"/{self._device}/ao/SampleClock",
            sample_mode=AcquisitionType.FINITE,
            samps_per_chan=levels.high.size,
        )
        self._check_written(task.write(levels.high), levels.high.size)
        task.start()

    def _load_pulses(self, task: Any, pulses: Pulses) -> tuple[float, float]:
        channel = task.co_channels.add_co_pulse_chan_time(
            f"{self._device}/{pulses.counter}", idle_state=Level.LOW, low_time=pulses.low_s, high_time=pulses.high_s
        )
        task.timing.cfg_implicit_timing(sample_mode=AcquisitionType.FINITE, samps_per_chan=pulses.n_pulses)
        return float(channel.co_pulse_high_time), float(channel.co_pulse_low_time)

    def _check_written(self, written: int, n_samples: int) -> None:
        if written != n_samples:
            raise DeviceRefused(
                f"{self._where} took {written} of the {n_samples} samples of the train; nothing was started: try again"
            )

    def _probe(self, low_v: float, high_v: float, timed: bool) -> tuple[float, int]:
        """Bits of the converter, and how many samples of each pin the board holds."""
        pin = f"{self._device}/{self._pins.analogue[0]}"
        with self._tasks.brief(WAVEFORM) as task:
            bits = float(task.ao_channels.add_ao_voltage_chan(pin, min_val=low_v, max_val=high_v).ao_resolution)
            if not timed:
                return bits, 0
            task.timing.cfg_samp_clk_timing(PROBE_HZ, sample_mode=AcquisitionType.FINITE, samps_per_chan=2)
            # Asked for one output, which has all of the memory then; the outputs of a train share it.
            return bits, int(task.out_stream.output_onbrd_buf_size) // len(self._pins.analogue)

    def _hold_low(self, counter: str) -> None:
        """A committed counter drives its pin to the idle level; the pin of an unused one is open."""
        holder = self._tasks.new(counter)
        holder.co_channels.add_co_pulse_chan_time(f"{self._device}/{counter}", idle_state=Level.LOW)
        holder.control(TaskMode.TASK_COMMIT)

    def _check_pins(self, board: Any) -> None:
        for pins, present in (
            (self._pins.analogue, board.ao_physical_chans),
            (self._pins.counters, board.co_physical_chans),
            (self._pins.digital, board.do_lines),
        ):
            names = [name.partition("/")[2] for name in present.channel_names]
            for pin in pins:
                if pin.casefold() not in (name.casefold() for name in names):
                    has = ", ".join(names) or "none of its kind"
                    raise DeviceRefused(
                        f"{self._where}, a {board.product_type}, has no output {pin}; it has {has}: choose one of them "
                        "or another board"
                    )

    @contextmanager
    def _unshared(self) -> Iterator[None]:
        try:
            yield
        except DaqError as error:
            if error.error_code != RESERVED:
                raise
            raise LinkLost(
                f"{self._where}: another task holds its outputs ({plainly(error)}), so they were not set to 0 V; close "
                "the program that uses them, then connect again"
            ) from error

    def _add_line(self, task: Any, line: str) -> None:
        task.do_channels.add_do_chan(f"{self._device}/{line}", line_grouping=LineGrouping.CHAN_PER_LINE)

    def _drop(self) -> None:
        self._master = None
        self._tasks.drop()
