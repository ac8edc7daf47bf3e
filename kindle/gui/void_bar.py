"""Calling the last train void, with a reason and a name."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout

from kindle.gui.words import button, line, say
from kindle.voiding import Voiding


class VoidBar(QFrame):
    called = Signal(object)
    """The ``Voiding``; nothing of it is checked here."""
    left = Signal()
    """The person goes on without calling anything void."""

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._text = line("", "strong", wraps=True)
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Reason, such as: the plug was off")
        self.reason.setAccessibleName("Reason for the void")
        self.reason.returnPressed.connect(self._to_name)
        self.author = QLineEdit()
        self.author.setPlaceholderText("Your name")
        self.author.setAccessibleName("Name of who calls the train void")
        self.author.returnPressed.connect(self._call)
        self._void = button("Void", self._call)
        self._leave = button("Leave it", self._go)
        row = QHBoxLayout()
        row.addWidget(self.reason, 3)
        row.addWidget(self.author, 1)
        row.addWidget(self._void)
        row.addWidget(self._leave)
        column = QVBoxLayout(self)
        column.addWidget(self._text)
        column.addLayout(row)
        self.hide()

    def ask(self, current_ua: float) -> None:
        """The name that was typed last stands there already."""
        say(self._text, f"Why is the train of {current_ua:.4g} µA void?")
        self.show()
        self.reason.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_bar(self) -> None:
        self.reason.clear()
        self.hide()

    def _to_name(self) -> None:
        if self.author.text().strip():
            self._call()
        else:
            self.author.setFocus(Qt.FocusReason.OtherFocusReason)

    def _call(self) -> None:
        self.called.emit(Voiding(self.author.text().strip(), self.reason.text().strip()))

    def _go(self) -> None:
        self.close_bar()
        self.left.emit()
