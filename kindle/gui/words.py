"""Small widgets that show a line of words, and change only when the words do."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QWidget

from kindle.gui.look import Look

ACT_PT = 16
"""Of stop, arm and fire at most: in large type, too, a session fits on a screen of 1280 by 800."""


def line(text: str = "", name: str = "", *, wraps: bool = False) -> QLabel:
    """``name`` is what the style sheet knows it by."""
    label = QLabel(text)
    label.setObjectName(name)
    label.setWordWrap(wraps)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if wraps:
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        label.setSizePolicy(policy)
    return label


def button(text: str, pressed: Callable[[], object]) -> QPushButton:
    """Its second line, where there is one, is the key that does the same."""
    made = QPushButton(text)
    made.setProperty("lines", 1 + text.count("\n"))
    made.clicked.connect(lambda _: pressed())
    return made


def say(label: QLabel, text: str) -> None:
    if label.text() != text:
        label.setText(text)


def say_or_hide(label: QLabel, text: str) -> None:
    """Words that take no room while there are none."""
    say(label, text)
    if label.isHidden() is bool(text):
        label.setVisible(bool(text))


def rename(widget: QWidget, name: str) -> None:
    """Another name for the style sheet."""
    if widget.objectName() != name:
        widget.setObjectName(name)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def enable(button: QPushButton, enabled: bool) -> None:
    if button.isEnabled() != enabled:
        button.setEnabled(enabled)


def button_rules(look: Look) -> str:
    """For the style sheet: no button of two lines is squeezed to the height of one; stop, arm and fire are largest."""
    act_pt = min(look.title_pt, ACT_PT)
    return f"""
QPushButton[lines="2"] {{ min-height: {round(3.4 * look.text_pt)}px; padding: 3px 5px; }}
QPushButton#stop, QPushButton#arm, QPushButton#fire {{ font-size: {act_pt}pt;
  min-height: {round(3.6 * act_pt)}px; }}
QPushButton#stop {{ min-width: 200px; }}
"""


def clock(seconds: float) -> str:
    """12.3 s, 4:05 or 1:02:05."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
