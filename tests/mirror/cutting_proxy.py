"""A network between a rig and the server that breaks off, or goes silent, after so many bytes."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress


class Network:
    """Forwards every connection to the server until ``bytes_left`` bytes have gone through, either way together."""

    def __init__(self, server_port: int) -> None:
        self.bytes_left: int | None = None
        """``None`` while the network is whole."""
        self.silent = False
        """A silent network swallows what comes after; another one breaks the connection."""
        self.n_bytes = 0
        """Forwarded so far."""
        self._server_port = server_port
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, *, silent: bool = False) -> None:
        self.silent = silent
        self.bytes_left = 0
        if not silent:
            self._break_all()

    def mend(self) -> None:
        """New connections go through; those that were cut stay cut."""
        self._break_all()
        self.bytes_left, self.silent = None, False

    def close(self) -> None:
        self._listening.close()
        self._break_all()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self.bytes_left == 0 and not self.silent:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self._server_port))
                with self._lock:
                    self._open += [client, server]
                for one, other in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=(one, other), daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while piece := one.recv(4096):
                with self._lock:
                    if self.bytes_left is not None:
                        piece, self.bytes_left = piece[: self.bytes_left], max(0, self.bytes_left - len(piece))
                    cut = self.bytes_left == 0
                    self.n_bytes += len(piece)
                other.sendall(piece)
                if cut and not self.silent:
                    break
        if not self.silent:
            _break(one)
            _break(other)

    def _break_all(self) -> None:
        with self._lock:
            opened, self._open = self._open, []
        for connection in opened:
            _break(connection)


@contextmanager
def network(server_port: int) -> Iterator[Network]:
    with ExitStack() as stack:
        between = Network(server_port)
        stack.callback(between.close)
        yield between


def _break(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
