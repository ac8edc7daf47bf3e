"""One analogue input task of NI-DAQmx, and the translation of what goes wrong with it. Used from one thread only."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from time import monotonic
from typing import Any
from uuid import uuid4

import nidaqmx
import numpy as np
from nidaqmx.constants import AcquisitionType, TerminalConfiguration
from nidaqmx.errors import DaqError, DaqReadError, Error
from nidaqmx.stream_readers import AnalogUnscaledReader
from nidaqmx.system import System

from drivers.daq_input import Input, channel_of, highest_safe_rate_hz, refuse_unsettled
from drivers.interface import Block, DeviceNotFound, LinkLost, SamplesLost
from drivers.nidaq_device import find_device, finding, losing, plainly, refusing
from drivers.nidaq_sessions import clear_left, new_task
from drivers.task_notes import TaskNotes

TERMINALS = {
    "differential": TerminalConfiguration.DIFF,
    "rse": TerminalConfiguration.RSE,
    "nrse": TerminalConfiguration.NRSE,
    "pseudodifferential": TerminalConfiguration.PSEUDO_DIFF,
}

NOT_YET_AVAILABLE = -200284
OVERRUN = frozenset({-200279, -200361, -200010, -200222, -200714})
"""Codes that mean: samples were overwritten before they were read. The task survives by a restart."""

MAX_STALLS = 3
"""Reads in a row that may end early before the board counts as lost."""

POSITION_CHECK_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Acquisition:
    """``block`` is the usual size of a read; ``buffer_s`` is how long nobody may read without a loss."""

    rate_hz: float
    block: int
    buffer_s: float


@dataclass(frozen=True, slots=True)
class Known:
    """A board that was found, and the name of the task on it; ``identity`` is for people."""

    identity: str
    serial_number: int
    task_name: str


class BoardTask:
    """A continuous task over ``inputs``, configured and read back; ``where`` names the board in messages.

    ``known`` is the board of an earlier task, which must be the same. What that task left on a server is cleared, and
    what ``notes`` tell of.
    """

    def __init__(
        self,
        device: str,
        inputs: Sequence[Input],
        acquisition: Acquisition,
        *,
        where: str,
        link: Any = None,
        serial_number: int | None = None,
        known: Known | None = None,
        notes: TaskNotes | None = None,
    ) -> None:
        self._where = where
        self._notes = notes
        self._inputs = inputs
        self._n_read = 0
        self._checked_at = 0
        self._last_read_s = monotonic()
        options = nidaqmx.GrpcSessionOptions(link, "") if link is not None else None
        with finding(where):
            system = System.remote(options) if options else System.local()
            board = find_device(system, device, None if known else serial_number, where)
            # A name of its own: on a server, tasks of one name are one task.
            task_name = f"kindle_{uuid4().hex[:12]}"
            if known is None:
                _check_pins(board, inputs, where)
                _check_rate(board, len(inputs), acquisition.rate_hz, where)
                identity = f"{board.product_type} (serial {board.serial_num:08X}) as {board.name}"
                self.known = Known(identity, int(board.serial_num), task_name)
            else:
                _check_same(board, known, where)
                self.known = Known(known.identity, known.serial_number, task_name)
        if link is not None:
            self._clear_leftovers(link, known)
        if notes is not None:
            notes.note(task_name)
        with refusing(where):
            self._task = new_task(link, task_name)
            try:
                self._configure(board.name, acquisition)
            except BaseException:
                self.close()
                raise

    def start(self) -> None:
        with refusing(self._where):
            self._begin_segment()

    def fetch(self, n_samples: int, timeout_s: float, deliver: Callable[[Block], None]) -> None:
        """Hand the next ``n_samples`` to ``deliver``, in pieces where reads end early.

        Raises ``SamplesLost`` with the task restarted, or ``LinkLost``; what was delivered before stays valid.
        """
        missing, stalls = n_samples, 0
        with losing(self._where):
            while missing:
                piece = self._read(missing, timeout_s)
                if piece.shape[1]:
                    deliver(piece)
                missing -= piece.shape[1]
                if missing:
                    stalls += 1
                    log.warning("%s: read ended early, %d of %d samples missing", self._where, missing, n_samples)
                    if stalls == MAX_STALLS:
                        raise LinkLost(
                            f"{self._where} delivers no samples: {stalls} reads in a row ended early; "
                            "check its cable, its power and its sample clock, then open it again"
                        )
            self._check_position()

    def n_unread(self) -> int:
        """Samples that the driver holds; 0 where it cannot say."""
        try:
            return int(self._task.in_stream.total_samp_per_chan_acquired) - self._n_read
        except Error:
            return 0

    def close(self) -> None:
        """Give the board back; never raises."""
        try:
            self._task.close()
        except Exception as error:
            log.debug("%s: closing the task: %s", self._where, error)
        else:
            self._strike(self.known.task_name)

    def _clear_leftovers(self, link: Any, known: Known | None) -> None:
        """A task whose link broke, or whose program died, lives on at the server and keeps the board reserved."""
        noted = () if self._notes is None else self._notes.left
        for name in dict.fromkeys((*noted, *((known.task_name,) if known else ()))):
            try:
                if clear_left(link, name):
                    log.info("%s: the task %s that was left at the server is cleared", self._where, name)
            except Error as error:
                log.debug("%s: the task %s that was left cannot be cleared: %s", self._where, name, plainly(error))
            else:
                self._strike(name)

    def _strike(self, name: str) -> None:
        if self._notes is not None:
            self._notes.strike(name)

    def _begin_segment(self) -> None:
        self._task.start()
        self._n_read = self._checked_at = 0
        self._last_read_s = monotonic()

    def _configure(self, device: str, acquisition: Acquisition) -> None:
        # The driver's own channel names are the pins': it would read a comma or a colon in ours as a list.
        for wanted in self._inputs:
            self._task.ai_channels.add_ai_voltage_chan(
                f"{device}/{wanted.physical}",
                terminal_config=TERMINALS[wanted.terminal],
                min_val=-wanted.range_v,
                max_val=wanted.range_v,
            )
        timing, block = self._task.timing, acquisition.block
        timing.cfg_samp_clk_timing(acquisition.rate_hz, sample_mode=AcquisitionType.CONTINUOUS, samps_per_chan=block)
        self.rate_hz = float(timing.samp_clk_rate)
        if not (isfinite(self.rate_hz) and self.rate_hz > 0):
            raise ValueError(f"its sample clock runs at {self.rate_hz:g} Hz")
        # A multiple of the block: boards with direct memory access ask for it.
        self.buffer = ceil(acquisition.buffer_s * self.rate_hz / block) * block
        self._task.in_stream.input_buf_size = self.buffer
        made = list(self._task.ai_channels)
        self.scaling = tuple(tuple(float(term) for term in channel.ai_dev_scaling_coeff) for channel in made)
        self.channels = tuple(
            channel_of(wanted, coefficients, channel.ai_rng_low, channel.ai_rng_high)
            for wanted, coefficients, channel in zip(self._inputs, self.scaling, made, strict=True)
        )
        self._reader = AnalogUnscaledReader(self._task.in_stream)
        self._reader.verify_array_shape = False  # we shape the arrays; the check costs a round trip per read

    def _read(self, n_samples: int, timeout_s: float) -> Block:
        """Up to ``n_samples``. Samples of a read that ends early are consumed and packed: they must be kept."""
        samples: Block = np.empty((len(self._inputs), n_samples), np.int16)
        try:
            n = int(self._reader.read_int16(samples, n_samples, timeout_s))
        except DaqReadError as error:
            if error.error_code in OVERRUN:
                raise self._restarted_after(error) from error
            if error.error_code != NOT_YET_AVAILABLE:
                raise
            n = int(error.samps_per_chan_read)
        if not 0 <= n <= n_samples:
            raise ValueError(f"{n} samples were delivered where {n_samples} were asked for")
        self._n_read += n
        self._last_read_s = monotonic()
        return samples.reshape(-1)[: n * len(self._inputs)].reshape(len(self._inputs), n)

    def _restarted_after(self, error: DaqError) -> SamplesLost:
        """Start a new segment; the whole unread buffer is gone with the old one."""
        n_unread = self.n_unread()
        last_read_s = self._last_read_s
        self._task.stop()
        self._begin_segment()
        # The driver's count stops where acquisition stopped; the host's clock knows only real time. Take the worse.
        n_lost = max(n_unread, round((self._last_read_s - last_read_s) * self.rate_hz))
        return SamplesLost(
            f"{self._where} was read too late: about {n_lost} samples per channel ({n_lost / self.rate_hz:.2f} s) are "
            f"lost; the next read begins a new segment ({plainly(error)})",
            n_lost,
        )

    def _check_position(self) -> None:
        """About once a second: the driver must have handed out as many samples as we have."""
        if self._n_read - self._checked_at < POSITION_CHECK_S * self.rate_hz:
            return
        self._checked_at = self._n_read
        position = int(self._task.in_stream.curr_read_pos)
        if position != self._n_read:
            n_lost = position - self._n_read
            self._task.stop()
            self._begin_segment()
            raise SamplesLost(f"{self._where} has skipped {n_lost} samples per channel without an error", n_lost)


def _check_same(board: Any, known: Known, where: str) -> None:
    """Another board under the same name is not the one that was lost."""
    try:
        serial_number = int(board.serial_num)
    except DaqError as error:
        # After replugging, some boards do not tell who they are until the program ends (nidaqmx-python issue 818).
        log.warning("%s is back, but does not tell its serial number: %s", where, plainly(error))
        return
    if serial_number != known.serial_number:
        raise DeviceNotFound(
            f"{where} is now a board with the serial number {serial_number:08X}; {known.serial_number:08X} was lost: "
            "plug in the one that the session began with"
        )


def _check_pins(board: Any, inputs: Sequence[Input], where: str) -> None:
    pins = [name.partition("/")[2] for name in board.ai_physical_chans.channel_names]
    for wanted in inputs:
        if wanted.physical.casefold() not in (pin.casefold() for pin in pins):
            raise DeviceNotFound(
                f"{where} has no input {wanted.physical!r} for {wanted.name}; choose one of {', '.join(pins)}"
            )


def _check_rate(board: Any, n_channels: int, rate_hz: float, where: str) -> None:
    safe_hz = highest_safe_rate_hz(
        n_channels,
        board.ai_max_single_chan_rate,
        board.ai_max_multi_chan_rate,
        simultaneous=board.ai_simultaneous_sampling_supported,
    )
    refuse_unsettled(where, n_channels, rate_hz, safe_hz)
