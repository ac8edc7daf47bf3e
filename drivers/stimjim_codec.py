"""Lines of the StimJim (open-ephys/stimjim): commands out, answers in, no port. Times are us, currents uA.

A command ends with a line feed; answers end with CR LF. There is no version query, and no answer to an unknown command.
"""

import re
from dataclasses import dataclass

N_TRAINS = 100
MOST_STAGES = 10
"""The device does not check; more overwrite its memory."""
VOLTAGE, CURRENT, DISCONNECTED, GROUNDED = range(4)

UA_PER_CODE = 0.1017
UA_PER_READING = 0.85
MOST_UA = 3300
"""3400 uA comes out as -3265 uA: the device does not check the range of its 16 bits."""
LEAST_STAGE_US = 50
"""Stages below about 20 us never end."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Both channels for one stretch of a pulse; whole uA (mV in voltage mode) and whole us."""

    amplitude0: int
    amplitude1: int
    duration_us: int


@dataclass(frozen=True, slots=True)
class TrainDefinition:
    """Pulses come at 0, 1, 2, ... periods, as long as that is less than ``duration_us``."""

    modes: tuple[int, int]
    period_us: int
    duration_us: int
    stages: tuple[Stage, ...]


SILENT = TrainDefinition((GROUNDED, GROUNDED), 10_000, 20_000, ())
"""Both outputs grounded, no stages: starting it puts out nothing."""

STOP, STOP_OTHER_TIMER = b"T-1\n", b"U-1\n"
OFFSETS = b"D\n"


@dataclass(frozen=True, slots=True)
class Summary:
    """What the device prints when a train has ended: means over all pulses, per stage and channel."""

    n_pulses: int
    measured: tuple[tuple[int, int], ...]


def encode_definition(index: int, train: TrainDefinition) -> bytes:
    """Never to be sent while a train runs: the running one would take it over."""
    if not 0 <= index < N_TRAINS:
        raise ValueError(f"a StimJim has trains 0 to {N_TRAINS - 1}, not {index}")
    if len(train.stages) > MOST_STAGES:
        raise ValueError(f"a StimJim has room for {MOST_STAGES} stages, not {len(train.stages)}")
    head = f"S{index},{train.modes[0]},{train.modes[1]},{train.period_us},{train.duration_us};"
    stages = "".join(f"{stage.amplitude0},{stage.amplitude1},{stage.duration_us};" for stage in train.stages)
    return f"{head}{stages}\n".encode("ascii")


def encode_start(index: int) -> bytes:
    """On timer T; during a train it would start that train again from its first pulse."""
    return f"T{index}\n".encode("ascii")


def encode_start_on_other_timer(index: int) -> bytes:
    """On timer U, whose trains run beside those of T."""
    return f"U{index}\n".encode("ascii")


def encode_sync(channel: int) -> bytes:
    """Make IN0 or IN1 an output that is high while a train of ``channel`` runs; nothing may start a train there."""
    return f"R{channel},-1\n".encode("ascii")


_END = rb"\r?\n"
_LINE = rb"-{34}" + _END

ECHO = re.compile(
    _LINE + rb"Parameters for PulseTrain\[(\d+)\]" + _END
    + rb"  mode\[ch0\]: (\d) \(.+\)" + _END
    + rb"  mode\[ch1\]: (\d) \(.+\)" + _END
    + rb"  period: +(\d+) usec \([^)]*\)" + _END
    + rb"  duration: +(\d+) usec \([^)]*\)" + _END
    + _END + rb"  stage +duration +output0 +output1" + _END
    + rb"((?: +\d+ +\d+ usec +-?\d+(?:uA|mV) +-?\d+(?:uA|mV)" + _END + rb")*)" + _LINE + _END
)  # fmt: skip
"""The whole answer to a definition."""

_STAGE = re.compile(rb" +(\d+) +(\d+) usec +(-?\d+)(?:uA|mV) +(-?\d+)(?:uA|mV)")

STARTED = re.compile(rb"(?:\r?\n)?Started [TU] train with parameters of PulseTrain (\d+)" + _END)

STOPS = re.compile(rb"(?:Forcing T train to stop" + _END + rb")*")
"""Answers to stops that another thread has sent meanwhile; they may stand before any other answer."""

ANSWER_TO_STOP = re.compile(rb"(?:Forcing [TU] train to stop|Invalid PulseTrain index\.)" + _END)

OFFSETS_ANSWER = re.compile(
    rb"ADC offsets \(\+-2\.5V\): [-\d., ]+" + _END
    + rb"ADC offsets \(\+-10V\): [-\d., ]+" + _END
    + rb"current offsets: (-?\d+), (-?\d+)" + _END
    + rb"voltage offsets: -?\d+, -?\d+" + _END + _END
)  # fmt: skip
"""The answer to ``D``, which nothing but a StimJim gives."""

STOPPED = re.compile(rb"Forcing T train to stop" + _END + rb".*?" + OFFSETS_ANSWER.pattern, re.DOTALL)
"""The answer to ``STOP`` and ``OFFSETS``: the first line is sent before the timer is off, the offsets are after it."""


def sync_answer(channel: int) -> re.Pattern[bytes]:
    """Firmware from 2024-08-21 answers with this second line; older firmware has no sync output."""
    return re.compile(
        b"Detaching interrupt to IN%d" % channel + _END
        + b"Programming IN%d as output that indicates activity on output %d" % (channel, channel) + _END
    )  # fmt: skip


def summary_answer(n_stages: int) -> re.Pattern[bytes]:
    """What the device says by itself when a train of ``n_stages`` has ended."""
    head = (
        rb"Train complete\. Delivered (\d+) pulses\." + _END + rb"Current/Voltage by stage: " + _END + rb" +Ch0 +Ch1 "
    )
    stage = rb"Stage \d+ +-?\d+(?:uA|mV), +-?\d+(?:uA|mV), *" + _END
    return re.compile(head + _END + b"((?:%s){%d})" % (stage, n_stages))


def parse_definition(found: re.Match[bytes]) -> tuple[int, TrainDefinition]:
    """Index and train of an ``ECHO``. Raises ``ValueError`` when its stages are not numbered 0, 1, 2, ..."""
    index, mode0, mode1, period_us, duration_us = (int(found[group]) for group in range(1, 6))
    rows = [tuple(map(int, row)) for row in _STAGE.findall(found[6])]
    if [row[0] for row in rows] != list(range(len(rows))):
        raise ValueError(f"the stages are numbered {[row[0] for row in rows]}")
    stages = tuple(Stage(amplitude0, amplitude1, stage_us) for _, stage_us, amplitude0, amplitude1 in rows)
    return index, TrainDefinition((mode0, mode1), period_us, duration_us, stages)


def parse_current_offsets(found: re.Match[bytes]) -> tuple[int, int]:
    """The codes that make 0 uA on either channel, of an ``OFFSETS_ANSWER``."""
    return int(found[1]), int(found[2])


def parse_summary(found: re.Match[bytes]) -> Summary:
    measured = re.findall(rb"Stage \d+ +(-?\d+)(?:uA|mV), +(-?\d+)(?:uA|mV)", found[2])
    return Summary(int(found[1]), tuple((int(first), int(second)) for first, second in measured))


def code_of(current_ua: int, offset: int) -> int:
    """The step that the firmware puts out, relative to its 0 uA: truncated after the board's offset is added."""
    return int(current_ua / UA_PER_CODE + offset) - offset
