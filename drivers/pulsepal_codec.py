"""Bytes of the Pulse Pal 2 (Sanworks): messages in, messages out, no port. Durations are cycles of 50 us.

A frame is ``D5``, an opcode and a payload of known length, little-endian, without length, checksum or end mark.
"""

import struct
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from enum import IntEnum

CYCLE_US = 50
CYCLES_PER_S = 20_000
CODES_PER_V = 3276.8
ZERO_CODE = 0x8000
MAX_CODES = 0x7FFF
"""Codes on either side of zero: 9.9997 V."""
N_CHANNELS = 4

START = b"\xd5"
HANDSHAKE = START + b"\x48"
ABORT = START + b"\x50"
DISCONNECT = START + b"\x51"
ACKNOWLEDGED = b"\x01"


class Parameter(IntEnum):
    """What opcode 74 can set; the value takes ``size`` bytes."""

    BIPHASIC = 1
    PHASE1_CODE = 2
    PHASE2_CODE = 3
    PHASE1_CYCLES = 4
    INTERPHASE_CYCLES = 5
    PHASE2_CYCLES = 6
    INTERPULSE_CYCLES = 7
    BURST_CYCLES = 8
    INTERBURST_CYCLES = 9
    TRAIN_CYCLES = 10
    DELAY_CYCLES = 11
    LINK1 = 12
    LINK2 = 13
    CUSTOM_TRAIN = 14
    CUSTOM_TARGET = 15
    CUSTOM_LOOP = 16
    RESTING_CODE = 17
    TRIGGER_MODE = 128
    """The channel byte is the trigger input here: 0 normal, 1 toggle, 2 gated."""

    @property
    def size(self) -> int:
        if self in (Parameter.PHASE1_CODE, Parameter.PHASE2_CODE, Parameter.RESTING_CODE):
            return 2
        return 4 if Parameter.PHASE1_CYCLES <= self <= Parameter.DELAY_CYCLES else 1


@dataclass(frozen=True, slots=True)
class ChannelProgramme:
    """One output channel, fields in the order of the wire; the default is silent, and no duration in it is 0.

    A phase of 0 cycles never ends: the device would put out direct current to the end of the train.
    """

    phase1_cycles: int = 20
    interphase_cycles: int = 0
    phase2_cycles: int = 20
    interpulse_cycles: int = 360
    """From the end of a pulse to the start of the next."""
    burst_cycles: int = 0
    interburst_cycles: int = 0
    train_cycles: int = 20_000
    delay_cycles: int = 0
    phase1_code: int = ZERO_CODE
    phase2_code: int = ZERO_CODE
    resting_code: int = ZERO_CODE
    biphasic: int = 1
    custom_train: int = 0
    custom_target: int = 0
    custom_loop: int = 0
    link1: int = 0
    link2: int = 0


@dataclass(frozen=True, slots=True)
class Programme:
    """All that opcode 73 sets: four channels and the modes of two trigger inputs."""

    channels: tuple[ChannelProgramme, ...] = (ChannelProgramme(),) * N_CHANNELS
    trigger_modes: tuple[int, int] = (0, 0)


SILENT = Programme()

_TIMES, _CODES, _FLAGS = slice(0, 8), slice(8, 11), slice(11, 15)
_PROGRAMME = struct.Struct("<2x32I12H16B4B4B2B")


def encode_programme(programme: Programme) -> bytes:
    """Opcode 73, 180 bytes; acknowledged with one ``01``."""
    rows = [astuple(channel) for channel in programme.channels]
    values = [value for part in (_TIMES, _CODES, _FLAGS) for row in rows for value in row[part]]
    links = [row[15] for row in rows] + [row[16] for row in rows]
    message = _PROGRAMME.pack(*values, *links, *programme.trigger_modes)
    return START + b"\x49" + message[2:]


def decode_programme(message: bytes) -> Programme:
    """The inverse of ``encode_programme``."""
    values = _PROGRAMME.unpack(message)
    times, codes, flags, links = values[:32], values[32:44], values[44:60], values[60:68]
    channels = []
    for n in range(N_CHANNELS):
        row = (*times[8 * n :][:8], *codes[3 * n :][:3], *flags[4 * n :][:4], links[n], links[N_CHANNELS + n])
        channels.append(ChannelProgramme(*row))
    return Programme(tuple(channels), (values[68], values[69]))


def encode_parameter(parameter: Parameter, channel: int, value: int) -> bytes:
    """Opcode 74; acknowledged with one ``01``."""
    return START + bytes((0x4A, parameter, _known(channel))) + value.to_bytes(parameter.size, "little")


def encode_trigger(channels: Iterable[int]) -> bytes:
    """Opcode 77; it has no reply, and one that comes during a train is kept and played afterwards."""
    return START + bytes((0x4D, sum(1 << (_known(channel) - 1) for channel in set(channels))))


def encode_loop_off(channel: int) -> bytes:
    """Opcode 82 with state 0: ends the endless mode, which survives an abort, and stops the channel."""
    return START + bytes((0x52, _known(channel), 0))


def encode_zero_amplitude(channel: int) -> bytes:
    """Both phase voltages to 0 V; acknowledged with two ``01``."""
    phases = (Parameter.PHASE1_CODE, Parameter.PHASE2_CODE)
    return b"".join(encode_parameter(phase, channel, ZERO_CODE) for phase in phases)


def encode_emergency_stop(channels: Iterable[int]) -> bytes:
    """Abort twice, because a kept trigger starts again in the cycle of the first; then 0 V; then a handshake.

    The handshake's answer is the proof: the device reads one message per cycle, in order.
    """
    return ABORT + ABORT + b"".join(map(encode_zero_amplitude, channels)) + HANDSHAKE


def encode_version_reply(version: int) -> bytes:
    """What a Pulse Pal with this firmware answers to a handshake."""
    return b"\x4b" + version.to_bytes(4, "little")


def parse_version_reply(reply: bytes) -> int:
    """Firmware number. Raises ``ValueError`` when ``reply`` is not exactly a handshake's answer."""
    if len(reply) != 5 or reply[0] != 0x4B:
        raise ValueError(f"expected 4b and four bytes of firmware number, got {reply.hex(' ') or 'nothing'}")
    return int.from_bytes(reply[1:], "little")


def _known(channel: int) -> int:
    """The device does not check channel numbers and would write outside its tables."""
    if not 1 <= channel <= N_CHANNELS:
        raise ValueError(f"Pulse Pal has channels 1 to {N_CHANNELS}, not {channel}")
    return channel
