"""Asked when a window is closed in mid-session: nothing closes before a person has said so."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from kindle.gui.words import line, say

QUESTION = "A session is running. Closing stops the current and interrupts the session; it can be resumed."


class LeavingBar(QFrame):
    leave_pressed = Signal()
    leave_now_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._said = line(QUESTION, "warning", wraps=True)
        self._stay = QPushButton("Stay")
        self._stay.clicked.connect(self.hide)
        self._leave = QPushButton("Stop and close")
        self._leave.clicked.connect(self.leave_pressed)
        self._leave_now = QPushButton("Close without waiting")
        self._leave_now.clicked.connect(self.leave_now_pressed)
        self._leave_now.hide()
        row = QHBoxLayout(self)
        row.addWidget(self._said, 1)
        for button in (self._stay, self._leave, self._leave_now):
            row.addWidget(button)
        self.hide()

    def ask(self) -> None:
        self.show()
        self._stay.setFocus()

    def show_leaving(self) -> None:
        say(self._said, "Stopping, and closing the files of the session.")
        self._leave.setEnabled(False)
        self._stay.hide()
        self.show()

    def offer_to_leave_now(self) -> None:
        """An instrument that does not answer keeps nobody here; the files are safe as they lie."""
        say(self._said, "The session has not ended yet: its instrument does not answer.")
        self._leave_now.show()
