"""The review window: a thin shell over ``Looking``, its panels, and the questions that it asks."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence
from PySide6.QtWidgets import QLabel, QMainWindow, QSplitter, QWidget

from kindle.errors import KindleError
from kindle.gui.look import Look, stylesheet
from kindle.gui.look import look as look_of
from kindle.gui.review.asking import ON_SCREEN, Questions
from kindle.gui.review.buttons import act, button, column, hear_keys, quiet, row
from kindle.gui.review.compared import Compared
from kindle.gui.review.draft import Edge
from kindle.gui.review.figure import write_figure
from kindle.gui.review.judging_bar import JudgingBar
from kindle.gui.review.listed import Listed
from kindle.gui.review.looking import Looking
from kindle.gui.review.opening import Entry, entries
from kindle.gui.review.panel import SignalPanel
from kindle.gui.review.reading import Reading
from kindle.gui.review.rejudging import Executors
from kindle.gui.review.trial_panel import TrialPanel
from kindle.spreading import processes

POLL_MS = 100
SMALLEST_S = 1e-9
"""A move of an edge by less than a sample is one by a sample."""
UNJUDGED = "Not judged yet: Judge again finds trains, discharges and seizures by the criterion chosen"
AS_RECORDED = "Shown as the journal has it; judge again to compare another criterion"
KEYS = (
    "PgUp PgDn  trial or event\n← →  along,  + −  magnify\n↑ ↓  gain\n"
    "O E  choose onset, end\n, .  move it by 10 ms\n< >  by one sample"
)
MOVES_S = {",": -0.01, ".": 0.01, "<": -SMALLEST_S, ">": SMALLEST_S, "Ctrl+,": -1.0, "Ctrl+.": 1.0}


class ReviewWindow(QMainWindow):
    """Any study, session or recording. ``open_path`` says in the status line what cannot be opened, and why."""

    look_changed = Signal(object)
    """``Look``, whenever the person chose another one: keep it."""

    def __init__(self, look: Look, *, questions: Questions = ON_SCREEN, executors: Executors = processes) -> None:
        super().__init__()
        self.looking: Looking | None = None
        self._questions = questions
        self._entries: list[Entry] = []
        self._author = ""
        self.setWindowTitle("kindle review")
        self.resize(1280, 800)
        self.heading = QLabel()
        self.heading.setObjectName("title")
        self.heading.setWordWrap(True)
        self.panel = SignalPanel(look)
        self.trial = TrialPanel(lambda: self.panel.span_s)
        self.judging = JudgingBar(executors)
        self.sessions, self._sessions_title = Listed("Sessions", self._session_chosen), quiet("Sessions")
        self.stops = Listed("Trials and events", self._stop_chosen)
        self.export = button("E&xport…", self._export, "Ctrl+E")
        self.compared = Compared(self.export)
        self._make_view_menu()
        self.setCentralWidget(self._laid_out())
        self._connect()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._timer.start()
        self.set_look(look)
        self._show_details()

    def set_look(self, look: Look) -> None:
        self.setStyleSheet(stylesheet(look))
        self.panel.set_look(look)
        self._dark.setChecked(look.dark)
        self._large.setChecked(look.large)

    def open_path(self, path: Path) -> None:
        """A study folder, a session's folder or any recording file."""
        try:
            found = entries(path)
        except KindleError as error:
            self.say(str(error))
            return
        if not self._open(found[0]):
            return
        self._entries = found
        self.sessions.show_all([entry.title for entry in found], 0)
        for widget in (self.sessions, self._sessions_title):
            widget.setVisible(len(found) > 1)

    def say(self, text: str) -> None:
        """In the status line, until something else is said there."""
        self.statusBar().showMessage(text)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        if not self._may_leave():
            event.ignore()
            return
        self._timer.stop()
        self.judging.judge_what(None)
        self._let_go()
        event.accept()

    def _make_view_menu(self) -> None:
        view = self.menuBar().addMenu("&View")
        self._dark, self._large = view.addAction("&Dark"), view.addAction("&Large type")
        for action, key in ((self._dark, "Ctrl+D"), (self._large, "Ctrl+L")):
            action.setCheckable(True)
            action.setShortcut(QKeySequence(key))
            action.triggered.connect(lambda _: self._look_chosen())

    def _laid_out(self) -> QWidget:
        open_file = button("&Open file…", partial(self._ask_and_open, self._questions.file), "Ctrl+O")
        open_study = button("Open s&tudy…", partial(self._ask_and_open, self._questions.folder), "Ctrl+Shift+O")
        left = column(
            self._sessions_title,
            (self.sessions, 1),
            quiet("Trials and events"),
            (self.stops, 2),
            self.trial.sayings,
            quiet(KEYS, wraps=True),
        )
        right = column(self.heading, self.compared, (self.panel, 1), self.trial)
        split = QSplitter()
        split.addWidget(left)
        split.addWidget(right)
        split.setSizes([330, 950])
        split.setStretchFactor(1, 1)
        for widget in (self.sessions, self._sessions_title):
            widget.setVisible(False)
        return column(row(open_file, open_study, None, self.judging), (split, 1))

    def _connect(self) -> None:
        self.panel.edge_moved.connect(self.trial.drag)
        self.panel.edge_chosen.connect(self._edge_chosen)
        self.panel.channel_chosen.connect(self._channel_chosen)
        self.trial.changed.connect(self._draft_changed)
        self.compared.changed.connect(self._draft_changed)
        self.trial.save_wanted.connect(self._save)
        self.judging.judged.connect(self._judged)
        for speaking in (self.trial, self.judging):
            speaking.said.connect(self.say)
        hear_keys(self)
        act(self, "Next", "PgDown", partial(self._go, 1))
        act(self, "Previous", "PgUp", partial(self._go, -1))
        act(self, "Choose onset", "O", partial(self._choose, "onset"))
        act(self, "Choose end", "E", partial(self._choose, "end"))
        for key, by_s in MOVES_S.items():
            act(self, f"Move {by_s:+g} s", key, partial(self._nudge, by_s))

    def _look_chosen(self) -> None:
        chosen = look_of(dark=self._dark.isChecked(), large=self._large.isChecked())
        self.set_look(chosen)
        self.look_changed.emit(chosen)

    def _ask_and_open(self, question: Callable[[QWidget], Path | None]) -> None:
        path = question(self)
        if path is not None and self._may_leave():
            self.open_path(path)

    def _open(self, entry: Entry) -> bool:
        """Whether it could be; what was open stays where it could not."""
        try:
            looking = Looking(entry)
        except KindleError as error:
            self.say(str(error))
            return False
        self._let_go()
        self.looking = looking
        self.judging.judge_what(entry.path)
        self.setWindowTitle(f"{entry.title} - kindle review")
        self.panel.look_at(looking)
        self.say(UNJUDGED if looking.part is None else AS_RECORDED)
        self._fill_stops()
        self.compared.show_looking(looking)
        if looking.part is not None and looking.stops:
            self.stops.setCurrentRow(0)
        self._show_details()
        self.panel.setFocus()
        return True

    def _let_go(self) -> None:
        if self.looking is not None:
            self.panel.look_at(None)
            self.looking.close()
            self.looking = None

    def _may_leave(self) -> bool:
        looking = self.looking
        if looking is None or looking.stop is None or not looking.unsaved:
            return True
        number = looking.stop.label.split()[0]
        return self._questions.discard(self, f"The correction of trial {number} is not saved. Discard it?")

    def _session_chosen(self, number: int) -> None:
        if not 0 <= number < len(self._entries):
            return
        left = self._may_leave() and self._open(self._entries[number])
        if not left and self.looking is not None:
            self.sessions.show_at(self._entries.index(self.looking.entry))

    def _stop_chosen(self, number: int) -> None:
        looking = self.looking
        if looking is None or number < 0 or number == looking.at:
            return
        if not self._may_leave():
            self.stops.show_at(looking.at or 0)
            return
        stop = looking.jump(number)
        if stop is not None:
            self.panel.show_span(stop.first_s, stop.last_s)
        self._show_details()

    def _go(self, by: int) -> None:
        if self.looking is not None and self.stops.count():
            at = -1 if self.looking.at is None else self.looking.at
            self.stops.setCurrentRow(max(0, min(self.stops.count() - 1, at + by)))

    def _fill_stops(self) -> None:
        stops = () if self.looking is None else self.looking.stops
        at = None if self.looking is None else self.looking.at
        self.stops.show_all([stop.label for stop in stops], -1 if at is None else at)

    def _judged(self, reading: Reading) -> None:
        if self.looking is not None:
            self.looking.heard(reading)
            self._fill_stops()
            self.compared.show_looking(self.looking)
            self._draft_changed()

    def _poll(self) -> None:
        looking = self.looking
        if looking is not None and looking.source.filling:
            self.panel.refresh()
        elif looking is not None and looking.source.error:
            self.say(looking.source.error)
        self.judging.poll()

    def _choose(self, edge: Edge) -> None:
        self.trial.choose(edge)
        self.panel.show_chosen()

    def _nudge(self, by_s: float) -> None:
        self.trial.nudge(by_s)
        self.panel.show_chosen()

    def _edge_chosen(self, number: int, edge: Edge) -> None:
        if self.looking is not None:
            self.looking.choose(number, edge)
            self._draft_changed()

    def _channel_chosen(self, name: str) -> None:
        if self.looking is not None and self.looking.draft is None:
            self.looking.channel = name
            self._show_details()

    def _draft_changed(self) -> None:
        self.panel.refresh_marks()
        self._show_details()

    def _save(self, what: str) -> None:
        signed = self._questions.signature(self, what, self._author)
        if signed is None or self.looking is None:
            return
        self._author = signed.author
        try:
            self.looking.save(signed.author, signed.reason)
        except KindleError as error:
            self.say(str(error))
            return
        self.say(f"Written to the journal by {signed.author}; the detector's values stay beside it")
        self._fill_stops()
        self._draft_changed()

    def _export(self) -> None:
        if self.looking is None:
            return
        path = self._questions.figure(self, f"{self.looking.entry.path.stem}.svg")
        if path is None:
            return
        try:
            write_figure(self.looking, self.panel.names, self.panel.span_s, path)
        except KindleError as error:
            self.say(str(error))
        else:
            self.say(f"Written: {path}")

    def _show_details(self) -> None:
        looking = self.looking
        title = "Open a study or a recording" if looking is None else looking.entry.title
        self.heading.setText(title if looking is None or looking.stop is None else looking.stop.label)
        self.trial.show_looking(looking)
        self.export.setEnabled(looking is not None)
