"""Emulated ports, with a device that echoes and the real pyserial."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
import serial

from drivers.simulated.endpoints import MemoryWire, PtyEndpoint, TcpEndpoint

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")


class Echo:
    """Answers what it hears, and what was put into ``unasked`` when it is polled."""

    def __init__(self) -> None:
        self.unasked = b""
        self.heard: list[tuple[bytes, int]] = []

    def feed(self, data: bytes, now_us: int) -> bytes:
        self.heard.append((data, now_us))
        return data

    def poll(self, now_us: int) -> bytes:
        said, self.unasked = self.unasked, b""
        return said


Connect = Callable[[], serial.Serial]


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture(params=[pytest.param(PtyEndpoint, marks=POSIX_ONLY), TcpEndpoint], ids=["pty", "tcp"])
def endpoint(request: pytest.FixtureRequest, echo: Echo) -> Iterator[PtyEndpoint | TcpEndpoint]:
    with request.param(echo, lambda: 4711) as endpoint:
        yield endpoint


@pytest.fixture
def connect(endpoint: PtyEndpoint | TcpEndpoint) -> Iterator[Connect]:
    with ExitStack() as clients:
        yield lambda: clients.enter_context(closing(serial.serial_for_url(endpoint.address, timeout=2)))


EVERY_BYTE = bytes(range(256))


def test_every_byte_goes_through_unchanged_both_ways(connect: Connect) -> None:
    client = connect()
    client.write(EVERY_BYTE)
    assert client.read(256) == EVERY_BYTE


def test_bytes_carry_the_bench_time(echo: Echo, connect: Connect) -> None:
    client = connect()
    client.write(b"x")
    client.read(1)
    assert echo.heard == [(b"x", 4711)]


def test_what_a_device_says_by_itself_arrives(echo: Echo, connect: Connect) -> None:
    client = connect()
    client.write(b"x")
    client.read(1)
    echo.unasked = b"by itself"
    assert client.read(9) == b"by itself"


def test_one_client_follows_another(endpoint: PtyEndpoint) -> None:
    for text in (b"first", b"second", b"third"):
        with closing(serial.serial_for_url(endpoint.address, timeout=2)) as client:
            client.write(text)
            assert client.read(len(text)) == text


def test_an_unplugged_device_breaks_the_connection(endpoint: PtyEndpoint, connect: Connect) -> None:
    client = connect()
    client.write(b"x")
    client.read(1)
    endpoint.unplug()
    with pytest.raises((serial.SerialException, OSError)):
        client.read(1)


def test_an_unplugged_device_cannot_be_opened(endpoint: PtyEndpoint) -> None:
    endpoint.unplug()
    with pytest.raises((serial.SerialException, OSError)):
        serial.serial_for_url(endpoint.address, timeout=2)


def test_a_replugged_device_answers_again(endpoint: PtyEndpoint, connect: Connect) -> None:
    endpoint.unplug()
    endpoint.unplug()
    endpoint.replug()
    endpoint.replug()
    client = connect()
    client.write(b"again")
    assert client.read(5) == b"again"


def test_a_tcp_port_survives_replugging() -> None:
    with TcpEndpoint(Echo(), lambda: 0) as endpoint:
        address = endpoint.address
        endpoint.unplug()
        endpoint.replug()
        assert endpoint.address == address


def test_a_tcp_port_listens_on_the_loopback_only() -> None:
    with TcpEndpoint(Echo(), lambda: 0) as endpoint:
        assert endpoint.address.startswith("socket://127.0.0.1:")


def test_a_second_tcp_client_is_hung_up_on_and_the_first_goes_on() -> None:
    with TcpEndpoint(Echo(), lambda: 0) as endpoint:
        port = int(endpoint.address.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=2) as first,
            socket.create_connection(("127.0.0.1", port), timeout=2) as second,
        ):
            assert second.recv(1) == b""
            first.sendall(b"still here")
            assert first.recv(10) == b"still here"


@POSIX_ONLY
def test_a_pty_is_raw_before_anybody_opens_it() -> None:
    with PtyEndpoint(Echo(), lambda: 0) as endpoint:
        reader = os.open(endpoint.address, os.O_RDWR | os.O_NOCTTY)
        try:
            os.write(reader, b"a\r\nb\x03\x04")
            received = b""
            while len(received) < 6:
                received += os.read(reader, 64)
        finally:
            os.close(reader)
        assert received == b"a\r\nb\x03\x04"


@POSIX_ONLY
def test_a_pty_whose_answers_nobody_reads_can_still_be_unplugged() -> None:
    with PtyEndpoint(Echo(), lambda: 0) as endpoint, closing(serial.serial_for_url(endpoint.address)) as client:
        client.write_timeout = 2
        for _ in range(20):
            client.write(EVERY_BYTE * 8)
        endpoint.unplug()


def test_a_wire_in_memory_answers_without_waiting() -> None:
    device = Echo()
    wire = MemoryWire(device, lambda: 12)
    wire.timeout = 3600
    assert wire.write(b"abc") == 3
    assert (wire.in_waiting, wire.read(2), wire.read(5)) == (3, b"ab", b"c")
    device.unasked = b"!"
    assert wire.read(1) == b"!"


def test_a_wire_in_memory_breaks_like_a_port_when_unplugged() -> None:
    wire = MemoryWire(Echo(), lambda: 0)
    wire.write(b"lost")
    wire.unplug()
    with pytest.raises(serial.SerialException):
        wire.write(b"x")
    with pytest.raises(serial.SerialException):
        wire.read(1)
    wire.replug()
    assert wire.read(4) == b""
