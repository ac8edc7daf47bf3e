"""Rows and columns of widgets, and buttons each with the key that does the same."""

from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QPushButton, QVBoxLayout, QWidget

_KEY = "key"
"""Name of the property of a button that holds its key."""


def button(text: str, does: Callable[[], object], key: str = "") -> QPushButton:
    """``key`` is told beside it; ``hear_keys`` makes a window hear it."""
    made = QPushButton(text)
    made.clicked.connect(lambda: does())
    made.setProperty(_KEY, key)
    made.setToolTip(key)
    return made


def hear_keys(window: QWidget) -> None:
    """The keys of all buttons in it. A button's own shortcut would act a tenth of a second later, seen pressed."""
    for pressed in window.findChildren(QPushButton):
        if key := pressed.property(_KEY):
            act(window, pressed.text(), str(key), partial(_press, pressed))


def act(window: QWidget, name: str, key: str, does: Callable[[], object]) -> None:
    action = QAction(name, window)
    action.setShortcut(QKeySequence(key))
    action.triggered.connect(lambda: does())
    window.addAction(action)


def quiet(text: str, *, wraps: bool = False) -> QLabel:
    label = QLabel(text)
    label.setObjectName("quiet")
    label.setWordWrap(wraps)
    return label


def row(*widgets: QWidget | None) -> QHBoxLayout:
    """From the left; ``None`` is where the room goes that nobody needs."""
    laid_out = QHBoxLayout()
    laid_out.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        if widget is None:
            laid_out.addStretch()
        else:
            laid_out.addWidget(widget)
    return laid_out


def _press(pressed: QPushButton) -> None:
    if pressed.isVisible() and pressed.isEnabled():
        pressed.clicked.emit()


def column(*parts: QWidget | QLayout | tuple[QWidget, int]) -> QWidget:
    """From the top; a number beside a widget says how much of the room it takes."""
    made = QVBoxLayout()
    for part in parts:
        match part:
            case (QWidget() as widget, share):
                made.addWidget(widget, share)
            case QLayout():
                made.addLayout(part)
            case QWidget():
                made.addWidget(part)
    whole = QWidget()
    whole.setLayout(made)
    return whole
