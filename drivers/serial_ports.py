"""Serial ports, what is plugged into them, and, where asked, what answers there; nothing is set and nothing fires."""

from collections.abc import Callable
from dataclasses import dataclass

from serial.tools import list_ports

from drivers.interface import DriverError
from drivers.pulsepal_codec import HANDSHAKE, parse_version_reply
from drivers.serial_wire import SerialLink, open_wire

USUAL = {
    (0x2341, 0x003E): "an Arduino Due, as in a Pulse Pal 2",
    (0x1EAF, 0x0004): "a Maple, as in the first Pulse Pal",
    (0x16C0, 0x0483): "a Teensy, as in a StimJim",
    (0x0403, 0x6001): "an FTDI adapter, as in an A-M Systems 4100",
}
"""By USB vendor and product; other instruments have the same chips."""

ANSWER_S = 1.0
SETTLE_S = 0.6
"""So long half a message of a program that died may wait for its end in a Pulse Pal."""


@dataclass(frozen=True, slots=True)
class PortSeen:
    address: str
    description: str
    likely: str
    """What such a chip usually belongs to; empty where it says nothing."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question that sets nothing, how the port is set for it, and the reading of an answer."""

    baudrate: int
    parity: str
    question: bytes
    n_reply: int
    read: Callable[[bytes], str]


def ports() -> list[PortSeen]:
    """As the system lists them, unopened."""
    return [
        PortSeen(port.device, port.description or "", USUAL.get((port.vid, port.pid), ""))
        for port in sorted(list_ports.comports(), key=lambda port: str(port.device))
    ]


def who_answers(address: str) -> str:
    """Model of the stimulator at ``address``, or empty. Opening a port may reset the board behind it.

    Raises ``DeviceNotFound`` where the port cannot be opened.
    """
    for probe in PROBES:
        link = SerialLink(address, open_wire(address, baudrate=probe.baudrate, parity=probe.parity))
        try:
            link.discard(SETTLE_S)
            found = probe.read(link.exchange(probe.question, probe.n_reply, ANSWER_S))
        except DriverError:
            found = ""
        finally:
            link.close()
        if found:
            return found
    return ""


def _pulsepal(reply: bytes) -> str:
    try:
        return f"Pulse Pal, firmware number {parse_version_reply(reply)}"
    except ValueError:
        return ""


def _stimjim(reply: bytes) -> str:
    return "StimJim" if b"ADC offsets" in reply else ""


def _am4100(reply: bytes) -> str:
    """The request comes back, then the revision on a line of its own, then a star."""
    if not reply.rstrip().endswith(b"*"):
        return ""
    lines = [line for line in reply.decode("ascii", "replace").replace("\r", "\n").split("\n") if line.strip()]
    return f"A-M Systems 4100, revision {lines[-2].strip()}" if len(lines) >= 3 else ""


PROBES = (
    Probe(115200, "N", HANDSHAKE, 5, _pulsepal),
    # Each line break ends whatever an earlier question left in the instrument's buffer.
    Probe(115200, "N", b"\nD\n", 400, _stimjim),
    Probe(115200, "O", b"\rget revision\r", 200, _am4100),
)
