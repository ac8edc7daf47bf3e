"""A serial port as drivers here use it: one write per message, replies of known length, every byte logged."""

import logging
from threading import RLock
from typing import Protocol

import serial

from drivers.interface import DeviceNotFound, LinkLost

BYTES = logging.getLogger("drivers.serial")
WRITE_TIMEOUT_S = 0.5
PORT_ERRORS = (serial.SerialException, OSError)


class SerialWire(Protocol):
    """The part of ``serial.Serial`` that drivers need."""

    timeout: float | None

    def read(self, size: int = 1, /) -> bytes:
        """Up to ``size`` bytes, fewer when ``timeout`` seconds have passed."""
        ...

    def write(self, data: bytes, /) -> int | None: ...

    def close(self) -> None: ...


def open_wire(address: str, **settings: object) -> SerialWire:
    """``address`` is a pyserial URL: COM5, /dev/ttyACM0, socket://127.0.0.1:5331. Raises ``DeviceNotFound``."""
    try:
        wire: SerialWire = serial.serial_for_url(
            address, timeout=0.5, write_timeout=WRITE_TIMEOUT_S, exclusive=True, **settings
        )
    except Exception as error:
        # Also termios.error, which is neither OSError nor SerialException: a pseudo-terminal refuses odd parity so.
        raise DeviceNotFound(
            f"{address} cannot be opened ({error}): check the address and the cable, close other programs that use it"
        ) from error
    return wire


class SerialLink:
    """Complete exchanges over one wire, for one thread at a time; only ``write`` may come from another meanwhile."""

    def __init__(self, address: str, wire: SerialWire) -> None:
        self.address = address
        self._wire = wire
        self._writing = RLock()

    def exchange(self, message: bytes, n_reply: int, timeout_s: float) -> bytes:
        """Discard stale input, write ``message`` at once, return the reply: shorter than ``n_reply`` if time ran out.

        Raises ``LinkLost`` when the port fails or takes only a part of the message.
        """
        self.discard(0.0)
        self.write(message)
        return self.read(n_reply, timeout_s)

    def write(self, message: bytes) -> None:
        BYTES.debug("%s > %s", self.address, message.hex())
        try:
            with self._writing:
                n_written = self._wire.write(message)
        except PORT_ERRORS as error:
            raise LinkLost(f"{self.address} does not take bytes ({error}): {_ADVICE}") from error
        if n_written != len(message):
            raise LinkLost(f"{self.address} took {n_written} of {len(message)} bytes: {_ADVICE}")

    def read(self, n_bytes: int, timeout_s: float) -> bytes:
        try:
            self._wire.timeout = timeout_s
            reply = bytes(self._wire.read(n_bytes))
        except PORT_ERRORS as error:
            raise LinkLost(f"{self.address} cannot be read ({error}): {_ADVICE}") from error
        if reply:
            BYTES.debug("%s < %s", self.address, reply.hex())
        return reply

    def discard(self, quiet_s: float) -> None:
        """Throw away what comes within ``quiet_s``; 0 takes only what is already here."""
        # Not reset_input_buffer: on POSIX it fails with termios.error, which is neither OSError nor SerialException.
        for _ in range(16):
            if len(self.read(4096, quiet_s)) < 4096:
                return
        raise LinkLost(f"{self.address} does not stop sending: check that it is the instrument that you mean")

    def close(self) -> None:
        """Let go of the port. Never raises."""
        try:
            self._wire.close()
        except PORT_ERRORS as error:
            BYTES.warning("%s did not close cleanly: %s", self.address, error)


_ADVICE = "check cable and power, then connect again"
