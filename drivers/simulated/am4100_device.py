"""An A-M Systems 4100 without hardware or I/O: lines and time in, lines and current out, on a clock handed in.

Made from the vendor's client and examples; no real instrument was seen. Taken to hold where nothing is documented: a
stop and an open relay cut a pulse at once, a trigger during a train is not heard, the sync output is high for whole
periods. Times are microseconds of the bench clock.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from drivers.am4100_codec import (
    AMPLITUDE_1,
    MODE,
    TRAIN_DURATION,
    Activity,
    Condition,
    Setting,
    sync,
)
from drivers.simulated.am4100_memory import Settings, play
from drivers.simulated.faults import Faults, FaultyLine
from drivers.simulated.stimulator_output import LevelRecord, Marker, Steps

TTL_V = 5.0
DANGEROUS_UV = 50_000_000
REFUSED = "?\r\n"
DONE = "*\r\n"


@dataclass(frozen=True, slots=True)
class LogEntry:
    time_us: int
    line: str


class AM4100Device:
    """``revision`` may be any text, of another instrument too; thread-safe.

    ``asks_above_ua``: from there on a run is answered with the question about a dangerous voltage, in current mode too.
    """

    def __init__(
        self,
        revision: str = "M2_F3",
        *,
        pin: int = 1001,
        sync_output: int = 1,
        load_kohm: float = 10.0,
        asks_above_ua: int | None = None,
    ) -> None:
        self._revision = revision
        self._pin = None if revision.startswith("M1_") else str(pin)
        self._sync_output = sync_output
        self._load_kohm = load_kohm
        self._asks_above_ua = asks_above_ua
        self._lock = Lock()
        self._computer = FaultyLine()
        self._log: list[LogEntry] = []
        self._input = bytearray()
        self._settings = Settings()
        self._current = LevelRecord()
        self._sync = LevelRecord()
        self._running: Mapping[Setting, int] | None = None
        """The settings in force; changes since the last run are not among them."""
        self._free_run = False
        self._relay_open = True
        self._end_us = 0
        """Of the train that plays, or of the last one."""
        self._asking = False

    @property
    def log(self) -> tuple[LogEntry, ...]:
        """Every line that was read, with its time."""
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

    def connect_load(self, load_kohm: float) -> None:
        """For the trains that are triggered from now on."""
        with self._lock:
            self._load_kohm = load_kohm

    def feed(self, data: bytes, now_us: int) -> bytes:
        """``data`` arrives at ``now_us``; returns what the device answers to it."""
        with self._lock:
            self._advance(now_us)
            self._input += self._computer.arriving(data)
            while b"\r" in self._input:
                raw, _, rest = bytes(self._input).partition(b"\r")
                self._input = bytearray(rest)
                line = raw.decode("latin-1")
                self._log.append(LogEntry(now_us, line))
                answer = self._answer(re.split(r"[\s,]+", line.strip()), now_us)
                self._computer.say(f"{line}\r\r\n{answer}".encode("latin-1"), now_us)
            return self._computer.take()

    def poll(self, now_us: int) -> bytes:
        """Let time pass; it never speaks by itself, only late."""
        with self._lock:
            self._advance(now_us)
            return self._computer.take(now_us)

    def output(self, start_us: int, end_us: int) -> Steps:
        with self._lock:
            self._advance(end_us)
            return Steps(*self._current.between(start_us, end_us))

    def marker(self, start_us: int, end_us: int) -> Marker:
        with self._lock:
            self._advance(end_us)
            return Marker(*self._sync.between(start_us, end_us))

    def external_trigger(self, now_us: int) -> None:
        """Somebody drives the trigger input of the front panel."""
        with self._lock:
            self._advance(now_us)
            self._trigger(now_us)

    def lose_power(self, now_us: int) -> None:
        """The mains are off: no current, and everything is forgotten."""
        with self._lock:
            self._advance(now_us)
            self._stop(now_us)
            self._settings = Settings()
            self._relay_open, self._free_run, self._asking = True, False, False
            self._input.clear()

    def _advance(self, until_us: int) -> None:
        while self._free_run and self._running is not None and self._end_us < until_us:
            self._trigger(self._end_us)

    def _answer(self, words: list[str], now_us: int) -> str:
        if self._asking:
            return self._confirm(words, now_us)
        if self._pin is not None and words and words[0] == self._pin:
            return self._set(words[1:], now_us)
        if self._pin is None and _is(words[:1], "set"):
            return self._set(words, now_us)
        return self._get(words[1:], now_us) if _is(words[:1], "get") else REFUSED

    def _get(self, words: list[str], now_us: int) -> str:
        match words:
            case [what] if _is([what], "revision"):
                return f"{self._revision}\r\n{DONE}"
            case [what] if _is([what], "active"):
                return f"{self._activity(now_us).value}\r\n{DONE}"
            case [what] if _is([what], "condition"):
                return f"{self._condition(now_us)}\r\n{DONE}"
            case [what, menu, item] if _is([what], "menu") and menu.isdigit() and item.isdigit():
                value = self._settings.get(Setting(int(menu), int(item)))
                return REFUSED if value is None else f"{value}\r\n{DONE}"
            case _:
                return REFUSED

    def _set(self, words: list[str], now_us: int) -> str:
        """``words`` begin with ``set``."""
        actions: Mapping[tuple[str, str], Callable[[int], str]] = {
            ("active", "run"): self._run,
            ("active", "stop"): self._stop,
            ("trigger", "one"): self._trigger,
            ("trigger", "none"): lambda now_us: self._set_free_run(False),
            ("trigger", "free"): lambda now_us: self._set_free_run(True),
            ("relay", "open"): lambda now_us: self._set_relay(True, now_us),
            ("relay", "close"): lambda now_us: self._set_relay(False, now_us),
        }
        match words:
            case [verb, what, menu, item, value] if _is([verb, what], "set", "menu"):
                if not all(re.fullmatch(r"-?\d+", word) for word in (menu, item, value)):
                    return REFUSED
                known = self._settings.set(Setting(int(menu), int(item)), int(value))
                return DONE if known else REFUSED
            case [verb, what, how] if _is([verb], "set"):
                for names, action in actions.items():
                    if _is([what, how], *names):
                        return action(now_us)
        return REFUSED

    def _run(self, now_us: int) -> str:
        if self._running is not None:
            return DONE + DONE
        settings = self._settings.copy()
        asks = settings[MODE] == 0 and abs(settings[AMPLITUDE_1]) > DANGEROUS_UV
        if asks or (self._asks_above_ua is not None and abs(settings[AMPLITUDE_1]) >= self._asks_above_ua):
            self._asking = True
            return "dangerous voltage\r\n"
        self._running, self._end_us = settings, now_us
        # The end mark comes twice after a run.
        return DONE + DONE

    def _confirm(self, words: list[str], now_us: int) -> str:
        self._asking = False
        if words != ["OK"]:
            return REFUSED
        self._running, self._end_us = self._settings.copy(), now_us
        return DONE

    def _stop(self, now_us: int) -> str:
        self._running = None
        self._current.cut(now_us)
        self._sync.cut(now_us)
        self._end_us = min(self._end_us, now_us)
        return DONE

    def _trigger(self, now_us: int) -> str:
        if self._running is not None and now_us >= self._end_us:
            train = play(self._running, now_us, self._load_kohm)
            if not self._relay_open:
                for at_us, ua in train.changes:
                    self._current.set(ua, at_us)
            if self._running[sync(self._sync_output)] == TRAIN_DURATION:
                self._sync.set(TTL_V, train.start_us)
                self._sync.set(0.0, train.end_us)
            # A train without length would be triggered without end in free run.
            self._end_us = max(train.end_us, now_us + 1)
        return DONE

    def _set_free_run(self, free_run: bool) -> str:
        self._free_run = free_run
        return DONE

    def _set_relay(self, opened: bool, now_us: int) -> str:
        self._relay_open = opened
        if opened:
            self._current.cut(now_us)
        return DONE

    def _activity(self, now_us: int) -> Activity:
        if self._running is None:
            high = abs(self._settings.copy()[AMPLITUDE_1]) > 100
            return Activity.READY_HIGH if high else Activity.READY_LOW
        return Activity.GENERATING if now_us < self._end_us else Activity.WAITING

    def _condition(self, now_us: int) -> str:
        loaded = self._running is not None
        generating = loaded and now_us < self._end_us
        return Condition(
            enabled=True,
            loaded=loaded,
            generating=generating,
            panel_changed=False,
            free_run=self._free_run,
            relay_open=self._relay_open,
        ).encode(above_100_ua=abs(self._settings.copy()[AMPLITUDE_1]) > 100)


def _is(words: list[str], *names: str) -> bool:
    """Each word may be shortened; at every place in a request one letter is enough."""
    pairs = zip(words, names, strict=False)
    return len(words) == len(names) and all(word and name.startswith(word.lower()) for word, name in pairs)
