"""What a request to the device server means for a task, where it takes more than a call."""

from collections.abc import Callable
from typing import Any

import numpy as np

from drivers.simulated.analogue_input import AnalogInput, SampleMode
from drivers.simulated.analogue_output import AnalogOutput
from drivers.simulated.counter_output import CounterOutput
from drivers.simulated.daq_errors import BoardError, DaqCode
from drivers.simulated.daqmx import Work
from drivers.simulated.digital_output import DigitalOutput

RISING = 10280

Fields = dict[str, Any]


class NotModelled(LookupError):
    """The emulation does not know this property; the client hears UNIMPLEMENTED."""


class SessionRefused(Exception):
    """The server itself refuses, without the driver's codes: the client hears the gRPC status of this name."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status


def read_samples(ai: AnalogInput, request: Any, scaled: Callable[[Any], np.ndarray[Any, Any]]) -> Fields:
    """Samples packed by channel or by scan, and zeros up to the size of the client's array."""
    wanted = ai.default_read_size if request.num_samps_per_chan < 0 else request.num_samps_per_chan
    if wanted * len(ai.channels) > request.array_size_in_samps:
        raise BoardError(DaqCode.READ_BUFFER_TOO_SMALL)
    reading = ai.read(wanted, request.timeout)
    samples = scaled(reading.counts)
    by_scan = bool(request.fill_mode_raw or request.fill_mode)
    packed = (samples.T if by_scan else samples).ravel().tolist()
    padding = [0] * (request.array_size_in_samps - len(packed))
    return {
        "status": int(reading.code),
        "read_array": packed + padding,
        "samps_per_chan_read": reading.counts.shape[1],
    }


def configure_clock(work: Work, request: Any) -> None:
    mode = _mode(request)
    match work:
        case AnalogInput():
            work.set_clock(request.rate, mode, request.samps_per_chan)
        case AnalogOutput() if mode is SampleMode.FINITE and not request.source:
            work.set_clock(request.rate, request.samps_per_chan)
        case DigitalOutput() if mode is SampleMode.FINITE:
            work.set_clock(request.source, request.rate, request.samps_per_chan)
        case _:
            raise NotModelled("the emulated outputs play finite waveforms on their own sample clock only")


def configure_pulses(work: Work, request: Any) -> None:
    if not isinstance(work, CounterOutput) or _mode(request) is not SampleMode.FINITE:
        raise NotModelled("the emulated counters put out finite trains only")
    work.set_n_pulses(request.samps_per_chan)


def configure_start(work: Work, request: Any) -> None:
    if isinstance(work, AnalogInput) or (request.trigger_edge_raw or request.trigger_edge) != RISING:
        raise NotModelled("only the emulated outputs start with an edge, and with a rising one")
    work.set_start_trigger(request.trigger_source)


def _mode(request: Any) -> SampleMode:
    try:
        return SampleMode(request.sample_mode_raw or request.sample_mode)
    except ValueError:
        raise BoardError(DaqCode.INVALID_ATTRIBUTE_VALUE, f"sample mode {request.sample_mode_raw}") from None


def control(work: Work, request: Any) -> None:
    """Start, stop, verify, commit, reserve, unreserve, abort, in the vendor's order."""
    actions = (work.start, work.stop, work.verify, work.reserve, work.reserve, work.unreserve, work.unreserve)
    actions[request.action_raw or request.action]()
