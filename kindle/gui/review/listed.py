"""A list to choose one of by its place: sessions, trials, events."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget

WIDTH_PX = 260


class Listed(QListWidget):
    """``chosen`` hears only of what a person chose."""

    def __init__(self, title: str, chosen: Callable[[int], None]) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.setMinimumWidth(WIDTH_PX)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrap(True)
        self.currentRowChanged.connect(chosen)

    def show_all(self, labels: Sequence[str], at: int) -> None:
        """``at`` is -1 where none of them is chosen yet."""
        self.blockSignals(True)
        self.clear()
        self.addItems(labels)
        self.setCurrentRow(at)
        self.blockSignals(False)

    def show_at(self, number: int) -> None:
        self.blockSignals(True)
        self.setCurrentRow(number)
        self.blockSignals(False)
