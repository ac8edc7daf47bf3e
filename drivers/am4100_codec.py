"""Lines of the A-M Systems Model 4100: requests out, answers in, no port. Times are us, currents uA.

A request is words with blanks between, ended by CR. The answer is its echo, CR, CR LF, a value and CR LF where there is
one, ``*`` and CR LF; what was not understood or not allowed has no ``*``. From the vendor's client and examples; no
statement here was tried on an instrument.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum

BAUD = 115_200
PARITY = "O"
"""Odd parity, 8 bits, 1 stop bit."""

MOST_UA = 200_000_000
LEAST_PERIOD_US = 2
MOST_US = 9_360_000_000
"""The lower of two published limits of a delay or period."""
MOST_PULSES = 99_999
LIBRARY = 1
"""Which of the 20 stored events is used."""
MONITOR_UA_PER_V = {10: 4, 100: 5, 1000: 6, 10_000: 7}
"""uA for each volt of the monitor output, and the value that selects it."""


class Menu(IntEnum):
    """The first number of a setting."""

    GENERAL = 0
    CONFIGURATION = 1
    EVENTS = 4
    TRAIN = 7
    EVENT = 10 + LIBRARY - 1


class EventType(IntEnum):
    MONOPHASIC = 0
    BIPHASIC = 1


@dataclass(frozen=True, slots=True)
class Setting:
    menu: int
    item: int


MODE = Setting(Menu.GENERAL, 0)
MONITOR = Setting(Menu.GENERAL, 1)
AUTO = Setting(Menu.GENERAL, 3)
OUTPUT = Setting(Menu.GENERAL, 5)
PERIOD_OR_FREQUENCY = Setting(Menu.CONFIGURATION, 0)
UNIFORM_EVENT = Setting(Menu.EVENTS, 0)
TRAIN_TYPE, TRAIN_DELAY, TRAIN_NUMBER = (Setting(Menu.TRAIN, item) for item in (0, 1, 4))
HOLD_OR_OFFSET, LEVEL = (Setting(Menu.TRAIN, item) for item in (5, 6))
EVENT_TYPE, EVENT_DELAY, EVENT_NUMBER, EVENT_PERIOD = (Setting(Menu.EVENT, item) for item in (2, 3, 4, 5))
DURATION_1, AMPLITUDE_1, INTERPHASE = (Setting(Menu.EVENT, item) for item in (6, 7, 8))

INTERNAL_CURRENT, AUTO_COUNT, UNIFORM, OUTPUT_ON, PERIOD, OFFSET, TRAIN_DURATION = 1, 1, 0, 0, 0, 1, 1

Settings = Mapping[Setting, int]


def sync(output: int) -> Setting:
    """What sync output 1 or 2 shows."""
    return Setting(Menu.CONFIGURATION, output)


def get_menu(setting: Setting) -> str:
    return f"g m {setting.menu} {setting.item}"


def set_menu(setting: Setting, value: int) -> str:
    return f"s m {setting.menu} {setting.item} {value}"


GET_REVISION, GET_ACTIVE, GET_CONDITION = "g r", "g a", "g c"
RUN, STOP = "s a run", "s a stop"
TRIGGER_ONE, TRIGGER_NONE = "s t one", "s t none"
OPEN_RELAY, CLOSE_RELAY = "s r open", "s r close"

NO_COMMAND = b"x\r"
"""Ends half a line that a program which died has left, and makes it one that nothing can understand."""


def encode(words: str, pin: int | None = None) -> bytes:
    """``pin`` stands before a command that changes something, but for revision M1."""
    return f"{words}\r".encode("ascii") if pin is None else f"{pin} {words}\r".encode("ascii")


def answer_to(request: bytes, stop: bytes = b"") -> re.Pattern[bytes]:
    """The whole answer to ``request``.

    ``*`` and line ends that an earlier answer left behind may stand before it, and answers to a ``stop`` that another
    thread has sent meanwhile.
    """
    before = rb"(?:[*\s]" + (rb"|" + re.escape(stop) + rb"\r\n\*\r\n" if stop else b"") + rb")*"
    return re.compile(before + re.escape(request) + rb"\r\n(?:([^\r\n*?]+)\r\n)?\*\r\n")


DANGER = re.compile(rb"(?i:dangerous voltage)")
"""It waits for a confirmation, whose bytes are not documented."""

_REFUSAL = re.compile(rb"\?|[Bb]ad")


def answer_or_no(answer: re.Pattern[bytes]) -> re.Pattern[bytes]:
    """``answer``, or that the instrument did not understand or will not: without an end mark, so never waited for."""
    no = rb"\r\r\n[^*]*(?:" + _REFUSAL.pattern + rb"|" + DANGER.pattern + rb")"
    return re.compile(answer.pattern + rb"|" + no)


@dataclass(frozen=True, slots=True)
class Revision:
    """``M1_F1``: model revision 1, firmware 1."""

    model: int
    firmware: int

    @property
    def takes_pin(self) -> bool:
        return self.model > 1

    def __str__(self) -> str:
        return f"M{self.model}_F{self.firmware}"


def parse_revision(value: str) -> Revision:
    """Raises ``ValueError`` where it is not the revision of a 4100."""
    found = re.fullmatch(r"M(\d+)_F(\d+)", value.strip())
    if found is None or int(found[1]) < 1:
        raise ValueError(f"expected a revision like M1_F1, got {value!r}")
    return Revision(int(found[1]), int(found[2]))


class Activity(Enum):
    """The status texts; two of them have two blanks."""

    UNKNOWN = "Unknown"
    READY_MONITOR = "Ready monitor"
    READY_LOW = "Ready low output"
    READY_HIGH = "Ready HIGH OUTPUT"
    WAITING = "Waiting for gate or Trigger"
    MONITORING = "Monitoring  pulses"
    GENERATING = "Generating pulses"
    MONITORING_UNSAFE = "MON. UNSAFE PULSES"
    DANGEROUS = "DANGEROUS PULSES"

    @property
    def ready(self) -> bool:
        """Stopped: no trigger is heard."""
        return self in (Activity.READY_MONITOR, Activity.READY_LOW, Activity.READY_HIGH)

    @property
    def playing(self) -> bool:
        return self in (Activity.MONITORING, Activity.GENERATING, Activity.MONITORING_UNSAFE, Activity.DANGEROUS)


def parse_activity(value: str) -> Activity:
    """Blanks and capitals do not count. Raises ``ValueError`` for a text that is not known."""
    for activity in Activity:
        if activity.value.lower().split() == value.lower().split():
            return activity
    raise ValueError(f"{value!r} is no status of a 4100")


@dataclass(frozen=True, slots=True)
class Condition:
    """Two characters of flags, of which bit 6 is always set."""

    enabled: bool
    loaded: bool
    generating: bool
    panel_changed: bool
    free_run: bool
    relay_open: bool

    def encode(self, above_100_ua: bool = False, above_200_v: bool = False) -> str:
        first = (self.enabled, self.loaded, self.generating, above_100_ua, above_200_v)
        second = (self.panel_changed, self.free_run, self.relay_open)
        return "".join(chr(0x40 | sum(flag << bit for bit, flag in enumerate(flags))) for flags in (first, second))


def parse_condition(value: str) -> Condition:
    """Raises ``ValueError`` where these are not two characters of flags."""
    text = value.strip()
    if len(text) != 2 or not all(ord(char) & 0x40 and ord(char) < 0x80 for char in text):
        raise ValueError(f"expected two characters of flags, got {value!r}")
    first, second = map(ord, text)
    return Condition(
        enabled=bool(first & 1),
        loaded=bool(first & 2),
        generating=bool(first & 4),
        panel_changed=bool(second & 1),
        free_run=bool(second & 2),
        relay_open=bool(second & 4),
    )
