"""Which page gets a key, and what it does there; fields that are typed into keep theirs."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QWidget

from kindle.gui.keys import Command, command_of, typed_of
from kindle.gui.session_page import SessionPage
from kindle.gui.training_page import TrainingPage

TYPED_INTO = (QLineEdit, QAbstractSpinBox, QComboBox)


def key_pressed(watched: QObject, event: QEvent) -> QKeyEvent | None:
    """``event`` where it is the press of a key in a widget."""
    pressed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and watched.isWidgetType()
    return event if pressed and isinstance(event, QKeyEvent) else None


def is_typed_elsewhere(window: QWidget, watched: QObject) -> bool:
    """Whether a key goes into a field, or comes by on its way to the widget that has the focus."""
    focus = QApplication.focusWidget()
    return (watched is not window and watched is not focus) or isinstance(focus, TYPED_INTO)


def key_in_session(page: SessionPage, event: QKeyEvent) -> bool:
    """Whether the key meant something: to an answer that is asked for, else to the session."""
    typed, asked = typed_of(event), page.question
    if asked.isVisible():
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            asked.step(-1 if event.key() == Qt.Key.Key_Left else 1)
            return True
        if typed and asked.choose(typed):
            return True
    command = command_of(event)
    if command is not None:
        page.command(command)
        return True
    return bool(typed) and page.typed(typed)


def key_in_training(page: TrainingPage, event: QKeyEvent) -> bool:
    if command_of(event) is Command.ARM:
        page.next()
        return True
    return page.typed(typed_of(event))
