"""Text over a serial link: answers of unknown length, recognised by their pattern however they arrive in pieces."""

import re
from time import monotonic

from drivers.interface import LinkLost
from drivers.serial_wire import SerialLink

MOST_BYTES = 65_536


class TextLink:
    """Complete exchanges, for one thread at a time; only ``send`` may come from another meanwhile."""

    def __init__(self, link: SerialLink) -> None:
        self._link = link
        self._received = b""

    def send(self, message: bytes) -> None:
        """In one write. Raises ``LinkLost`` when the port fails or takes only a part."""
        self._link.write(message)

    def receive(self, pattern: re.Pattern[bytes], timeout_s: float) -> tuple[re.Match[bytes] | None, bytes]:
        """Read until ``pattern`` is found; also all that came, up to its end. What comes after it is kept."""
        deadline_s = monotonic() + timeout_s
        while (found := pattern.search(self._received)) is None:
            piece = self._link.read(1, max(0.0, deadline_s - monotonic()))
            if not piece:
                break
            self._received += piece + self._link.read(4096, 0.0)
            if len(self._received) > MOST_BYTES:
                raise LinkLost(
                    f"{self._link.address} does not stop sending: check that it is the instrument that you mean"
                )
        end = len(self._received) if found is None else found.end()
        text, self._received = self._received[:end], self._received[end:]
        return found, text

    def discard(self, quiet_s: float) -> None:
        """Throw away what was received and what comes within ``quiet_s``."""
        self._received = b""
        self._link.discard(quiet_s)

    def close(self) -> None:
        """Let go of the port. Never raises."""
        self._received = b""
        self._link.close()


def readable(text: bytes) -> str:
    """An answer as a message to a person quotes it: where it begins, and where it ends."""
    quoted = text if len(text) <= 160 else text[:100] + b" ... " + text[-50:]
    return repr(quoted.decode("ascii", "backslashreplace")) if quoted else "nothing"
