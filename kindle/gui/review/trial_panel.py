"""The trial that is looked at: what is marked beside what was detected, and the buttons that change it."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from detectors.criterion import Verdict
from kindle.gui.review.buttons import button, row
from kindle.gui.review.draft import Edge, beside
from kindle.gui.review.looking import Looking

NO_ROOM = "There is no room here: another discharge, the train or the next trial is in the way"


class TrialPanel(QWidget):
    """``sayings``, what the readings say, is placed by the window, where there is more room.

    ``changed`` whenever the draft is another one; ``save_wanted`` with what is to be signed.
    """

    changed = Signal()
    save_wanted = Signal(str)
    said = Signal(str)

    def __init__(self, span_s: Callable[[], tuple[float, float]]) -> None:
        super().__init__()
        self.looking: Looking | None = None
        self._span_s = span_s
        self.marked, self.comparison, self.sayings = QLabel(), QLabel(), QLabel()
        for told in (self.marked, self.comparison, self.sayings):
            told.setWordWrap(True)
            told.setTextFormat(Qt.TextFormat.PlainText)
        self.add = button("&Mark here", self._mark_here, "Ctrl+M")
        self.remove = button("&Remove", lambda: self._edit(Looking.unmark), "Ctrl+Delete")
        self.undo = button("&Undo", lambda: self._edit(Looking.undo), "Ctrl+Z")
        self.back = button("As &detected", lambda: self._edit(Looking.back_to_detected))
        self.verdict = QComboBox()
        self.verdict.addItems([verdict.value for verdict in Verdict])
        self.verdict.setAccessibleName("Verdict")
        self.verdict.setToolTip("Of a trial without a marked discharge: none, or undetermined")
        self.verdict.activated.connect(lambda _: self._call())
        self.save = button("&Save correction…", self._save, "Ctrl+S")
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.marked)
        inside.addWidget(self.comparison)
        inside.addLayout(row(self.add, self.remove, self.undo, self.back, self.verdict, None, self.save))

    def show_looking(self, looking: Looking | None) -> None:
        self.looking = looking
        self.marked.setText("" if looking is None else _told(looking))
        self.sayings.setText("" if looking is None else "\n".join(looking.sayings()))
        comparison = "" if looking is None else looking.comparison()
        self.comparison.setText(comparison)
        self.comparison.setVisible(bool(comparison))
        for widget in (self.add, self.remove, self.undo, self.back, self.verdict, self.save):
            widget.setVisible(looking is not None and looking.part is not None)
        draft = None if looking is None else looking.draft
        self.add.setEnabled(draft is not None)
        self.remove.setEnabled(draft is not None and bool(draft.events))
        self.undo.setEnabled(draft is not None and draft.can_undo)
        self.back.setEnabled(draft is not None and draft.events != draft.automatic)
        self.verdict.setEnabled(draft is not None and not draft.events)
        if looking is not None and looking.verdict is not None:
            self.verdict.setCurrentText(looking.verdict.value)
        self.save.setEnabled(looking is not None and looking.unsaved)

    def choose(self, edge: Edge) -> None:
        """The edge that keys move; chosen again, it is that of the next discharge."""
        looking = self.looking
        if looking is None or looking.draft is None or not looking.draft.events:
            return
        number = 0 if looking.chosen is None else looking.chosen[0]
        if looking.chosen == (number, edge):
            number = (number + 1) % len(looking.draft.events)
        looking.choose(number, edge)
        self.changed.emit()

    def nudge(self, by_s: float) -> None:
        if self.looking is not None and self.looking.nudge(by_s) is not None:
            self.changed.emit()

    def drag(self, number: int, edge: Edge, sample: int) -> None:
        if self.looking is not None and self.looking.draft is not None:
            self.looking.choose(number, edge)
            self.looking.draft.move(number, edge, sample)
            self.changed.emit()

    def _edit(self, change: Callable[[Looking], None]) -> None:
        if self.looking is not None:
            change(self.looking)
            self.changed.emit()

    def _call(self) -> None:
        self._edit(lambda looking: looking.call(Verdict(self.verdict.currentText())))

    def _mark_here(self) -> None:
        """Over the middle third of what is on the screen; its ends are then moved."""
        looking = self.looking
        if looking is None or looking.draft is None:
            return
        (first_s, last_s), rate = self._span_s(), looking.source.rate_hz
        third_s = (last_s - first_s) / 3
        if not looking.mark_anew(round((first_s + third_s) * rate), round((last_s - third_s) * rate)):
            self.said.emit(NO_ROOM)
        self.changed.emit()

    def _save(self) -> None:
        if self.looking is not None and self.looking.unsaved:
            self.save_wanted.emit(self.marked.text())


def _told(looking: Looking) -> str:
    """The discharges as marked, the detector's beside them, and who corrected it before."""
    stop, draft, rate = looking.stop, looking.draft, looking.source.rate_hz
    lines: list[str] = []
    if draft is not None and stop is not None and stop.train is not None:
        chosen = None if looking.chosen is None else looking.chosen[0]
        lines += [
            f"{'▸' if number == chosen else ' '} {beside(draft, number, rate, stop.train.end_sample)}"
            for number in range(len(draft.events))
        ] or ["no discharge marked"]
    if stop is not None and stop.trial is not None:
        lines += [f"corrected by {one.author}: {one.reason}" for one in stop.trial.corrections]
    return "\n".join(lines)
