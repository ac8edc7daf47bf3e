"""Where an emulated serial device can be reached: a pseudo-terminal, a TCP port, or an object in this process."""

import contextlib
import logging
import os
import select
import socket
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from threading import Lock, Thread
from types import TracebackType
from typing import Protocol, Self

import serial

if sys.platform != "win32":
    import tty

LOG = logging.getLogger(__name__)

POLL_S = 0.02
"""How often a device is asked whether it has something to say by itself."""

NowUs = Callable[[], int]


class SerialDevice(Protocol):
    """A device without I/O; times are microseconds of the bench clock."""

    def feed(self, data: bytes, now_us: int) -> bytes: ...

    def poll(self, now_us: int) -> bytes: ...


class _Endpoint(ABC):
    """One thread between ``unplug`` and ``replug``; leaving the context unplugs."""

    def __init__(self, device: SerialDevice, now_us: NowUs) -> None:
        self._device = device
        self._now_us = now_us
        self._thread: Thread | None = None
        self._waker, self._wake = socket.socketpair()

    def __enter__(self) -> Self:
        self.replug()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.unplug()
        self._waker.close()
        self._wake.close()

    def replug(self) -> None:
        """Be reachable again; does nothing where the device is plugged in."""
        if self._thread is None:
            self._open()
            self._thread = Thread(target=self._serve, name=type(self).__name__, daemon=True)
            self._thread.start()

    def unplug(self) -> None:
        """Vanish from the computer as if the cable were pulled; the device itself goes on."""
        if self._thread is not None:
            self._waker.send(b"\0")
            self._thread.join()
            self._thread = None
            self._wake.recv(1)
            self._close()

    @abstractmethod
    def _open(self) -> None: ...

    @abstractmethod
    def _close(self) -> None: ...

    @abstractmethod
    def _serve(self) -> None: ...


class PtyEndpoint(_Endpoint):
    """A pseudo-terminal; ``address`` is its path, which may be another one after ``replug``. POSIX only."""

    def __init__(self, device: SerialDevice, now_us: NowUs) -> None:
        if os.name == "nt":
            raise OSError("Windows has no pseudo-terminals: use TcpEndpoint")
        super().__init__(device, now_us)
        self._master = self._slave = -1
        self._path = ""

    @property
    def address(self) -> str:
        return self._path

    def _open(self) -> None:
        if sys.platform != "win32":
            self._master, self._slave = os.openpty()
            os.set_blocking(self._master, False)
            # Raw before anybody opens it: otherwise the line discipline echoes and translates new lines. The slave
            # stays open here, because a master without any slave fails between two clients.
            tty.setraw(self._slave)
            self._path = os.ttyname(self._slave)

    def _close(self) -> None:
        os.close(self._master)
        os.close(self._slave)

    def _serve(self) -> None:
        while True:
            ready, _, _ = select.select([self._master, self._wake.fileno()], [], [], POLL_S)
            if self._wake.fileno() in ready:
                return
            if self._master in ready:
                reply = self._device.feed(os.read(self._master, 65536), self._now_us())
            else:
                reply = self._device.poll(self._now_us())
            try:
                os.write(self._master, reply)
            except BlockingIOError:
                LOG.warning("%s: nobody reads; %d bytes of answers are lost", self._path, len(reply))


class TcpEndpoint(_Endpoint):
    """A TCP port on the loopback; one client at a time, a second is hung up on. ``replug`` keeps the port."""

    def __init__(self, device: SerialDevice, now_us: NowUs) -> None:
        super().__init__(device, now_us)
        self._port = 0
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None

    @property
    def address(self) -> str:
        return f"socket://127.0.0.1:{self._port}"

    def _open(self) -> None:
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":
            # Elsewhere this option would let two programs share the port.
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self._port))
        self._listener.listen()
        self._port = self._listener.getsockname()[1]

    def _close(self) -> None:
        self._hang_up()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _serve(self) -> None:
        listener = self._listener
        assert listener is not None
        while True:
            sockets = [self._wake, listener] + ([self._client] if self._client else [])
            ready, _, _ = select.select(sockets, [], [], POLL_S)
            if self._wake in ready:
                return
            # The client first: one that has gone makes room for the one that comes.
            self._serve_client()
            if listener in ready:
                self._welcome(listener)

    def _welcome(self, listener: socket.socket) -> None:
        newcomer, _ = listener.accept()
        if self._client is not None:
            LOG.warning("%s already has a client; hanging up on a second one", self.address)
            newcomer.close()
            return
        newcomer.setblocking(False)
        newcomer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client = newcomer

    def _serve_client(self) -> None:
        """Everything that has come so far, or nothing: time passes for the device in both cases."""
        if self._client is None:
            self._device.poll(self._now_us())
            return
        try:
            self._client.sendall(self._device.poll(self._now_us()))
            while data := self._client.recv(65536):
                self._client.sendall(self._device.feed(data, self._now_us()))
        except BlockingIOError:
            return
        except OSError as error:
            LOG.info("%s lost its client: %s", self.address, error)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._client is not None:
            with contextlib.suppress(OSError):
                self._client.close()
            self._client = None


class MemoryWire:
    """A port of this process, without thread or waiting: a read returns what there is, whatever ``timeout`` says."""

    def __init__(self, device: SerialDevice, now_us: NowUs) -> None:
        self.timeout: float | None = None
        self.write_timeout: float | None = None
        self._device = device
        self._now_us = now_us
        self._received = bytearray()
        self._plugged = True
        self._lock = Lock()

    @property
    def in_waiting(self) -> int:
        return len(self._received)

    def read(self, size: int = 1) -> bytes:
        self._require_plugged()
        with self._lock:
            if len(self._received) < size:
                self._received += self._device.poll(self._now_us())
            data = bytes(self._received[:size])
            del self._received[:size]
            return data

    def write(self, data: bytes) -> int:
        self._require_plugged()
        with self._lock:
            self._received += self._device.feed(bytes(data), self._now_us())
            return len(data)

    def reset_input_buffer(self) -> None:
        self._received.clear()

    def close(self) -> None:
        """Nothing to let go of: a driver may connect again over the same wire."""
        self._received.clear()

    def unplug(self) -> None:
        self._plugged = False
        self._received.clear()

    def replug(self) -> None:
        self._plugged = True

    def _require_plugged(self) -> None:
        if not self._plugged:
            raise serial.SerialException("the device has been unplugged")
