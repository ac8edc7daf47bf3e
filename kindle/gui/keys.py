"""What the keys mean while a session runs: one hand, no mouse."""

from enum import Enum

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent


class Command(Enum):
    STOP = "stop"
    ARM = "arm"
    FIRE = "fire"
    UNDO = "undo"
    NOTE = "note"
    VOID = "void"


def command_of(event: QKeyEvent) -> Command | None:
    """A key that is held down and repeats itself is no command, but for the stop."""
    key, plain = event.key(), event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
    if key == Qt.Key.Key_Escape:
        return Command.STOP
    if event.isAutoRepeat():
        return None
    if key == Qt.Key.Key_Z and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
        return Command.UNDO
    if not plain:
        return None
    match key:
        case Qt.Key.Key_Return | Qt.Key.Key_Enter:
            return Command.ARM
        case Qt.Key.Key_Space:
            return Command.FIRE
        case Qt.Key.Key_N:
            return Command.NOTE
        case Qt.Key.Key_V:
            return Command.VOID
        case _:
            return None


def typed_of(event: QKeyEvent) -> str:
    """The word that an ethogram or a scale knows this key by: ``3``, ``F2``, ``W``; empty for any other key."""
    if event.isAutoRepeat() or event.modifiers() not in (
        Qt.KeyboardModifier.NoModifier,
        Qt.KeyboardModifier.ShiftModifier,
        Qt.KeyboardModifier.KeypadModifier,
    ):
        return ""
    key = event.key()
    if Qt.Key.Key_F1 <= key <= Qt.Key.Key_F12:
        return f"F{key - Qt.Key.Key_F1 + 1}"
    text = event.text().upper()
    return text if len(text) == 1 and text.isalnum() and text.isascii() else ""
