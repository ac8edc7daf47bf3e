"""Before a session: the animals with what is due, the card of one of them, and the order that is about to begin."""

from collections.abc import Sequence
from typing import get_args

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDoubleValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kindle.course_plan import Due
from kindle.gui.empty_page import EmptyPage
from kindle.gui.words import button, line, rename, say, say_or_hide
from kindle.keeping import LIKELY_G
from kindle.ledger import CONTROL
from kindle.ordering import Order, ProtocolName
from kindle.roster import Roster
from kindle.start_card import Outlook, StartCard, animal_read, card_lines, next_text

TREATED = ("drug-test", "ptz", "electroshock")
ANIMAL = Qt.ItemDataRole.UserRole


class StartPage(QWidget):
    chosen = Signal()
    """Another animal, protocol or treatment: what forbids it is to be looked up."""
    begun = Signal(object)
    """``Order``"""
    weighed = Signal(str, float)
    """Animal and grams."""
    study_wanted = Signal()
    demo_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._roster: Roster | None = None
        self._outlook: Outlook | None = None
        self._was_read = False
        """The animal was named just now: once nothing forbids it, Enter begins its session."""
        self.search = QLineEdit()
        self.search.setPlaceholderText("Animal: type, or read its mark or barcode")
        self.search.setAccessibleName("Search for an animal")
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._read)
        self.animals = QListWidget()
        self.animals.setAccessibleName("Animals")
        self.animals.currentItemChanged.connect(lambda *_: self._show_card())
        self.animals.itemActivated.connect(lambda *_: self.begin.setFocus())
        self._read_said = line("", "warning", wraps=True)
        self._stale = line("", "warning", wraps=True)
        self._stale.setAccessibleName("Age of what the other rigs did")
        self._stale.hide()
        left = QVBoxLayout()
        for widget in (self._stale, self.search, self._read_said):
            left.addWidget(widget)
        left.addWidget(self.animals, 1)
        self._title = line("", "title", wraps=True)
        self._due = line("", wraps=True)
        self._lines = QFormLayout()
        self._alarms = line("", "warning", wraps=True)
        right = QVBoxLayout()
        right.addWidget(self._title)
        right.addWidget(self._due)
        right.addLayout(self._lines)
        right.addLayout(self._weight_row())
        right.addWidget(self._alarms)
        right.addWidget(self._order_group())
        right.addStretch(1)
        self._empty = EmptyPage()
        self._empty.study_wanted.connect(self.study_wanted)
        self._empty.demo_wanted.connect(self.demo_wanted)
        self._full = QWidget()
        row = QHBoxLayout(self._full)
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(left, 2)
        row.addLayout(right, 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._empty, 1)
        column.addWidget(self._full, 1)
        self._full.hide()

    def show_roster(self, roster: Roster) -> None:
        """Keeps the animal that is chosen, where it is still there."""
        before = self.animal
        self._roster = roster
        say_or_hide(self._stale, roster.stale)
        self._empty.hide()
        self._full.show()
        self.animals.blockSignals(True)
        self.animals.clear()
        for card in roster.cards:
            item = QListWidgetItem(f"{card.animal}   {_short(card)}")
            item.setData(ANIMAL, card.animal)
            self.animals.addItem(item)
        self.treatment.blockSignals(True)
        self.treatment.clear()
        self.treatment.addItems([CONTROL, *roster.treatments])
        self.treatment.blockSignals(False)
        self.animals.blockSignals(False)
        self._filter(self.search.text())
        self.choose(before or _first_due(roster.cards))
        if not before:
            self.search.setFocus()

    def show_outlook(self, outlook: Outlook) -> None:
        self._outlook = outlook
        allowed = not outlook.refusal
        say(self._worst, outlook.refusal or "\n".join(outlook.worst_case))
        rename(self._worst, "quiet" if allowed else "warning")
        self.begin.setEnabled(allowed)
        if allowed and self._was_read:
            self.begin.setFocus()

    def show_trouble(self, sentence: str) -> None:
        self.show_outlook(Outlook(sentence, ()))

    def set_rig(self, said: str) -> None:
        say(self._rig, said)

    @property
    def due(self) -> str:
        """What is due for the animal, in words."""
        return self._due.text()

    @property
    def read_said(self) -> str:
        """What is wrong with the mark that was read."""
        return self._read_said.text()

    @property
    def stale(self) -> str:
        """How old the picture of the laboratory's other rigs is; empty where it is of now."""
        return self._stale.text()

    @property
    def refusal(self) -> str:
        """Why the session may not begin."""
        return "" if self._outlook is None else self._outlook.refusal

    @property
    def animal(self) -> str:
        item = self.animals.currentItem()
        return "" if item is None else str(item.data(ANIMAL))

    @property
    def card(self) -> StartCard | None:
        cards: Sequence[StartCard] = () if self._roster is None else self._roster.cards
        return next((card for card in cards if card.animal == self.animal), None)

    @property
    def order(self) -> Order | None:
        if not self.animal:
            return None
        name: ProtocolName = self.protocol.currentData()
        treatment = self.treatment.currentText() if name in TREATED else CONTROL
        at_threshold = name == "drug-test" and self.at_threshold.isChecked()
        although = self.although.text().strip() if name in TREATED else ""
        return Order(name, self.animal, treatment, at_threshold, although=although)

    def choose(self, animal: str) -> None:
        for row in range(self.animals.count()):
            item = self.animals.item(row)
            if item is not None and item.data(ANIMAL) == animal:
                self.animals.setCurrentItem(item)
        self._show_card()

    def _weigh(self) -> None:
        if self.weight.hasAcceptableInput() and self.animal:
            self.weighed.emit(self.animal, float(self.weight.text().replace(",", ".")))
            self.weight.clear()

    def _read(self) -> None:
        """A barcode reader types the mark and ends with Enter: exactly one animal, or none."""
        known = () if self._roster is None else tuple(card.animal for card in self._roster.cards)
        typed = self.search.text()
        visible = [name for name in known if typed.strip().casefold() in name.casefold()]
        animal = animal_read(typed, iter(known)) or (visible[0] if len(visible) == 1 else None)
        if animal is None:
            read = repr(typed.strip()) if typed.strip() else "nothing"
            say(self._read_said, f"{read} is no animal of this study: check the cage and the mark")
            return
        say(self._read_said, "")
        self.search.clear()
        self._was_read = True
        self.choose(animal)

    def _filter(self, text: str) -> None:
        say(self._read_said, "")
        self._was_read = False
        for row in range(self.animals.count()):
            item = self.animals.item(row)
            if item is not None:
                item.setHidden(text.strip().casefold() not in str(item.data(ANIMAL)).casefold())

    def _show_card(self) -> None:
        card = self.card
        if card is None:
            return
        say(self._title, card.animal)
        unfinished = f"Interrupted {card.unfinished} session: it goes on where it stopped.\n" if card.unfinished else ""
        say(self._due, unfinished + next_text(card.standing.next))
        rename(self._due, "good" if isinstance(card.standing.next, Due) or unfinished else "")
        while self._lines.rowCount():
            self._lines.removeRow(0)
        for label, value in card_lines(card):
            if label != "animal":
                self._lines.addRow(line(label, "quiet"), line(value, wraps=True))
        say(self._alarms, "\n".join(f"! {flag}" for flag in card.standing.flags))
        self._alarms.setVisible(bool(card.standing.flags))
        self.although.clear()
        if (suggested := card.suggested) is not None:
            self.protocol.blockSignals(True)
            self.protocol.setCurrentIndex(self.protocol.findData(suggested.protocol))
            self.protocol.blockSignals(False)
            self.treatment.blockSignals(True)
            self.treatment.setCurrentText(suggested.treatment)
            self.treatment.blockSignals(False)
        self._protocol_changed()

    def _protocol_changed(self) -> None:
        name = self.protocol.currentData()
        self.treatment.setVisible(name in TREATED)
        self.at_threshold.setVisible(name == "drug-test")
        self.although.setVisible(name in TREATED)
        self.begin.setEnabled(False)
        self.chosen.emit()

    def _weight_row(self) -> QHBoxLayout:
        self.weight = QLineEdit()
        self.weight.setValidator(QDoubleValidator(*LIKELY_G, 1))
        self.weight.setPlaceholderText("grams")
        self.weight.setFixedWidth(120)
        self.weight.setAccessibleName("Weight today, in grams")
        self.weight.returnPressed.connect(self._weigh)
        enter = button("Enter the weight of today", self._weigh)
        row = QHBoxLayout()
        row.addWidget(self.weight)
        row.addWidget(enter)
        row.addStretch(1)
        return row

    def _order_group(self) -> QGroupBox:
        self.protocol = QComboBox()
        for name in get_args(ProtocolName):
            self.protocol.addItem(name.replace("-", " "), name)
        self.protocol.currentIndexChanged.connect(lambda *_: self._protocol_changed())
        self.protocol.setAccessibleName("Protocol")
        self.treatment = QComboBox()
        self.treatment.setAccessibleName("Treatment")
        self.treatment.currentIndexChanged.connect(lambda *_: self._protocol_changed())
        self.at_threshold = QCheckBox("by a threshold test")
        self.at_threshold.toggled.connect(lambda *_: self._protocol_changed())
        self.although = QLineEdit()
        self.although.setPlaceholderText("Why, where the course forbids it today; it stands in the journal")
        self.although.setAccessibleName("Why a treatment is tested although the course forbids it today")
        self.although.editingFinished.connect(self._protocol_changed)
        self._rig = line("", "quiet", wraps=True)
        self._worst = line("", "quiet", wraps=True)
        self.begin = button("Connect and begin\nEnter", self._begin)
        self.begin.setEnabled(False)
        self.begin.setAutoDefault(True)
        group = QGroupBox("Session")
        choices = QHBoxLayout()
        for widget in (self.protocol, self.treatment, self.at_threshold):
            choices.addWidget(widget)
        choices.addStretch(1)
        column = QVBoxLayout(group)
        column.addLayout(choices)
        column.addWidget(self.although)
        column.addWidget(self._rig)
        column.addWidget(self._worst)
        column.addWidget(self.begin, 0, Qt.AlignmentFlag.AlignLeft)
        return group

    def _begin(self) -> None:
        if (order := self.order) is not None:
            self.begun.emit(order)


def _first_due(cards: Sequence[StartCard]) -> str:
    """Whom the morning begins with: an interrupted session, then whoever is due, then anybody."""
    due = [card for card in cards if card.unfinished] + [c for c in cards if isinstance(c.standing.next, Due)]
    return next((card.animal for card in (*due, *cards)), "")


def _short(card: StartCard) -> str:
    if card.unfinished:
        return f"goes on: {card.unfinished}"
    return next_text(card.standing.next).split(".")[0]
