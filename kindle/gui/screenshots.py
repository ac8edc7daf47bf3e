"""The pictures of the README and of docs/gui.md, made anew: python -m kindle.gui.screenshots [FOLDER]"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from kindle.conducting import Conductor
from kindle.experimenter import ItemMark, StageMark
from kindle.gui.preferences import Preferences
from kindle.gui.training_page import KEYS
from kindle.gui.window import Window
from kindle.keeping import note_event, weigh
from kindle.ordering import Order
from kindle.rows import Animal
from kindle.situation import Phase
from kindle.study import create_study, open_study

FOLDER = Path("docs/screens")
WIDTH, HEIGHT = 1280, 800
SEED = 5
QUICK, UNHURRIED = 500.0, 8.0
PATIENCE_S = 60.0
"""Longer than any picture takes to come about."""

STUDY = """\
name = "Kindling, spring cohort"
preset = "hannover_ascending"
scale = "racine_1972"
[threshold]
max_ua = 400.0
interval_s = 60.0
onset_window_s = 20.0
lockout_after_ad_s = 120.0
[threshold.train]
shape = "biphasic"
[kindling]
trains_per_day = 1
baseline_s = 10.0
watch_s = 30.0
current = { kind = "fixed", current_ua = 400.0 }
[kindling.train]
shape = "biphasic"
phase_us = 1000.0
pulse_hz = 50.0
train_s = 1.0
[course]
workdays = []
"""


class Photographer:
    def __init__(self, folder: Path, scratch: Path) -> None:
        self._folder = folder
        self._study = scratch / "study"
        _make_study(self._study)
        self._preferences = Preferences(scratch / "settings.ini")
        self.window = Window(self._preferences, study=self._study, rig="simulated", speed=QUICK)
        self.window.show()
        self.window.resize(WIDTH, HEIGHT)

    def until(self, condition: Callable[[], bool]) -> None:
        """Raises ``TimeoutError`` rather than take a picture of something else."""
        began_s = time.monotonic()
        while not condition():
            QApplication.processEvents()
            if time.monotonic() - began_s > PATIENCE_S:
                raise TimeoutError("the window did not come to what was to be shown")

    def settle(self, seconds: float = 0.3) -> None:
        """Let the window draw what is known."""
        since_s = time.monotonic()
        self.until(lambda: time.monotonic() - since_s > seconds)

    def take(self, name: str) -> None:
        self.settle()
        path = self._folder / f"{name}.png"
        self.window.grab().save(str(path))
        print(path)

    def change_look(self, *, dark: bool = False, large: bool = False) -> None:
        self._preferences.dark, self._preferences.large = dark, large
        self.window.apply_look()

    def begin(self, order: Order) -> Conductor:
        self.window.begin(order)
        conductor = self.window.conductor
        if conductor is None:
            raise RuntimeError("the session did not begin")
        return conductor

    def give_train(self, conductor: Conductor) -> None:
        self.arm(conductor)
        conductor.fire()
        self.until(lambda: phase_of(conductor) is Phase.WATCHING)

    def arm(self, conductor: Conductor) -> None:
        self.window.set_speed(QUICK)
        self.until(lambda: phase_of(conductor) is Phase.READY)
        self.window.set_speed(UNHURRIED)
        conductor.arm()
        self.until(lambda: phase_of(conductor) is Phase.ARMED)

    def stop(self, conductor: Conductor) -> None:
        conductor.stop()
        self.until(lambda: conductor.shown.over)


def phase_of(conductor: Conductor) -> Phase | None:
    situation = conductor.shown.situation
    return None if situation is None else situation.phase


def take_all(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication.instance() or QApplication(["kindle"])
    if isinstance(application, QApplication):
        application.setStyle("Fusion")
    with tempfile.TemporaryDirectory() as scratch:
        at = Photographer(folder, Path(scratch))
        at.until(at.window.start.begin.isEnabled)
        at.take("start")
        threshold = at.begin(Order("threshold", "R01"))
        for _ in range(4):
            at.give_train(threshold)
        at.arm(threshold)
        at.settle(1.0)
        at.take("armed")
        at.stop(threshold)
        at.take("stopped")
        at.change_look(dark=True)
        kindling = at.begin(Order("kindling", "R02"))
        at.give_train(kindling)
        for mark in (StageMark(1.0), ItemMark("facial_clonus", "begins"), StageMark(3.0), ItemMark("wet_dog_shake")):
            kindling.mark(mark)
            at.settle(0.15)
        at.settle(0.4)
        at.take("discharge_dark")
        at.change_look(large=True)
        at.window.set_speed(QUICK)
        at.until(lambda: kindling.shown.question is not None)
        at.take("scoring_large")
        kindling.answer("3")
        at.until(lambda: kindling.shown.over)
        at.change_look()
        at.window.train(SEED)
        at.settle()
        training = at.window.training
        if training is not None:
            truth = training.training.clip().truth
            training.typed(next(key for key, reading in KEYS.items() if reading is truth))
        at.take("training")
        at.window.close()


def _make_study(folder: Path) -> None:
    create_study(folder, STUDY)
    now = datetime.now(UTC)
    with open_study(folder) as study:
        for id, grams in (("R01", 248.0), ("R02", 251.0), ("R03", 262.0)):
            study.add_animal(Animal(id, strain="Wistar", sex="female"), now - timedelta(days=20))
            note_event(study, id, "implanted", "", now - timedelta(days=14))
            weigh(study, id, grams - 4, now - timedelta(days=1))
            weigh(study, id, grams, now)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m kindle.gui.screenshots", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER, help="where to (default: %(default)s)")
    take_all(parser.parse_args().folder)
