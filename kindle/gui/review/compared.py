"""Which two readings of a recording are shown, one above the other."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QPushButton, QWidget

from kindle.gui.review.buttons import quiet, row
from kindle.gui.review.looking import Looking

NOBODY = "nothing"
"""To compare with."""


class Compared(QWidget):
    changed = Signal()

    def __init__(self, export: QPushButton) -> None:
        """``export`` writes what is compared, and stands at the end of the row."""
        super().__init__()
        self._looking: Looking | None = None
        self.above, self.below = (self._box(name) for name in ("Shown", "Compared with"))
        self.setLayout(row(quiet("Shown"), self.above, quiet("compared with"), self.below, None, export))

    def show_looking(self, looking: Looking | None) -> None:
        self._looking = looking
        labels = [] if looking is None else [reading.label for reading in looking.readings]
        places = (None, None) if looking is None else looking.compared
        for box, place in zip((self.above, self.below), places, strict=True):
            box.blockSignals(True)
            box.clear()
            box.addItems([NOBODY, *labels])
            box.setCurrentIndex(0 if place is None else place + 1)
            box.blockSignals(False)

    def _box(self, name: str) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.currentIndexChanged.connect(self._compare)
        return box

    def _compare(self) -> None:
        if self._looking is None:
            return
        above, below = (None if box.currentIndex() <= 0 else box.currentIndex() - 1 for box in (self.above, self.below))
        self._looking.compared = (above, below)
        self.changed.emit()
