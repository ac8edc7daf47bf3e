"""Stimulators that a person sets and a TTL of a board starts, and the person who sets them."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from threading import Lock

import msgspec
import numpy as np

from drivers.interface import PulseTrain
from drivers.serial_wire import SerialLink, SerialWire, open_wire
from drivers.simulated.board import Board
from drivers.simulated.stimulator_output import Marker, Steps

TTL_THRESHOLD_V = 1.5

LONGEST_TRAIN_US = 60_000_000

SETTING_S = 2.0
"""How long the emulated hand may take."""


class HandSetStimulator:
    """Its dials show the train that was set last; nothing is set at the beginning, and then nothing flows.

    ``follows`` says what the TTL does: ``"pulse"`` is current while it is high, ``"gate"`` pulses of its own while it
    is high, the last one cut, ``"trigger"`` a train of its own from the rising edge on, whatever the TTL does then.
    Anodic current is positive.
    """

    def __init__(
        self, board: Board, follows: str, *, pin: str = "ctr0", marker: str | None = None, fixed_ua: float | None = None
    ) -> None:
        if follows not in ("pulse", "gate", "trigger"):
            raise ValueError(f"a stimulator cannot follow a TTL as a {follows!r}; choose pulse, gate or trigger")
        self._clock = board.clock
        self._follows = follows
        self._gate = board.outputs.line(f"{board.name}/{pin}")
        self._marker = board.outputs.line(f"{board.name}/{marker or pin}")
        self._set_us: list[int] = []
        self._dials: list[PulseTrain] = []
        self._input = b""
        self._lock = Lock()
        if fixed_ua is not None:
            self.set(PulseTrain(fixed_ua, 1000.0, 0.0, 1.0, 1.0, shape="monophasic"))

    def set(self, train: PulseTrain) -> float:
        """Turn the dials to ``train`` now; what the current dial then shows, in uA. A ``ReadDial``."""
        with self._lock:
            self._set_us.append(self._clock.now_us())
            self._dials.append(train)
        return train.current_ua

    def feed(self, data: bytes, now_us: int) -> bytes:
        """The hand's line: a train as JSON and a line feed sets the dials; the answer is what the dial shows."""
        *lines, self._input = (self._input + data).split(b"\n")
        return b"".join(f"{self.set(msgspec.json.decode(line, type=PulseTrain))!r}\n".encode() for line in lines)

    def poll(self, now_us: int) -> bytes:
        return b""

    def output(self, start_us: int, end_us: int) -> Steps:
        times_us, levels_ua = [start_us], [0.0]
        for at_us, ua in self._changes(max(0, start_us - LONGEST_TRAIN_US), end_us):
            if at_us <= start_us:
                levels_ua[0] = ua
            elif at_us < end_us:
                times_us.append(at_us)
                levels_ua.append(ua)
        return Steps(np.array(times_us, np.int64), np.array(levels_ua))

    def marker(self, start_us: int, end_us: int) -> Marker:
        return self._marker.between(start_us, end_us)

    def _changes(self, start_us: int, end_us: int) -> Iterator[tuple[int, float]]:
        """Every change of the current in order; several may fall together, and the last of them counts."""
        busy_until_us = 0
        for rise_us, fall_us in self._highs(start_us, end_us):
            dial = self._dial_at(rise_us)
            if dial is None or rise_us < busy_until_us:
                continue
            match self._follows:
                case "pulse":
                    yield rise_us, _first_phase_ua(dial)
                    yield fall_us, 0.0
                case "gate":
                    yield from _pulses(dial, rise_us, fall_us)
                case _:
                    busy_until_us = rise_us + round(dial.n_pulses * 1e6 / dial.pulse_hz)
                    yield from _pulses(dial, rise_us, busy_until_us)

    def _highs(self, start_us: int, end_us: int) -> Iterator[tuple[int, int]]:
        """When the TTL is high; one that is high at the end counts as high until then."""
        steps = self._gate.between(start_us, end_us)
        ends_us = [*steps.times_us[1:].tolist(), end_us]
        for at_us, until_us, volts in zip(steps.times_us.tolist(), ends_us, steps.volts.tolist(), strict=True):
            if volts > TTL_THRESHOLD_V:
                yield at_us, until_us

    def _dial_at(self, at_us: int) -> PulseTrain | None:
        with self._lock:
            at = bisect_right(self._set_us, at_us)
            return self._dials[at - 1] if at else None


class SimulatedHand:
    """Sets the dials of a ``HandSetStimulator`` in another process, through the line at ``address``. A ``ReadDial``."""

    def __init__(self, address: str, open_line: Callable[[str], SerialWire] | None = None) -> None:
        self._address = address
        self._open_line = open_line or (lambda address: open_wire(address, baudrate=115200))

    def __call__(self, train: PulseTrain) -> float:
        link = SerialLink(self._address, self._open_line(self._address))
        try:
            link.write(msgspec.json.encode(train) + b"\n")
            shown = b""
            while not shown.endswith(b"\n"):
                received = link.read(1, SETTING_S)
                if not received:
                    return 0.0
                shown += received
            return float(shown)
        finally:
            link.close()


def _first_phase_ua(dial: PulseTrain) -> float:
    return dial.current_ua if dial.polarity == "anodic_first" else -dial.current_ua


def _pulses(dial: PulseTrain, start_us: int, end_us: int) -> Iterator[tuple[int, float]]:
    """Pulses from ``start_us`` on; one that is going on at ``end_us`` is cut."""
    phase_us, gap_us, ua = round(dial.phase_us), round(dial.interphase_us), _first_phase_ua(dial)
    pulse = 0
    while (begin_us := start_us + round(pulse * 1e6 / dial.pulse_hz)) < end_us:
        changes = [(begin_us, ua), (begin_us + phase_us, 0.0)]
        if dial.shape == "biphasic":
            second_us = begin_us + phase_us + gap_us
            changes += [(second_us, -ua), (second_us + phase_us, 0.0)]
        yield from ((at_us, level) for at_us, level in changes if at_us < end_us)
        pulse += 1
    yield end_us, 0.0
