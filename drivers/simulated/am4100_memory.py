"""The settings of a 4100: which there are, what they may be, and the pulses that they make."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from drivers.am4100_codec import (
    AMPLITUDE_1,
    DURATION_1,
    EVENT_DELAY,
    EVENT_NUMBER,
    EVENT_PERIOD,
    EVENT_TYPE,
    INTERNAL_CURRENT,
    INTERPHASE,
    MODE,
    MOST_PULSES,
    MOST_UA,
    OUTPUT,
    TRAIN_DELAY,
    TRAIN_NUMBER,
    UNIFORM_EVENT,
    Menu,
    Setting,
    sync,
)

N_LIBRARIES = 20
MOST_US = 90_000_000_000
COMPLIANCE_V = 200.0

_ITEMS: Mapping[int, range | tuple[int, ...]] = {
    Menu.GENERAL: range(6),
    Menu.CONFIGURATION: (0, 1, 2, 6),
    Menu.EVENTS: (0,),
    Menu.TRAIN: range(7),
    8: (*range(5, 15), *range(23, 33)),
    **{Menu.EVENT + library: range(2, 11) for library in range(N_LIBRARIES)},
}

_CHOICES: Mapping[Setting, int] = {
    MODE: 5,
    Setting(Menu.GENERAL, 1): 7,
    Setting(Menu.GENERAL, 2): 1,
    Setting(Menu.GENERAL, 3): 2,
    OUTPUT: 1,
    Setting(Menu.CONFIGURATION, 0): 1,
    sync(1): 8,
    sync(2): 8,
    Setting(Menu.TRAIN, 0): 1,
    Setting(Menu.TRAIN, 5): 1,
}
"""The highest value of a setting that is a choice."""


class Settings:
    """As the front panel shows them; ``copy`` is what the instrument works with from a run on."""

    def __init__(self) -> None:
        self._values: dict[Setting, int] = {
            Setting(menu, item): 0 for menu, items in _ITEMS.items() for item in items
        } | {UNIFORM_EVENT: 1, TRAIN_NUMBER: 1, sync(1): 1, sync(2): 2, Setting(Menu.CONFIGURATION, 6): 4711}
        for library in range(N_LIBRARIES):
            for setting, value in ((EVENT_NUMBER, 1), (EVENT_PERIOD, 1000), (DURATION_1, 100)):
                self._values[Setting(setting.menu + library, setting.item)] = value

    def get(self, setting: Setting) -> int | None:
        """``None`` where there is no such setting."""
        return self._values.get(setting)

    def set(self, setting: Setting, value: int) -> bool:
        """Whether there is such a setting and it may have this value."""
        if setting not in self._values or not _may_be(setting, value):
            return False
        self._values[setting] = value
        return True

    def copy(self) -> Mapping[Setting, int]:
        return dict(self._values)


def _may_be(setting: Setting, value: int) -> bool:
    if setting in _CHOICES:
        return 0 <= value <= _CHOICES[setting]
    if setting == Setting(Menu.TRAIN, 6) or (setting.menu >= Menu.EVENT and setting.item in (7, 10)):
        return abs(value) <= MOST_UA
    if setting.menu >= Menu.EVENT and setting.item == 2:
        return 0 <= value <= 2  # ramps are not emulated
    if setting.item == 4 and setting.menu >= Menu.TRAIN:
        return 0 <= value <= MOST_PULSES
    return -1 <= value <= MOST_US


@dataclass(frozen=True, slots=True)
class Play:
    """A train from ``start_us`` to ``end_us``, and its changes of current."""

    start_us: int
    end_us: int
    changes: tuple[tuple[int, float], ...]


def play(settings: Mapping[Setting, int], trigger_us: int, load_kohm: float) -> Play:
    """What the uniform event train of ``settings`` puts out after a trigger, with the output relay closed."""
    library = settings[UNIFORM_EVENT] - 1

    def of_event(setting: Setting) -> int:
        return settings[Setting(setting.menu + library, setting.item)]

    period_us, n_events = of_event(EVENT_PERIOD), of_event(EVENT_NUMBER)
    start_us = trigger_us + settings[TRAIN_DELAY]
    end_us = start_us + settings[TRAIN_NUMBER] * n_events * period_us
    on = settings[MODE] in (0, INTERNAL_CURRENT) and settings[OUTPUT] == 0
    per_unit = 1.0 if settings[MODE] == INTERNAL_CURRENT else 1e-3 / load_kohm
    limit_ua = COMPLIANCE_V / load_kohm * 1000
    changes: list[tuple[int, float]] = []
    for event in range(settings[TRAIN_NUMBER] * n_events if on else 0):
        at_us = start_us + of_event(EVENT_DELAY) + event * period_us
        for amplitude, length_us in _phases(of_event):
            changes.append((at_us, min(max(amplitude * per_unit, -limit_ua), limit_ua)))
            at_us += length_us
        changes.append((at_us, 0.0))
    return Play(start_us, end_us, tuple(changes))


def _phases(of_event: Callable[[Setting], int]) -> Iterator[tuple[int, int]]:
    """Amplitude and length of each stretch of an event."""
    first, length_us, gap_us = of_event(AMPLITUDE_1), of_event(DURATION_1), of_event(INTERPHASE)
    kind = of_event(EVENT_TYPE)
    yield first, length_us
    if kind:
        second = Setting(AMPLITUDE_1.menu, 10), Setting(DURATION_1.menu, 9)
        if gap_us:
            yield 0, gap_us
        yield (-first, length_us) if kind == 1 else (of_event(second[0]), of_event(second[1]))
