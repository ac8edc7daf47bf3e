"""One analogue input task of NI-DAQmx, and the translation of what goes wrong with it. Used from one thread only."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import ceil, floor
from time import monotonic
from typing import Any

import nidaqmx
import numpy as np
from nidaqmx.constants import AcquisitionType, TerminalConfiguration
from nidaqmx.errors import DaqError, DaqNotFoundError, DaqNotSupportedError, DaqReadError, Error, RpcError
from nidaqmx.stream_readers import AnalogUnscaledReader
from nidaqmx.system import System

from drivers.daq_input import Input, channel_of
from drivers.interface import Block, DeviceNotFound, DeviceRefused, LinkLost, SamplesLost

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

SETTLING_S = 10e-6
"""What a multiplexed converter needs on top of a conversion to forget the channel before."""

log = logging.getLogger(__name__)


def highest_safe_rate_hz(n_channels: int, single_hz: float, aggregate_hz: float, *, simultaneous: bool) -> float:
    """Per channel: a multiplexed converter must settle at every channel. SpikeGLX's rule."""
    if simultaneous or n_channels == 1:
        return single_hz
    return 1 / (1 / aggregate_hz + SETTLING_S) / n_channels


def open_channel(remote: str) -> Any:
    """A gRPC channel to ``host:port``; connecting happens with the first call."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # the C core writes to stderr; errors reach us as exceptions
    import grpc

    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    return grpc.insecure_channel(remote, options=unlimited)


class BoardTask:
    """A continuous task over ``inputs``, configured and read back; ``where`` names the board in messages."""

    def __init__(
        self,
        device: str,
        inputs: Sequence[Input],
        rate_hz: float,
        block: int,
        buffer_s: float,
        *,
        where: str,
        link: Any = None,
        serial_number: int | None = None,
    ) -> None:
        self._where = where
        self._inputs = inputs
        self._n_read = 0
        self._checked_at = 0
        self._last_read_s = monotonic()
        options = nidaqmx.GrpcSessionOptions(link, "") if link is not None else None
        with _finding(where):
            board = _find(System.remote(options) if options else System.local(), device, serial_number, where)
            self.identity = f"{board.product_type} (serial {board.serial_num:08X}) as {board.name}"
            _check_pins(board, inputs, where)
            _check_rate(board, len(inputs), rate_hz, where)
        with _refusing(where):
            self._task = nidaqmx.Task(grpc_options=options)
            try:
                self._configure(board.name, rate_hz, block, buffer_s)
            except BaseException:
                self.close()
                raise

    def start(self) -> None:
        with _refusing(self._where):
            self._begin_segment()

    def fetch(self, n_samples: int, timeout_s: float, deliver: Callable[[Block], None]) -> None:
        """Hand the next ``n_samples`` to ``deliver``, in pieces where reads end early.

        Raises ``SamplesLost`` with the task restarted, or ``LinkLost``; what was delivered before stays valid.
        """
        missing, stalls = n_samples, 0
        with _losing(self._where):
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

    def close(self) -> None:
        """Give the board back; never raises."""
        try:
            self._task.close()
        except Exception as error:
            log.debug("%s: closing the task: %s", self._where, error)

    def _begin_segment(self) -> None:
        self._task.start()
        self._n_read = self._checked_at = 0
        self._last_read_s = monotonic()

    def _configure(self, device: str, rate_hz: float, block: int, buffer_s: float) -> None:
        # The driver's own channel names are the pins': it would read a comma or a colon in ours as a list.
        for wanted in self._inputs:
            self._task.ai_channels.add_ai_voltage_chan(
                f"{device}/{wanted.physical}",
                terminal_config=TERMINALS[wanted.terminal],
                min_val=-wanted.range_v,
                max_val=wanted.range_v,
            )
        timing = self._task.timing
        timing.cfg_samp_clk_timing(rate_hz, sample_mode=AcquisitionType.CONTINUOUS, samps_per_chan=block)
        self.rate_hz = float(timing.samp_clk_rate)
        # A multiple of the block: boards with direct memory access ask for it.
        self.buffer = ceil(buffer_s * self.rate_hz / block) * block
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
        self._n_read += n
        self._last_read_s = monotonic()
        return samples.reshape(-1)[: n * len(self._inputs)].reshape(len(self._inputs), n)

    def _restarted_after(self, error: DaqError) -> SamplesLost:
        """Start a new segment; the whole unread buffer is gone with the old one."""
        n_unread = self._n_unread()
        last_read_s = self._last_read_s
        self._task.stop()
        self._begin_segment()
        # The driver's count stops where acquisition stopped; the host's clock knows only real time. Take the worse.
        n_lost = max(n_unread, round((self._last_read_s - last_read_s) * self.rate_hz))
        return SamplesLost(
            f"{self._where} was read too late: about {n_lost} samples per channel ({n_lost / self.rate_hz:.2f} s) are "
            f"lost; the next read begins a new segment ({_plainly(error)})",
            n_lost,
        )

    def _n_unread(self) -> int:
        try:
            return int(self._task.in_stream.total_samp_per_chan_acquired) - self._n_read
        except DaqError:
            return 0

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


def _find(system: System, device: str, serial_number: int | None, where: str) -> Any:
    boards = {board.name: board for board in system.devices}
    found = next((board for name, board in boards.items() if name.casefold() == device.casefold()), None)
    if found is None:
        present = ", ".join(boards) or "none at all"
        raise DeviceNotFound(
            f"there is no NI device {where}; present: {present}; check its cable or its name in NI MAX"
        )
    if serial_number is not None and found.serial_num != serial_number:
        others = [name for name, board in boards.items() if board.serial_num == serial_number]
        hint = f"{others[0]} has it" if others else "no other device has it"
        raise DeviceNotFound(
            f"{where} has the serial number {found.serial_num:08X}, {serial_number:08X} was expected; {hint}: "
            "correct the rig's file or plug in the right board"
        )
    return found


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
    if rate_hz > safe_hz:
        raise DeviceRefused(
            f"{where} was asked for {n_channels} channels at {rate_hz:g} Hz; the highest rate at which its inputs "
            f"settle is {floor(safe_hz)} Hz: sample more slowly or use fewer channels"
        )


@contextmanager
def _finding(where: str) -> Iterator[None]:
    try:
        yield
    except (DaqNotFoundError, DaqNotSupportedError) as error:
        raise DeviceNotFound(
            f"{where} is out of reach: the NI-DAQmx driver is not installed on this computer; "
            "install it from ni.com, or name a remote server"
        ) from error
    except RpcError as error:
        message = f"no NI device server answers for {where} ({_plainly(error)}); start it or check the address"
        raise DeviceNotFound(message) from error
    except Error as error:
        raise DeviceNotFound(f"{where} cannot be identified ({_plainly(error)}); replug it and try again") from error


@contextmanager
def _refusing(where: str) -> Iterator[None]:
    try:
        yield
    except RpcError as error:
        raise _gone(where, error) from error
    except Error as error:
        raise DeviceRefused(f"{where} refuses: {_plainly(error)}") from error


@contextmanager
def _losing(where: str) -> Iterator[None]:
    try:
        yield
    except Error as error:
        raise _gone(where, error) from error


def _gone(where: str, error: Error) -> LinkLost:
    return LinkLost(f"{where} stopped answering ({_plainly(error)}); check its cable and its power, then open it again")


def _plainly(error: Error) -> str:
    """The vendor's first line, and its code."""
    text = next((line.strip().rstrip(".") for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return f"{text}, code {error.error_code}" if isinstance(error, DaqError) else text
