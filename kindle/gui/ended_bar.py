"""What is said when a session is over, and where to go from there."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from kindle.conducting import Ended
from kindle.gui.words import line, rename, say


class EndedBar(QWidget):
    left = Signal()
    report_wanted = Signal(str)
    """Of this session."""

    def __init__(self) -> None:
        super().__init__()
        self._said = line("", "title", wraps=True)
        self._session = ""
        back = QPushButton("Back to the animals")
        back.clicked.connect(self.left)
        self._report = QPushButton("Report of this session")
        self._report.clicked.connect(lambda _: self.report_wanted.emit(self._session))
        row = QHBoxLayout()
        row.addWidget(back)
        row.addWidget(self._report)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._said)
        column.addLayout(row)
        self.hide()

    def show_end(self, ended: Ended) -> None:
        self._session = ended.session
        say(self._said, ended.said)
        rename(self._said, "good" if ended.finished else "warning")
        self._report.setVisible(ended.finished)
        self.show()
