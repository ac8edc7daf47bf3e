"""Choose a criterion, judge the open recording by it, see how far it is, stop it."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QProgressBar, QWidget

from kindle.gui.review.buttons import button, quiet, row
from kindle.gui.review.rejudging import Executors, Rejudging, choices

STEPS = 1000


class JudgingBar(QWidget):
    """``poll`` it now and then: ``judged`` brings the ``Reading``, ``said`` what a person should know."""

    judged = Signal(object)
    said = Signal(str)

    def __init__(self, executors: Executors) -> None:
        super().__init__()
        self.going: Rejudging | None = None
        self._executors = executors
        self._path: Path | None = None
        self.presets = QComboBox()
        self.presets.addItems(choices())
        self.presets.setAccessibleName("Criterion")
        self.judge = button("&Judge again", self._begin, "Ctrl+J")
        self.stop = button("Stop", self._cancel)
        self.progress = QProgressBar()
        self.progress.setRange(0, STEPS)
        self.setLayout(row(quiet("Criterion"), self.presets, self.judge, self.progress, self.stop))
        self._show()

    def judge_what(self, path: Path | None) -> None:
        """Another recording, or none; what was going on is of no use any more.

        Its end is not waited for: a process that has just been started takes seconds to end.
        """
        if self.going is not None:
            self.going.cancel()
            self.going = None
        self._path = path
        self._show()

    def poll(self) -> None:
        going = self.going
        if going is None:
            return
        self.progress.setValue(round(STEPS * going.share))
        if going.running:
            return
        self.going = None
        self._show()
        if going.cancelled:
            self.said.emit(f"Stopped: nothing was judged by {going.preset}")
        elif going.reading is None:
            self.said.emit(going.error)
        else:
            n = len(going.reading.marks)
            self.said.emit(f"Judged by {going.preset}: {n} discharge{'' if n == 1 else 's'}")
            self.judged.emit(going.reading)

    def _begin(self) -> None:
        if self._path is not None and self.going is None:
            self.going = Rejudging(self._path, self.presets.currentText(), executors=self._executors)
            self.progress.setValue(0)
            self._show()

    def _cancel(self) -> None:
        if self.going is not None:
            self.going.cancel()
            self.said.emit("Stopping…")

    def _show(self) -> None:
        for widget in (self.progress, self.stop):
            widget.setVisible(self.going is not None)
        self.judge.setEnabled(self.going is None and self._path is not None)
