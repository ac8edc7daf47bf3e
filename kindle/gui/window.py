"""The main window: start, session and training, the stop that is always there, and the keys."""

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kindle.assembly import assembled
from kindle.conducting import Assemble, Conductor, StopSaid
from kindle.gui.chosen_rig import reality
from kindle.gui.header import Header
from kindle.gui.keys import Command, command_of
from kindle.gui.leaving_bar import LeavingBar
from kindle.gui.look import Look, look, stylesheet
from kindle.gui.menus import Menus
from kindle.gui.open_study import OpenStudy
from kindle.gui.preferences import Preferences
from kindle.gui.review.window import ReviewWindow
from kindle.gui.session_keys import is_typed_elsewhere, key_in_session, key_in_training, key_pressed
from kindle.gui.session_page import SessionPage
from kindle.gui.start_page import StartPage
from kindle.gui.training_page import TrainingPage
from kindle.gui.words import button_rules
from kindle.ordering import Order
from kindle.pacing import Pace
from kindle.session import utc_now

FRAME_MS = 33
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
        self._speed = speed
        self._pace = Pace(speed)
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
        self.study = OpenStudy(self.start, preferences, rig, self, now_s)
        self.start.begun.connect(self.begin)
        self.start.study_wanted.connect(self.study.choose)
        self.start.demo_wanted.connect(self.study.open_demo)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.start)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.addWidget(self.header)
        column.addWidget(self.leaving)
        column.addWidget(self._pages, 1)
        self.setCentralWidget(whole)
        self._menus = Menus(self, self, self.study, preferences, speed)
        self.apply_look()
        self.setWindowTitle("kindle")
        self.resize(1280, 800)
        if not preferences.geometry.isEmpty():
            self.restoreGeometry(preferences.geometry)
        self.study.show_rig()
        if study is not None:
            self.study.open(study)
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
        folder, rig = self.study.folder, self.study.rig()
        if folder is None or self.running or rig is None:
            return
        page = SessionPage(self._look, hides_result=self.preferences.hides_result, traces=self.preferences.traces)
        page.left.connect(self._back_to_start)
        page.said.connect(self.tell)
        page.report_wanted.connect(self.study.write_report)
        page.traces_changed.connect(self._keep_traces)
        page.rang.connect(self._ring)
        self._pace = Pace(self._speed)
        self.conductor = page.conductor = Conductor(
            folder, order, rig, show_block=page.push, pace=self._pace, assemble=self._assemble
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
        self.study.hand_over()
        if self.session is not None and self.conductor is not None:
            self.session.refresh()
            if (said := self.conductor.shown.stop) is not StopSaid.NOT_PRESSED:
                self.header.show_stop(said)
        if not self.running:
            self.study.read_if_old()
        if self._leaving_since_s is not None:
            if not self.running:
                self.close()
            elif self._now_s() - self._leaving_since_s > PATIENCE_S:
                self.leaving.offer_to_leave_now()

    def tell(self, sentence: str) -> None:
        self.header.tell(sentence)

    def busy(self, wanted: str) -> bool:
        """Whether a session runs; then it is said that this has to wait."""
        if self.running:
            self.tell(f"A session is running: {wanted} when it is over.")
        return self.running

    def name_study(self, name: str) -> None:
        self.setWindowTitle(f"{name} - kindle")
        if not self.running:
            self.header.name(name)

    def check_rig(self, name: str) -> None:
        self._menus.check_rig(name)

    # Keys.

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        pressed = key_pressed(watched, event)
        if pressed is None:
            return False
        if command_of(pressed) is Command.STOP and self.running:
            self.stop()
            return True
        if is_typed_elsewhere(self, watched):
            return False
        shown = self._pages.currentWidget()
        if self.training is not None and shown is self.training:
            return key_in_training(self.training, pressed)
        if self.session is not None and shown is self.session and self.running:
            return key_in_session(self.session, pressed)
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
        self.study.close()
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
        if self.study.folder is not None:
            window.open_path(self.study.folder)

    def practise(self) -> None:
        """Other traces each day."""
        self.train(utc_now().toordinal())

    def train(self, seed: int) -> None:
        """Practice at reading traces; never beside a session."""
        if self.busy("train"):
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
            self.study.read()
            self.start.search.setFocus()

    def _keep_traces(self) -> None:
        if self.session is not None and self.session.traces is not None:
            self.preferences.traces = self.session.traces.settings

    def _ring(self) -> None:
        if self.preferences.sound:
            QApplication.beep()
