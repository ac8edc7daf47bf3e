"""Every SampleSource that must pass the same tests: name to a context that opens one, not yet started.

Each call opens the source afresh, and each gives the same samples.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from nidaq_bench import INPUTS, RATE_HZ, WIRES

from drivers.interface import SampleSource
from drivers.nidaq import NidaqSource
from drivers.simulated.board import Board
from drivers.simulated.clock import DemandClock
from drivers.simulated.nidaq_server import NidaqServer


@contextmanager
def nidaq_over_grpc() -> Iterator[SampleSource]:
    with NidaqServer([Board(DemandClock(), WIRES)]) as server:
        source = NidaqSource("Dev1", INPUTS, RATE_HZ, block=100, remote=server.address)
        try:
            yield source
        finally:
            source.close()


SOURCES: dict[str, Callable[[], AbstractContextManager[SampleSource]]] = {
    "nidaq over gRPC": nidaq_over_grpc,
}
