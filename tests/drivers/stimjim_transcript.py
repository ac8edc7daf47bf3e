"""A dialogue with a StimJim as it was written down: what was said, what was answered, what came out."""

import re
from dataclasses import dataclass, field

from drivers.simulated.stimjim_device import StimJimDevice

OUTPUT = re.compile(
    r"# output in the next ([\d.]+) ms: (\d+) positive phases, (\d+) negative phases, peak ([-\d.]+) uA"
)
LOAD = re.compile(r"# load from here on: (\d+) kOhm")

LONGEST_GAP_US = 500
"""Within a pulse; phases closer than this belong to one."""


@dataclass
class Exchange:
    """``output`` is (length in us, positive phases, negative phases, peak in uA)."""

    said: bytes
    load_kohm: float
    answered: bytes = b""
    output: tuple[int, int, int, float] | None = None


@dataclass
class Heard:
    answered: bytes
    n_positive: int
    n_negative: int
    peak_ua: float


@dataclass
class Player:
    """Says one side of the dialogue to an emulated device, and hears the other."""

    device: StimJimDevice
    now_us: int = 0
    _windows: list[tuple[int, int]] = field(default_factory=list)
    _answers: list[bytes] = field(default_factory=list)

    def play(self, exchange: Exchange) -> None:
        self.device.connect_load(exchange.load_kohm, self.now_us)
        began_us = self.now_us
        answered = self.device.feed(exchange.said, self.now_us)
        # The silent train of the probe takes 20 ms; after a stop the pulse in progress takes 2 ms.
        silent_us = 100_000 if exchange.said.startswith(b"T99") else 5000
        self.now_us += exchange.output[0] if exchange.output else silent_us
        self._answers.append(answered + self.device.poll(self.now_us))
        self._windows.append((began_us, self.now_us))

    def heard(self) -> list[Heard]:
        """A pulse belongs to the exchange in which it began, because it is never cut."""
        steps = self.device.commanded(0, self.now_us + 1_000_000)
        phases: list[tuple[int, float]] = []
        pulse_us = ended_us = -LONGEST_GAP_US
        ends = [*steps.times_us.tolist()[1:], self.now_us]
        for begin_us, end_us, ua in zip(steps.times_us.tolist(), ends, steps.ua.tolist(), strict=True):
            if ua == 0.0:
                continue
            if begin_us - ended_us >= LONGEST_GAP_US:
                pulse_us = begin_us
            ended_us = end_us
            phases.append((pulse_us, ua))
        found = []
        for answered, (began_us, now_us) in zip(self._answers, self._windows, strict=True):
            ua = [level for start_us, level in phases if began_us <= start_us < now_us]
            positive, negative = sum(level > 0 for level in ua), sum(level < 0 for level in ua)
            found.append(Heard(answered, positive, negative, max(ua, key=abs, default=0.0)))
        return found


def exchanges(transcript: str) -> list[Exchange]:
    """What is answered before anything is said, the banner, is not among them."""
    found: list[Exchange] = []
    load_kohm = 10.0
    for line in transcript.splitlines():
        if load := LOAD.fullmatch(line):
            load_kohm = float(load[1])
        elif line.startswith("> "):
            found.append(Exchange(_bytes(line), load_kohm))
        elif line.startswith("< ") and found:
            found[-1].answered += _bytes(line)
        elif output := OUTPUT.fullmatch(line):
            found[-1].output = (
                round(float(output[1]) * 1000),
                int(output[2]),
                int(output[3]),
                float(output[4]),
            )
    return found


def banner(transcript: str) -> bytes:
    said = transcript.partition("\n> ")[0].splitlines()
    return b"".join(_bytes(line) for line in said if line.startswith("< "))


def _bytes(line: str) -> bytes:
    return line[2:].replace("\\r", "\r").replace("\\n", "\n").encode("ascii")
