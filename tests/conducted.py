"""A session conducted from inside its own thread: whatever the person does is done between two given blocks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from kindle.assembly import Instruments
from kindle.bridging import Patience
from kindle.conducting import Conductor, Shown
from kindle.ordering import Order
from kindle.pacing import Pace
from kindle.rig_config import RigConfig
from kindle.situation import Phase
from tests.bench import config, hurried

KINDLING = """\
name = "test"
schedule = "hannover_daily"
[kindling]
trains_per_day = 1
baseline_s = 10.0
watch_s = 15.0
current = { kind = "fixed", current_ua = 120.0 }
[kindling.train]
shape = "biphasic"
phase_us = 1000.0
pulse_hz = 50.0
train_s = 1.0
[threshold]
max_ua = 200.0
onset_window_s = 10.0
baseline_s = 10.0
lockout_after_ad_s = 60.0
[threshold.train]
shape = "biphasic"
"""

Deed = Callable[[Conductor, Shown], None]


@dataclass
class Hand:
    """Arms and fires whatever is offered, and does ``deed`` at each block before that."""

    deed: Deed = lambda conductor, shown: None
    acts: bool = True
    conductor: Conductor | None = None

    def __call__(self, first_sample: int, block: Any) -> None:
        conductor = self.conductor
        assert conductor is not None
        shown = conductor.shown
        if shown.over:
            return
        self.deed(conductor, shown)
        shown = conductor.shown
        if shown.question is not None:
            return
        if self.acts and shown.situation is not None and not pressed(shown):
            match shown.situation.phase:
                case Phase.READY:
                    conductor.arm()
                case Phase.ARMED:
                    conductor.fire()
                case _:
                    pass


def pressed(shown: Shown) -> bool:
    return bool(shown.stop.value)


def conducted(
    folder: Path,
    instruments: Instruments,
    hand: Hand,
    order: Order | None = None,
    *,
    rig: RigConfig | None = None,
    patience: Patience | None = None,
    **more: Any,
) -> Conductor:
    """The session, over."""

    @contextmanager
    def assemble(rig: RigConfig, animal: str) -> Iterator[Instruments]:
        yield instruments

    conductor = Conductor(
        folder,
        order or Order("threshold", "R01"),
        rig or config(),
        show_block=hand,
        pace=Pace(inf),
        assemble=assemble,
        patience=patience or hurried(),
        **more,
    )
    hand.conductor = conductor
    conductor.begin()
    assert conductor.wait_over(60)
    return conductor
