"""What the window offers while no study is open."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kindle.gui.words import button, line


class EmptyPage(QWidget):
    study_wanted = Signal()
    demo_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(line("No study is open.", "title"), 0, Qt.AlignmentFlag.AlignHCenter)
        opened = button("Open a study folder", self.study_wanted.emit)
        demo = button("Try it with a simulated rat", self.demo_wanted.emit)
        for choice in (opened, demo):
            column.addWidget(choice, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(2)
