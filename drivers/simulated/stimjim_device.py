"""A StimJim without hardware or I/O: lines and time in, lines and current out, on a clock that is handed in.

It follows the firmware of 2025-04-09, including what must never be sent to an animal: wrapped currents, trains that
start again, trains redefined while they run. The manual outputs (A, V) and the calibrations (B, C) are not emulated.
Times are microseconds of the bench clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from threading import Lock

from drivers.simulated.faults import Faults, FaultyLine
from drivers.simulated.stimjim_channel import Channel
from drivers.simulated.stimjim_text import POWER_ON, printed, redefined, scan
from drivers.simulated.stimjim_timer import Timer
from drivers.simulated.stimulator_output import LevelRecord, Marker, Steps
from drivers.stimjim_codec import N_TRAINS, TrainDefinition

LINE_BYTES = 1000
"""The device does not check; a longer line overwrites its memory."""

FAR_US = 1_000_000
"""A processor that is busy for longer than this answers nobody; one in an ordinary pulse answers after it."""

INVALID = "Invalid PulseTrain index.\r\n"


class Firmware(Enum):
    WITHOUT_STOP = "before 2020-10-09"
    WITHOUT_SYNC = "before 2024-08-21"
    CURRENT = "2025-04-09"


@dataclass(frozen=True, slots=True)
class LogEntry:
    time_us: int
    line: str


class StimJimDevice:
    """``channel`` is the one that ``output`` and ``marker`` show; thread-safe.

    It may run ahead of the clock by the length of a pulse, and never goes back.
    """

    def __init__(
        self,
        firmware: Firmware = Firmware.CURRENT,
        *,
        channel: int = 0,
        load_kohm: float = 10.0,
        current_offsets: tuple[int, int] = (11, 8),
    ) -> None:
        self.firmware = firmware
        self._shown = channel
        self._current_offsets = current_offsets
        self._lock = Lock()
        self._computer = FaultyLine()
        self._log: list[LogEntry] = []
        self._channels = tuple(Channel(offset, load_kohm) for offset in current_offsets)
        self._syncs = (LevelRecord(), LevelRecord())
        self._timers = {name: Timer(name, self._channels, self._syncs) for name in "TU"}
        self._trains: list[TrainDefinition] = []
        self._targets: list[int | None] = [None, None]
        self._lines = [False, False]
        self._input = bytearray()
        self._busy_us = 0
        """The processor's own time: it reads nothing before."""
        self._powered = False
        self._crashed = False
        self._boot(0)
        self._computer.take()

    @property
    def log(self) -> tuple[LogEntry, ...]:
        """Every line that was read, with the time at which it was."""
        with self._lock:
            return tuple(self._log)

    @property
    def read_until_us(self) -> int:
        """When the last byte of the last message was read: no answer to it comes earlier."""
        with self._lock:
            return self._log[-1].time_us if self._log else 0

    def inject(self, faults: Faults) -> None:
        """Replace the faults in force; ``Faults()`` is a sound device."""
        with self._lock:
            self._computer.inject(faults)

    def connect_load(self, load_kohm: float, now_us: int) -> None:
        with self._lock:
            self._advance(now_us)
            for channel in self._channels:
                channel.load_kohm = load_kohm

    def feed(self, data: bytes, now_us: int) -> bytes:
        """``data`` arrives at ``now_us``; returns what the device answers to it."""
        with self._lock:
            self._advance(now_us)
            if self._powered:
                self._input += self._computer.arriving(data)
            self._read(now_us)
            return self._computer.take()

    def poll(self, now_us: int) -> bytes:
        """Let time pass; returns what the device says by itself, such as the summary of a train."""
        with self._lock:
            self._advance(now_us)
            self._read(now_us)
            return self._computer.take(now_us)

    def output(self, start_us: int, end_us: int) -> Steps:
        """The current through the load of ``channel``; lets time pass to ``end_us``."""
        with self._lock:
            self._advance(end_us)
            return Steps(*self._channels[self._shown].flowed.between(start_us, end_us))

    def commanded(self, start_us: int, end_us: int) -> Steps:
        """What its converter was told, whatever flowed."""
        with self._lock:
            self._advance(end_us)
            return Steps(*self._channels[self._shown].commanded.between(start_us, end_us))

    def marker(self, start_us: int, end_us: int) -> Marker:
        """IN0 for channel 0, IN1 for channel 1."""
        with self._lock:
            self._advance(end_us)
            return Marker(*self._syncs[self._shown].between(start_us, end_us))

    def line(self, input: int, level: bool, now_us: int) -> None:
        """Somebody drives IN0 or IN1; a rising edge starts the train that was attached there."""
        with self._lock:
            self._advance(now_us)
            target = self._targets[input]
            if level and not self._lines[input] and target is not None:
                self._start("TU"[input], target, max(now_us, self._busy_us))
            self._lines[input] = level

    def lose_power(self, now_us: int) -> None:
        """The USB cable is pulled: outputs off in the middle of whatever they do."""
        with self._lock:
            self._advance(now_us)
            for timer in self._timers.values():
                timer.forget()
            for channel in self._channels:
                channel.cut(now_us)
            for sync in self._syncs:
                sync.cut(now_us)
            self._busy_us = now_us
            self._input.clear()
            self._computer.take()
            self._powered = False

    def regain_power(self, now_us: int) -> None:
        """It boots with its banner, and remembers nothing."""
        with self._lock:
            if not self._powered:
                self._boot(now_us)

    def _boot(self, now_us: int) -> None:
        self._powered, self._crashed = True, False
        self._trains = [POWER_ON] * N_TRAINS
        self._targets = [None, None]
        self._busy_us = max(self._busy_us, now_us)
        banner = "Booting StimJim on Teensy 3.5!\r\nInitializing triggers inputs...\r\n"
        self._say(f"{banner}{self._offsets()}Ready to go!\r\n\r\n\r\n")

    def _advance(self, until_us: int) -> None:
        """Every tick that is due until then, in order; one waits for the pulse of another, and lines wait for all."""
        while self._powered and not self._crashed:
            timer = min(self._timers.values(), key=lambda one: one.next_us)
            due_us = max(timer.next_us, self._busy_us)
            if due_us > until_us:
                return
            self._tick(timer, int(due_us))

    def _tick(self, timer: Timer, now_us: int) -> None:
        self._busy_us, said = timer.step(now_us)
        self._say(said)

    def _start(self, name: str, index: int, now_us: int) -> None:
        timer = self._timers[name]
        self._say(timer.start(index, partial(self._trains.__getitem__, index), now_us))
        self._busy_us = now_us
        self._tick(timer, now_us)

    def _read(self, now_us: int) -> None:
        while b"\n" in self._input and not self._crashed and self._busy_us < now_us + FAR_US:
            raw, _, rest = bytes(self._input).partition(b"\n")
            self._input = bytearray(rest)
            line = raw.removesuffix(b"\r").decode("latin-1")
            self._log.append(LogEntry(max(now_us, self._busy_us), line))
            self._obey(line, max(now_us, self._busy_us))
        if len(self._input) > LINE_BYTES:
            self._crashed = True

    def _obey(self, line: str, now_us: int) -> None:
        commands: dict[str, Callable[[str, int], None]] = {
            "S": self._define,
            "T": partial(self._start_or_stop, "T"),
            "U": partial(self._start_or_stop, "U"),
            "D": lambda arguments, now_us: self._say(self._offsets()),
            "R": self._attach,
            "M": self._set_mode,
            "E": lambda arguments, now_us: self._say("Read value: 0 (0uA)\r\n"),
        }
        command = commands.get(line[:1])
        # An unknown command has no answer.
        if command is not None:
            command(line[1:], now_us)

    def _define(self, arguments: str, now_us: int) -> None:
        index = (scan(arguments, 1) or [0])[0]
        if not 0 <= index < N_TRAINS:
            self._say(INVALID)
            return
        train = redefined(self._trains[index], arguments)
        if train is None:
            self._crashed = True
            return
        self._trains[index] = train
        self._say(printed(index, train))

    def _start_or_stop(self, name: str, arguments: str, now_us: int) -> None:
        index = (scan(arguments, 1) or [0])[0]
        if index >= N_TRAINS or (index < 0 and self.firmware is Firmware.WITHOUT_STOP):
            self._say(INVALID)
        elif index < 0:
            self._say(self._timers[name].stop(now_us))
        else:
            self._start(name, index, now_us)

    def _attach(self, arguments: str, now_us: int) -> None:
        source, index, third, *_ = [*scan(arguments, 3), 0, 0, 0]
        source = int(source != 0)
        if index >= N_TRAINS or (index < 0 and self.firmware is Firmware.WITHOUT_STOP):
            self._say(INVALID)
        elif index >= 0 and (not third or self.firmware is not Firmware.CURRENT):
            self._targets[source] = index
            self._say(f"Attaching interrupt to IN{source} to run PulseTrain[{index}]\r\n")
        else:
            self._targets[source] = None
            self._say(f"Detaching interrupt to IN{source}\r\n")
            if self.firmware is Firmware.CURRENT:
                self._say(f"Programming IN{source} as output that indicates activity on output {source}\r\n")

    def _set_mode(self, arguments: str, now_us: int) -> None:
        channel, mode, *_ = [*scan(arguments, 2), 0, 0]
        self._say(f"Set channel {channel} to mode {mode}\r\n")

    def _offsets(self) -> str:
        zeros = f"{0:.6f}, {0:.6f}"
        lines = [
            f"ADC offsets (+-2.5V): {zeros}",
            f"ADC offsets (+-10V): {zeros}",
            f"current offsets: {self._current_offsets[0]}, {self._current_offsets[1]}",
            "voltage offsets: 0, 0",
            "",
        ]
        return "".join(f"{line}\r\n" for line in lines)

    def _say(self, text: str) -> None:
        if text:
            self._computer.say(text.encode("ascii"), self._busy_us)
