"""Readers of what instruments answer: pure codecs, the serial stimulators' whole dialogues, the device server."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.reliability.target import Seeds, Target
from drivers import am4100_codec, pulsepal_codec, stimjim_codec
from drivers.am4100 import AM4100
from drivers.interface import PulseTrain, Stimulator
from drivers.pulsepal import PulsePal
from drivers.serial_wire import SerialWire
from drivers.simulated.am4100_device import AM4100Device
from drivers.simulated.endpoints import MemoryWire, SerialDevice
from drivers.simulated.pulsepal_device import PulsePalDevice
from drivers.simulated.stimjim_device import StimJimDevice
from drivers.stimjim import StimJim

_PIECE = b"\xfe\xfd"
"""Between what is said to one message and what is said to the next."""
_TRAIN = PulseTrain(current_ua=200, phase_us=1000, interphase_us=0, pulse_hz=50, train_s=0.1, polarity="anodic_first")
_FAILED = b"\xfc"
"""Begins a reply of the device server that is an error; its code stands behind."""


def instrument_targets() -> tuple[Target, ...]:
    return (
        Target("answers, codecs", _answers(), _codecs, 2.0),
        Target("Pulse Pal on the wire", lambda: _heard(PulsePalDevice(), _pulse_pal), _told(_pulse_pal)),
        Target("StimJim on the wire", lambda: _heard(StimJimDevice(), _stim_jim), _told(_stim_jim)),
        Target("4100 on the wire", lambda: _heard(AM4100Device(), _am_4100), _told(_am_4100)),
        Target("NI device server", _replies, _from_server),
    )


def _codecs(given: bytes, folder: Path) -> None:
    """Every pure reader of answers; ``ValueError`` is what they promise."""
    text = given.decode("latin-1")
    one_by_one: list[Callable[[], object]] = [
        lambda: pulsepal_codec.parse_version_reply(given),
        lambda: am4100_codec.parse_revision(text),
        lambda: am4100_codec.parse_activity(text),
        lambda: am4100_codec.parse_condition(text),
        lambda: _matched(stimjim_codec.ECHO, given, stimjim_codec.parse_definition),
        lambda: _matched(stimjim_codec.OFFSETS_ANSWER, given, stimjim_codec.parse_current_offsets),
        lambda: _matched(stimjim_codec.summary_answer(2), given, stimjim_codec.parse_summary),
        lambda: stimjim_codec.STOPPED.search(given),
        lambda: am4100_codec.answer_to(b"g r").search(given),
    ]
    for read in one_by_one:
        with suppress(ValueError):
            read()


def _matched(pattern: re.Pattern[bytes], given: bytes, parse: Callable[[re.Match[bytes]], object]) -> object:
    found = pattern.search(given)
    return None if found is None else parse(found)


def _answers() -> Seeds:
    offsets = (
        b"ADC offsets (+-2.5V): 1, 2\r\nADC offsets (+-10V): 1, 2\r\n"
        b"current offsets: -3, 5\r\nvoltage offsets: 1, 2\r\n\r\n"
    )
    summary = (
        b"Train complete. Delivered 50 pulses.\r\nCurrent/Voltage by stage: \r\n  Ch0  Ch1 \r\n"
        b"Stage 0  100uA,  0uA,\r\nStage 1  -100uA,  0uA,\r\n"
    )
    return (b"K\x14\0\0\0", b"M1_F1", b"Ready low output", b"@A", b"g r\r\nM1_F1\r\n*\r\n", offsets, summary)


class _Used(Stimulator, Protocol):
    def rest(self) -> None: ...


Driver = Callable[[SerialWire], _Used]


def _pulse_pal(wire: SerialWire) -> _Used:
    return PulsePal("x", ua_per_v=100.0, max_current_ua=900.0, settle_s=0.0, wire=wire)


def _stim_jim(wire: SerialWire) -> _Used:
    return StimJim("x", max_current_ua=900.0, settle_s=0.0, wire=wire)


def _am_4100(wire: SerialWire) -> _Used:
    return AM4100("x", max_current_ua=900.0, settle_s=0.0, wire=wire)


def _lived(stimulator: _Used) -> None:
    """All that is ever said to a stimulator."""
    try:
        stimulator.identify()
        stimulator.prepare(_TRAIN)
        stimulator.fire()
        stimulator.rest()
        stimulator.abort()
    finally:
        stimulator.close()


class HostileWire:
    """Answers each message with the next piece of what it was given, whatever was asked; then with nothing at all."""

    def __init__(self, said: bytes) -> None:
        self.timeout: float | None = None
        self._pieces = iter(said.split(_PIECE))
        self._now = b""

    def read(self, size: int = 1, /) -> bytes:
        given, self._now = self._now[:size], self._now[size:]
        return given

    def write(self, data: bytes, /) -> int:
        self._now += next(self._pieces, b"")
        return len(data)

    def close(self) -> None:
        self._now = b""


class _Overheard(MemoryWire):
    """Of a device whose every train is over when it is asked again; what it answers to each message is kept."""

    def __init__(self, device: SerialDevice) -> None:
        self._us = 0
        self.said: list[bytes] = []
        super().__init__(device, self._later)

    def _later(self) -> int:
        self._us += 500_000
        return self._us

    def write(self, data: bytes) -> int:
        self.said.append(b"")
        return super().write(data)

    def read(self, size: int = 1) -> bytes:
        heard = super().read(size)
        if self.said:
            self.said[-1] += heard
        return heard


def _heard(device: SerialDevice, driver: Driver) -> Seeds:
    wire = _Overheard(device)
    _lived(driver(wire))
    return (_PIECE.join(wire.said), b"")


def _told(driver: Driver) -> Callable[[bytes, Path], object]:
    def read(given: bytes, folder: Path) -> object:
        return _lived(driver(HostileWire(given)))

    return read


def _acquired(address: str) -> None:
    """Connect, read, lose a little, close: every call that an acquisition makes."""
    from drivers.daq_input import Input
    from drivers.nidaq import NidaqSource

    inputs = (
        Input("ai0", "EEG", "eeg", "uV", 1000.0, 5.0, "rse"),
        Input("ai2", "TTL", "stimulus_ttl", "V", 1.0, 10.0, "rse"),
    )
    source = NidaqSource("Dev1", inputs, 2000.0, block=50, remote=address)
    try:
        source.identify()
        source.start()
        for _ in range(3):
            source.read(50)
        source.read(2000)  # after a second of signal the position is compared
    finally:
        source.close()


@contextmanager
def _served(answer: Callable[[str, bytes], bytes]) -> Iterator[str]:
    """A device server of raw bytes: ``answer`` makes the reply to a request of a method."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it writes to the terminal what every broken answer does to it
    import grpc

    class Everything(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            name = details.method.rpartition("/")[2]

            def reply(request: bytes, context: Any) -> bytes:
                said = answer(name, request)
                if said.startswith(_FAILED):
                    code = said[1:20].decode("latin-1")
                    printable = code if code.isascii() and code.isprintable() else "?"
                    context.set_trailing_metadata((("ni-error", printable), ("ni-samps-per-chan-read", printable)))
                    context.abort(grpc.StatusCode.UNKNOWN, printable)
                return said

            return grpc.unary_unary_rpc_method_handler(reply)

    server = grpc.server(ThreadPoolExecutor(2), handlers=[Everything()], options=[("grpc.so_reuseport", 0)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()


def _replies() -> Seeds:
    """Of an emulated board, in the order in which an acquisition asks."""
    from google.protobuf.message_factory import GetMessageClass
    from nidaqmx._stubs import nidaqmx_pb2

    from drivers.simulated.board import Board
    from drivers.simulated.clock import DemandClock
    from drivers.simulated.daqmx import Daqmx
    from drivers.simulated.daqmx_calls import DaqmxCalls

    flat = {f"Dev1/ai{pin}": (lambda start_us, rate_hz, first, n: np.zeros(n)) for pin in (0, 2)}
    handlers = DaqmxCalls(Daqmx([Board(DemandClock(), flat)])).by_name()
    methods = nidaqmx_pb2.DESCRIPTOR.services_by_name["NiDAQmx"].methods_by_name
    said: list[bytes] = []

    def answer(name: str, request: bytes) -> bytes:
        message = GetMessageClass(methods[name].input_type).FromString(request)
        said.append(GetMessageClass(methods[name].output_type)(**handlers[name](message)).SerializeToString())
        return said[-1]

    with tempfile.TemporaryDirectory() as made, _remembering_in(Path(made)), _served(answer) as address:
        _acquired(address)
    failed = [*said[:-8], _FAILED + b"-200279", *said[-8:]]
    return (_PIECE.join(said), _PIECE.join(failed))


def _from_server(given: bytes, folder: Path) -> None:
    pieces = iter(given.split(_PIECE))
    with _remembering_in(folder), _served(lambda name, request: next(pieces, b"")) as address:
        _acquired(address)


@contextmanager
def _remembering_in(folder: Path) -> Iterator[None]:
    """What a driver notes of its tasks for the next program would lie where a computer keeps temporary files."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
