"""The main window: start, session and training, the stop that is always there, and the keys."""

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices, QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kindle.assembly import assembled
from kindle.conducting import Assemble, Conductor, StopSaid
from kindle.errors import KindleError
from kindle.gui.chosen_rig import ChosenRig, reality
from kindle.gui.header import Header
from kindle.gui.keys import Command, command_of
from kindle.gui.leaving_bar import LeavingBar
from kindle.gui.look import Look, look, stylesheet
from kindle.gui.menus import Menus
from kindle.gui.preferences import Preferences
from kindle.gui.review.window import ReviewWindow
from kindle.gui.session_keys import TYPED_INTO, key_in_session, key_in_training
from kindle.gui.session_page import SessionPage
from kindle.gui.start_page import StartPage
from kindle.gui.study_tasks import StudyTasks
from kindle.gui.training_page import TrainingPage
from kindle.gui.words import button_rules
from kindle.ordering import Order
from kindle.pacing import Pace
from kindle.rig_config import RigConfig
from kindle.roster import Roster
from kindle.session import utc_now

FRAME_MS = 33
ROSTER_S = 60.0
"""The list of animals is read anew this often: what is due changes with the time of day."""
PATIENCE_S = 10.0
"""A session that has not ended this long after it was stopped may be left: its files are safe as they lie."""


class Window(QMainWindow):
    def __init__(
        self,
        preferences: Preferences,
        *,
        study: Path | None = None,
        rig: str | None = None,
        assemble: Assemble = assembled,
        speed: float = 1.0,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.preferences = preferences
        self._assemble = assemble
        self._now_s = now_s
        self._study: Path | None = None
        self._rig = ChosenRig(rig)
        self._speed = speed
        self._pace = Pace(speed)
        self._tasks = StudyTasks(self.tell)
        self._read_at_s = 0.0
        self._leaving_since_s: float | None = None
        self.conductor: Conductor | None = None
        self.session: SessionPage | None = None
        self.training: TrainingPage | None = None
        self._reviewing: ReviewWindow | None = None
        self.header = Header()
        self.header.stop_pressed.connect(self.stop)
        self.leaving = LeavingBar()
        self.leaving.leave_pressed.connect(self.leave)
        self.leaving.leave_now_pressed.connect(self._leave_unfinished)
        self.start = StartPage()
        self.start.chosen.connect(self._look_ahead)
        self.start.begun.connect(self.begin)
        self.start.weighed.connect(self._weigh)
        self.start.study_wanted.connect(self.choose_study)
        self.start.demo_wanted.connect(self.open_demo)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.start)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.addWidget(self.header)
        column.addWidget(self.leaving)
        column.addWidget(self._pages, 1)
        self.setCentralWidget(whole)
        self._menus = Menus(self, self, preferences, speed)
        self.apply_look()
        self.setWindowTitle("kindle")
        self.resize(1280, 800)
        if not preferences.geometry.isEmpty():
            self.restoreGeometry(preferences.geometry)
        self._show_rig()
        if study is not None:
            self.open_study(study)
        self.start.search.setFocus()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(FRAME_MS)
        application = QApplication.instance()
        if application is not None:
            application.installEventFilter(self)

    # A session.

    def begin(self, order: Order) -> None:
        """Connect, and begin the session or go on with the one that was interrupted."""
        rig = self._loaded_rig()
        if self._study is None or self.running or rig is None:
            return
        page = SessionPage(self._look, hides_result=self.preferences.hides_result, traces=self.preferences.traces)
        page.left.connect(self._back_to_start)
        page.said.connect(self.tell)
        page.report_wanted.connect(self._write_report)
        page.traces_changed.connect(self._keep_traces)
        page.rang.connect(self._ring)
        self._pace = Pace(self._speed)
        self.conductor = page.conductor = Conductor(
            self._study, order, rig, show_block=page.push, pace=self._pace, assemble=self._assemble
        )
        self._drop_session()
        self.session = page
        self._show_page(page)
        self.header.name(f"{order.animal}   {order.protocol.replace('-', ' ')}   rig {rig.name}: {reality(rig)}")
        self.header.tell("")
        self.header.show_stop(StopSaid.NOT_PRESSED)
        self.conductor.begin()

    def stop(self) -> None:
        """From any state."""
        if self.conductor is None or (self.conductor.shown.over and self.conductor.shown.stop is StopSaid.NOT_PRESSED):
            self.header.say_nothing_connected()
            return
        self.conductor.stop()
        self.header.show_stop(self.conductor.shown.stop)

    @property
    def running(self) -> bool:
        return self.conductor is not None and not self.conductor.shown.over

    def refresh(self) -> None:
        """Some thirty times a second."""
        self._tasks.hand_over()
        if self.session is not None and self.conductor is not None:
            self.session.refresh()
            if (said := self.conductor.shown.stop) is not StopSaid.NOT_PRESSED:
                self.header.show_stop(said)
        if not self.running and self._now_s() - self._read_at_s > ROSTER_S:
            self._read_roster()
        if self._leaving_since_s is not None:
            if not self.running:
                self.close()
            elif self._now_s() - self._leaving_since_s > PATIENCE_S:
                self.leaving.offer_to_leave_now()

    def tell(self, sentence: str) -> None:
        self.header.tell(sentence)

    # Keys.

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress or not watched.isWidgetType():
            return False
        if command_of(event) is Command.STOP and self.running:
            self.stop()
            return True
        focus = QApplication.focusWidget()
        if (watched is not self and watched is not focus) or isinstance(focus, TYPED_INTO):
            return False
        shown = self._pages.currentWidget()
        if self.training is not None and shown is self.training:
            return key_in_training(self.training, event)
        if self.session is not None and shown is self.session and self.running:
            return key_in_session(self.session, event)
        return False

    # Leaving.

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """In mid-session nothing closes before a person has said so, and the session is safe."""
        if self.running:
            event.ignore()
            self.leaving.ask()
            return
        self.preferences.geometry = self.saveGeometry()
        self.preferences.save()
        self._timer.stop()
        self._tasks.close()
        if self._reviewing is not None:
            self._reviewing.close()
        event.accept()

    def leave(self) -> None:
        """Current off, the session interrupted so that it can be resumed, then the window closes."""
        self.stop()
        self._leaving_since_s = self._now_s()
        self.leaving.show_leaving()

    def _leave_unfinished(self) -> None:
        self.conductor = None
        self.close()

    # What is chosen in the menus.

    def choose_study(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Open a study folder")
        if folder:
            self.open_study(Path(folder))

    def open_study(self, folder: Path) -> None:
        if self.running:
            self.tell("A session is running: open another study when it is over.")
            return
        self._study = folder
        self._rig.beside(folder)
        self._show_rig()
        self._read_roster()

    def open_demo(self) -> None:
        from kindle.demonstration import demo_study

        if self.running:
            self.tell("A session is running: try the simulated rat when it is over.")
            return
        self._rig.choose("simulated")
        try:
            self.open_study(demo_study(Path("kindle-demo")))
        except KindleError as refused:
            self.tell(str(refused))

    def choose_rig_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Open a rig file", filter="Rigs (*.toml)")
        if name:
            self.choose_rig(name)

    def choose_rig(self, name: str) -> None:
        if self.running:
            self.tell("A session is running: choose another rig when it is over.")
            return
        self._rig.choose(name)
        self._show_rig()
        self._look_ahead()

    def set_speed(self, speed: float) -> None:
        """Of simulated rats; a real one keeps its own."""
        self._speed = speed
        self._pace.set_speed(speed)

    def switched(self, name: str, on: bool) -> None:
        setattr(self.preferences, name, on)
        self.apply_look()
        if self.session is not None:
            self.session.set_hides_result(self.preferences.hides_result)

    def review(self) -> None:
        """The recordings of the study, beside whatever runs here."""
        window = ReviewWindow(self._look)
        self._reviewing = window
        window.show()
        if self._study is not None:
            window.open_path(self._study)

    def practise(self) -> None:
        """Other traces each day."""
        self.train(utc_now().toordinal())

    def train(self, seed: int) -> None:
        """Practice at reading traces; never beside a session."""
        if self.running:
            self.tell("A session is running: train when it is over.")
            return
        page = TrainingPage(self._look, seed)
        page.left.connect(self._back_to_start)
        self.training = page
        self.header.name("Training: no session is running")
        self._show_page(page)

    # Inside.

    def apply_look(self) -> None:
        self._look: Look = look(dark=self.preferences.dark, large=self.preferences.large)
        self.setStyleSheet(stylesheet(self._look) + button_rules(self._look))
        for page in (self.session, self.training):
            if page is not None:
                page.set_look(self._look)

    def _show_rig(self) -> None:
        self._menus.check_rig(self._rig.name)
        rig = self._loaded_rig()
        if rig is not None:
            self.start.set_rig(f"Rig: {rig.name} ({reality(rig)}), at most {rig.limits.max_current_ua:g} µA")

    def _loaded_rig(self) -> RigConfig | None:
        rig = self._rig.load()
        if isinstance(rig, str):
            self.start.set_rig(rig)
            self.tell(rig)
            return None
        return rig

    def _read_roster(self) -> None:
        self._read_at_s = self._now_s()
        if self._study is not None:
            self._tasks.read(self._study, self._show_roster)

    def _show_roster(self, roster: Roster) -> None:
        self.preferences.opened(roster.folder)
        self.setWindowTitle(f"{roster.name} - kindle")
        if not self.running:
            self.header.name(roster.name)
        if not roster.cards:
            self.tell(f"{roster.folder} has no animals yet; add one with: kindle animal add --study {roster.folder} ID")
        self.start.show_roster(roster)

    def _look_ahead(self) -> None:
        order, rig = self.start.order, self._loaded_rig()
        if self._study is not None and order is not None and rig is not None:
            self._tasks.look_ahead(self._study, order, rig, self.start.show_outlook)

    def _weigh(self, animal: str, weight_g: float) -> None:
        def weighed(_: None) -> None:
            self.tell(f"{animal}: {weight_g:g} g entered.")
            self._read_roster()

        if self._study is not None:
            self._tasks.weigh(self._study, animal, weight_g, weighed)

    def _write_report(self, session: str) -> None:
        def written(page: Path) -> None:
            self.tell(f"report: {page}")
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(page.resolve())))

        if self._study is not None:
            self._tasks.report(self._study, session, written)

    def _show_page(self, page: QWidget) -> None:
        self._pages.addWidget(page)
        self._pages.setCurrentWidget(page)
        page.setFocus()

    def _drop_session(self) -> None:
        if self.session is not None:
            self._pages.removeWidget(self.session)
            self.session.deleteLater()
            self.session = None

    def _back_to_start(self) -> None:
        self._pages.setCurrentWidget(self.start)
        if self.training is not None:
            self._pages.removeWidget(self.training)
            self.training.deleteLater()
            self.training = None
        if not self.running:
            self._drop_session()
            self.tell("")
            self._read_roster()
            self.start.search.setFocus()

    def _keep_traces(self) -> None:
        if self.session is not None and self.session.traces is not None:
            self.preferences.traces = self.session.traces.settings

    def _ring(self) -> None:
        if self.preferences.sound:
            QApplication.beep()
