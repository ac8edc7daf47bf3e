"""Every SampleSource that must pass the same tests: name to a context that opens one, not yet started.

Each call opens the source afresh, and each gives the same samples.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from lsl_bench import streaming_source
from nidaq_bench import INPUTS, RATE_HZ, WIRES

from drivers.interface import SampleSource
from drivers.nidaq import NidaqSource
from drivers.replay import ReplaySource
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock
from drivers.simulated.nidaq_library import NidaqLibrary
from drivers.simulated.nidaq_server import NidaqServer
from drivers.simulated.source import BoardSource


@contextmanager
def nidaq_over_grpc() -> Iterator[SampleSource]:
    with NidaqServer([Board(DemandClock(), WIRES)]) as server:
        source = NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=server.address)
        try:
            yield source
        finally:
            source.close()


@contextmanager
def nidaq_over_library() -> Iterator[SampleSource]:
    with NidaqLibrary([Board(DemandClock(), WIRES)]):
        source = NidaqSource("Dev1", INPUTS, RATE_HZ, block=100)
        try:
            yield source
        finally:
            source.close()


@contextmanager
def board_in_process() -> Iterator[SampleSource]:
    source = BoardSource(Board(DemandClock(), WIRES), INPUTS, RATE_HZ)
    try:
        yield source
    finally:
        source.close()


@contextmanager
def replayed_recording() -> Iterator[SampleSource]:
    with board_in_process() as source:
        source.start()
        counts = source.read(60_000)
        channels, rate_hz = source.channels, source.rate_hz
    yield ReplaySource("a recording", channels, rate_hz, counts)


SOURCES: dict[str, Callable[[], AbstractContextManager[SampleSource]]] = {
    "nidaq over gRPC": nidaq_over_grpc,
    "nidaq over the vendor's library": nidaq_over_library,
    "board in this process": board_in_process,
    "replay of a recording": replayed_recording,
    "LSL stream": streaming_source,
}
