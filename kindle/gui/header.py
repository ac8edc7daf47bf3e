"""The top of every page: where the session stands, what the program says, and the red stop."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from kindle.conducting import StopSaid
from kindle.gui.words import button, line, rename, say, say_or_hide

NO_STIMULATOR = "No session is running: no stimulator is connected, no current can flow from this program."
SAFE = (StopSaid.CONFIRMED, StopSaid.NOT_CONNECTED)


class Header(QWidget):
    stop_pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._where = line("", "title", wraps=True)
        self._stop_said = line("", "quiet", wraps=True)
        self._stop_said.setAccessibleName("What the stop has said")
        self._told = line("", "warning", wraps=True)
        self._told.setAccessibleName("Message")
        self.stop = button("STOP\nEsc", self.stop_pressed.emit)
        self.stop.setObjectName("stop")
        words = QVBoxLayout()
        for label in (self._where, self._stop_said, self._told):
            words.addWidget(label)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(words, 1)
        row.addWidget(self.stop)
        self.tell("")
        self.show_stop(StopSaid.NOT_PRESSED)

    def name(self, where: str) -> None:
        say(self._where, where)

    def tell(self, sentence: str) -> None:
        say_or_hide(self._told, sentence)

    def show_stop(self, said: StopSaid) -> None:
        say_or_hide(self._stop_said, said.value)
        rename(self._stop_said, "good" if said in SAFE else "warning")

    def say_nothing_connected(self) -> None:
        say_or_hide(self._stop_said, NO_STIMULATOR)
        rename(self._stop_said, "quiet")

    @property
    def stop_said(self) -> str:
        return self._stop_said.text()

    @property
    def told(self) -> str:
        return self._told.text()
