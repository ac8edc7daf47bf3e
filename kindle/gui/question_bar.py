"""What the session asks of the person: answers to choose and confirm by key, a number, or a name."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout

from kindle.desk import Question, Wanted
from kindle.gui.words import button, line, say


class QuestionBar(QFrame):
    """An answer is chosen first, then confirmed: no single key answers anything."""

    answered = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._text = line("", "strong", wraps=True)
        self._hint = line("", "quiet", wraps=True)
        self._choices = QHBoxLayout()
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._typed = QLineEdit()
        self._typed.returnPressed.connect(self.confirm)
        self._confirm = button("Confirm\nEnter", self.confirm)
        self._group.buttonClicked.connect(lambda _: self._confirm.setEnabled(True))
        row = QHBoxLayout()
        row.addLayout(self._choices, 1)
        row.addWidget(self._typed, 1)
        row.addWidget(self._confirm)
        column = QVBoxLayout(self)
        column.addWidget(self._text)
        column.addLayout(row)
        column.addWidget(self._hint)
        self._question: Question | None = None
        self.hide()

    @property
    def question(self) -> Question | None:
        return self._question

    def show_question(self, question: Question | None, suggested: str = "") -> None:
        """``suggested`` is chosen already, and waits to be confirmed."""
        if question is self._question:
            return
        self._question = question
        self.setVisible(question is not None)
        self._clear()
        if question is None:
            return
        say(self._text, question.text)
        chooses = question.wanted is Wanted.CHOICE
        self._typed.setVisible(not chooses)
        self._confirm.setEnabled(not chooses)
        if chooses:
            for choice in question.choices:
                answer = QPushButton(choice)
                answer.setCheckable(True)
                self._group.addButton(answer)
                self._choices.addWidget(answer)
            if suggested:
                self.choose(suggested)
            say(self._hint, "← → or the first letter, then Enter to confirm.")
        else:
            say(self._hint, "Type your name." if question.wanted is Wanted.NAME else "Type the number in µA.")
            self._typed.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def chosen(self) -> str:
        if self._question is not None and self._question.wanted is not Wanted.CHOICE:
            return self._typed.text().strip()
        checked = self._group.checkedButton()
        return "" if checked is None else checked.text()

    def choose(self, begins: str) -> bool:
        """The answer that is this word, else the one that begins with it; whether there is one."""
        buttons = self._group.buttons()
        exact = [answer for answer in buttons if answer.text().casefold() == begins.casefold()]
        starting = [answer for answer in buttons if answer.text().casefold().startswith(begins.casefold())]
        for chosen in (*exact, *starting)[:1]:
            chosen.setChecked(True)
            self._confirm.setEnabled(True)
            return True
        return False

    def step(self, by: int) -> None:
        """To the neighbour of the chosen answer."""
        buttons = self._group.buttons()
        if not buttons:
            return
        checked = self._group.checkedButton()
        place = (0 if by > 0 else len(buttons) - 1) if checked is None else buttons.index(checked) + by
        buttons[max(0, min(place, len(buttons) - 1))].setChecked(True)
        self._confirm.setEnabled(True)

    def confirm(self) -> None:
        if self.chosen:
            self.answered.emit(self.chosen)

    def _clear(self) -> None:
        self._typed.clear()
        for answer in self._group.buttons():
            self._group.removeButton(answer)
            self._choices.removeWidget(answer)
            answer.deleteLater()
