"""What the bytes that reach a Pulse Pal mean: the length of every message and its decoded form."""

import struct
from dataclasses import astuple, dataclass

from drivers.pulsepal_codec import N_CHANNELS, Parameter, Programme, decode_programme


@dataclass(frozen=True, slots=True)
class Handshake:
    pass


@dataclass(frozen=True, slots=True)
class SetProgramme:
    programme: Programme


@dataclass(frozen=True, slots=True)
class SetParameter:
    """For ``TRIGGER_MODE``, ``channel`` is the trigger input."""

    parameter: Parameter
    channel: int
    value: int


@dataclass(frozen=True, slots=True)
class UnknownParameter:
    """Acknowledged like any other; its value is left over as junk."""

    code: int


@dataclass(frozen=True, slots=True)
class SetCustomTrain:
    """Pulse times in cycles from the train's start, and the voltage code of each."""

    number: int
    times: tuple[int, ...]
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trigger:
    channels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Display:
    text: str


@dataclass(frozen=True, slots=True)
class FixedVoltage:
    channel: int
    code: int


@dataclass(frozen=True, slots=True)
class AbortAll:
    pass


@dataclass(frozen=True, slots=True)
class Disconnect:
    pass


@dataclass(frozen=True, slots=True)
class Loop:
    channel: int
    on: bool


@dataclass(frozen=True, slots=True)
class ReadSettings:
    pass


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """``action`` is 1 save, 2 load, 3 delete."""

    action: int
    name: str


@dataclass(frozen=True, slots=True)
class ClientName:
    name: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """An unknown opcode, or raw access to the processor's pins."""

    opcode: int


@dataclass(frozen=True, slots=True)
class TimedOut:
    """A message that was never finished."""

    received: bytes


Message = (
    Handshake
    | SetProgramme
    | SetParameter
    | UnknownParameter
    | SetCustomTrain
    | Trigger
    | Display
    | FixedVoltage
    | AbortAll
    | Disconnect
    | Loop
    | ReadSettings
    | SettingsFile
    | ClientName
    | Ignored
    | TimedOut
)

_LENGTHS = {72: 2, 73: 180, 77: 3, 79: 5, 80: 2, 81: 2, 82: 4, 85: 2, 86: 4, 87: 3, 89: 8}


def length_so_far(received: bytes | bytearray) -> int:
    """Length of the message that begins with ``received``, as far as those bytes tell it."""
    if len(received) < 2:
        return 2
    match received[1]:
        case 74:
            return 3 if len(received) < 3 else 4 + _value_size(received[2])
        case 75 | 76:
            return 6 if len(received) < 6 else 6 + 6 * int.from_bytes(received[2:6], "little")
        case 78:
            return 3 if len(received) < 3 else 3 + received[2]
        case 90:
            return 4 if len(received) < 4 else 4 + received[3]
        case opcode:
            return _LENGTHS.get(opcode, 2)


def decode(message: bytes) -> Message:
    """``message`` is complete, from ``D5`` on."""
    match message[1]:
        case 72:
            return Handshake()
        case 73:
            return SetProgramme(decode_programme(message))
        case 74 if message[2] not in set(Parameter):
            return UnknownParameter(message[2])
        case 74:
            return SetParameter(Parameter(message[2]), message[3], int.from_bytes(message[4:], "little"))
        case 75 | 76 as opcode:
            n = int.from_bytes(message[2:6], "little")
            values = struct.unpack_from(f"<{n}I{n}H", message, 6)
            return SetCustomTrain(opcode - 74, values[:n], values[n:])
        case 77:
            return Trigger(tuple(n for n in range(1, N_CHANNELS + 1) if message[2] >> (n - 1) & 1))
        case 78:
            return Display(message[3:].decode("latin-1"))
        case 79:
            return FixedVoltage(message[2], int.from_bytes(message[3:], "little"))
        case 80:
            return AbortAll()
        case 81:
            return Disconnect()
        case 82:
            return Loop(message[2], bool(message[3]))
        case 85:
            return ReadSettings()
        case 89:
            return ClientName(message[2:].decode("latin-1"))
        case 90:
            return SettingsFile(message[2], message[4:].decode("latin-1"))
        case opcode:
            return Ignored(opcode)


def encode_settings(programme: Programme) -> bytes:
    """The settings file as opcode 85 sends it: 42 bytes per channel, then mode and links of each trigger input."""
    channels = []
    for channel in programme.channels:
        row = astuple(channel)
        channels.append(struct.pack("<8IB3H3B", *row[:8], channel.biphasic, *row[8:11], *row[12:15]))
    link1 = bytes((programme.trigger_modes[0], *(channel.link1 for channel in programme.channels)))
    link2 = bytes((programme.trigger_modes[1], *(channel.link2 for channel in programme.channels)))
    return b"".join(channels) + link1 + link2


def _value_size(code: int) -> int:
    return Parameter(code).size if code in set(Parameter) else 0
