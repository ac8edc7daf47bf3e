"""A Pulse Pal 2 without hardware or I/O: bytes and edges in, bytes and voltages out, on a clock that is handed in.

It follows the 50 us cycle of the firmware (2.0.1), including what must never be sent to an animal: frozen outputs,
kept triggers, truncated phases. Times are microseconds of the bench clock.
"""

from dataclasses import dataclass
from math import ceil, inf
from threading import Lock

from drivers.pulsepal_codec import ACKNOWLEDGED, CYCLE_US
from drivers.simulated.faults import Faults, FaultyLine
from drivers.simulated.pulsepal_memory import PulsePalMemory
from drivers.simulated.pulsepal_messages import Message, TimedOut, decode, length_so_far
from drivers.simulated.pulsepal_output import Steps

BYTE_US = 20
"""What reading one byte takes of a cycle."""
CLICK_DEAF_US = 1_000_000

_ACKNOWLEDGED_OPCODES = {73, 74, 75, 76, 79, 82}
_NO_TIMEOUT_OPCODE = 90


@dataclass(frozen=True, slots=True)
class LogEntry:
    time_us: int
    opcode: int
    decoded: Message


class PulsePalDevice:
    """``version`` is the firmware number that it claims; thread-safe.

    It may run ahead of the clock by the time that reading takes, and never goes back.
    """

    def __init__(self, version: int = 21) -> None:
        self._lock = Lock()
        self._computer = FaultyLine()
        self._memory = PulsePalMemory(version)
        self._outputs = self._memory.outputs
        self._log: list[LogEntry] = []
        self._settled_us = 0
        """The device's own time: outputs before it are final."""
        self._cycle_us = 0
        self._next_cycle_us = 0
        self._time = 0
        """Cycles since the first channel became busy."""
        self._was_busy = False
        self._input = bytearray()
        self._message = bytearray()
        self._byte_us = 0
        self._lines = [False, False]
        self._sampled_lines = [False, False]
        self._clicked = False
        self._deaf_until_us = 0
        self._waits_for_click = False

    @property
    def log(self) -> tuple[LogEntry, ...]:
        """Every message that was read, with the time of its last byte."""
        with self._lock:
            return tuple(self._log)

    @property
    def waits_for_click(self) -> bool:
        """Whether the display says COMM. FAILURE: deaf, outputs frozen."""
        return self._waits_for_click

    @property
    def read_until_us(self) -> int:
        """When the last byte of the last message was read: no answer to it comes earlier."""
        with self._lock:
            return self._log[-1].time_us if self._log else 0

    def inject(self, faults: Faults) -> None:
        """Replace the faults in force; ``Faults()`` is a sound device."""
        with self._lock:
            self._computer.inject(faults)

    def feed(self, data: bytes, now_us: int) -> bytes:
        """``data`` arrives at ``now_us``; returns what the device answers to it."""
        with self._lock:
            self._advance(now_us)
            self._input += self._computer.arriving(data)
            while self._input and not self._waits_for_click and self._deaf_until_us <= max(now_us, self._settled_us):
                if self._message:
                    self._read()
                else:
                    self._cycle()
            return self._computer.take()

    def poll(self, now_us: int) -> bytes:
        """Let time pass; returns what the device says by itself, such as a late acknowledgement."""
        with self._lock:
            self._advance(now_us)
            return self._computer.take(now_us)

    def output(self, channel: int, start_us: int, end_us: int) -> Steps:
        """What ``channel`` (1 to 4) puts out in ``[start_us, end_us)``; lets time pass to ``end_us``."""
        with self._lock:
            self._advance(end_us)
            return self._outputs[channel - 1].steps(start_us, end_us)

    def line(self, input: int, level: bool, now_us: int) -> None:
        """Trigger input 1 or 2 becomes active or inactive."""
        with self._lock:
            self._advance(now_us)
            self._lines[input - 1] = level

    def click(self, now_us: int) -> None:
        """The joystick: aborts a train and deafens for 1 s; ends COMM. FAILURE with the factory programme."""
        with self._lock:
            self._advance(now_us)
            if self._waits_for_click:
                self._waits_for_click = False
                self._next_cycle_us = max(now_us, self._settled_us)
                self._memory.reset(self._next_cycle_us)
            elif self._was_busy:
                self._clicked = True

    def _advance(self, until_us: int) -> None:
        """Run every cycle that begins before ``until_us``."""
        while self._settled_us < until_us:
            if self._waits_for_click:
                self._settled_us = until_us
            elif self._message:
                # In the middle of a message everything stands still.
                timeout_us = self._timeout_us()
                if timeout_us < until_us:
                    self._time_out(int(timeout_us))
                else:
                    self._settled_us = until_us
            elif self._nothing_to_do():
                # Nobody can tell the phase of an idle device's cycle: it begins with the first byte.
                self._next_cycle_us = max(self._next_cycle_us, until_us)
                self._settled_us = until_us
            else:
                self._skip(until_us)
                if self._next_cycle_us < until_us:
                    self._cycle()
                else:
                    self._settled_us = until_us

    def _nothing_to_do(self) -> bool:
        return not (self._was_busy or self._attention())

    def _attention(self) -> bool:
        return bool(
            self._input
            or self._memory.soft_triggers
            or self._clicked
            or self._lines != self._sampled_lines
            or any(output.undecided for output in self._outputs)
        )

    def _skip(self, until_us: int) -> None:
        """Jump over the cycles of a train in which nothing changes."""
        if self._attention():
            return
        until_change = min(output.next_time(self._time) for output in self._outputs) - self._time - 1
        n_cycles = int(min(until_change, ceil((until_us - self._next_cycle_us) / CYCLE_US)))
        if n_cycles > 0:
            self._time += n_cycles
            self._next_cycle_us += n_cycles * CYCLE_US

    def _cycle(self) -> None:
        self._cycle_us = self._next_cycle_us
        self._settled_us = max(self._settled_us, self._cycle_us)
        for output in self._outputs:
            output.convert(self._cycle_us)
        self._time = self._time + 1 if self._was_busy else 0
        clicked, self._clicked = self._clicked, False
        if clicked and self._was_busy:
            self._memory.abort(self._cycle_us)
            self._was_busy = False
            self._next_cycle_us = self._deaf_until_us = self._cycle_us + CLICK_DEAF_US
            return
        for channel in self._memory.soft_triggers:
            self._outputs[channel - 1].latched = True
        self._memory.soft_triggers = ()
        if not self._input:
            self._finish_cycle(self._cycle_us)
        elif self._input[0] == 0xD5:
            self._byte_us = self._cycle_us - BYTE_US
            self._read()
        else:
            del self._input[0]
            self._finish_cycle(self._cycle_us + BYTE_US)

    def _read(self) -> None:
        """Take what is there of the current message; without the rest of it the cycle does not go on."""
        while self._input and len(self._message) < (length := length_so_far(self._message)):
            taken = self._input[: length - len(self._message)]
            del self._input[: len(taken)]
            self._byte_us = max(self._byte_us + BYTE_US, self._settled_us) + BYTE_US * (len(taken) - 1)
            self._message += taken
        self._settled_us = max(self._settled_us, self._byte_us)
        if len(self._message) == length_so_far(self._message):
            message, decoded = bytes(self._message), decode(bytes(self._message))
            self._message.clear()
            self._log.append(LogEntry(self._byte_us, message[1], decoded))
            reply = self._memory.obey(decoded, self._byte_us)
            if reply:
                self._reply(reply)
            self._finish_cycle(self._byte_us + BYTE_US)

    def _finish_cycle(self, end_us: int) -> None:
        """Trigger inputs, starts, stops and phase changes."""
        rose = [now and not before for now, before in zip(self._lines, self._sampled_lines, strict=True)]
        fell = [before and not now for now, before in zip(self._lines, self._sampled_lines, strict=True)]
        self._sampled_lines = list(self._lines)
        for output in self._outputs:
            linked = [bool(output.programme.link1), bool(output.programme.link2)]
            if not output.busy:
                if output.latched or any(link and up for link, up in zip(linked, rose, strict=True)):
                    output.latched = False
                    output.trigger(self._time)
            elif any(
                link and ((mode == 1 and up) or (mode == 2 and down))
                for link, mode, up, down in zip(linked, self._memory.trigger_modes, rose, fell, strict=True)
            ):
                output.stop()
            output.step(self._time)
        self._was_busy = any(output.busy for output in self._outputs)
        # A cycle that reading made too long is followed by the next at once.
        self._next_cycle_us = max(self._cycle_us + CYCLE_US, end_us)

    def _timeout_us(self) -> float:
        """The firmware counts whole milliseconds from the one in which it began to wait; opcode 90 waits for ever."""
        if len(self._message) > 1 and self._message[1] == _NO_TIMEOUT_OPCODE:
            return inf
        return (self._byte_us // 1000 + 501) * 1000

    def _time_out(self, now_us: int) -> None:
        """Measured for opcode 74: it acknowledges all the same. Taken to hold for the others that acknowledge."""
        received = bytes(self._message)
        self._message.clear()
        opcode = received[1] if len(received) > 1 else 0
        self._log.append(LogEntry(now_us, opcode, TimedOut(received)))
        if opcode in _ACKNOWLEDGED_OPCODES:
            self._reply(ACKNOWLEDGED)
        self._waits_for_click = True
        self._settled_us = max(self._settled_us, now_us)

    def _reply(self, reply: bytes) -> None:
        self._computer.say(reply, max(self._byte_us, self._settled_us))
