"""The acquiring process of a long run: the window as `kindle gui` shows it, and a technician who never tires.

`python -m benchmarks.reliability.realtime_window STUDY RIG SETTINGS SEEN` writes what it saw to SEEN, as JSON.
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import msgspec
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from benchmarks.reliability.event_loop import Absences, LoopWatch
from benchmarks.reliability.soak_study import ANIMAL
from kindle.gui.app import load_beforehand
from kindle.gui.keys import Command
from kindle.gui.preferences import Preferences
from kindle.gui.window import Window
from kindle.ordering import Order
from kindle.situation import Phase

LOOK_MS = 200
SETTLED_S = 5.0
"""What happens sooner after the session was begun belongs to connecting and to building the page."""


class Seen(msgspec.Struct, frozen=True):
    """``opening`` ends some seconds after the session was begun; ``session`` is everything after that."""

    said: str
    finished: bool
    n_trials: int
    n_display_dropped: int
    opening: Absences
    session: Absences


@dataclass
class Technician:
    """Arms, fires, enters stages by key and answers, all through the window."""

    window: Window
    watch: LoopWatch
    opening: Absences | None = None
    begun_s: float | None = None
    marked: int = 0

    def look(self) -> None:
        conductor, page = self.window.conductor, self.window.session
        if conductor is None or page is None or self.begun_s is None:
            if self.window.start.begin.isEnabled():
                self.begun_s = time.monotonic()
                self.window.begin(Order("kindling", ANIMAL))
            return
        if self.opening is None and time.monotonic() - self.begun_s > SETTLED_S:
            self.opening = self.watch.absences()
            self.watch.begin()
        shown = conductor.shown
        if shown.over:
            self.window.close()
            QApplication.quit()
            return
        if shown.question is not None:
            conductor.answer("3" if shown.question.for_stage else shown.question.choices[-1])
        elif page.controls.arm.isEnabled():
            page.command(Command.ARM)
        elif page.controls.fire.isEnabled():
            page.command(Command.FIRE)
        elif shown.situation is not None and shown.situation.phase is Phase.WATCHING:
            self._mark(len(shown.situation.trials))

    def _mark(self, trial: int) -> None:
        """One stage for each train."""
        if trial == self.marked and self.window.session is not None:
            self.marked += 1
            self.window.session.typed("3")


def main() -> None:
    study, rig, settings, result = sys.argv[1:]
    application = QApplication(["kindle"])
    application.setStyle("Fusion")
    watch = LoopWatch()
    load_beforehand()
    window = Window(Preferences(Path(settings)), study=Path(study), rig=rig)
    window.show()
    watch.begin()
    technician = Technician(window, watch)
    looking = QTimer()
    looking.timeout.connect(technician.look)
    looking.start(LOOK_MS)
    application.exec()
    conductor = window.conductor
    assert conductor is not None
    shown, page = conductor.shown, window.session
    assert shown.ended is not None
    seen = Seen(
        said=shown.ended.said,
        finished=shown.ended.finished,
        n_trials=0 if shown.situation is None else len(shown.situation.trials),
        n_display_dropped=0 if page is None or page.traces is None else page.traces.n_dropped,
        opening=technician.opening or Absences((), ()),
        session=watch.absences(),
    )
    Path(result).write_bytes(msgspec.json.encode(seen))


if __name__ == "__main__":
    main()
